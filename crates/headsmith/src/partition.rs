//! Rows dealt to folds: stratified, with rows of one unit in one fold. A head is fitted on all folds but one, and predicts that one.
//!
//! A head with epochs needs rows for selecting the epoch. They are taken from the rows it is fitted on, not from the
//! scored fold. Only one fold's rows are copied at a time.

use std::path::Path;

use headsmith_data::{Classes, Dataset};
use headsmith_kernels::{MatRef, Matrix};
use headsmith_metrics::Predictions;
use headsmith_model::Model;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitData, FitOptions, TrainedHead};
use crate::head::HeadConfig;
use crate::progress::Progress;
use crate::report::{FoldReport, FoldScores};
use crate::split::{self, units};

/// The maximum number of folds.
pub const MAX_FOLDS: usize = 50;

/// Rows with their classes, in a table or in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'c> {
    /// The features, `n_samples x n_features`.
    pub(crate) x: MatRef<'c>,
    /// The class of each row.
    pub(crate) y: &'c [u32],
    pub(crate) classes: &'c Classes,
    /// The weight of each row.
    pub(crate) weights: Option<&'c [f32]>,
    /// The folder for large copies.
    pub(crate) cache: Option<&'c Path>,
}

/// A head fitted on all folds but one.
pub(crate) struct FoldFit {
    pub(crate) report: FoldReport,
    /// The probabilities of that fold's rows, `n_samples x n_classes`.
    pub(crate) proba: Matrix,
    /// The class of each of them by the decision of the model.
    pub(crate) decided: Vec<u32>,
    pub(crate) model: Model,
}

/// Rows dealt to folds.
pub(crate) struct Partition<'c> {
    rows: Rows<'c>,
    /// The unit of each row; a unit is in one fold.
    units: Vec<u32>,
    /// Whether units are groups of a column.
    is_grouped: bool,
    fold_of: Vec<usize>,
    n_folds: usize,
    /// The share of the other folds for selecting the epoch, of a head that does so.
    val_share: f64,
}

/// Whether there can be so many folds.
///
/// # Errors
/// When there are fewer than two, or more than [`MAX_FOLDS`].
pub(crate) fn check_n_folds(n_folds: usize) -> Result<()> {
    match (2..=MAX_FOLDS).contains(&n_folds) {
        true => Ok(()),
        false => Err(Error::usage(format!("--folds {n_folds}: expected 2 to {MAX_FOLDS} folds"))),
    }
}

impl<'c> Rows<'c> {
    /// The rows of `data`.
    pub(crate) fn of(data: &'c Dataset, cache: Option<&'c Path>) -> Rows<'c> {
        let Dataset { x, y, classes, weights, .. } = data;
        Rows { x: x.view(), y, classes, weights: weights.as_deref(), cache }
    }

    /// A copy of some rows, in that order, with their weights.
    fn copy(&self, rows: &[usize]) -> Result<Dataset> {
        let copy = Dataset::of_rows(self.x, self.y, self.classes, rows, self.cache)?;
        let weights = self.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        Ok(Dataset { weights, ..copy })
    }
}

