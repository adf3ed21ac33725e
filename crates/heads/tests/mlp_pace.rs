//! An epoch takes as long after a thousand steps as at the beginning. Weights that get no gradient any more once made it
//! four times as long: their moments had become subnormal numbers.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

use std::time::{Duration, Instant};

use headsmith_heads::Samples;
use headsmith_heads::head::Job;
use headsmith_heads::mlp::{TABLE, Trainer, TrainerState};
use headsmith_heads::params::Value;
use headsmith_heads::tensors::Values;
use headsmith_kernels::{Matrix, Philox, Pool};

const N_FEATURES: usize = 256;

/// Steps after which a momentum that began as 1e-4 is below the normal numbers: 0.9^800 is 1e-37.
const N_AGING_EPOCHS: usize = 200;

/// The state with every second unit of the first layer dead.
fn with_dead_units(mut state: TrainerState) -> TrainerState {
    let name = "weights/dense/bias";
    let mut tensor = state.tensors.iter().find(|(found, _)| *found == name).unwrap().1.clone();
    if let Values::F32(bias) = &mut tensor.values {
        bias.iter_mut().step_by(2).for_each(|bias| *bias = -1e4);
    }
    state.tensors.insert(name, &tensor.shape, tensor.values);
    state
}

fn epochs(trainer: &mut Trainer<'_>, fastest: &mut Duration) {
    for _ in 0..5 {
        let start = Instant::now();
        trainer.step_epoch().unwrap();
        *fastest = start.elapsed().min(*fastest);
    }
}

/// The fastest epochs are compared, taken in turns until the machine has let both have some undisturbed: whatever else it
/// does can only make this test take longer.
#[test]
fn late_epochs_take_as_long_as_early_ones() {
    let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
    let x = (0..64 * N_FEATURES).map(|i| if i % 5 == 0 { 0.0 } else { draws.uniform() as f32 });
    let x = Matrix::new(x.collect(), 64, N_FEATURES);
    let y: Vec<u32> = (0..64).map(|_| draws.below(3)).collect();
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let given =
        [("neurons0", 128), ("neurons1", 32), ("neurons2", 16), ("layer_norms", 2), ("batch_size", 16)];
    let params = TABLE.resolve_from("classic", given.map(|(name, value)| (name, Value::Int(value)))).unwrap();
    let pool = Pool::inline();
    let mut trainer = Trainer::new(samples, None, &params, 0, 0, &pool).unwrap();
    trainer.step_epoch().unwrap();
    let state = with_dead_units(trainer.state());
    let resume = || {
        Trainer::resume(Job { val: None, trial: 0, ..Job::new(samples, &params, 0, &pool) }, state.clone())
            .unwrap()
    };
    let (mut early, mut late) = (resume(), resume());
    for _ in 0..N_AGING_EPOCHS {
        late.step_epoch().unwrap();
    }
    let (mut of_early, mut of_late) = (Duration::MAX, Duration::MAX);
    for _ in 0..100 {
        epochs(&mut early, &mut of_early);
        epochs(&mut late, &mut of_late);
        if of_late < 2 * of_early {
            return;
        }
    }
    panic!("a late epoch takes {of_late:?}, an early one {of_early:?}");
}
