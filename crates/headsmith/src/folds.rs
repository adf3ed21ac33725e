//! Cross-validation: the head is fitted once for each fold, on all other rows, and predicts the fold. So every row of
//! the training table is scored by a head that did not see it. The folds are stratified; rows with the same features
//! and rows of one group are in one fold.
//!
//! [`Partition`] deals the rows and fits a fold; this module does so for all of them, and reports.

use std::path::Path;
use std::time::Instant;

use headsmith_data::predictions::{self, Predictions};
use headsmith_data::{Groups, Weights};
use headsmith_kernels::Matrix;
use headsmith_metrics::ByMetric;

use crate::checked::Checked;
use crate::context::Context;
use crate::error::Result;
use crate::head::HeadConfig;
use crate::judge::{self, CrossValidated, LabelledRows};
use crate::partition::{FoldFit, Partition, Rows};
use crate::progress::Progress;
use crate::report::{FoldGroups, FoldReport, FoldScores, FoldsReport};
use crate::split::{self, units};

pub use crate::partition::MAX_FOLDS;

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
    let y = checked.classes.encode(&checked.train.table)?;
    let rows = partition(checked, &y, options, context)?;
    let n_classes = checked.classes.len();
    let mut proba = Matrix::zeros(y.len(), n_classes);
    let (mut folds, mut decided) = (Vec::new(), vec![0; y.len()]);
    for fold in 0..n_folds {
        let FoldFit { report, proba: of_fold, decided: of_rows, .. } = rows.fit(fold, head, context)?;
        rows.place(fold, &of_fold, &mut proba);
        let places = (0..y.len()).filter(|&row| rows.fold_of()[row] == fold);
        places.zip(of_rows).for_each(|(row, class)| decided[row] = class);
        context.emit(&Progress::Fold { fold: &report, n_folds, metric: context.metric });
        folds.push(report);
    }
    let scored = LabelledRows { classes: checked.classes.names(), y: &y, units: rows.units() };
    let out_of_fold = judge::of_refits(
        scored,
        headsmith_metrics::Predictions::decided(proba.view(), &decided),
        Vec::new(),
        context,
    )?;
    let (mean, std) = mean_and_std(&folds);
    let groups =
        |groups: &Groups| FoldGroups { column: groups.column().to_owned(), n_groups: groups.names().len() };
    let report = FoldsReport {
        n_folds,
        seed: context.seed,
        val_share: if head.uses_val() { options.val_share } else { 0.0 },
        groups: checked.groups.as_ref().map(groups),
        out_of_fold,
        folds,
        mean,
        std,
        note: NOTE.to_owned(),
        seconds: start.elapsed().as_secs_f64(),
    };
    let fold_of = rows.fold_of().iter().map(|&fold| fold as u32 + 1).collect();
    let groups = checked.groups.as_ref().map(|_| rows.units().to_vec());
    let weights = checked.weights.as_ref().map(|weights| weights.values().to_vec());
    let done = CrossValidated { report, proba, decided, fold_of, y: y.clone(), weights, groups };
    if let Some(path) = options.out {
        write(path, checked, &done)?;
        context.emit(&Progress::Wrote(path));
    }
    Ok(done)
}

/// Writes the predictions next to their rows.
fn write(path: &Path, checked: &Checked, done: &CrossValidated) -> Result<()> {
    let predictions = Predictions {
        classes: &checked.classes,
        predicted: &done.decided,
        probabilities: done.proba.view(),
        fold_of: Some(&done.fold_of),
        sets: None,
    };
    predictions::write(path, &checked.train.table, predictions, &predictions::OUT_OF_FOLD)?;
    Ok(())
}

/// The rows of the training table, dealt to folds.
fn partition<'c>(
    checked: &'c Checked,
    y: &'c [u32],
    options: &Folds<'_>,
    context: &mut Context<'_>,
) -> Result<Partition<'c>> {
    let Folds { n_folds, val_share, .. } = *options;
    if !(0.0..1.0).contains(&val_share) {
        return Err(split::no_share(val_share));
    }
    let (x, groups) = (checked.train.table.x(), checked.groups.as_ref());
    let units = units::of(x, groups, context.pool);
    if let Some(groups) = groups {
        split::refuse_too_few(&checked.classes, y, &units, groups)?;
    }
    let rows = Rows {
        x,
        y,
        classes: &checked.classes,
        weights: checked.weights.as_ref().map(Weights::values),
        cache: checked.cache.as_deref(),
    };
    let groups = groups.map(Groups::column);
    Partition::new(rows, units, groups, (n_folds, val_share), context)
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
            calibration_seconds: None,
            scores: FoldScores { by_metric: by_metric(weighted_f1), brier: 0.25, ece: 0.125 },
        };
        // numpy.mean and numpy.std with ddof=1 of [0.5, 0.625, 1.0].
        let (mean, std) = mean_and_std(&[fold(0.5), fold(0.625), fold(1.0)]);
        assert!((mean.get(Metric::WeightedF1) - 0.708_333_333_333_333_4).abs() < 1e-12);
        assert!((std.get(Metric::WeightedF1) - 0.260_208_249_933_266_6).abs() < 1e-12);
        assert_eq!((mean.get(Metric::LogLoss), std.get(Metric::LogLoss)), (1.0, 0.0));
    }
}
