//! Same seed, same bytes: for any number of threads, and through a stop and a resumption.

use headsmith_heads::Samples;
use headsmith_heads::head::Job;
use headsmith_heads::mlp::{Trainer, TrainerState};
use headsmith_heads::params::{Params, Value};
use headsmith_kernels::Pool;

use super::twin;

/// Large enough for a step to be shared among threads.
fn everything_on() -> Params {
    twin::params([
        ("neurons0", Value::Int(300)),
        ("neurons1", Value::Int(150)),
        ("layers1", Value::Int(1)),
        ("layers2", Value::Int(1)),
        ("layer_norms", Value::Int(2)),
        ("batch_size", Value::Int(150)),
    ])
}

fn train(n_threads: usize, seed: u64, trial: u32) -> (TrainerState, Vec<f64>) {
    let (x, y) = twin::data(400, 60, 4, 1);
    let samples = Samples::new(x.view(), &y, 4).unwrap();
    let pool = Pool::new(n_threads).unwrap();
    let mut trainer = Trainer::new(samples, Some(samples), &everything_on(), seed, trial, &pool).unwrap();
    let losses = (0..3).flat_map(|_| {
        let record = trainer.step_epoch().unwrap();
        [record.train.loss, record.val.unwrap().loss]
    });
    let losses = losses.collect();
    (trainer.state(), losses)
}

#[test]
fn threads_change_nothing() {
    let one = train(1, 5, 0);
    assert_eq!(one, train(2, 5, 0));
    assert_eq!(one, train(3, 5, 0));
}

#[test]
fn seeds_and_trials_change_everything() {
    let (state, _) = train(1, 5, 0);
    for (seed, trial) in [(6, 0), (5, 1)] {
        let (other, _) = train(1, seed, trial);
        let name = "weights/dense_1/kernel";
        let pairs = twin::values(&state.tensors, name).iter().zip(twin::values(&other.tensors, name));
        assert!(pairs.filter(|(a, b)| a == b).count() < 10);
    }
}

#[test]
fn a_resumed_training_ends_in_the_same_bytes() {
    let (x, y) = twin::data(330, 20, 3, 2);
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let pool = Pool::inline();
    let params = everything_on();
    let job = Job { val: Some(samples), trial: 2, ..Job::new(samples, &params, 8, &pool) };
    let fresh = || Trainer::new(samples, Some(samples), &params, 8, 2, &pool).unwrap();
    let mut straight = fresh();
    let mut broken = fresh();
    for epoch in 0..6 {
        if epoch == 4 {
            straight.set_learning_rate(1e-4);
            broken.set_learning_rate(1e-4);
        }
        let state = broken.state();
        broken = Trainer::resume(job, state).unwrap();
        assert_eq!(straight.step_epoch().unwrap(), broken.step_epoch().unwrap());
        assert_eq!(straight.state(), broken.state());
    }
}

#[test]
fn a_state_of_another_network_is_refused() {
    let (x, y) = twin::data(30, 20, 3, 2);
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let pool = Pool::inline();
    let other = twin::params([("neurons0", Value::Int(21))]);
    let state = Trainer::new(samples, None, &other, 0, 0, &pool).unwrap().state();
    let error =
        Trainer::resume(Job { val: None, trial: 0, ..Job::new(samples, &twin::params([]), 0, &pool) }, state)
            .unwrap_err();
    assert_eq!(error.to_string(), "tensor `dense/kernel` has shape [20, 21], expected [20, 20]");
}
