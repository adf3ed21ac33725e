//! The fitted form of `pca`, `whiten` and `spectrum`: every row minus a mean, then its products with some axes.

use super::FittedTransform;
use crate::error::Result;
use crate::graph::{Graph, Rows, Typical, Var, projected};
use crate::linalg::Projection;
use crate::tensors::{Tensors, Values};

/// Takes the tensors of a projection, `mean` and `axes`.
///
/// # Errors
/// When one is missing or of another shape.
pub(super) fn restore(tensors: &mut Tensors) -> Result<Projection> {
    let [n_axes, n_features] = tensors.matrix_shape("axes")?;
    let axes = tensors.take_f32("axes", &[n_axes, n_features])?;
    let mean = tensors.take_f64("mean", &[n_features])?;
    Ok(Projection::new(mean, axes))
}

impl FittedTransform for Projection {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.mean().len())
    }

    fn n_outputs(&self) -> Option<usize> {
        Some(self.n_axes())
    }

    fn project(&self, rows: &[f32], n_features: usize, to: &mut [f32]) {
        assert_eq!(n_features, self.mean().len(), "columns of rows to project");
        Projection::project(self, rows, to);
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        projected(graph, Rows::new(x), self.mean(), &self.axes())
    }

    fn projection(&self) -> Option<(Vec<f64>, Vec<f32>)> {
        Some((self.mean().to_vec(), self.axes()))
    }

    fn typical(&self) -> Option<Typical> {
        // Axes that are scaled by their deviations give about 1.
        let mut squares = vec![0.0; self.mean().len()];
        for axis in self.axes().chunks_exact(squares.len()) {
            squares.iter_mut().zip(axis).for_each(|(sum, v)| *sum += f64::from(*v).powi(2));
        }
        let spread = squares.into_iter().map(|square: f64| 1.0 / square.sqrt().max(1e-6)).collect();
        Some(Typical { centre: self.mean().to_vec(), spread })
    }

    fn tensors(&self) -> Tensors {
        let (mut tensors, n_features) = (Tensors::new(), self.mean().len());
        tensors.insert("mean", &[n_features], Values::F64(self.mean().to_vec()));
        tensors.insert("axes", &[self.n_axes(), n_features], Values::F32(self.axes()));
        tensors
    }
}
