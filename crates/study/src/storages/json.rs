//! JSON as Python's `json` writes and reads it: with bare `NaN`, `Infinity` and `-Infinity`, which are not valid JSON.
//! In memory they are strings; a system attribute that consists of such a string is written bare again, because
//! Optuna's pruners store floats there (`completed_rung_0`).

use serde_json::Value;

const BARE: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Reads an attribute. Text that is no JSON even to Python stays text.
pub(super) fn parse(text: &str) -> Value {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&quote_bare_words(text)))
        .unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Writes a system attribute.
pub(super) fn write_system(value: &Value) -> String {
    match value {
        Value::String(word) if BARE.contains(&word.as_str()) => word.clone(),
        _ => value.to_string(),
    }
}

/// Quotes bare `NaN`, `Infinity` and `-Infinity` outside of strings.
fn quote_bare_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    let (mut rest, mut in_string) = (text, false);
    while let Some(c) = rest.chars().next() {
        let word = if in_string { None } else { BARE.into_iter().find(|word| rest.starts_with(word)) };
        let length = match word {
            Some(word) => {
                quoted.extend(["\"", word, "\""]);
                word.len()
            }
            None => {
                in_string ^= c == '"';
                // An escaped character cannot end the string.
                let escaped = if in_string && c == '\\' { rest.chars().nth(1) } else { None };
                let length = c.len_utf8() + escaped.map_or(0, char::len_utf8);
                quoted.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pythons_floats_are_read() {
        assert_eq!(
            parse(r#"{"a": NaN, "b": [-Infinity, 1.5, Infinity]}"#),
            json!({"a": "NaN", "b": ["-Infinity", 1.5, "Infinity"]})
        );
        assert_eq!(parse(r#"["NaN in a \"NaN\" string", NaN]"#), json!(["NaN in a \"NaN\" string", "NaN"]));
        assert_eq!(parse("NaN"), json!("NaN"));
    }

    #[test]
    fn invalid_json_stays_text() {
        assert_eq!(parse(r#""\ud800""#), json!(r#""\ud800""#));
        assert_eq!(parse(""), json!(""));
    }

    #[test]
    fn a_float_of_the_system_is_written_bare() {
        assert_eq!(write_system(&json!("Infinity")), "Infinity");
        assert_eq!(write_system(&json!(["NaN"])), r#"["NaN"]"#);
        assert_eq!(write_system(&json!(0.5)), "0.5");
    }
}
