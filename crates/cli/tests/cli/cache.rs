//! Tables by way of cache files, as a user has them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::world::{World, names};

/// The model and what is said of it, without times.
fn fitted(world: &World, args: &str) -> (Vec<u8>, String) {
    let mut report = world.json(&format!("{args} --model model.safetensors --json"));
    for name in ["fit_seconds", "epoch_seconds"] {
        report.as_object_mut().unwrap().remove(name);
    }
    (world.bytes("model.safetensors"), report.to_string())
}

#[test]
fn a_fit_is_the_same_by_the_cache() {
    let world = World::with_tables();
    for head in ["mlp --epochs 3 --scale l2+standardise", "forest --n-estimators 5"] {
        let args = format!("fit {head} --train train.csv --val val.csv");
        let plain = fitted(&world, &args);
        let cached = format!("{args} --cache cache");
        assert!(fitted(&world, &cached) == plain, "{head}, written");
        assert!(fitted(&world, &cached) == plain, "{head}, mapped");
    }
    assert_eq!(names(&world.path("cache")).len(), 2);
    let seen = world.json("inspect train.csv val.csv --json");
    let mapped = world.json("inspect train.csv val.csv --cache cache --json");
    assert_eq!(seen["findings"], mapped["findings"]);
}

#[test]
fn what_is_no_cache_is_said_and_written_anew() {
    let world = World::with_tables();
    world.run("inspect train.csv --cache cache", 0);
    let file = format!("cache/{}", names(&world.path("cache"))[0]);
    let whole = world.bytes(&file);
    world.write(&file, "a note of mine");
    let args = "fit forest --n-estimators 2 --train train.csv --model m.safetensors --cache cache";
    let error = world.error(args, 0);
    assert!(error.contains(&format!("{file} is damaged: rewritten")), "{error}");
    assert!(world.bytes(&file) == whole);
}

/// A limit on the size of files fails as a full disk does: in the middle of a write.
#[cfg(target_os = "linux")]
#[test]
fn a_cache_without_room_is_an_error_and_leaves_nothing() {
    let world = World::with_tables();
    let headsmith = world.command("inspect train.csv --cache cache");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 64; trap '' XFSZ; exec \"$0\" \"$@\""]).arg(headsmith.get_program());
    let output = command.args(headsmith.get_args()).current_dir(world.path("")).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot be written: File too large"), "{stderr}");
    assert!(stderr.contains("put the cache where there is room for the table"), "{stderr}");
    assert_eq!(names(&world.path("cache")), [""; 0]);
}

#[cfg(target_os = "linux")]
mod large {
    use super::*;
    use std::io::Write;

    use crate::patience::wait_for;

    const N_ROWS: usize = 40_000;
    const N_FEATURES: usize = 512;

    /// Writes `train.npy` and its labels: 82 MB, more than is ever scaled at once.
    fn write_table(world: &World) {
        let header = |descr: &str, shape: String| {
            let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
            let text = format!("{text:<117}\n");
            [&b"\x93NUMPY\x01\x00"[..], &118u16.to_le_bytes(), text.as_bytes()].concat()
        };
        let file = |name: &str| std::io::BufWriter::new(fs::File::create(world.path(name)).unwrap());
        let (mut x, mut y) = (file("train.npy"), file("train.labels.npy"));
        x.write_all(&header("<f4", format!("({N_ROWS}, {N_FEATURES})"))).unwrap();
        y.write_all(&header("<i8", format!("({N_ROWS},)"))).unwrap();
        let mut state = 1u32;
        for row in 0..N_ROWS {
            let class = row % 3;
            for column in 0..N_FEATURES {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let value = (state >> 8) as f32 / 16_777_216.0 + f32::from(column % 3 == class);
                x.write_all(&value.to_le_bytes()).unwrap();
            }
            y.write_all(&(class as i64).to_le_bytes()).unwrap();
        }
    }

    /// Kilobytes of a running process's memory that no file stands behind.
    fn anonymous(child: &Child) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Runs the command; gives the most megabytes of anonymous memory that it was seen with.
    fn peak(world: &World, args: &str) -> u64 {
        let mut child = world.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(anonymous(&child).unwrap_or(0));
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(child.wait().unwrap().success(), "{args}");
        peak / 1024
    }

    /// Has `cache` written and kills the process while it does; again when it was done before that.
    fn kill_in_the_middle(world: &World, cache: &Path) {
        wait_for("a process that is killed while it writes", || {
            let _ = fs::remove_dir_all(cache);
            let mut inspect = world.command("inspect train.npy --cache cache");
            let mut child = inspect.stdout(Stdio::null()).spawn().unwrap();
            let has_begun = || cache.exists() && !names(cache).is_empty();
            while !has_begun() && child.try_wait().unwrap().is_none() {}
            // Stopped first: what is looked at is what the kill leaves.
            let pid = child.id().to_string();
            let _ = Command::new("kill").args(["-STOP", &pid]).stderr(Stdio::null()).status().unwrap();
            let is_half = has_begun() && names(cache).iter().all(|name| name.ends_with(".partial"));
            child.kill().unwrap();
            child.wait().unwrap();
            is_half.then_some(())
        });
    }

    #[test]
    fn a_large_table_is_never_in_memory_and_half_a_cache_never_used() {
        let world = World::with_tables();
        write_table(&world);
        let fit = |more: &str| {
            format!(
                "fit mlp --preset classic --train train.npy --epochs 1 --neurons0 8 --neurons1 8 --neurons2 8 --batch-size 2000 \
                 --scale standardise --jobs 2 --model {more}"
            )
        };
        let table = (N_ROWS * N_FEATURES * 4) as u64 >> 20;
        // Killed while it writes: what is left behind is no cache.
        let cache = world.path("cache");
        kill_in_the_middle(&world, &cache);
        assert!(names(&cache).iter().all(|name| name.ends_with(".partial")), "{:?}", names(&cache));
        let written = peak(&world, &fit("written.safetensors --val-share 0 --cache cache"));
        let mapped = peak(&world, &fit("mapped.safetensors --val-share 0 --cache cache"));
        let in_memory = peak(&world, &fit("in-memory.safetensors --val-share 0"));
        assert!(written < table && mapped < table, "{written} and {mapped} MB of a table of {table} MB");
        assert!(in_memory >= table, "{in_memory} MB were seen of a table of {table} MB");
        let model = world.bytes("in-memory.safetensors");
        assert!(world.bytes("written.safetensors") == model && world.bytes("mapped.safetensors") == model);
        // Neither are the parts that it is split into.
        let split = peak(&world, &fit("split.safetensors --val-share 0.1 --cache cache"));
        assert!(split < table, "{split} MB of a split table of {table} MB");
        world.run(&fit("plain.safetensors --val-share 0.1 --quiet"), 0);
        assert!(world.bytes("split.safetensors") == world.bytes("plain.safetensors"));
        assert_eq!(names(&cache).iter().filter(|name| !name.ends_with(".partial")).count(), 1);
    }
}
