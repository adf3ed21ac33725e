//! `power:P`: the absolute value of every feature to the power P, with its sign, for P above 0 and at most 1 (the power
//! normalisation of Perronnin, Sánchez and Mensink, "Improving the Fisher kernel", ECCV 2010): x' = sign(x) |x|^P. The smaller
//! P, the less the largest values stand out. `power:0.5` gives the numbers of `sqrt`.
//!
//! P is a number or a fraction. It has one spelling: `power:1/3` where the decimals of a small fraction do not end, and `power:0.5`
//! otherwise.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::{Error, Result};
use crate::tensors::Tensors;

/// The signed power.
#[derive(Debug)]
pub(super) struct Power;

#[derive(Debug)]
struct Powered(f64);

/// The largest denominator that is looked for.
const MAX_DENOMINATOR: u32 = 99;
/// Decimals of so many characters are taken for decimals that do not end.
const ENDLESS: usize = 16;

fn exponent(argument: Option<&str>) -> Option<f64> {
    let text = argument?;
    let p = match text.split_once('/') {
        Some((a, b)) => f64::from(a.parse::<u32>().ok()?) / f64::from(b.parse::<u32>().ok()?),
        None => text.parse().ok()?,
    };
    (p > 0.0 && p <= 1.0).then_some(p)
}

fn spelling(p: f64) -> String {
    let decimals = p.to_string();
    let fraction = (2..=MAX_DENOMINATOR).map(f64::from).find(|b| (p * b).round() / b == p);
    match fraction {
        Some(b) if decimals.len() >= ENDLESS && p * b >= 0.5 => format!("{}/{b}", (p * b).round()),
        _ => decimals,
    }
}

fn powered(argument: Option<&str>) -> Result<Arc<dyn FittedTransform>> {
    let p = exponent(argument)
        .ok_or_else(|| Error::parameter("power needs an exponent above 0 and at most 1: power:0.5"))?;
    Ok(Arc::new(Powered(p)))
}

impl TransformKind for Power {
    fn name(&self) -> &'static str {
        "power"
    }

    fn syntax(&self) -> &'static str {
        "power:P"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        exponent(argument).map(|p| Some(spelling(p)))
    }

    fn fit(
        &self,
        argument: Option<&str>,
        _: &TrainingRows<'_>,
        _: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        powered(argument)
    }

    fn restore(&self, argument: Option<&str>, _: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        powered(argument)
    }
}

impl FittedTransform for Powered {
    fn scale(&self, rows: &mut [f32], _: usize) {
        // The root is rounded as `sqrt` rounds it; the power may not be.
        let power = |v: f64| if self.0 == 0.5 { v.sqrt() } else { v.powf(self.0) };
        rows.iter_mut().for_each(|v| *v = (power(f64::from(v.abs())) as f32).copysign(*v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_have_one_spelling() {
        for (text, expected) in [
            ("0.5", "0.5"),
            ("1/2", "0.5"),
            ("5e-1", "0.5"),
            ("1/3", "1/3"),
            ("2/6", "1/3"),
            ("0.3333333333333333", "1/3"),
            ("2/3", "2/3"),
            ("0.25", "0.25"),
            ("1/7", "1/7"),
            ("3/98", "3/98"),
            ("1", "1"),
            ("1.0", "1"),
            ("4/4", "1"),
            ("0.123456789", "0.123456789"),
        ] {
            let found = exponent(Some(text)).map(spelling).unwrap();
            assert_eq!(found, expected, "{text}");
            assert_eq!(exponent(Some(&found)), exponent(Some(text)));
        }
        for p in [f64::MIN_POSITIVE, 1e-5, 0.1 + 0.2, 1.0 / 1009.0, 1.0 - f64::EPSILON] {
            assert_eq!(exponent(Some(&spelling(p))), Some(p));
        }
    }
}
