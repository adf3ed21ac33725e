//! Types are nouns of the domain, and doc comments start with a subject or a verb.

use std::fs;

/// Type names that do not tell what a value is.
const FORBIDDEN: [&str; 15] = [
    "Deed", "Deeds", "Desk", "GoOn", "Kept", "Look", "News", "Place", "Places", "Said", "Spent", "Told",
    "What", "Wish", "Words",
];

/// Phrases of documents and messages that a plain word replaces.
const PHRASES: [&str; 6] =
    ["is told", "are told", "are taken for", "is taken for", "does with as many", "is not spoken"];

/// The name of the type that a line declares.
fn type_name(line: &str) -> Option<&str> {
    let declaration = line.split_once('{').map_or(line, |(declaration, _)| declaration);
    let mut words = declaration.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let is_type = matches!(words.next(), Some("struct" | "enum" | "trait" | "type" | "union"));
    let name = words.next().filter(|_| is_type)?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// Whether a line is a doc comment that starts with "What", such as "What it is told".
fn starts_with_what(line: &str) -> bool {
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
    text.is_some_and(|text| text.split_whitespace().next() == Some("What"))
}

/// The fault of a line of a source file.
fn fault(line: &str) -> Option<&'static str> {
    if starts_with_what(line) {
        return Some("a doc comment starts with \"What\": begin with the thing itself, or with a verb");
    }
    let is_forbidden = type_name(line).is_some_and(|name| FORBIDDEN.contains(&name));
    is_forbidden.then_some("a type's name does not tell what it is")
}

#[test]
fn types_and_comments_are_in_plain_english() {
    let mut files = super::files();
    files.retain(|file| file.starts_with("crates") && file.extension().is_some_and(|e| e == "rs"));
    files.retain(|file| file.iter().any(|part| part == "src"));
    assert!(files.len() > 100, "the sources were not found");
    let mut faults = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(super::root().join(&file)).expect("a source file reads");
        for (i, line) in text.lines().enumerate() {
            faults.extend(fault(line.trim()).map(|fault| format!("{name}:{}: {fault}", i + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn documents_and_messages_are_in_plain_english() {
    let mut files = super::files();
    files.retain(|file| {
        let is_document = file.extension().is_some_and(|e| e == "md");
        let is_source = file.iter().any(|part| part == "src" || part == "python");
        is_document || is_source && file.extension().is_some_and(|e| e == "rs" || e == "py")
    });
    assert!(files.len() > 100, "the documents were not found");
    for file in files {
        let text = fs::read_to_string(super::root().join(&file)).expect("a document reads");
        for (i, line) in text.lines().enumerate() {
            let phrase = PHRASES.into_iter().find(|phrase| line.contains(phrase));
            assert!(
                phrase.is_none(),
                "{}:{}: {}: use a plain word",
                file.display(),
                i + 1,
                phrase.unwrap_or_default()
            );
        }
    }
}

#[test]
fn forbidden_names_and_comments_are_found() {
    for line in [
        "struct Told {",
        "pub(crate) struct Look<'a> {",
        "pub enum Words {",
        "pub(super) trait Desk {",
        "type Deed = u32;",
        "struct News;",
        "pub struct Place(u32);",
        "/// What it is told.",
        "//! What the study is.",
    ] {
        assert!(fault(line).is_some(), "{line}");
    }
    for line in [
        "struct LogLine {",
        "pub struct RowLocation {",
        "enum LookUp {",
        "let told = Told::new();",
        "/// Whatever the order.",
        "// What a plain comment explains.",
        "/// The row, and what it holds.",
        "fn news() -> News {",
    ] {
        assert!(fault(line).is_none(), "{line}");
    }
}
