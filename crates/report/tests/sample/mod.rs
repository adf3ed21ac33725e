//! Reports of made-up runs.

// Not every test needs all of them.
#![allow(dead_code)]

use headsmith_report::schema::{ClassCount, TableReport};
use serde_json::{Value, json};

pub(crate) fn name(class: usize) -> String {
    format!("a class of some name, number {class}")
}

/// Scores of classes, class `c` with F1 `f1(c)` and `rows(c)` rows, as the report has them.
pub(crate) fn judgement(
    classes: &[String],
    f1: impl Fn(usize) -> f64,
    rows: impl Fn(usize) -> usize,
    confusion: &Value,
) -> Value {
    let class = |(c, name): (usize, &String)| {
        json!({
            "class": name, "precision": 0.5, "recall": 0.5, "f1": f1(c), "support": rows(c),
            "roc_auc": 0.5, "average_precision": 0.5,
        })
    };
    json!({
        "used_for": ["epoch"], "caution": "these rows chose the epoch: optimistic", "never_predicted": [],
        "loss": 1.5, "n_samples": 100_000, "accuracy": 0.5, "balanced_accuracy": 0.5, "weighted_f1": 0.5,
        "macro_f1": 0.5, "micro_f1": 0.5, "weighted_precision": 0.5, "macro_precision": 0.5,
        "weighted_recall": 0.5, "macro_recall": 0.5, "log_loss": 1.5, "brier": 0.5, "roc_auc_ovr": null,
        "roc_auc_ovr_weighted": 0.5, "mcc": 0.25, "cohen_kappa": 0.25, "ece": 0.1,
        "per_class": classes.iter().enumerate().map(class).collect::<Vec<_>>(),
        "confusion": confusion, "intervals": null,
    })
}

/// A head with a judgement on its validation rows.
pub(crate) fn fit(val: &Value) -> Value {
    json!({
        "head": "mlp", "params": { "lr": 0.001, "epochs": 2000 }, "metric": "weighted_f1", "scaling": "none", "fit_seconds": 1.5, "epochs": 0,
        "epoch_seconds": [], "best_epoch": null, "stopped": null,
        "structure": { "kind": "mlp", "n_features": 8, "n_params": 99, "layers": [] },
        "history": [], "train": val, "val": val,
        "evidence": {
            "per_class": [], "roc": [], "precision_recall": [], "reliability": [], "n_mistakes": 0, "mistakes": [],
        },
        "examples": [], "model": null,
    })
}

/// A table for `role` in which class `c` has `rows(c)` rows.
pub(crate) fn table(role: &str, classes: &[String], rows: impl Fn(usize) -> usize) -> TableReport {
    let labels = classes.iter().enumerate();
    TableReport {
        role: role.to_owned(),
        path: "t.csv".to_owned(),
        n_rows: 100_000,
        n_features: 8,
        labels: labels.map(|(c, class)| ClassCount { class: class.clone(), count: rows(c) }).collect(),
        ..TableReport::default()
    }
}
