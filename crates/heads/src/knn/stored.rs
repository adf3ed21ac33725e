//! The form in which the head is written to a file and read back.

use headsmith_kernels::{Matrix, Pool};
use serde_json::{Map, Value};

use super::Knn;
use super::index::{Distance, Index};
use super::params::{DISTANCE, N_NEIGHBORS, TABLE, TEMPERATURE, WEIGHTS};
use super::votes::Weighting;
use crate::error::{Error, Result};
use crate::head::no_keys;
use crate::params::Value as Given;
use crate::tensors::{Tensors, Values};

impl Knn {
    pub(super) fn to_config(&self) -> Map<String, Value> {
        let distance = match self.index.distance {
            Distance::Cosine => "cosine",
            Distance::Euclidean => "euclidean",
        };
        let (weights, temperature) = match self.weighting {
            Weighting::Uniform => ("uniform", None),
            Weighting::Distance => ("distance", None),
            Weighting::Temperature(temperature) => (TEMPERATURE, Some(temperature)),
        };
        let mut config = Map::new();
        config.insert(N_NEIGHBORS.to_owned(), self.n_neighbors.into());
        config.insert(DISTANCE.to_owned(), distance.into());
        config.insert(WEIGHTS.to_owned(), weights.into());
        if let Some(temperature) = temperature {
            config.insert(TEMPERATURE.to_owned(), temperature.into());
        }
        config
    }

    pub(super) fn to_tensors(&self) -> Tensors {
        let (shape, mut tensors) = ([self.rows.n_rows(), self.rows.n_cols()], Tensors::new());
        tensors.insert("rows", &shape, Values::F32(self.rows.as_slice().to_vec()));
        tensors.insert("classes", &shape[..1], Values::U32(self.classes.clone()));
        tensors.insert("weights", &shape[..1], Values::F32(self.weights.clone()));
        let class_weights = Values::F32(self.class_weights.clone());
        tensors.insert("class_weights", &[self.class_weights.len()], class_weights);
        tensors
    }

    pub(super) fn from_parts(mut config: Map<String, Value>, mut tensors: Tensors) -> Result<Knn> {
        let (n_neighbors, distance, weighting) = parameters(&mut config)?;
        no_keys(&config)?;
        let [n_rows, n_features] = tensors.matrix_shape("rows")?;
        let n_classes = tensors.shape("class_weights")?.first().copied().unwrap_or_default();
        let rows = Matrix::new(tensors.take_finite("rows", &[n_rows, n_features])?, n_rows, n_features);
        let classes = tensors.take_u32("classes", &[n_rows])?;
        let weights = tensors.take_finite("weights", &[n_rows])?;
        let class_weights = tensors.take_finite("class_weights", &[n_classes])?;
        tensors.check_empty("k nearest neighbours")?;
        if let Some(class) = classes.iter().find(|class| **class as usize >= n_classes) {
            return Err(Error::stored(format!("tensor `classes` holds {class}, expected below {n_classes}")));
        }
        if weights.iter().any(|w| *w <= 0.0) || class_weights.iter().any(|w| *w < 0.0) {
            return Err(Error::stored(
                "tensor `weights` or `class_weights` holds a weight that no row or class can have",
            ));
        }
        let index = Index::new(rows.view(), distance, &Pool::inline());
        Ok(Knn { rows, classes, weights, class_weights, index, n_neighbors, weighting })
    }
}

/// The parameters in a stored configuration, checked as if a user had given them.
fn parameters(config: &mut Map<String, Value>) -> Result<(usize, Distance, Weighting)> {
    let mut given = Vec::new();
    for name in [N_NEIGHBORS, DISTANCE, WEIGHTS] {
        let value =
            config.remove(name).ok_or_else(|| Error::stored(format!("the key `{name}` is missing")))?;
        given.push((name, parameter(name, value)?));
    }
    if let Some(value) = config.remove(TEMPERATURE) {
        given.push((TEMPERATURE, parameter(TEMPERATURE, value)?));
    }
    let n_given = given.len();
    let params = TABLE.resolve(given).map_err(|error| Error::stored(error.to_string()))?;
    let Some(n_neighbors) = params.count_or_word(N_NEIGHBORS)? else {
        return Err(Error::stored("the key `n_neighbors` is no number"));
    };
    let distance = match params.word(DISTANCE)? {
        "euclidean" => Distance::Euclidean,
        _ => Distance::Cosine,
    };
    let weighting = match (params.word(WEIGHTS)?, params.float(TEMPERATURE), n_given) {
        ("uniform", None, 3) => Weighting::Uniform,
        ("distance", None, 3) => Weighting::Distance,
        (TEMPERATURE, Some(temperature), _) => Weighting::Temperature(temperature),
        _ => return Err(Error::stored("the keys `weights` and `temperature` do not go together")),
    };
    Ok((n_neighbors, distance, weighting))
}

fn parameter(name: &str, value: Value) -> Result<Given> {
    serde_json::from_value(value).map_err(|_| Error::stored(format!("the key `{name}` is of another type")))
}
