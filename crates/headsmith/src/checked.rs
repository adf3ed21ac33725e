//! The checked tables of a fit, before they become datasets.

use std::path::PathBuf;

use headsmith_data::checks::shared_groups;
use headsmith_data::{Classes, Dataset, Finding, Groups, ReadOptions, Weights};
use headsmith_model::Record;

use crate::context::Context;
use crate::error::Result;
use crate::evidence::RowSource;
use crate::fit_data::{FitData, data_record};
use crate::progress::Progress;
use crate::split::{self, units};
use crate::statistics;
use crate::tables::{self, RoleTable};

/// Tables of a fit that passed the checks.
#[derive(Debug)]
pub struct Checked {
    /// The training table.
    pub train: RoleTable,
    /// The validation table, if there is one.
    pub val: Option<RoleTable>,
    /// The classes, in the order of their indices.
    pub classes: Classes,
    /// The findings of the checks.
    pub findings: Vec<Finding>,
    /// The groups of the rows of `train`, if there is a group column.
    pub(crate) groups: Option<Groups>,
    /// The weights of the rows of `train`, if there is a weight column.
    pub(crate) weights: Option<Weights>,
    /// The groups of the rows of `val`.
    val_groups: Option<Groups>,
    /// The folder for large copies of rows.
    pub(crate) cache: Option<PathBuf>,
    record: Record,
}

impl Checked {
    /// Checks the tables of a fit, with `others`, and reports the findings to the view.
    ///
    /// # Errors
    /// If the checks find an error, there are no classes, or the group or the weight column of `read` is not as it must be.
    pub fn new(
        train: RoleTable,
        val: Option<RoleTable>,
        others: &[&RoleTable],
        read: &ReadOptions,
        context: &mut Context<'_>,
    ) -> Result<Checked> {
        let all: Vec<&RoleTable> =
            std::iter::once(&train).chain(&val).chain(others.iter().copied()).collect();
        let mut findings = tables::check(&all, context);
        tables::refuse_errors(&findings)?;
        let classes = Classes::of(&train.table)?;
        let column = read.group_column.as_deref();
        let groups = column.map(|column| Groups::read(&train.table, column)).transpose()?;
        let column = read.weight_column.as_deref();
        let weights = column.map(|column| Weights::read(&train.table, column)).transpose()?;
        let val_groups = match (&groups, &val) {
            (Some(groups), Some(val)) => groups_beside(groups, val, context)?,
            _ => None,
        };
        if let (Some(groups), Some(val), Some(of_val)) = (&groups, &val, &val_groups) {
            let train = (train.role.as_str(), &train.table, groups);
            let shared = shared_groups(train, (&val.role, &val.table, of_val));
            shared.iter().for_each(|finding| context.emit(&Progress::Found(finding)));
            findings.extend(shared);
        }
        let record = Record {
            data: std::iter::once(&train).chain(&val).map(|t| data_record(&t.role, &t.report)).collect(),
            embeddings_column: read.embeddings_column.clone(),
            label_column: train.report.label_column.clone(),
            feature_names: train.table.feature_names().unwrap_or_default(),
            weight_column: read.weight_column.clone(),
            ..Record::default()
        };
        let cache = read.cache.clone();
        Ok(Checked { train, val, classes, findings, groups, weights, val_groups, cache, record })
    }

    /// The rows for the fit. Without a validation table, `val_share` of the training rows is used for validation; none
    /// if it is 0.
    ///
    /// # Errors
    /// If the training rows cannot be split.
    pub fn into_data(self, val_share: f64, context: &mut Context<'_>) -> Result<FitData> {
        let Checked { train, val, classes, groups, weights, val_groups, cache, record, .. } = self;
        let record = Record { features: statistics::of_rows(train.table.x(), context.pool), ..record };
        let places = RowSource::all(val.as_ref().unwrap_or(&train).table.locations());
        let mut val = val.map(|val| Dataset::new(val.table, &classes)).transpose()?;
        let mut train = Dataset::new(train.table, &classes)?;
        if let Some(weights) = weights {
            train = train.with_weights(weights.into_values())?;
        }
        let units = |rows: &Dataset, groups: &Groups| units::of(rows.x.view(), Some(groups), context.pool);
        train.units = groups.as_ref().map(|groups| units(&train, groups));
        if let Some(val) = &mut val {
            val.units = val_groups.map(|groups| units(val, &groups));
        }
        let mut data = FitData { train, val, held_back: None, split: None, cache, places, record };
        if data.val.is_none() && val_share != 0.0 {
            split::split_off(&mut data, val_share, groups.as_ref(), context)?;
        }
        Ok(data)
    }
}

/// Checks the tables of a fit, `others` beside them, and makes datasets of them. Without `val`, `val_share` of the training
/// rows validates; 0: none does.
///
/// # Errors
/// Those of [`Checked::new`] and [`Checked::into_data`].
pub fn prepare(
    train: RoleTable,
    val: Option<RoleTable>,
    val_share: f64,
    others: &[&RoleTable],
    read: &ReadOptions,
    context: &mut Context<'_>,
) -> Result<(FitData, Vec<Finding>)> {
    let mut checked = Checked::new(train, val, others, read, context)?;
    let findings = std::mem::take(&mut checked.findings);
    Ok((checked.into_data(val_share, context)?, findings))
}

/// The groups of another table than the training table, which need not have the column.
fn groups_beside(groups: &Groups, table: &RoleTable, context: &mut Context<'_>) -> Result<Option<Groups>> {
    let column = groups.column();
    if table.table.has_column(column) {
        return Ok(Some(Groups::read(&table.table, column)?));
    }
    context.warn(&format!(
        "{} has no column \"{column}\": whether its rows are of groups that train has, too, is not known",
        table.role
    ));
    Ok(None)
}
