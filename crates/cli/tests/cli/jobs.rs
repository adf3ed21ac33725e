//! The same seed gives the same bytes, for any number of threads.

use crate::world::World;

#[test]
fn jobs_do_not_change_a_byte() {
    let outputs = |jobs: usize, seed: u64| {
        let world = World::with_tables();
        world.run(
            &format!(
                "run --recipe notebook --train train.csv --val val.csv --test test.csv --out out --trials 0 --quiet --jobs {jobs} --seed {seed} \
                 --epochs 5 --batch-size 50 --forest-n-estimators 9"
            ),
            0,
        );
        ["out/model.safetensors", "out/submission.csv", "out/submission.zip"].map(|name| world.bytes(name))
    };
    let one = outputs(1, 3);
    assert_eq!(one, outputs(2, 3));
    assert_eq!(one, outputs(5, 3));
    assert_ne!(one[0], outputs(1, 4)[0]);
}
