//! Cross-validation: the head is fitted once for each fold, on all other rows, and predicts the fold. So every row of
//! the training table is scored by a head that did not see it. The folds are stratified; rows with the same features
//! and rows of one group are in one fold.
//!
//! A head with epochs needs rows for selecting the epoch. They are taken from the rows it is fitted on, not from the
//! scored fold. Only one fold's rows are copied at a time.

use std::path::Path;
use std::time::Instant;

use headsmith_data::predictions::{self, Predictions};
use headsmith_data::{Dataset, Groups};
use headsmith_kernels::{MatRef, Matrix};
use headsmith_metrics::ByMetric;
use headsmith_model::most_probable;

use crate::checked::Checked;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::evidence::RowSource;
use crate::fit::{self, FitData, FitOptions, TrainedHead};
use crate::head::HeadConfig;
use crate::judge::{self, CrossValidated};
use crate::progress::Progress;
use crate::report::{FoldGroups, FoldReport, FoldScores, FoldsReport};
use crate::split::{self, units};

/// The maximum number of folds.
pub const MAX_FOLDS: usize = 50;

/// The meaning of the scores.
const NOTE: &str = "each fold was scored by a head fitted on the others: the scores estimate what this way of fitting gives on \
                    new rows, not the one model that is written, which learns from the rows of all folds";

/// Options of a cross-validation.
#[derive(Debug, Clone, Copy)]
pub struct Folds<'p> {
    /// The number of folds, 2 to [`MAX_FOLDS`].
    pub n_folds: usize,
    /// For a head with epochs, the share of the other folds' rows for selecting the epoch.
    pub val_share: f64,
    /// The file for the predictions, in the format of its extension.
    pub out: Option<&'p Path>,
}

/// The rows of the table that is split into folds.
struct FoldRows<'c> {
    checked: &'c Checked,
    x: MatRef<'c>,
    y: Vec<u32>,
    /// The unit of each row; a unit is in one fold.
    units: Vec<usize>,
    fold_of: Vec<usize>,
    n_folds: usize,
    /// The share of the other folds for selecting the epoch.
    val_share: f64,
}

/// Cross-validates `head` on the training table.
///
/// # Errors
/// If there are fewer than two folds, or more than rows or groups; if all rows of a class are in one group; if a fit
/// fails, or is stopped; if the predictions cannot be written.
pub fn cross_validate(
    head: &HeadConfig,
    checked: &Checked,
    options: &Folds<'_>,
    context: &mut Context<'_>,
) -> Result<CrossValidated> {
    let start = Instant::now();
    let n_folds = options.n_folds;
    if let Some(path) = options.out {
        // Before hours of work, not after them.
        predictions::check_out_of_fold(path, &checked.train.table, &checked.classes)?;
    }
    let val_share = if head.head().traits().uses_val() { options.val_share } else { 0.0 };
    let rows = FoldRows::new(checked, n_folds, val_share, context)?;
    let n_classes = checked.classes.len();
    let mut proba = Matrix::zeros(rows.y.len(), n_classes);
    let mut folds = Vec::new();
    for fold in 0..n_folds {
        let (report, of_fold) = rows.fit(fold, head, context)?;
        for (i, row) in rows.of(|other| other == fold).into_iter().enumerate() {
            proba.row_mut(row).copy_from_slice(of_fold.row(i));
        }
        context.emit(&Progress::Fold { fold: &report, n_folds, metric: context.metric });
        folds.push(report);
    }
    let out_of_fold = judge::of_proba(checked.classes.names(), &rows.y, &proba, Vec::new(), context)?;
    let (mean, std) = mean_and_std(&folds);
    let groups =
        |groups: &Groups| FoldGroups { column: groups.column().to_owned(), n_groups: groups.names().len() };
    let report = FoldsReport {
        n_folds,
        seed: context.seed,
        val_share: rows.val_share,
        groups: checked.groups.as_ref().map(groups),
        out_of_fold,
        folds,
        mean,
        std,
        note: NOTE.to_owned(),
        seconds: start.elapsed().as_secs_f64(),
    };
    let fold_of = rows.fold_of.iter().map(|&fold| fold as u32 + 1).collect();
    let done = CrossValidated { report, proba, fold_of };
    if let Some(path) = options.out {
        write(path, checked, &done)?;
        context.emit(&Progress::Wrote(path));
    }
    Ok(done)
}

