//! The loop: learning, events, control, best weights, and what cannot be learnt from.

use std::collections::BTreeMap;
use std::sync::Arc;

use headsmith_heads::error::Kind;
use headsmith_heads::event::StopReason;
use headsmith_heads::head::{Fitted, Job};
use headsmith_heads::mlp::{self, FittedMlp, Mlp, Trainer};
use headsmith_heads::network::NetworkWeights;
use headsmith_heads::params::{Params, Value};
use headsmith_heads::tensors::Values;
use headsmith_heads::{Control, EpochScores, Event, Observer, Samples};
use headsmith_kernels::{Matrix, Pool};
use headsmith_metrics::Confusion;

use super::twin;

fn quiet(_: &Event) -> Control {
    Control::Continue
}

/// The parameters of a small network that learns quickly.
fn quick<'v>(given: impl IntoIterator<Item = (&'v str, Value)>) -> Params {
    let quick = [("lr", Value::Float(0.01)), ("dropout", Value::Float(0.2)), ("epochs", Value::Int(40))];
    twin::params(quick.into_iter().chain(given))
}

fn weighted_f1(model: &Mlp, x: &Matrix, y: &[u32], n_classes: usize) -> f64 {
    let probabilities = model.predict_proba(x.view(), &Pool::inline());
    let mut confusion = Confusion::new(n_classes);
    for (i, true_class) in y.iter().enumerate() {
        let row = probabilities.row(i);
        let predicted = (0..n_classes).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
        confusion.add(*true_class as usize, predicted);
    }
    confusion.weighted_f1()
}

#[test]
fn it_learns_and_returns_the_best_epochs_model() {
    for (n_classes, n_rows) in [(2, 301), (3, 300), (100, 2000)] {
        let (x, y) = twin::data(n_rows, 24, n_classes, 6);
        let (train_rows, n_train) = (x.view().rows(0, n_rows / 2), n_rows / 2);
        let train = Samples::new(train_rows, &y[..n_train], n_classes).unwrap();
        let (val_x, val_y) = (x.view().rows(n_train, n_rows).to_matrix(), &y[n_train..]);
        let val = Samples::new(val_x.view(), val_y, n_classes).unwrap();
        let params =
            quick([("neurons0", Value::Int(64)), ("layers2", Value::Int(0)), ("patience", Value::Int(15))]);
        let fitted = mlp::fit(train, Some(val), &params, 3, &Pool::inline(), &mut quiet, None).unwrap();
        let best = fitted.history[fitted.best_epoch].val.unwrap().weighted_f1;
        assert!(best > if n_classes == 100 { 0.2 } else { 0.9 }, "{n_classes} classes: {best}");
        assert_eq!(weighted_f1(&fitted.model, &val_x, val_y, n_classes), best);
        assert!(fitted.history.iter().all(|record| record.val.unwrap().weighted_f1 <= best));
        let last_improvement = fitted.history.iter().rev().find(|record| record.improved).unwrap();
        assert_eq!(last_improvement.epoch, fitted.best_epoch);
    }
}

#[test]
fn training_scores_are_those_of_the_epochs_own_batches() {
    // At a learning rate of zero and without noise the weights stand still: the epoch's own scores are then those
    // of the whole set, whatever the batches, the last partial one included.
    let (x, y) = twin::data(103, 5, 3, 7);
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let pool = Pool::inline();
    let scores = |batch_size| {
        let still = [("lr", Value::Float(0.0)), ("dropout", Value::Float(0.0)), ("noise", Value::Int(0))];
        let params = twin::params(still.into_iter().chain([("batch_size", Value::Int(batch_size))]));
        let mut trainer = Trainer::new(samples, Some(samples), &params, 1, 0, &pool).unwrap();
        let record = trainer.step_epoch().unwrap();
        (record.train, record.val.unwrap(), trainer.state().step)
    };
    for (batch_size, n_steps) in [(1, 103), (10, 11), (102, 2), (103, 1), (1000, 1)] {
        let (train, val, step) = scores(batch_size);
        assert_eq!(step, n_steps);
        for field in [
            |s: EpochScores| s.loss,
            |s: EpochScores| s.mae,
            |s: EpochScores| s.mse,
            |s: EpochScores| s.accuracy,
            |s: EpochScores| s.weighted_f1,
        ] {
            assert!((field(train) - field(val)).abs() < 1e-6, "batches of {batch_size}: {train:?}, {val:?}");
        }
    }
}

