//! Error messages.

use anyhow::Error;
use serde_json::{Value, json};

use crate::view;

/// The prefix of a line with advice.
const HINT: &str = "hint: ";

/// Prints `error: ..`, and a `cause: ..` line for each underlying error that it does not quote. With `json`, standard
/// output gets the same as one object, unless the command has already printed its own.
pub(crate) fn print(error: &Error, status: u8, json: bool) {
    let causes = causes(error);
    view::print_message(&format!("error: {error}"));
    causes.iter().for_each(|cause| view::print_message(&format!("cause: {cause}")));
    if json && !view::has_printed_json() {
        // A failure to print is ignored: the command has failed already.
        let _ = view::print_json(&json!({ "error": object(error, status) }));
    }
}

/// A failure as a JSON object: one of the challenge's service has the kind of its cause, too.
pub(crate) fn object(error: &Error, status: u8) -> Value {
    let causes = causes(error);
    let Some(service) = error.downcast_ref::<headsmith_aicrowd::Error>() else {
        return with_hints(&error.to_string(), &causes, status);
    };
    let hints: Vec<&str> = service.hint().into_iter().collect();
    json!({
        "message": service.message(), "cause": service.cause().name(), "causes": causes, "hints": hints, "status": status,
    })
}

/// The causes of `error`, up to one whose text includes that of the next: it already contains the rest.
fn causes(error: &Error) -> Vec<String> {
    let lines: Vec<String> = error.chain().map(ToString::to_string).collect();
    let includes = |pair: &[String]| pair[0].contains(&pair[1]);
    let end = lines.windows(2).position(includes).map_or(lines.len(), |last| last + 1);
    lines[1..end].to_vec()
}

/// Prints a failure as one JSON object.
pub(crate) fn print_json(text: &str, causes: &[String], status: u8) {
    // A failure to print is ignored: the command has failed already.
    let _ = view::print_json(&json!({ "error": with_hints(text, causes, status) }));
}

fn with_hints(text: &str, causes: &[String], status: u8) -> Value {
    let (hints, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with(HINT));
    let hints: Vec<&str> = hints.iter().map(|hint| &hint[HINT.len()..]).collect();
    json!({ "message": lines.join("\n"), "causes": causes, "hints": hints, "status": status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_causes_are_not_repeated() {
        let io = std::io::Error::other("disk full");
        let below = anyhow::Error::new(io).context("cannot write a.csv: disk full").context("no predictions");
        assert_eq!(causes(&below), ["cannot write a.csv: disk full"]);
        assert_eq!(causes(&Error::msg("wrong")), [""; 0]);
    }
}
