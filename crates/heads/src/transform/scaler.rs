//! The last step of several transforms: every feature minus a centre, divided by a scale.

use super::FittedTransform;
use crate::error::{Error, Result};
use crate::graph::{Graph, Scaling, Typical, Var};
use crate::tensors::{Tensors, Values};

/// `x' = (x - centre) / scale`, feature by feature, in f64.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaler {
    /// The name of the tensor of the centres.
    pub(crate) name: &'static str,
    pub(crate) centre: Vec<f64>,
    /// Above zero.
    pub(crate) scale: Vec<f64>,
}

impl Scaler {
    /// Takes its tensors, `name` and `scale`.
    ///
    /// # Errors
    /// When one is missing, of another shape, or a scale is not above zero.
    pub(super) fn restore(name: &'static str, tensors: &mut Tensors) -> Result<Scaler> {
        let n_features = tensors.shape(name)?.iter().product();
        let centre = tensors.take_f64(name, &[n_features])?;
        let scale = tensors.take_f64("scale", &[n_features])?;
        if let Some(i) = scale.iter().position(|&s| s <= 0.0) {
            return Err(Error::stored(format!(
                "element {i} of tensor `scale` is {:?}, expected a number above zero",
                scale[i]
            )));
        }
        Ok(Scaler { name, centre, scale })
    }
}

impl FittedTransform for Scaler {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.centre.len())
    }

    fn scale(&self, rows: &mut [f32], n_features: usize) {
        assert_eq!(n_features, self.centre.len(), "columns of rows to scale");
        for row in rows.chunks_exact_mut(n_features) {
            for ((v, centre), scale) in row.iter_mut().zip(&self.centre).zip(&self.scale) {
                *v = ((f64::from(*v) - centre) / scale) as f32;
            }
        }
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        tensors.insert(self.name, &[self.centre.len()], Values::F64(self.centre.clone()));
        tensors.insert("scale", &[self.scale.len()], Values::F64(self.scale.clone()));
        tensors
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        Scaling { centre: self.centre.clone(), scale: self.scale.clone() }.graph(graph, x)
    }

    fn scaling(&self, _: usize) -> Option<Scaling> {
        Some(Scaling { centre: self.centre.clone(), scale: self.scale.clone() })
    }

    fn rises(&self) -> bool {
        true
    }

    fn typical(&self) -> Option<Typical> {
        Some(Typical { centre: self.centre.clone(), spread: self.scale.clone() })
    }
}
