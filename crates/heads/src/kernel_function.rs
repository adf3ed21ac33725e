//! Kernel functions of two rows, from their inner product and norms.

mod graph;
pub(crate) mod support;

use std::fmt;

use headsmith_kernels::{MatRef, similarity};
use serde_json::{Value, json};

use crate::error::Result;
use crate::linalg::tiles::Scalar;
use crate::params::Params;

/// A function of the rows x and z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Function {
    /// `exp(-gamma |x - z|^exponent)`.
    Exponential {
        /// 2: RBF, 1: Laplace.
        exponent: f64,
        gamma: f64,
    },
    /// The arc-cosine kernel of order 1: `|x| |z| (sin t + (pi - t) cos t) / pi`, t the angle between the rows.
    ArcCosine,
    /// `(gamma x . z + coef0)^degree`.
    Polynomial { gamma: f64, coef0: f64, degree: i32 },
}

/// The words of parameters that choose the kind.
pub(crate) const KINDS: &[&str] = &["rbf", "laplace", "power", "arc-cosine", "polynomial"];

impl Function {
    /// The function that parameters ask for, with this gamma.
    pub(crate) fn of(params: &Params, gamma: f64) -> Result<Function> {
        Ok(match params.word("kernel")? {
            "rbf" => Function::Exponential { exponent: 2.0, gamma },
            "laplace" => Function::Exponential { exponent: 1.0, gamma },
            "power" => Function::Exponential { exponent: params.number("exponent")?, gamma },
            "arc-cosine" => Function::ArcCosine,
            _ => {
                let (coef0, degree) = (params.number("coef0")?, params.count("degree")? as i32);
                Function::Polynomial { gamma, coef0, degree }
            }
        })
    }

    /// The function of rows that are `scale` times as long.
    pub(crate) fn scaled(self, scale: f64) -> Function {
        match self {
            Function::Exponential { exponent, gamma } => {
                Function::Exponential { exponent, gamma: gamma * scale.powf(exponent) }
            }
            Function::ArcCosine => Function::ArcCosine,
            Function::Polynomial { gamma, coef0, degree } => {
                Function::Polynomial { gamma: gamma * scale * scale, coef0, degree }
            }
        }
    }

    /// Whether values are at most 1. Others grow with the rows, and so does what rounding inner products to single precision costs.
    pub(crate) fn is_bounded(self) -> bool {
        matches!(self, Function::Exponential { .. })
    }

    /// Whether it has a gamma.
    pub(crate) fn has_gamma(self) -> bool {
        !matches!(self, Function::ArcCosine)
    }

    /// As a value of a model file.
    pub(crate) fn to_json(self) -> Value {
        match self {
            Function::Exponential { exponent, gamma } => {
                json!({ "kind": "exponential", "exponent": exponent, "gamma": gamma })
            }
            Function::ArcCosine => json!({ "kind": "arc-cosine" }),
            Function::Polynomial { gamma, coef0, degree } => {
                json!({ "kind": "polynomial", "gamma": gamma, "coef0": coef0, "degree": degree })
            }
        }
    }

