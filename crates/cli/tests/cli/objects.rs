//! URLs where paths are expected. Stores that answer are in the referees.

use crate::world::World;

fn world() -> World {
    let world = World::with_tables();
    world.run("fit ridge --train train.csv --model m.st -q", 0);
    world
}

#[test]
fn urls_of_no_store_are_refused() {
    let world = world();
    let error = world.error("predict --model m.st --data hf://datasets/x --out p.csv", 1);
    assert!(error.contains("hf://datasets/x") && error.contains("expected s3://, "), "{error}");
    let error = world.error("predict --model m.st --data test.csv --out ftp://host/p.csv", 1);
    assert!(error.contains("ftp:// is no store"), "{error}");
    let error = world.error("inspect https://host/x.csv?token=1", 1);
    assert!(error.contains("download the file"), "{error}");
    assert!(!world.path("p.csv").exists());
}

#[test]
fn a_run_keeps_its_folder_on_this_machine() {
    let world = world();
    let before = world.names();
    let error = world.error("run --train train.csv --test test.csv --out s3://bucket/out", 2);
    assert!(error.contains("s3://bucket/out") && error.contains("must be one of this machine"), "{error}");
    let error = world.error("predict --model m.st --data test.csv --out s3://bucket/p.csv --zip", 2);
    assert!(error.contains("--zip"), "{error}");
    assert_eq!(world.names(), before);
}
