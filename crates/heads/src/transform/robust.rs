//! `robust`: every feature minus its median, divided by the distance of its quartiles, as scikit-learn's `RobustScaler`: a few
//! values far out change neither.
//!
//! Quartiles are interpolated between the training values beside them. A distance below 10 eps (of f64) counts as 1: at
//! least half of the values are then the same.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::order::{quantile, sort};
use super::scaler::Scaler;
use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::Result;
use crate::tensors::Tensors;

/// Scaling by median and quartiles.
#[derive(Debug)]
pub(super) struct Robust;

/// The name of the tensor of the medians.
const MEDIAN: &str = "median";

impl TransformKind for Robust {
    fn name(&self) -> &'static str {
        "robust"
    }

    fn help(&self) -> &'static str {
        "Gives every feature median 0 and a distance of 1 between its quartiles"
    }

    fn fit(&self, _: Option<&str>, rows: &TrainingRows<'_>, pool: &Pool) -> Result<Arc<dyn FittedTransform>> {
        let of_columns = rows.columns("it has no median", pool, |column| {
            sort(column);
            let [low, median, high] = [1, 2, 3].map(|a| quantile(column, a, 4));
            let distance = high - low;
            (median, if distance < 10.0 * f64::EPSILON { 1.0 } else { distance })
        })?;
        let (centre, scale) = of_columns.into_iter().unzip();
        Ok(Arc::new(Scaler { name: MEDIAN, centre, scale }))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(Scaler::restore(MEDIAN, tensors)?))
    }
}