impl<'c> Partition<'c> {
    /// Deals `rows` of these `units` to `n_folds` folds; `groups` is the column that makes them, if one does.
    ///
    /// # Errors
    /// When there are fewer than two folds, or more than rows or groups, or a fold stays without rows.
    pub(crate) fn new(
        rows: Rows<'c>,
        units: Vec<u32>,
        groups: Option<&str>,
        (n_folds, val_share): (usize, f64),
        context: &mut Context<'_>,
    ) -> Result<Partition<'c>> {
        check_n_folds(n_folds)?;
        let n_units = units::count(&units);
        if n_units < n_folds {
            let what = groups.map_or("different rows".to_owned(), |column| {
                format!("groups of column \"{column}\" (groups that share rows are one)")
            });
            return Err(Error::usage(format!("--folds {n_folds}: the training table has {n_units} {what}")));
        }
        let fold_of = split::deal(&units, rows.y, &vec![1.0 / n_folds as f64; n_folds], context.seed);
        if let Some(empty) = (0..n_folds).find(|fold| !fold_of.contains(fold)) {
            return Err(Error::usage(format!(
                "--folds {n_folds}: fold {} is without rows, since a few groups hold most of them: take fewer folds",
                empty + 1
            )));
        }
        let dealt = Partition { rows, units, is_grouped: groups.is_some(), fold_of, n_folds, val_share };
        dealt.warn_of_rare_classes(context);
        Ok(dealt)
    }

    /// The unit of each row.
    pub(crate) fn units(&self) -> &[u32] {
        &self.units
    }

    /// The fold of each row, from 0.
    pub(crate) fn fold_of(&self) -> &[usize] {
        &self.fold_of
    }

    /// Puts the predictions of the rows of `fold` in their places among those of all rows.
    pub(crate) fn place(&self, fold: usize, of_fold: &Matrix, all: &mut Matrix) {
        for (i, row) in self.of(|other| other == fold).into_iter().enumerate() {
            all.row_mut(row).copy_from_slice(of_fold.row(i));
        }
    }

    /// Fits the head on all folds but one, and predicts that fold.
    ///
    /// # Errors
    /// When the fit fails, or is stopped.
    pub(crate) fn fit(&self, fold: usize, head: &HeadConfig, context: &mut Context<'_>) -> Result<FoldFit> {
        let purpose = format!("fold {} of {}", fold + 1, self.n_folds);
        context.emit(&Progress::Fitting { head: head.name(), purpose: &purpose, metric: context.metric });
        let data = self.without(fold, head, context.seed)?;
        let TrainedHead { model, training, seconds, calibration_seconds, .. } =
            fit::train(head, (&data, false), &FitOptions::default(), context)?;
        if context.stopping() {
            return Err(Error::stopped(format!("stopped in {purpose}: no model was written")));
        }
        let (n_train, n_val) = (data.train.y.len(), data.val.as_ref().map_or(0, |val| val.y.len()));
        drop(data);
        let scored = self.rows.copy(&self.of(|other| other == fold))?;
        let (proba, decided) = model.predict_decided(scored.x.view(), context.pool)?;
        let predictions = Predictions::decided(proba.view(), &decided);
        let report = FoldReport {
            fold: fold + 1,
            n_samples: scored.y.len(),
            n_train,
            n_val,
            epochs: training.history.len(),
            best_epoch: training.best_epoch,
            fit_seconds: seconds,
            calibration_seconds,
            scores: FoldScores::of(&headsmith_metrics::score(&scored.y, predictions)?),
        };
        Ok(FoldFit { report, proba, decided, model })
    }

    /// The rows of all folds but one, with a part for selecting the epoch if the head needs it.
    fn without(&self, fold: usize, head: &HeadConfig, seed: u64) -> Result<FitData> {
        let (mut train, mut val) = (self.of(|other| other != fold), Vec::new());
        if self.val_share > 0.0 && head.uses_val() {
            let units = units::numbered(train.iter().map(|&row| self.units[row]));
            let y: Vec<u32> = train.iter().map(|&row| self.rows.y[row]).collect();
            let is_val = split::draw(&units, &y, self.val_share, seed, self.is_grouped);
            let mut is_val = is_val.into_iter();
            (val, train) = train.into_iter().partition(|_| is_val.next() == Some(true));
            if val.is_empty() || train.is_empty() {
                return Err(split::no_rows(self.val_share, val.len() + train.len(), val.len()));
            }
        }
        let data = FitData::unrecorded(self.part(&train)?);
        match val.is_empty() {
            true => Ok(data),
            false => data.with_val(self.part(&val)?),
        }
    }

    /// A copy of some rows, with their units.
    fn part(&self, rows: &[usize]) -> Result<Dataset> {
        let units = rows.iter().map(|&row| self.units[row]).collect();
        Ok(Dataset { units: Some(units), ..self.rows.copy(rows)? })
    }

    fn of(&self, is: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.fold_of.len()).filter(|&row| is(self.fold_of[row])).collect()
    }

    /// A class that is missing from a fold changes its scores, which is not the head's fault.
    fn warn_of_rare_classes(&self, context: &mut Context<'_>) {
        let mut is_in = vec![vec![false; self.n_folds]; self.rows.classes.len()];
        let folds = self.rows.y.iter().zip(&self.fold_of);
        folds.for_each(|(&class, &fold)| is_in[class as usize][fold] = true);
        let names = self.rows.classes.names().iter().zip(is_in);
        let rare: Vec<&str> =
            names.filter(|(_, is_in)| is_in.contains(&false)).map(|(name, _)| name.as_str()).collect();
        if !rare.is_empty() {
            let classes = if rare.len() == 1 { "class is" } else { "classes are" };
            context.warn(&format!(
                "{} {classes} not in every one of the {} folds: {}",
                rare.len(),
                self.n_folds,
                split::named(&rare)
            ));
        }
    }
}
