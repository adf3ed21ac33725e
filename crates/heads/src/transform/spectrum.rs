//! `spectrum:P`: rows turned to the principal axes of the training rows, each axis scaled by its variance to the power P / 2.
//!
//! With mean m, axes V and variances w: x' = c V' (x - m) w^(P / 2). P of -1 gives all axes the same variance (it whitens), 0 changes no
//! distance, above 0 the large axes count even more. Between, distances move smoothly from one to the other, which matters
//! most to kernels and neighbours. The constant c makes the total variance of the training rows 1, so that two of them are at the mean
//! square distance 2.
//!
//! Axes with less than 1e-6 of the largest variance are dropped, so that the rows can have fewer features afterwards: at most as
//! many as training rows less one.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::axes::{large_variances, principal, scaled};
use super::projection::restore;
use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::Result;
use crate::linalg::Projection;
use crate::params::{Default, Kind, Param};
use crate::tensors::Tensors;

/// Principal axes by powers of their variances.
#[derive(Debug)]
pub(super) struct Spectrum;

fn exponent(argument: Option<&str>) -> Option<f64> {
    // The sum turns -0 into 0.
    argument?.parse().ok().filter(|p| (-1.0..=2.0).contains(p)).map(|p: f64| p + 0.0)
}

impl TransformKind for Spectrum {
    fn name(&self) -> &'static str {
        "spectrum"
    }

    fn help(&self) -> &'static str {
        "Turns rows to the principal axes and multiplies each by a power of its variance"
    }

    fn argument(&self) -> Option<Param> {
        Some(Param {
            name: "exponent",
            kind: Kind::Float { low: -1.0, high: 2.0, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "The power of the standard deviation; -1 whitens, 0 only rotates",
        })
    }

    fn syntax(&self) -> &'static str {
        "spectrum:P"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        exponent(argument).map(|p| Some(p.to_string()))
    }

    fn fit(
        &self,
        argument: Option<&str>,
        rows: &TrainingRows<'_>,
        pool: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        let p = exponent(argument).unwrap_or(0.0);
        let what = format!("spectrum:{p}");
        let principal = principal(&what, rows, pool)?;
        let factors = factors(&large_variances(&principal), p);
        let (mean, axes) = scaled(&what, principal, &factors)?;
        Ok(Arc::new(Projection::from_f64(mean, &axes)))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(restore(tensors)?))
    }
}

/// The factors of axes with these variances, which fall.
fn factors(variances: &[f64], p: f64) -> Vec<f64> {
    let largest = variances.first().copied().unwrap_or(1.0);
    let total: f64 = variances.iter().map(|w| (w / largest).powf(1.0 + p)).sum();
    let scale = (largest * total).sqrt();
    variances.iter().map(|w| (w / largest).powf(p / 2.0) / scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_variance_is_one() {
        let variances = [9e80, 3e80, 1e78];
        for p in [-1.0, -0.25, 0.0, 0.6, 2.0] {
            let factors = factors(&variances, p);
            let total: f64 = factors.iter().zip(variances).map(|(f, w)| f * f * w).sum();
            assert!((total - 1.0).abs() < 1e-12);
            let ratio = factors[2] / factors[0];
            assert!((ratio / (variances[2] / variances[0]).powf(p / 2.0) - 1.0).abs() < 1e-12);
        }
    }
}