/// Writes the predictions next to their rows.
fn write(path: &Path, checked: &Checked, done: &CrossValidated) -> Result<()> {
    let predicted = most_probable(done.proba.view());
    let predictions = Predictions {
        classes: &checked.classes,
        predicted: &predicted,
        probabilities: done.proba.view(),
        fold_of: Some(&done.fold_of),
    };
    predictions::write(path, &checked.train.table, predictions, &predictions::OUT_OF_FOLD)?;
    Ok(())
}

impl<'c> FoldRows<'c> {
    fn new(
        checked: &'c Checked,
        n_folds: usize,
        val_share: f64,
        context: &mut Context<'_>,
    ) -> Result<FoldRows<'c>> {
        if !(2..=MAX_FOLDS).contains(&n_folds) {
            return Err(Error::usage(format!("--folds {n_folds}: expected 2 to {MAX_FOLDS} folds")));
        }
        if !(0.0..1.0).contains(&val_share) {
            return Err(split::no_share(val_share));
        }
        let (x, groups) = (checked.train.table.x(), checked.groups.as_ref());
        let y = checked.classes.encode(&checked.train.table)?;
        let units = units::of(x, groups, context.pool);
        if let Some(groups) = groups {
            split::refuse_too_few(&checked.classes, &y, &units, groups)?;
        }
        let n_units = units::count(&units);
        if n_units < n_folds {
            let what = groups.map_or("different rows".to_owned(), |groups| {
                format!("groups of column \"{}\" (groups that share rows are one)", groups.column())
            });
            return Err(Error::usage(format!("--folds {n_folds}: the training table has {n_units} {what}")));
        }
        let fold_of = split::deal(&units, &y, &vec![1.0 / n_folds as f64; n_folds], context.seed);
        if let Some(empty) = (0..n_folds).find(|fold| !fold_of.contains(fold)) {
            return Err(Error::usage(format!(
                "--folds {n_folds}: fold {} is without rows, since a few groups hold most of them: take fewer folds",
                empty + 1
            )));
        }
        let rows = FoldRows { checked, x, y, units, fold_of, n_folds, val_share };
        rows.warn_of_rare_classes(context);
        Ok(rows)
    }

    /// A class that is missing from a fold changes its scores, which is not the head's fault.
    fn warn_of_rare_classes(&self, context: &mut Context<'_>) {
        let mut is_in = vec![vec![false; self.n_folds]; self.checked.classes.len()];
        self.y.iter().zip(&self.fold_of).for_each(|(&class, &fold)| is_in[class as usize][fold] = true);
        let names = self.checked.classes.names().iter().zip(is_in);
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

    fn of(&self, is: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.y.len()).filter(|&row| is(self.fold_of[row])).collect()
    }

    fn copy(&self, rows: &[usize]) -> Result<Dataset> {
        let Checked { classes, weights, cache, .. } = self.checked;
        let copy = Dataset::of_rows(self.x, &self.y, classes, rows, cache.as_deref())?;
        let weights = weights.as_ref().map(|weights| rows.iter().map(|&row| weights.values()[row]).collect());
        Ok(Dataset { weights, ..copy })
    }

    /// Fits the head on all folds but one, and predicts that fold.
    fn fit(&self, fold: usize, head: &HeadConfig, context: &mut Context<'_>) -> Result<(FoldReport, Matrix)> {
        let purpose = format!("fold {} of {}", fold + 1, self.n_folds);
        context.emit(&Progress::Fitting { head: head.name(), purpose: &purpose, metric: context.metric });
        let data = self.without(fold, context.seed)?;
        let TrainedHead { model, training, seconds, .. } =
            fit::train(head, &data, &FitOptions::default(), None, context)?;
        if context.stopping() {
            return Err(Error::stopped(format!("stopped in {purpose}: no model was written")));
        }
        let (n_train, n_val) = (data.train.y.len(), data.val.as_ref().map_or(0, |val| val.y.len()));
        drop(data);
        let scored = self.copy(&self.of(|other| other == fold))?;
        let proba = model.predict_proba(scored.x.view(), context.pool)?;
        let report = FoldReport {
            fold: fold + 1,
            n_samples: scored.y.len(),
            n_train,
            n_val,
            epochs: training.history.len(),
            best_epoch: training.best_epoch,
            fit_seconds: seconds,
            scores: FoldScores::of(&headsmith_metrics::score(&scored.y, proba.view())?),
        };
        Ok((report, proba))
    }

    /// The rows of all folds but one, with a part for selecting the epoch if the head needs it.
    fn without(&self, fold: usize, seed: u64) -> Result<FitData> {
        let (mut train, mut val) = (self.of(|other| other != fold), Vec::new());
        if self.val_share > 0.0 {
            let units = units::numbered(train.iter().map(|&row| self.units[row]));
            let y: Vec<u32> = train.iter().map(|&row| self.y[row]).collect();
            let is_val = split::draw(&units, &y, self.val_share, seed, self.checked.groups.is_some());
            let mut is_val = is_val.into_iter();
            (val, train) = train.into_iter().partition(|_| is_val.next() == Some(true));
            if val.is_empty() || train.is_empty() {
                return Err(split::no_rows(self.val_share, val.len() + train.len(), val.len()));
            }
        }
        Ok(FitData {
            train: self.copy(&train)?,
            val: (!val.is_empty()).then(|| self.copy(&val)).transpose()?,
            held_back: None,
            split: None,
            train_units: None,
            val_units: None,
            cache: None,
            places: RowSource::all(self.checked.train.table.locations()),
            record: Default::default(),
        })
    }
}

