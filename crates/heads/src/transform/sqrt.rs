//! `sqrt`: the square root of the absolute value of every feature, with its sign: it evens out features with few large values
//! (the power normalisation of Perronnin, Sánchez and Mensink, "Improving the Fisher kernel", ECCV 2010).

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::Result;
use crate::graph::{Binary, Graph, Typical, Unary, Var};
use crate::tensors::Tensors;

/// The signed square root.
#[derive(Debug)]
pub(super) struct Sqrt;

impl TransformKind for Sqrt {
    fn name(&self) -> &'static str {
        "sqrt"
    }

    fn help(&self) -> &'static str {
        "Takes the square root of the absolute value of every feature, with its sign"
    }

    fn fit(&self, _: Option<&str>, _: &TrainingRows<'_>, _: &Pool) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(Sqrt))
    }

    fn restore(&self, _: Option<&str>, _: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(Sqrt))
    }
}

impl FittedTransform for Sqrt {
    fn scale(&self, rows: &mut [f32], _: usize) {
        rows.iter_mut().for_each(|v| *v = v.abs().sqrt().copysign(*v));
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        let size = graph.unary(Unary::Abs, x);
        let root = graph.unary(Unary::Sqrt, size);
        let sign = graph.unary(Unary::Sign, x);
        graph.binary(Binary::Mul, root, sign)
    }

    fn rises(&self) -> bool {
        true
    }

    fn typical_before(&self, after: Typical) -> Option<Typical> {
        Some(after.mapped(|v| v * v.abs()))
    }
}
