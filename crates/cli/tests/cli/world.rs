//! A folder with small tables in it, and the command run there.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of its own that goes with the test.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

pub(crate) const CLASSES: [&str; 3] = ["negative", "neutral", "positive"];
pub(crate) const N_FEATURES: usize = 6;

impl World {
    /// A folder with `train.csv`, `val.csv` and `test.csv` in the notebook's format: three classes that overlap.
    pub(crate) fn with_tables() -> World {
        let world = World { folder: tempfile::tempdir().unwrap() };
        for (name, n_rows, first) in [("train.csv", 240, 0), ("val.csv", 90, 1_000), ("test.csv", 60, 2_000)]
        {
            world.write(name, &table(n_rows, first));
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The command in this folder, not yet started; `args` are split at spaces.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(binary());
        command.current_dir(self.folder.path()).args(args.split_whitespace());
        command
    }

    /// Runs the command and expects `status`.
    pub(crate) fn run(&self, args: &str, status: i32) -> Output {
        let output = self.command(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "headsmith {args}\n{stderr}");
        assert!(!stderr.contains("panicked"), "headsmith {args}\n{stderr}");
        output
    }

    /// Runs the command, expects success, and gives its standard output as JSON.
    pub(crate) fn json(&self, args: &str) -> Value {
        let output = self.run(args, 0);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs the command, expects `status`, and gives its standard error.
    pub(crate) fn error(&self, args: &str, status: i32) -> String {
        String::from_utf8(self.run(args, status).stderr).unwrap()
    }

    /// The names of what is in the folder, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn binary() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("headsmith").to_owned()
}

/// Row `i` is of class `i % 3`; its features are noise around that class's own point.
fn table(n_rows: usize, first: usize) -> String {
    let mut text = String::from("embeddings,label\n");
    for i in first..first + n_rows {
        let class = i % 3;
        let features: Vec<String> = (0..N_FEATURES)
            .map(|j| {
                let centre = if j % 3 == class { 1.5 } else { 0.0 };
                format!("{:.4}", centre + noise(i, j))
            })
            .collect();
        writeln!(text, "\"[{}]\",{}", features.join(", "), CLASSES[class]).unwrap();
    }
    text
}

/// About normal with standard deviation 1: the sum of twelve hashed uniforms.
fn noise(i: usize, j: usize) -> f64 {
    let uniform = |k: usize| {
        let mut h = (i * 1_000_003 + j * 10_007 + k * 101) as u64 ^ 0x9E37_79B9_7F4A_7C15;
        h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (h >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..12).map(uniform).sum::<f64>() - 6.0
}
