//! Every metric of one set of predictions.

use headsmith_kernels::MatRef;
use serde::{Deserialize, Serialize};

use crate::check::{Result, check};
use crate::{
    Confusion, Predictions, accuracy, average_precision, balanced_accuracy, brier, calibration, cohen_kappa,
    expected_calibration_error, f1, log_loss, macro_average, mcc, micro_f1, precision, recall, roc_auc,
    roc_auc_macro, roc_auc_weighted, weighted_average,
};

/// The scores of predictions; an undefined score is `None`, `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The number of samples scored.
    pub n_samples: usize,
    /// The share of samples whose predicted class is the true one: [`accuracy()`].
    pub accuracy: f64,
    /// The mean recall of the classes that have samples: [`balanced_accuracy()`].
    pub balanced_accuracy: f64,
    /// F1 averaged over the classes, weighted by support: [`weighted_average`] of [`f1()`].
    pub weighted_f1: f64,
    /// F1 averaged over the classes that occur: [`macro_average`] of [`f1()`].
    pub macro_f1: f64,
    /// F1 of the counts summed over the classes: [`micro_f1`].
    pub micro_f1: f64,
    /// Precision averaged over the classes, weighted by support.
    pub weighted_precision: f64,
    /// Precision averaged over the classes that occur.
    pub macro_precision: f64,
    /// Recall averaged over the classes, weighted by support.
    pub weighted_recall: f64,
    /// Recall averaged over the classes that occur.
    pub macro_recall: f64,
    /// Mean cross-entropy in nats: [`log_loss()`].
    pub log_loss: f64,
    /// Brier score, in 0 to 2 for three or more classes, in 0 to 1 for two: [`brier()`].
    pub brier: f64,
    /// Mean one-vs-rest ROC AUC of the classes, of two the second's; `None` when one is absent: [`roc_auc_macro`].
    pub roc_auc_ovr: Option<f64>,
    /// One-vs-rest ROC AUC weighted by support; `None` when all samples are of one class: [`roc_auc_weighted`].
    pub roc_auc_ovr_weighted: Option<f64>,
    /// Matthews correlation coefficient: [`mcc()`].
    pub mcc: f64,
    /// Cohen's kappa; `None` when all samples are of one class and predicted as it: [`cohen_kappa()`].
    pub cohen_kappa: Option<f64>,
    /// Expected calibration error with 15 bins: [`expected_calibration_error`].
    pub ece: f64,
    /// The scores of each class, in order: `n_classes` of them.
    pub per_class: Vec<PerClass>,
    /// The confusion matrix, `n_classes` rows of `n_classes` counts: row = true class, column = predicted.
    pub confusion: Vec<Vec<u64>>,
}

/// The scores of one class against the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerClass {
    /// The class, from 0.
    pub class: usize,
    /// The share of the samples predicted as it that have it: [`precision()`].
    pub precision: f64,
    /// The share of its samples that were predicted as it: [`recall()`].
    pub recall: f64,
    /// The harmonic mean of the two: [`f1()`].
    pub f1: f64,
    /// The number of its samples.
    pub support: u64,
    /// The area under its ROC curve; `None` if no sample or every sample has it: [`roc_auc()`].
    pub roc_auc: Option<f64>,
    /// The area under its precision-recall steps: [`average_precision()`].
    pub average_precision: f64,
}

/// Scores `predictions` (`n_samples x n_classes`: probabilities, or [`Predictions`] with decided classes) against the
/// true classes `y_true`.
///
/// # Errors
/// If there are no samples, the number of labels or decided classes differs from that of the rows, one has no column,
/// or a row is no probability distribution: a probability outside 0 to 1 or NaN, or a sum further from 1 than rounding
/// explains.
pub fn score<'p>(y_true: &[u32], predictions: impl Into<Predictions<'p>>) -> Result<Scores> {
    let predictions = predictions.into();
    check(y_true, predictions)?;
    let (proba, confusion) = (predictions.proba(), Confusion::of(y_true, predictions));
    let per_class: Vec<PerClass> =
        (0..proba.n_cols()).map(|class| score_class(y_true, proba, &confusion, class)).collect();
    let areas: Vec<Option<f64>> = per_class.iter().map(|c| c.roc_auc).collect();
    let support: Vec<u64> = per_class.iter().map(|c| c.support).collect();
    Ok(Scores {
        n_samples: y_true.len(),
        accuracy: accuracy(&confusion),
        balanced_accuracy: balanced_accuracy(&confusion),
        weighted_f1: weighted_average(&confusion, f1),
        macro_f1: macro_average(&confusion, f1),
        micro_f1: micro_f1(&confusion),
        weighted_precision: weighted_average(&confusion, precision),
        macro_precision: macro_average(&confusion, precision),
        weighted_recall: weighted_average(&confusion, recall),
        macro_recall: macro_average(&confusion, recall),
        log_loss: log_loss(y_true, proba),
        brier: brier(y_true, proba),
        roc_auc_ovr: roc_auc_macro(&areas),
        roc_auc_ovr_weighted: roc_auc_weighted(&areas, &support),
        mcc: mcc(&confusion),
        cohen_kappa: cohen_kappa(&confusion),
        ece: expected_calibration_error(y_true, proba, calibration::N_BINS),
        per_class,
        confusion: confusion.into(),
    })
}

fn score_class(y_true: &[u32], proba: MatRef<'_>, confusion: &Confusion, class: usize) -> PerClass {
    PerClass {
        class,
        precision: precision(confusion, class),
        recall: recall(confusion, class),
        f1: f1(confusion, class),
        support: confusion.support(class),
        roc_auc: roc_auc(y_true, proba, class),
        average_precision: average_precision(y_true, proba, class),
    }
}
