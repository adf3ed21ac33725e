//! No buffer of a training ever holds a subnormal number, however long it trains: arithmetic with those takes a hundred
//! times as long.

use headsmith_kernels::{Matrix, Philox, Pool};

use super::{Trainer, TrainerState};
use crate::head::Job;
use crate::mlp::TABLE;
use crate::params::{Params, Value};
use crate::samples::Samples;
use crate::tensors::Values;

const N_FEATURES: usize = 40;
const N_CLASSES: usize = 5;
const N_EPOCHS: usize = 300;

/// Classes that a network learns beyond doubt, so that the tails of its probabilities grow thin. Of the features a third is
/// always zero, a third for most rows, and some are so small that the squares of their gradients are no normal numbers.
fn data() -> (Matrix, Vec<u32>) {
    let mut draws = Philox::new(3, 0, 100).sequence(0, 0);
    let y: Vec<u32> = (0..96).map(|i| i % N_CLASSES as u32).collect();
    let mut x = Matrix::zeros(y.len(), N_FEATURES);
    for (row, class) in x.as_mut_slice().chunks_mut(N_FEATURES).zip(&y) {
        for (j, value) in row.iter_mut().enumerate() {
            let (drawn, is_there) = (draws.uniform() as f32, draws.below(5) == 0);
            *value = match j % 3 {
                0 => 0.0,
                1 if is_there => drawn,
                1 => 0.0,
                _ if j > 35 => drawn * 1e-19,
                _ => drawn + if j % N_CLASSES == *class as usize { 2.0 } else { 0.0 },
            };
        }
    }
    (x, y)
}

fn params(given: &[(&'static str, Value)]) -> Params {
    let small = [
        ("neurons0", 40),
        ("neurons1", 24),
        ("neurons2", 19),
        ("layers1", 1),
        ("layers2", 1),
        ("batch_size", 16),
    ];
    let small = small.map(|(name, value)| (name, Value::Int(value)));
    let rate = [("lr", Value::Float(0.01))];
    TABLE.resolve_from("classic", small.into_iter().chain(rate).chain(given.iter().cloned())).unwrap()
}

/// Every third unit of the dense layers but the last never passes anything on again.
fn with_dead_units(mut state: TrainerState) -> TrainerState {
    for name in ["weights/dense/bias", "weights/dense_1/bias", "weights/dense_2/bias"] {
        let tensor = state.tensors.iter().find(|(found, _)| *found == name).map(|(_, tensor)| tensor.clone());
        let mut tensor = tensor.unwrap();
        if let Values::F32(bias) = &mut tensor.values {
            bias.iter_mut().step_by(3).for_each(|bias| *bias = -1e4);
        }
        state.tensors.insert(name, &tensor.shape, tensor.values);
    }
    state
}

impl Trainer<'_> {
    fn n_subnormal(&mut self) -> [usize; 4] {
        let count = |values: &[f32]| values.iter().filter(|value| value.is_subnormal()).count();
        let in_pass = self.buffers.pass.values().filter(|value| value.is_subnormal()).count();
        [count(&self.weights), count(self.adam.momentums()), count(self.adam.velocities()), in_pass]
    }
}

#[test]
fn there_are_none_in_any_buffer_after_any_epoch() {
    let (x, y) = data();
    let samples = Samples::new(x.view(), &y, N_CLASSES).unwrap();
    let pool = Pool::inline();
    let plain = [("noise", Value::Int(0)), ("dropout", Value::Float(0.0))];
    let with = |name, value| [plain.to_vec(), vec![(name, value)]].concat();
    for given in [
        with("layer_norms", Value::Int(0)),
        with("layer_norms", Value::Int(1)),
        with("layer_norms", Value::Int(2)),
        with("noise", Value::Int(1)),
        with("dropout", Value::Float(0.7)),
        vec![("layer_norms", Value::Int(2)), ("noise", Value::Int(1)), ("dropout", Value::Float(0.4))],
    ] {
        let params = params(&given);
        let mut trainer = Trainer::new(samples, Some(samples), &params, 1, 0, &pool).unwrap();
        trainer.step_epoch().unwrap();
        let state = with_dead_units(trainer.state());
        trainer = Trainer::resume(Job { val: Some(samples), ..Job::new(samples, &params, 1, &pool) }, state)
            .unwrap();
        for epoch in 1..N_EPOCHS {
            trainer.step_epoch().unwrap();
            assert_eq!(trainer.n_subnormal(), [0; 4], "{given:?}, epoch {epoch}");
        }
        let momentums = trainer.adam.momentums();
        assert!(momentums.iter().any(|m| *m != 0.0), "it still learns");
    }
}
