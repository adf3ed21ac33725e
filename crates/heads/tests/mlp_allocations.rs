//! A training step allocates nothing: all of an epoch's buffers are there once the first epoch has filled them.
//! On one thread; a pool of several allocates in its queues.

use headsmith_heads::Samples;
use headsmith_heads::mlp::{TABLE, Trainer};
use headsmith_heads::params::Value;
use headsmith_kernels::{Matrix, Philox, Pool};

#[test]
fn an_epoch_allocates_nothing_after_the_first() {
    let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
    let x = Matrix::new((0..300 * 40).map(|_| draws.uniform() as f32).collect(), 300, 40);
    let y: Vec<u32> = (0..300).map(|_| draws.below(3)).collect();
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let given = [("batch_size", 64), ("layers1", 1), ("layer_norms", 2), ("neurons0", 100), ("neurons1", 50)];
    let params = TABLE.resolve_from("classic", given.map(|(name, value)| (name, Value::Int(value)))).unwrap();
    let pool = Pool::inline();
    let mut trainer = Trainer::new(samples, Some(samples), &params, 0, 0, &pool).unwrap();
    trainer.step_epoch().unwrap();
    for _ in 0..3 {
        let counted = allocation_counter::measure(|| {
            trainer.step_epoch().unwrap();
        });
        assert_eq!(counted.count_total, 0, "{counted:?}");
    }
    let counted = allocation_counter::measure(|| drop(trainer.model()));
    assert!(counted.count_total > 0, "the counter counts");
}