#[test]
fn every_epoch_has_its_own_order_of_all_samples() {
    // One feature that tells the sample, one unit, batches of one: the loss of each step cannot be seen, but the
    // weights differ if the order does.
    let (x, y) = twin::data(50, 4, 2, 8);
    let samples = Samples::new(x.view(), &y, 2).unwrap();
    let pool = Pool::inline();
    let params = twin::params([
        ("noise", Value::Int(0)),
        ("dropout", Value::Float(0.0)),
        ("batch_size", Value::Int(1)),
    ]);
    let mut first = Trainer::new(samples, None, &params, 1, 0, &pool).unwrap();
    let mut start = first.state();
    first.step_epoch().unwrap();
    start.epoch = 1;
    let mut second =
        Trainer::resume(Job { val: None, trial: 0, ..Job::new(samples, &params, 1, &pool) }, start).unwrap();
    second.step_epoch().unwrap();
    assert_ne!(first.model(), second.model());
}

fn events(params: &Params, mut answer: impl FnMut(&Event) -> Control) -> (FittedMlp, Vec<Event>, Vec<usize>) {
    let (x, y) = twin::data(120, 6, 3, 9);
    let train = Samples::new(x.view(), &y, 3).unwrap();
    let (x, y) = twin::data(60, 6, 3, 10);
    let val = Samples::new(x.view(), &y, 3).unwrap();
    let (mut seen, mut saved) = (Vec::new(), Vec::new());
    let mut observer = |event: &Event| {
        seen.push(event.clone());
        answer(event)
    };
    let mut save = |epoch: usize, _: Arc<dyn Fitted>| saved.push(epoch);
    let fitted =
        mlp::fit(train, Some(val), params, 3, &Pool::inline(), &mut observer, Some(&mut save)).unwrap();
    (fitted, seen, saved)
}

#[test]
fn patience_plateau_and_checkpoints_follow_the_validation_f1() {
    let given =
        [("patience", Value::Int(12)), ("plateau_patience", Value::Int(3)), ("epochs", Value::Int(500))];
    let (fitted, seen, saved) = events(&quick(given), |_| Control::Continue);
    assert_eq!(seen[0], Event::Started { total: 500, unit: "epoch" });
    assert_eq!(fitted.stopped, Some(StopReason::EarlyStopping));
    assert_eq!(fitted.history.len(), fitted.best_epoch + 13);
    let step = fitted.history.len() - 1;
    assert_eq!(seen.last(), Some(&Event::Stopped { step, reason: StopReason::EarlyStopping }));
    let improved: Vec<usize> = fitted.history.iter().filter(|r| r.improved).map(|r| r.epoch).collect();
    assert_eq!(saved, improved);
    let mut n_reductions = 0;
    for event in &seen {
        if let Event::LearningRateReduced { epoch, learning_rate } = event {
            n_reductions += 1;
            assert!((learning_rate - 0.3 * fitted.history[*epoch].learning_rate).abs() < 1e-12);
            assert_eq!(fitted.history[epoch + 1].learning_rate, *learning_rate);
        }
    }
    assert!(n_reductions >= 2);
    let records = seen.iter().filter_map(|e| if let Event::Epoch(record) = e { Some(record) } else { None });
    assert!(records.eq(&fitted.history));
}

#[test]
fn the_observer_can_stop_and_steer() {
    let (fitted, seen, _) = events(&quick([]), |event| match event {
        Event::Epoch(record) if record.epoch == 4 => Control::Stop,
        Event::Epoch(record) if record.epoch == 1 => Control::SetLearningRate(1e-5),
        _ => Control::Continue,
    });
    assert_eq!((fitted.history.len(), fitted.stopped), (5, Some(StopReason::Asked)));
    assert_eq!(seen.last(), Some(&Event::Stopped { step: 4, reason: StopReason::Asked }));
    let rates: Vec<f64> = fitted.history.iter().map(|record| record.learning_rate).collect();
    assert_eq!(rates, [0.01, 0.01, 1e-5, 1e-5, 1e-5]);
    let (fitted, ..) = events(&quick([]), |_| Control::Stop);
    assert_eq!((fitted.history.len(), fitted.stopped), (0, Some(StopReason::Asked)));
}

/// Keeps each epoch's weights, and the number of epoch events before them.
#[derive(Default)]
struct KeepsWeights {
    weights: Vec<BTreeMap<String, Vec<f32>>>,
    n_epochs: usize,
}

impl Observer for KeepsWeights {
    fn on_event(&mut self, event: &Event) -> Control {
        self.n_epochs += usize::from(matches!(event, Event::Epoch(_)));
        Control::Continue
    }

    fn on_weights(&mut self, epoch: usize, weights: &dyn NetworkWeights) {
        assert_eq!((epoch, self.n_epochs), (self.weights.len(), self.weights.len()));
        let mut tensors = BTreeMap::new();
        weights.each(&mut |name, values| drop(tensors.insert(name.to_owned(), values.to_vec())));
        self.weights.push(tensors);
    }
}

