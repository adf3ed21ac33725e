//! What the source files may hold: unsafe code only where it belongs, and no file too long to read.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code a file may have, without its tests, comments and empty lines.
const LONGEST: usize = 400;

/// Where unsafe code may stand.
const UNSAFE: &str = "crates/kernels";

/// The source files of the crates, without their integration tests.
fn sources() -> Vec<(PathBuf, Vec<String>)> {
    let mut files = super::files();
    files.retain(|file| file.extension().is_some_and(|e| e == "rs") && file.iter().any(|part| part == "src"));
    assert!(files.len() > 10, "the sources were not found");
    let code =
        |file: &Path| code(&fs::read_to_string(super::root().join(file)).expect("a source file reads"));
    files.into_iter().map(|file| (file.clone(), code(&file))).collect()
}

/// The lines of code before a file's unit tests.
pub(super) fn code(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).take_while(|line| *line != "mod tests {");
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).map(str::to_owned).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

#[test]
fn unsafe_code_stands_only_where_it_belongs() {
    for (file, code) in sources() {
        if !file.starts_with(UNSAFE) {
            assert!(!code.iter().any(|line| has_word(line, "unsafe")), "{} has unsafe code", file.display());
            let allows = code.iter().any(|line| has_word(line, "unsafe_code"));
            assert!(!allows, "{} lifts the lint against unsafe code", file.display());
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let lengths = sources().into_iter().map(|(file, code)| (file, code.len()));
    let long: Vec<_> = lengths.filter(|(_, length)| *length > LONGEST).collect();
    assert!(long.is_empty(), "more than {LONGEST} lines of code, look for the seam: {long:?}");
}

#[test]
fn code_ends_where_the_tests_begin() {
    let text = "// unsafe\n\nfn a() {} // unsafe\n#[cfg(test)]\nmod tests {\n    unsafe {}\n}\n";
    assert_eq!(code(text), ["fn a() {} // unsafe", "#[cfg(test)]"]);
    assert!(!has_word("fn a() {} // unsafe", "unsafe"));
    assert!(!has_word("#![deny(unsafe_code)]", "unsafe"));
    assert!(has_word("let a = unsafe { b };", "unsafe"));
}