/// Applies `combine` to each score, given as a function of a fold.
fn each(combine: impl Fn(&dyn Fn(&FoldScores) -> f64) -> f64) -> FoldScores {
    FoldScores {
        by_metric: ByMetric::from_fn(|metric| combine(&|scores| scores.get(metric))),
        brier: combine(&|scores| scores.brier),
        ece: combine(&|scores| scores.ece),
    }
}

/// The mean and the standard deviation over the folds, each with equal weight.
fn mean_and_std(folds: &[FoldReport]) -> (FoldScores, FoldScores) {
    let n = folds.len() as f64;
    let mean =
        |score: &dyn Fn(&FoldScores) -> f64| folds.iter().map(|fold| score(&fold.scores)).sum::<f64>() / n;
    let std = |score: &dyn Fn(&FoldScores) -> f64| {
        let mean = mean(score);
        let squares: f64 = folds.iter().map(|fold| (score(&fold.scores) - mean).powi(2)).sum();
        (squares / (n - 1.0)).sqrt()
    };
    (each(mean), each(std))
}

#[cfg(test)]
mod tests {
    use headsmith_metrics::Metric;

    use super::*;

    #[test]
    fn mean_and_standard_deviation_match_numpys() {
        let by_metric = |weighted_f1| ByMetric {
            weighted_f1,
            accuracy: 0.5,
            balanced_accuracy: 0.5,
            macro_f1: 0.5,
            log_loss: 1.0,
            mcc: 0.0,
        };
        let fold = |weighted_f1: f64| FoldReport {
            fold: 1,
            n_samples: 10,
            n_train: 20,
            n_val: 0,
            epochs: 0,
            best_epoch: None,
            fit_seconds: 0.0,
            scores: FoldScores { by_metric: by_metric(weighted_f1), brier: 0.25, ece: 0.125 },
        };
        // numpy.mean and numpy.std with ddof=1 of [0.5, 0.625, 1.0].
        let (mean, std) = mean_and_std(&[fold(0.5), fold(0.625), fold(1.0)]);
        assert!((mean.get(Metric::WeightedF1) - 0.708_333_333_333_333_4).abs() < 1e-12);
        assert!((std.get(Metric::WeightedF1) - 0.260_208_249_933_266_6).abs() < 1e-12);
        assert_eq!((mean.get(Metric::LogLoss), std.get(Metric::LogLoss)), (1.0, 0.0));
    }
}
