//! The callbacks' decisions against Keras's: `tests/data/callbacks.json`, made by `make_callbacks.py`.

use headsmith_heads::callbacks::{
    EarlyStopping, Mode, ModelCheckpoint, Patience, PlateauOptions, ReduceLrOnPlateau,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    values: Vec<Option<f64>>,
    mode: Mode,
    patience: usize,
    early_stopping: Stopping,
    plateau_options: PlateauOptions,
    lr: f64,
    learning_rates: Vec<f64>,
    saves: Vec<bool>,
}

#[derive(Deserialize)]
struct Stopping {
    n_epochs: usize,
    stopped: bool,
    restored: usize,
}

impl Case {
    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().map(|value| value.unwrap_or(f64::NAN))
    }
}

fn cases() -> Vec<Case> {
    let file: File = serde_json::from_str(include_str!("../data/callbacks.json")).unwrap();
    assert!(file.cases.len() >= 200);
    file.cases
}

#[test]
fn early_stopping_stops_and_restores_where_keras_does() {
    let mut n_stopped = 0;
    for case in cases() {
        let mut callback = EarlyStopping::new(case.mode, Some(case.patience));
        let decisions = case.values().enumerate().map(|(epoch, value)| callback.update(epoch, value));
        let stop = decisions.enumerate().find(|(_, decision)| *decision == Patience::Exhausted);
        assert_eq!(stop.is_some(), case.early_stopping.stopped);
        if let Some((epoch, _)) = stop {
            assert_eq!(epoch + 1, case.early_stopping.n_epochs);
            // Keras restores the best weights whether it stopped or not.
            n_stopped += 1;
        }
        assert_eq!(callback.best_epoch(), case.early_stopping.restored);
    }
    assert!(n_stopped > 50);
}

#[test]
fn the_learning_rate_falls_when_keras_lowers_it() {
    let mut n_reductions = 0;
    for case in cases() {
        let mut callback = ReduceLrOnPlateau::new(case.plateau_options);
        let mut learning_rate = case.lr;
        for (value, expected) in case.values().zip(&case.learning_rates) {
            if let Some(reduced) = callback.update(value, learning_rate) {
                learning_rate = reduced;
                n_reductions += 1;
            }
            // Keras keeps it in single precision.
            assert!((learning_rate / expected - 1.0).abs() < 1e-5, "{learning_rate}, Keras {expected}");
        }
    }
    assert!(n_reductions > 200);
}

#[test]
fn models_are_saved_when_keras_saves_them() {
    let mut n_saves = 0;
    for case in cases() {
        let mut callback = ModelCheckpoint::new(case.mode, None);
        let saves: Vec<bool> = case.values().map(|value| callback.update(value)).collect();
        assert_eq!(saves, case.saves);
        n_saves += saves.iter().filter(|save| **save).count();
    }
    assert!(n_saves > 300);
    let mut callback = ModelCheckpoint::new(Mode::Max, Some(0.5));
    assert_eq!([0.5, 0.4, 0.6, 0.6].map(|value| callback.update(value)), [false, false, true, false]);
}

#[test]
fn without_patience_nothing_stops() {
    let mut callback = EarlyStopping::new(Mode::Max, None);
    assert_eq!(callback.update(0, 0.5), Patience::Improved);
    assert!((1..1000).all(|epoch| callback.update(epoch, 0.4) == Patience::Waiting));
    assert_eq!((callback.best(), callback.best_epoch()), (Some(0.5), 0));
}
