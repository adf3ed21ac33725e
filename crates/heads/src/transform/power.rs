//! `power:P`: the absolute value of every feature to the power P, with its sign, for P above 0 and at most 1 (the power
//! normalisation of Perronnin, Sánchez and Mensink, "Improving the Fisher kernel", ECCV 2010): x' = sign(x) |x|^P. The smaller
//! P, the less the largest values stand out. `power:0.5` gives the numbers of `sqrt`.
//!
//! `power:auto` is `power:0.5` where no training value is negative, and changes nothing otherwise: features that are counts or went through a
//! ReLU gain by the root, those around zero do not.
//!
//! P is a number or a fraction. It has one spelling: `power:1/3` where the decimals of a small fraction do not end, and `power:0.5`
//! otherwise.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::{Error, Result};
use crate::graph::{Binary, Graph, Typical, Unary, Var};
use crate::params::{Default, Kind, Param};
use crate::tensors::{Tensors, Values};

/// The signed power.
#[derive(Debug)]
pub(super) struct Power;

#[derive(Debug)]
struct Powered {
    exponent: f64,
    /// Whether the training rows decided it.
    is_learnt: bool,
}

const AUTO: &str = "auto";
/// The tensor of an exponent that was learnt.
const EXPONENT: &str = "exponent";

/// The largest denominator that is looked for.
const MAX_DENOMINATOR: u32 = 99;
/// Decimals of so many characters count as decimals that do not end.
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
    Ok(Arc::new(Powered { exponent: p, is_learnt: false }))
}

impl TransformKind for Power {
    fn name(&self) -> &'static str {
        "power"
    }

    fn help(&self) -> &'static str {
        "Raises the absolute value of every feature to a power, with its sign"
    }

    fn argument(&self) -> Option<Param> {
        Some(Param {
            name: "exponent",
            kind: Kind::Float { low: 0.0, high: 1.0, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: None,
            help: "The power; auto: 0.5 if no training value is negative, and otherwise 1",
        })
    }

    fn syntax(&self) -> &'static str {
        "power:P"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        if argument == Some(AUTO) {
            return Some(Some(AUTO.to_owned()));
        }
        exponent(argument).map(|p| Some(spelling(p)))
    }

    fn fit(
        &self,
        argument: Option<&str>,
        rows: &TrainingRows<'_>,
        pool: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        if argument != Some(AUTO) {
            return powered(argument);
        }
        let count = |sums: &mut [f64], rows: &[f32]| {
            sums[0] += rows.iter().filter(|v| **v < 0.0).count() as f64;
        };
        let has_negative = rows.sums(1, count, pool)[0] > 0.0;
        Ok(Arc::new(Powered { exponent: if has_negative { 1.0 } else { 0.5 }, is_learnt: true }))
    }

    fn restore(&self, argument: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        if argument != Some(AUTO) {
            return powered(argument);
        }
        let exponent = tensors.take_f64(EXPONENT, &[1])?[0];
        if exponent != 0.5 && exponent != 1.0 {
            return Err(Error::stored(format!("tensor `{EXPONENT}` is {exponent}, expected 0.5 or 1")));
        }
        Ok(Arc::new(Powered { exponent, is_learnt: true }))
    }
}

impl FittedTransform for Powered {
    fn scale(&self, rows: &mut [f32], _: usize) {
        if self.exponent == 1.0 {
            return;
        }
        // The root is rounded as `sqrt` rounds it; the power may not be.
        let power = |v: f64| if self.exponent == 0.5 { v.sqrt() } else { v.powf(self.exponent) };
        rows.iter_mut().for_each(|v| *v = (power(f64::from(v.abs())) as f32).copysign(*v));
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        if self.exponent == 1.0 {
            return x;
        }
        let wide = graph.double(x);
        let size = graph.unary(Unary::Abs, wide);
        let power = match self.exponent {
            0.5 => graph.unary(Unary::Sqrt, size),
            exponent => graph.with(Binary::Pow, size, &[exponent]),
        };
        let sign = graph.unary(Unary::Sign, wide);
        let x = graph.binary(Binary::Mul, power, sign);
        graph.float(x)
    }

    fn rises(&self) -> bool {
        true
    }

    fn typical_before(&self, after: Typical) -> Option<Typical> {
        Some(after.mapped(|v| v.abs().powf(1.0 / self.exponent).copysign(v)))
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        if self.is_learnt {
            tensors.insert(EXPONENT, &[1], Values::F64(vec![self.exponent]));
        }
        tensors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_the_root_of_features_that_are_never_negative() {
        use crate::transform::Spec;
        use headsmith_kernels::Matrix;
        let (spec, pool) = ("power:auto".parse::<Spec>().unwrap(), Pool::inline());
        for (low, root) in [(0.0, 3.0), (-1.0, 9.0)] {
            let x = Matrix::new(vec![9.0, low, 0.0, 4.0], 2, 2);
            let pipeline = spec.fit(x.view(), &pool).unwrap();
            assert_eq!(pipeline.apply(x.view(), &pool).row(0)[0], root);
            let restored = spec.restore(pipeline.tensors()).unwrap();
            assert_eq!(restored.apply(x.view(), &pool), pipeline.apply(x.view(), &pool));
        }
        assert!(spec.restore(Tensors::new()).is_err());
    }

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