#[test]
fn an_observer_sees_the_weights_of_each_epoch_before_its_event() {
    let (x, y) = twin::data(80, 6, 3, 11);
    let train = Samples::new(x.view(), &y, 3).unwrap();
    let params = quick([("layer_norms", Value::Int(1)), ("epochs", Value::Int(6))]);
    let mut keeps = KeepsWeights::default();
    let fitted = mlp::fit(train, Some(train), &params, 1, &Pool::inline(), &mut keeps, None).unwrap();
    assert_eq!(keeps.weights.len(), 6);
    let of_model = |model: &Mlp| -> BTreeMap<String, Vec<f32>> {
        let tensors = model.tensors();
        let values = tensors.iter().map(|(name, tensor)| match &tensor.values {
            Values::F32(values) => (name.to_owned(), values.clone()),
            other => panic!("{other:?}"),
        });
        values.collect()
    };
    assert_eq!(keeps.weights[fitted.best_epoch], of_model(&fitted.model));
    assert_ne!(keeps.weights[0], keeps.weights[5]);
}

#[test]
fn without_validation_all_epochs_are_run_and_the_last_model_is_kept() {
    let (x, y) = twin::data(80, 6, 3, 11);
    let train = Samples::new(x.view(), &y, 3).unwrap();
    let params = quick([("patience", Value::Int(1)), ("epochs", Value::Int(12))]);
    let mut save = |_: usize, _: Arc<dyn Fitted>| panic!("nothing is best");
    let pool = Pool::inline();
    let fitted = mlp::fit(train, None, &params, 1, &pool, &mut quiet, Some(&mut save)).unwrap();
    assert_eq!((fitted.history.len(), fitted.best_epoch, fitted.stopped), (12, 11, None));
    assert!(fitted.history.iter().all(|record| record.val.is_none() && !record.improved));
    let mut trainer = Trainer::new(train, None, &params, 1, 0, &pool).unwrap();
    while trainer.epoch() < 12 {
        trainer.step_epoch().unwrap();
    }
    assert_eq!(trainer.finish(), fitted.model);
}

#[test]
fn a_divergence_is_an_error_or_ends_with_the_best_so_far() {
    let (x, y) = twin::data(80, 6, 3, 12);
    let train = Samples::new(x.view(), &y, 3).unwrap();
    let pool = Pool::inline();
    let params =
        quick([("lr", Value::Float(100.0)), ("layer_norms", Value::Int(0)), ("epochs", Value::Int(500))]);
    let mut blow_up = |event: &Event| match event {
        Event::Epoch(record) if record.epoch == 2 => Control::SetLearningRate(1e30),
        _ => Control::Continue,
    };
    let gentle = quick([]);
    let fitted = mlp::fit(train, Some(train), &gentle, 1, &pool, &mut blow_up, None).unwrap();
    assert_eq!((fitted.stopped, fitted.history.len()), (Some(StopReason::Diverged), 3));
    assert!(weighted_f1(&fitted.model, &x, &y, 3) > 0.3);
    let mut trainer = Trainer::new(train, None, &params, 1, 0, &pool).unwrap();
    trainer.set_learning_rate(1e30);
    let error = (0..3).find_map(|_| trainer.step_epoch().err()).unwrap();
    assert_eq!(error.kind(), Kind::Diverged);
    assert!(error.to_string().starts_with("the loss is not finite in epoch"), "{error}");
    assert!(
        error.to_string().ends_with("at a learning rate of 1e30; try a smaller learning rate"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let (mut x, y) = twin::data(20, 4, 2, 13);
    let pool = Pool::inline();
    let params = twin::params([]);
    let refused = |train: Samples<'_>, val: Option<Samples<'_>>| {
        let error = Trainer::new(train, val, &params, 0, 0, &pool).unwrap_err();
        assert_eq!(error.kind(), Kind::Samples);
        error.to_string()
    };
    let empty = Matrix::zeros(0, 4);
    let none = Samples::new(empty.view(), &[], 2).unwrap();
    let narrow = Matrix::zeros(1, 3);
    let narrow = Samples::new(narrow.view(), &[0], 2).unwrap();
    let good = x.clone();
    let good = Samples::new(good.view(), &y, 2).unwrap();
    assert_eq!(refused(none, None), "the training samples have no rows");
    assert_eq!(refused(good, Some(none)), "the validation samples have no rows");
    assert_eq!(
        refused(good, Some(narrow)),
        "the validation samples have 3 features and 2 classes, the training samples 4 and 2"
    );
    let one_class = Matrix::zeros(1, 4);
    assert_eq!(
        refused(Samples::new(one_class.view(), &[0], 1).unwrap(), None),
        "1 classes, expected 2..65536"
    );
    x.row_mut(3)[2] = f32::INFINITY;
    assert_eq!(
        refused(Samples::new(x.view(), &y, 2).unwrap(), None),
        "feature 2 of row 3 of the training samples is inf, expected a finite number"
    );
}