    /// Reads what [`to_json`](Function::to_json) wrote; `None` when it is something else.
    pub(crate) fn from_json(value: &Value) -> Option<Function> {
        let number = |name: &str| value.get(name).and_then(Value::as_f64).filter(|v| v.is_finite());
        let positive = |name: &str| number(name).filter(|v| *v > 0.0);
        match value.get("kind")?.as_str()? {
            "exponential" => Some(Function::Exponential {
                exponent: number("exponent").filter(|e| (1.0..=2.0).contains(e))?,
                gamma: positive("gamma")?,
            }),
            "arc-cosine" => Some(Function::ArcCosine),
            "polynomial" => Some(Function::Polynomial {
                gamma: positive("gamma")?,
                coef0: number("coef0")?,
                degree: i32::try_from(value.get("degree")?.as_i64()?)
                    .ok()
                    .filter(|d| (1..=10).contains(d))?,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Function::Exponential { exponent, .. } if *exponent == 2.0 => write!(f, "RBF kernel"),
            Function::Exponential { exponent, .. } if *exponent == 1.0 => write!(f, "Laplace kernel"),
            Function::Exponential { exponent, .. } => write!(f, "kernel of the distance to the {exponent}"),
            Function::ArcCosine => write!(f, "arc-cosine kernel"),
            Function::Polynomial { degree, .. } => write!(f, "polynomial kernel of degree {degree}"),
        }
    }
}

/// Precisions in which functions are computed.
pub(crate) trait Evaluate: Scalar {
    /// Replaces the inner products of a row of squared norm `norm` with others by the function; `norms` are those of the others.
    fn evaluate(function: Function, products: &mut [Self], norm: Self, norms: &[Self]);
}

impl Evaluate for f32 {
    fn evaluate(function: Function, products: &mut [f32], norm: f32, norms: &[f32]) {
        match function {
            Function::Exponential { exponent, gamma } => {
                similarity::squared_distances(products, norm, norms);
                if exponent == 1.0 {
                    similarity::square_root(products);
                } else if exponent != 2.0 {
                    similarity::power(products, (exponent / 2.0) as f32);
                }
                similarity::exponential(products, -gamma as f32);
            }
            _ => slow(function, products, norm, norms),
        }
    }
}

impl Evaluate for f64 {
    fn evaluate(function: Function, products: &mut [f64], norm: f64, norms: &[f64]) {
        slow(function, products, norm, norms);
    }
}

/// The squared norm of each row of `x`.
pub(crate) fn squared_norms(x: MatRef<'_>) -> Vec<f32> {
    (0..x.n_rows()).map(|i| squared_norm(x.row(i))).collect()
}

/// The squared norm of a row, added up in double precision.
pub(crate) fn squared_norm(row: &[f32]) -> f32 {
    row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() as f32
}

/// In double precision.
fn slow<T: Scalar>(function: Function, products: &mut [T], norm: T, norms: &[T]) {
    let norm = norm.to_f64();
    for (value, other) in products.iter_mut().zip(norms) {
        let (product, other) = (value.to_f64(), other.to_f64());
        *value = T::from_f64(match function {
            Function::Exponential { exponent, gamma } => {
                let square = (norm + other - 2.0 * product).max(0.0);
                (-gamma * square.powf(exponent / 2.0)).exp()
            }
            Function::ArcCosine => arc_cosine(product, (norm * other).sqrt()),
            Function::Polynomial { gamma, coef0, degree } => (gamma * product + coef0).powi(degree),
        });
    }
}

/// Cho and Saul, "Kernel methods for deep learning", 2009, order 1.
fn arc_cosine(product: f64, lengths: f64) -> f64 {
    if lengths <= 0.0 {
        return 0.0;
    }
    let cosine = (product / lengths).clamp(-1.0, 1.0);
    let angle = cosine.acos();
    lengths * ((1.0 - cosine * cosine).sqrt() + (std::f64::consts::PI - angle) * cosine)
        / std::f64::consts::PI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_precisions_agree_with_the_formulas() {
        let x = [0.5, -1.0, 0.25];
        let rows: Vec<[f64; 3]> =
            (0..40).map(|i| [(i as f64).sin(), (i as f64 * 0.7).cos(), i as f64 * 0.05]).collect();
        let dot = |a: &[f64; 3], b: &[f64; 3]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let distance =
            |z: &[f64; 3]| -> f64 { x.iter().zip(z).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() };
        let angle = |z: &[f64; 3]| (dot(&x, z) / (dot(&x, &x) * dot(z, z)).sqrt()).acos();
        type Formula<'f> = &'f dyn Fn(&[f64; 3]) -> f64;
        let cases: [(Function, Formula<'_>); 5] = [
            (Function::Exponential { exponent: 2.0, gamma: 0.8 }, &|z| (-0.8 * distance(z).powi(2)).exp()),
            (Function::Exponential { exponent: 1.0, gamma: 0.8 }, &|z| (-0.8 * distance(z)).exp()),
            (Function::Exponential { exponent: 1.5, gamma: 1.3 }, &|z| (-1.3 * distance(z).powf(1.5)).exp()),
            (Function::Polynomial { gamma: 0.5, coef0: 1.0, degree: 3 }, &|z| {
                (0.5 * dot(&x, z) + 1.0).powi(3)
            }),
            (Function::ArcCosine, &|z| {
                let t = angle(z);
                (dot(&x, &x) * dot(z, z)).sqrt() / std::f64::consts::PI
                    * (t.sin() + (std::f64::consts::PI - t) * t.cos())
            }),
        ];
        for (function, formula) in cases {
            let mut double: Vec<f64> = rows.iter().map(|z| dot(&x, z)).collect();
            let norms: Vec<f64> = rows.iter().map(|z| dot(z, z)).collect();
            let mut single: Vec<f32> = double.iter().map(|v| *v as f32).collect();
            f64::evaluate(function, &mut double, dot(&x, &x), &norms);
            let norms: Vec<f32> = norms.iter().map(|v| *v as f32).collect();
            f32::evaluate(function, &mut single, dot(&x, &x) as f32, &norms);
            for ((double, single), z) in double.iter().zip(&single).zip(&rows) {
                assert!((double - formula(z)).abs() < 1e-12, "{function:?}");
                assert!((f64::from(*single) - formula(z)).abs() < 1e-6, "{function:?}");
            }
        }
    }
}
