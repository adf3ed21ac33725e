//! The form in which the head is written to a file and read back.

use headsmith_kernels::Matrix;
use serde_json::{Map, Value};

use super::diagonal::Diagonal;
use super::full::Full;
use super::groups::NEVER;
use super::{Gaussian, Rule, Shared};
use crate::affine::Affine;
use crate::error::{Error, Result};
use crate::head::no_keys;
use crate::tensors::{Tensors, Values};

const COVARIANCE: &str = "covariance";

impl Gaussian {
    pub(super) fn covariance(&self) -> &'static str {
        match self.rule {
            Rule::Shared(_) => "shared",
            Rule::Diagonal(_) => "diagonal",
            Rule::Full(_) => "full",
        }
    }

    pub(super) fn to_config(&self) -> Map<String, Value> {
        [(COVARIANCE.to_owned(), Value::from(self.covariance()))].into_iter().collect()
    }

    pub(super) fn to_tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        match &self.rule {
            Rule::Shared(Shared { centre, affine }) => {
                let shape = [affine.n_classes(), affine.n_features()];
                tensors.insert("centre", &shape[1..], Values::F64(centre.clone()));
                tensors.insert("coef", &shape, Values::F32(affine.coef().into_vec()));
                tensors.insert("intercept", &shape[..1], Values::F32(affine.intercept().to_vec()));
            }
            Rule::Diagonal(diagonal) => {
                let shape = [diagonal.log_priors.len(), diagonal.n_features()];
                tensors.insert("means", &shape, Values::F64(diagonal.means.clone()));
                tensors.insert("variances", &shape, Values::F64(diagonal.variances.clone()));
                tensors.insert("log_priors", &shape[..1], Values::F64(diagonal.log_priors.clone()));
            }
            Rule::Full(full) => {
                let (k, d) = (full.constants.len(), full.n_features());
                tensors.insert("means", &[k, d], Values::F64(full.means.clone()));
                tensors.insert("whiteners", &[k, d, d], Values::F32(full.whiteners()));
                tensors.insert("constants", &[k], Values::F64(full.constants.clone()));
            }
        }
        tensors
    }

    pub(super) fn from_parts(mut config: Map<String, Value>, mut tensors: Tensors) -> Result<Gaussian> {
        let covariance = config.remove(COVARIANCE).unwrap_or_default();
        no_keys(&config)?;
        let rule = match covariance.as_str() {
            Some("shared") => shared(&mut tensors)?,
            Some("diagonal") => diagonal(&mut tensors)?,
            Some("full") => full(&mut tensors)?,
            _ => {
                return Err(Error::stored(format!(
                    "the covariance {covariance} is not shared, diagonal or full"
                )));
            }
        };
        tensors.check_empty("a Gaussian discriminant analysis")?;
        Ok(Gaussian { rule, amounts: None })
    }
}

fn shared(tensors: &mut Tensors) -> Result<Rule> {
    let [n_classes, n_features] = tensors.matrix_shape("coef")?;
    let coef = Matrix::new(tensors.take_finite("coef", &[n_classes, n_features])?, n_classes, n_features);
    let intercept = tensors.take_finite("intercept", &[n_classes])?;
    let centre = finite(tensors, "centre", &[n_features])?;
    some_class(intercept.iter().any(|v| f64::from(*v) > 0.5 * NEVER))?;
    Ok(Rule::Shared(Shared { centre, affine: Affine::new(coef.view(), intercept) }))
}

fn diagonal(tensors: &mut Tensors) -> Result<Rule> {
    let shape = tensors.matrix_shape("means")?;
    let means = finite(tensors, "means", &shape)?;
    let variances = finite(tensors, "variances", &shape)?;
    let log_priors = finite(tensors, "log_priors", &shape[..1])?;
    if variances.iter().any(|v| *v <= 0.0) {
        return Err(Error::stored("tensor `variances` holds a variance that is not above 0"));
    }
    some_class(log_priors.iter().any(|v| *v > 0.5 * NEVER))?;
    Ok(Rule::Diagonal(Diagonal::new(means, variances, log_priors)))
}

fn full(tensors: &mut Tensors) -> Result<Rule> {
    let [n_classes, n_features] = tensors.matrix_shape("means")?;
    let means = finite(tensors, "means", &[n_classes, n_features])?;
    let whiteners = tensors.take_finite("whiteners", &[n_classes, n_features, n_features])?;
    let constants = finite(tensors, "constants", &[n_classes])?;
    some_class(constants.iter().any(|v| *v > 0.5 * NEVER))?;
    Ok(Rule::Full(Full::new(means, &whiteners, constants)))
}

/// Takes out 64-bit floats, all finite.
fn finite(tensors: &mut Tensors, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let values = tensors.take_f64(name, shape)?;
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(values),
        Some(v) => Err(Error::stored(format!("tensor `{name}` holds {v}, expected finite numbers"))),
    }
}

/// Refuses a head that predicts no class at all.
fn some_class(is_any: bool) -> Result<()> {
    if is_any { Ok(()) } else { Err(Error::stored("no class of the head had rows")) }
}
