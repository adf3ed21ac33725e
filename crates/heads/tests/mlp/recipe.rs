//! The options of the recipe: what they leave alone, what they share with their twins, and that a training with all of them can be
//! resumed.

use std::sync::Arc;

use headsmith_heads::event::StopReason;
use headsmith_heads::head::{Head, Job, Resume};
use headsmith_heads::mlp::{self, HEAD, Trainer};
use headsmith_heads::params::{Params, Value};
use headsmith_heads::{Control, Event, Fitted, Samples};
use headsmith_kernels::{MatRef, Matrix, Pool};
use headsmith_metrics::Metric;
use headsmith_metrics::log_loss::log_loss;

use super::twin;

/// Every option of the recipe, on a network large enough for a step to be shared among threads.
fn everything_on() -> Vec<(&'static str, Value)> {
    vec![
        ("neurons0", Value::Int(300)),
        ("neurons1", Value::Int(150)),
        ("layers1", Value::Int(2)),
        ("batch_size", Value::Int(150)),
        ("epochs", Value::Int(6)),
        ("input_noise", Value::Float(0.3)),
        ("hidden_dropout", Value::Float(0.2)),
        ("mixup", Value::Float(0.4)),
        ("label_smoothing", Value::Float(0.1)),
        ("weight_decay", Value::Float(0.05)),
        ("ema_momentum", Value::Float(0.9)),
        ("lr_schedule", Value::from("cosine")),
        ("warmup_epochs", Value::Float(1.0)),
        ("monitor", Value::from("refined_log_loss")),
        ("calibration", Value::from("temperature")),
        ("class_weight", Value::from("balanced")),
    ]
}

