//! The rows of a fit, transformed as its head sees them.

use headsmith_heads::transform::{Pipeline, Spec};
use headsmith_heads::{Head, Samples};
use headsmith_kernels::{Matrix, Pool};
use headsmith_model::{Model, Node, Record};

use crate::error::Result;
use crate::memory;
use crate::rows::{FitRows, Rows};
use crate::split::units;

/// Bytes of features that are scaled once, for all epochs and trials, instead of row by row in each, which takes small
/// networks some hundredths of their time but needs no second table in memory.
const LARGEST_COPY: usize = 64 << 20;

/// Rows as the head sees them.
#[derive(Debug)]
pub(crate) struct Scaled<'d> {
    pub(super) transform: Pipeline,
    train: ScaledRows<'d>,
    val: Option<ScaledRows<'d>>,
    /// The unit of each training row, for a head that leaves rows out of its own fits.
    pub(super) units: Option<Vec<u32>>,
}

/// A table's rows, with a scaled copy of the features where scaling changes them and the copy is small: a head scales
/// those of a large table as it looks at them, to the same bytes.
#[derive(Debug)]
struct ScaledRows<'d> {
    rows: Rows<'d>,
    copy: Option<Matrix>,
}

impl<'d> Scaled<'d> {
    /// Fits `transform` on the training rows, for all rows that `head` sees. A head that reads every feature many times gets a
    /// transformed copy whatever its size.
    ///
    /// # Errors
    /// When there is no such transform, the rows do not allow it, or there is no memory for the copy.
    pub(crate) fn new(
        transform: &str,
        head: &dyn Head,
        data: &FitRows<'d>,
        pool: &Pool,
    ) -> Result<Scaled<'d>> {
        let spec: Spec = transform.parse()?;
        let transform = spec.fit(data.train.x, pool)?;
        let rows = |rows: Rows<'d>| -> Result<ScaledRows<'d>> {
            let is_small = size_of_val(rows.x.as_slice()) <= LARGEST_COPY;
            if spec.is_none() || !is_small && !head.traits().rescans {
                return Ok(ScaledRows { rows, copy: None });
            }
            let n_values = rows.x.n_rows() as u64 * transform.n_outputs(rows.x.n_cols()) as u64;
            memory::check_copy(&spec.to_string(), n_values.saturating_mul(size_of::<f32>() as u64))?;
            Ok(ScaledRows { rows, copy: Some(transform.apply(rows.x, pool)) })
        };
        let (train, val) = (rows(data.train)?, data.val.map(rows).transpose()?);
        let units = head.traits().leaves_rows_out().then(|| units::of_rows(data.train, pool));
        Ok(Scaled { train, val, transform, units })
    }

    /// The training rows, and the validation rows if there are any.
    ///
    /// # Errors
    /// When rows and labels do not go together.
    pub(crate) fn samples(&self) -> Result<(Samples<'_>, Option<Samples<'_>>)> {
        let val = self.val.as_ref().map(|val| val.samples(&self.transform));
        let train = self.train.samples(&self.transform)?;
        // Validation rows are scored, each alike.
        let train = match self.train.rows.weights {
            Some(weights) => train.weighted(weights)?,
            None => train,
        };
        let train = match &self.units {
            Some(units) => train.in_units(units)?,
            None => train,
        };
        Ok((train, val.transpose()?))
    }

    /// The node that scales as this does and then predicts with `node`.
    pub(crate) fn node(&self, node: Node) -> Node {
        match self.transform.spec().is_none() {
            true => node,
            false => Node::Transform { transform: self.transform.clone(), then: Box::new(node) },
        }
    }

    /// The model that scales as this does and then predicts with `node`.
    pub(super) fn model(&self, node: Node, record: Record) -> Result<Model> {
        Ok(Model::new(self.train.rows.classes.names().to_vec(), self.node(node), record)?)
    }
}

impl ScaledRows<'_> {
    fn samples<'s>(&'s self, transform: &'s Pipeline) -> Result<Samples<'s>> {
        let x = self.copy.as_ref().map_or(self.rows.x, Matrix::view);
        let classes = self.rows.classes;
        let samples = Samples::new(x, self.rows.y, classes.len())?.named(classes.names());
        let is_ready = self.copy.is_some() || transform.spec().is_none();
        Ok(if is_ready { samples } else { samples.transformed_by(transform) })
    }
}
