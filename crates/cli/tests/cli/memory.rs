//! Fits that need more memory than there is.

use crate::world::World;

/// Weights of some hundred gigabytes.
const HUGE: &str = "--neurons0 65536 --neurons1 65536 --layers1 16";

#[cfg(target_os = "linux")]
#[test]
fn a_fit_too_large_for_the_memory_is_refused_before_it_begins() {
    let world = World::with_tables();
    for command in [
        "fit mlp --preset classic --model m.safetensors",
        "fit mlp --preset classic --folds 3 --model m.safetensors",
        "run --head mlp --trials 0 --out out",
    ] {
        let error = world.error(&format!("{command} --train train.csv --quiet {HUGE}"), 1);
        assert!(error.contains("multilayer perceptron: a fit needs about "), "{command}: {error}");
        assert!(error.contains("MB are free: fit it with fewer neurons or layers"), "{command}: {error}");
        assert_eq!(error.lines().count(), 1, "{command}: {error}");
        assert!(!world.path("m.safetensors").exists() && !world.path("out/report.json").exists());
    }
}

/// The limit of the address space that the process itself has counts, too.
#[cfg(target_os = "linux")]
#[test]
fn a_fit_beyond_the_limit_of_the_process_is_refused() {
    let world = World::with_tables();
    let fit = "fit forest --train train.csv --val-share 0 --model m.safetensors --quiet --jobs 1";
    let limited = |n_estimators: u64| {
        let mut command = std::process::Command::new("sh");
        let headsmith = world.command(&format!("{fit} --n-estimators {n_estimators}"));
        command.args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\""]).arg(headsmith.get_program());
        command.args(headsmith.get_args()).current_dir(world.path(""));
        command.output().unwrap()
    };
    let output = limited(1_000_000);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("random forest: a fit needs about ") && error.contains("fewer trees"), "{error}");
    assert!(!world.path("m.safetensors").exists());
    let output = limited(10);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
