//! A head is one folder and one line in the list: no other code names it.

use std::fs;
use std::path::Path;

use super::sources::code;

/// The folder of the heads, and the file with their list.
const HEADS: &str = "crates/heads";
const LIST: &str = "crates/heads/src/head.rs";

/// Code outside the heads that names one: the heads that `run` fits by default, and the help that describes that recipe.
const EXCEPTED: [&str; 2] = ["crates/headsmith/src/run.rs", "crates/cli/src/flags.rs"];

/// The names of the heads, from the list.
fn names() -> Vec<String> {
    let text = fs::read_to_string(super::root().join(LIST)).expect("the list reads");
    let list =
        text.split("pub static HEADS: &[&dyn Head] = &[").nth(1).and_then(|rest| rest.split(']').next());
    let list = list.expect("the list is found");
    list.split(',')
        .filter_map(|head| Some(head.trim().strip_prefix('&')?.strip_suffix("::HEAD")?.to_owned()))
        .collect()
}

/// Whether a line of code names the head: as a text, a module, a type, or in prose.
fn is_named(line: &str, name: &str) -> bool {
    let capital: String =
        name.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let path = format!("{name}::");
    let is_path = line
        .match_indices(&path)
        .any(|(at, _)| !line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_'));
    let variant = [format!("::{capital}("), format!("::{capital} ")];
    line.contains(&format!("\"{name}\"")) || is_path || variant.iter().any(|form| line.contains(form))
}

#[test]
fn no_code_outside_its_folder_names_a_head() {
    let names = names();
    assert!(names.len() >= 2, "{names:?}");
    let mut naming = Vec::new();
    for file in super::files() {
        let is_source = file.extension().is_some_and(|e| e == "rs") && file.iter().any(|part| part == "src");
        let is_test = file.file_stem().is_some_and(|stem| stem == "tests");
        // Products have kernels, too, which know no heads.
        let is_below = file.starts_with("crates/kernels");
        if !is_source || is_test || is_below || file.starts_with(HEADS) || !file.starts_with("crates") {
            continue;
        }
        let text = fs::read_to_string(super::root().join(&file)).expect("a source file reads");
        if code(&text).iter().any(|line| names.iter().any(|name| is_named(line, name))) {
            naming.push(file);
        }
    }
    naming.retain(|file| !EXCEPTED.iter().any(|excepted| file == Path::new(excepted)));
    assert!(naming.is_empty(), "heads are named outside {HEADS}: read the list instead: {naming:?}");
}

#[test]
fn names_are_found_in_code() {
    assert!(is_named("use headsmith_heads::mlp::Trainer;", "mlp"));
    assert!(is_named("let head = find(\"forest\")?;", "forest"));
    assert!(is_named("Node::Forest(forest) => 1,", "forest"));
    assert!(!is_named("let forest = 1; // not the head", "forest"));
    assert!(!is_named("nonlinear::f()", "linear"));
}
