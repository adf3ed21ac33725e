//! The project speaks of itself alone: no file names a place on the machine where it was written.

use std::fs;

/// What no file may hold, cut in two so that this file does not hold it either.
const FORBIDDEN: [(&str, &str); 7] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/tmp/", "probe"),
    ("../sh", "ared"),
    ("shared/", "data"),
    ("shared/", "reference"),
    ("BRIEF", ".md"),
];

#[test]
fn no_file_names_the_workplace() {
    for file in super::files() {
        // Tables and golden files are bytes, not text.
        let Ok(text) = fs::read_to_string(super::root().join(&file)) else { continue };
        for (head, tail) in FORBIDDEN {
            let word = format!("{head}{tail}");
            let line = text.lines().position(|line| line.contains(&word));
            assert!(line.is_none(), "{}:{} names {word}", file.display(), line.unwrap_or(0) + 1);
        }
    }
}