fn with(given: &[(&'static str, Value)]) -> Params {
    twin::params(given.iter().cloned())
}

#[test]
fn threads_and_interruptions_change_nothing() {
    let (x, y) = twin::data(400, 60, 4, 1);
    let samples = Samples::new(x.view(), &y, 4).unwrap();
    let (val_x, val_y) = twin::data(90, 60, 4, 2);
    let val = Samples::new(val_x.view(), &val_y, 4).unwrap();
    let params = with(&everything_on());
    let run = |n_threads: usize, is_broken: bool| {
        let pool = Pool::new(n_threads).unwrap();
        let job = Job { val: Some(val), trial: 3, ..Job::new(samples, &params, 5, &pool) };
        let mut fitting = HEAD.begin(job, None).unwrap();
        let mut values = Vec::new();
        while fitting.done() < fitting.total() && fitting.stopped().is_none() {
            let record = fitting.step().unwrap().epoch.unwrap();
            values.push((record.epoch, record.val.unwrap().get(job.metric)));
            if is_broken {
                let state = fitting.state().unwrap();
                fitting = HEAD.begin(job, Some(Resume { state, values: values.clone() })).unwrap();
            }
        }
        (fitting.best_epoch(), fitting.finish().unwrap().tensors())
    };
    let whole = run(1, false);
    assert!(whole == run(2, false) && whole == run(3, false) && whole == run(2, true));
}

#[test]
fn each_option_changes_the_training() {
    let (x, y) = twin::data(200, 20, 4, 1);
    let samples = Samples::new(x.view(), &y, 4).unwrap();
    let pool = Pool::inline();
    let after_two = |given: &[(&'static str, Value)]| {
        let mut trainer = Trainer::new(samples, None, &with(given), 1, 0, &pool).unwrap();
        trainer.step_epoch().unwrap();
        trainer.step_epoch().unwrap();
        trainer.model().tensors()
    };
    let base = [("layers1", Value::Int(1))];
    let plain = after_two(&base);
    let options = everything_on().into_iter().filter(|(name, _)| {
        ![
            "neurons0",
            "neurons1",
            "layers1",
            "batch_size",
            "epochs",
            "warmup_epochs",
            "monitor",
            "calibration",
            "class_weight",
        ]
        .contains(name)
    });
    let mut n_options = 0;
    for option in options {
        let changed = after_two(&[base.to_vec(), vec![option.clone()]].concat()) != plain;
        assert!(changed, "{option:?}");
        n_options += 1;
    }
    assert_eq!(n_options, 7);
}

/// Keras's `use_ema` by hand: the average after each step of the weights that another training without it has.
#[test]
fn the_average_is_that_of_the_weights() {
    let (x, y) = twin::data(64, 10, 3, 4);
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let pool = Pool::inline();
    // An epoch is a step.
    let base = [("batch_size", Value::Int(64))];
    let plain = with(&base);
    let averaged = with(&[base.to_vec(), vec![("ema_momentum", Value::Float(0.75))]].concat());
    let mut weights = Trainer::new(samples, None, &plain, 1, 0, &pool).unwrap();
    let mut trainer = Trainer::new(samples, None, &averaged, 1, 0, &pool).unwrap();
    let mut average: Vec<f64> = Vec::new();
    for step in 0..5 {
        weights.step_epoch().unwrap();
        trainer.step_epoch().unwrap();
        let tensors = weights.model().tensors();
        let now: Vec<f64> = twin::values(&tensors, "dense/kernel").iter().map(|w| f64::from(*w)).collect();
        average = match step {
            0 => now,
            _ => average.iter().zip(&now).map(|(a, w)| 0.75 * a + 0.25 * w).collect(),
        };
        let got = trainer.model().tensors();
        for (got, expected) in twin::values(&got, "dense/kernel").iter().zip(&average) {
            assert!((f64::from(*got) - expected).abs() < 1e-6);
        }
        assert_eq!(
            twin::values(&trainer.state().tensors, "weights/dense/kernel"),
            twin::values(&tensors, "dense/kernel")
        );
    }
}

#[test]
fn the_learning_rate_follows_the_cosine_and_no_plateau() {
    let (x, y) = twin::data(64, 10, 3, 4);
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let params = with(&[
        ("batch_size", Value::Int(16)),
        ("epochs", Value::Int(8)),
        ("lr", Value::Float(0.5e-3)),
        ("lr_schedule", Value::from("cosine")),
        ("warmup_epochs", Value::Float(2.0)),
        ("plateau_patience", Value::Int(1)),
    ]);
    let quiet = &mut |_: &Event| Control::Continue;
    let fitted = mlp::fit(samples, Some(samples), &params, 0, &Pool::inline(), quiet, None).unwrap();
    // That of the last of an epoch's four steps.
    let expected = |epoch: usize| match 4 * epoch + 3 {
        step if step < 8 => 0.5e-3 * step as f64 / 8.0,
        step => 0.25e-3 * (1.0 + (std::f64::consts::PI * (step - 8) as f64 / 24.0).cos()),
    };
    for record in &fitted.history {
        assert!((record.learning_rate - expected(record.epoch)).abs() < 1e-12, "{record:?}");
    }
    assert_eq!(fitted.history.len(), 8);
}

/// Two tables of the same law.
fn halves() -> (Matrix, Vec<u32>, Matrix, Vec<u32>) {
    let (x, y) = twin::data(400, 24, 4, 6);
    let half = |from: usize| (x.view().rows(from, from + 200).to_matrix(), y[from..from + 200].to_vec());
    let ((train, y), (val, val_y)) = (half(0), half(200));
    (train, y, val, val_y)
}

#[test]
fn without_a_monitor_the_last_epoch_counts() {
    let (x, y, val_x, val_y) = halves();
    let (train, val) =
        (Samples::new(x.view(), &y, 4).unwrap(), Samples::new(val_x.view(), &val_y, 4).unwrap());
    let given = [("epochs", Value::Int(30)), ("patience", Value::Int(2)), ("lr", Value::Float(0.01))];
    let quiet = &mut |_: &Event| Control::Continue;
    let unmonitored = with(&[given.to_vec(), vec![("monitor", Value::from("none"))]].concat());
    let seen = mlp::fit(train, Some(val), &unmonitored, 3, &Pool::inline(), quiet, None).unwrap();
    let unseen = mlp::fit(train, None, &unmonitored, 3, &Pool::inline(), quiet, None).unwrap();
    assert_eq!(seen.model, unseen.model);
    assert_eq!((seen.history.len(), seen.best_epoch, seen.stopped), (30, 29, None));
    assert_eq!(HEAD.chosen_on_val(&unmonitored), Vec::<&str>::new());
    let monitored = mlp::fit(train, Some(val), &with(&given), 3, &Pool::inline(), quiet, None).unwrap();
    assert_eq!(monitored.stopped, Some(StopReason::EarlyStopping));
}

#[test]
fn the_refined_log_loss_chooses_the_epoch_and_the_model_is_calibrated() {
    let (x, y, val_x, val_y) = halves();
    let (train, val) =
        (Samples::new(x.view(), &y, 4).unwrap(), Samples::new(val_x.view(), &val_y, 4).unwrap());
    let pool = Pool::inline();
    let given = [("epochs", Value::Int(60)), ("lr", Value::Float(0.01)), ("dropout", Value::Float(0.0))];
    let refined =
        [given.to_vec(), vec![("monitor", Value::from("refined_log_loss")), ("patience", Value::Int(8))]];
    let params = with(&[refined.concat(), vec![("calibration", Value::from("temperature"))]].concat());
    assert_eq!(HEAD.chosen_on_val(&params), ["epoch", "learning_rate", "calibration"]);
    let loss = |model: &dyn Fitted| log_loss(&val_y, model.predict_proba(val_x.view(), &pool).view());
    // The value of an epoch is that of the calibrated model: the best epoch has the lowest of all.
    let mut least = f64::INFINITY;
    let job = Job { val: Some(val), metric: Metric::LogLoss, ..Job::new(train, &params, 3, &pool) };
    let mut fitting = HEAD.begin(job, None).unwrap();
    while fitting.done() < fitting.total() && fitting.stopped().is_none() {
        let record = fitting.step().unwrap().epoch.unwrap();
        if record.improved {
            let (epoch, value) = fitting.best_epoch().unwrap();
            assert_eq!(epoch, record.epoch);
            assert!(value < least && (value - loss(&*fitting.best().unwrap())).abs() < 1e-5);
            least = value;
        }
    }
    assert_eq!(fitting.stopped(), Some(StopReason::EarlyStopping));
    let best = fitting.best_epoch().unwrap().0;
    let calibrated = fitting.finish().unwrap();
    // The same training without calibration chooses the same epoch, with a larger loss, and predicts the same classes.
    let quiet = &mut |_: &Event| Control::Continue;
    let raw = mlp::fit(train, Some(val), &with(&refined.concat()), 3, &pool, quiet, None).unwrap();
    assert_eq!(raw.best_epoch, best);
    assert!(loss(&raw.model) > loss(&*calibrated) + 1e-3, "{} {}", loss(&raw.model), loss(&*calibrated));
    let classes = |proba: Matrix| -> Vec<usize> { (0..200).map(|i| argmax(proba.view(), i)).collect() };
    let [a, b]: [Arc<dyn Fitted>; 2] = [Arc::new(raw.model), calibrated];
    assert_eq!(classes(a.predict_proba(val_x.view(), &pool)), classes(b.predict_proba(val_x.view(), &pool)));
}

fn argmax(proba: MatRef<'_>, row: usize) -> usize {
    let row = proba.row(row);
    (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap()
}
