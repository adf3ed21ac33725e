//! `divide:K`: every feature divided by K, which is finite and above zero.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::{Error, Result};
use crate::graph::{Binary, Graph, Scaling, Var};
use crate::params::{Default, Kind, Param};
use crate::tensors::Tensors;

/// Division by a constant.
#[derive(Debug)]
pub(super) struct Divide;

#[derive(Debug)]
struct Divided(f64);

fn divisor(argument: Option<&str>) -> Option<f64> {
    argument?.parse().ok().filter(|k: &f64| k.is_finite() && *k > 0.0)
}

fn divided(argument: Option<&str>) -> Result<Arc<dyn FittedTransform>> {
    let k =
        divisor(argument).ok_or_else(|| Error::parameter("divide needs a divisor above zero: divide:10"))?;
    Ok(Arc::new(Divided(k)))
}

impl TransformKind for Divide {
    fn name(&self) -> &'static str {
        "divide"
    }

    fn help(&self) -> &'static str {
        "Divides every feature by a constant"
    }

    fn argument(&self) -> Option<Param> {
        Some(Param {
            name: "divisor",
            kind: Kind::Float { low: 0.0, high: f64::INFINITY, words: &[] },
            default: Default::Float(10.0),
            search: None,
            help: "The constant",
        })
    }

    fn syntax(&self) -> &'static str {
        "divide:K"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        divisor(argument).map(|k| Some(k.to_string()))
    }

    fn fit(
        &self,
        argument: Option<&str>,
        _: &TrainingRows<'_>,
        _: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        divided(argument)
    }

    fn restore(&self, argument: Option<&str>, _: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        divided(argument)
    }
}

impl FittedTransform for Divided {
    fn scale(&self, rows: &mut [f32], _: usize) {
        rows.iter_mut().for_each(|v| *v = (f64::from(*v) / self.0) as f32);
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        let x = graph.double(x);
        let x = graph.with(Binary::Div, x, &[self.0]);
        graph.float(x)
    }

    fn scaling(&self, n_features: usize) -> Option<Scaling> {
        Some(Scaling { centre: vec![0.0; n_features], scale: vec![self.0; n_features] })
    }

    fn rises(&self) -> bool {
        true
    }
}
