//! `whiten` and `whiten:S`: rows turned to the principal axes of the training rows, each axis divided by its standard deviation,
//! after the covariance was shrunk: variances of few rows are too large along the first axes and too small along the last.
//!
//! With the covariance S of d features, its mean variance mu = trace(S) / d and the shrinkage s from 0 (none) to 1, the shrunk one is
//! (1 - s) S + s mu I (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
//! Multivariate Analysis 88, 2004). It has the same axes V, with variances (1 - s) w + s mu, and x' = V' (x - m) / sqrt((1 - s) w + s mu).
//! Without S, s is Ledoit and Wolf's estimate of the best one, as scikit-learn's `ledoit_wolf`.
//!
//! Axes with less than 1e-6 of the largest variance (before shrinking) are dropped, so that the rows can have fewer features
//! afterwards: at most as many as training rows less one.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::axes::{large_variances, principal, scaled};
use super::projection::restore;
use super::{FittedTransform, NONE, TrainingRows, TransformKind};
use crate::error::Result;
use crate::linalg::{Principal, Projection};
use crate::params::{Default, Kind, Param};
use crate::tensors::Tensors;

/// Shrunken whitening.
#[derive(Debug)]
pub(super) struct Whiten;

fn shrinkage(argument: &str) -> Option<f64> {
    argument.parse().ok().filter(|s| (0.0..=1.0).contains(s)).map(|s: f64| s + 0.0)
}

impl TransformKind for Whiten {
    fn name(&self) -> &'static str {
        "whiten"
    }

    fn help(&self) -> &'static str {
        "Turns rows to the principal axes and divides each by its standard deviation"
    }

    fn argument(&self) -> Option<Param> {
        Some(Param {
            name: "shrinkage",
            kind: Kind::Float { low: 0.0, high: 1.0, words: &[NONE] },
            default: Default::Text(NONE),
            search: None,
            help: "The shrinkage of the covariance; none: the estimate of Ledoit and Wolf",
        })
    }

    fn syntax(&self) -> &'static str {
        "whiten, whiten:S"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        match argument {
            None => Some(None),
            Some(text) => shrinkage(text).map(|s| Some(s.to_string())),
        }
    }

    fn fit(
        &self,
        argument: Option<&str>,
        rows: &TrainingRows<'_>,
        pool: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        let principal = principal("whiten", rows, pool)?;
        let s = match argument.and_then(shrinkage) {
            Some(s) => s,
            None => best_shrinkage(&principal, fourth_powers(rows, &principal.mean, pool)),
        };
        let mu = trace(&principal) / principal.mean.len() as f64;
        let factor = |w: f64| 1.0 / ((1.0 - s) * w + s * mu).sqrt();
        let factors: Vec<f64> = large_variances(&principal).into_iter().map(factor).collect();
        let (mean, axes) = scaled("whiten", principal, &factors)?;
        Ok(Arc::new(Projection::from_f64(mean, &axes)))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(restore(tensors)?))
    }
}

fn trace(principal: &Principal) -> f64 {
    principal.squares.iter().sum::<f64>() / principal.weight
}

/// The sum over the rows of |x - m|^4.
fn fourth_powers(rows: &TrainingRows<'_>, mean: &[f64], pool: &Pool) -> f64 {
    let square = |row: &[f32]| row.iter().zip(mean).map(|(v, m)| (f64::from(*v) - m).powi(2)).sum::<f64>();
    let add = |sums: &mut [f64], rows: &[f32]| {
        sums[0] += rows.chunks_exact(mean.len().max(1)).map(|row| square(row).powi(2)).sum::<f64>();
    };
    rows.sums(1, add, pool)[0]
}

/// Ledoit and Wolf's shrinkage: the variance of the covariance's entries, by their distance from the mean variance times the
/// identity, which is no less.
fn best_shrinkage(principal: &Principal, fourth_powers: f64) -> f64 {
    let (n, d) = (principal.weight, principal.mean.len() as f64);
    let squares = principal.squares.iter().map(|square| (square / n).powi(2)).sum::<f64>();
    let distance = squares - trace(principal).powi(2) / d;
    let variance = ((fourth_powers / n - squares) / n).min(distance);
    if d > 1.0 && variance > 0.0 { variance / distance } else { 0.0 }
}
