//! Distributions in Optuna's JSON: `{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, ..}}`.
//! Also read: the names before Optuna 3, and the abbreviated form `{"type": "float", "low": 0, "high": 1}`.

use serde_json::{Map, Value};

use super::{Choice, Distribution};
use crate::error::{Error, Kind, Result};

impl Distribution {
    /// The same bytes as Optuna's `distribution_to_json`, except that non-ASCII characters are not escaped.
    pub fn to_json(&self) -> String {
        match self {
            Distribution::Float { low, high, log, step } => format!(
                r#"{{"name": "FloatDistribution", "attributes": {{"step": {}, "low": {}, "high": {}, "log": {log}}}}}"#,
                step.map_or_else(|| "null".to_owned(), python_float),
                python_float(*low),
                python_float(*high),
            ),
            Distribution::Int { low, high, log, step } => format!(
                r#"{{"name": "IntDistribution", "attributes": {{"log": {log}, "step": {step}, "low": {low}, "high": {high}}}}}"#,
            ),
            Distribution::Categorical { choices } => {
                let choices: Vec<String> = choices.iter().map(choice_json).collect();
                let choices = choices.join(", ");
                format!(r#"{{"name": "CategoricalDistribution", "attributes": {{"choices": [{choices}]}}}}"#)
            }
        }
    }

    /// Reads Optuna's JSON of a distribution.
    ///
    /// # Errors
    /// Text that is no distribution, or an invalid one.
    pub fn from_json(json: &str) -> Result<Distribution> {
        let value = serde_json::from_str(json)
            .or_else(|_| serde_json::from_str(&mark_bare_words(json)))
            .map_err(|error| unreadable(json, &error.to_string()))?;
        read(&value).map_err(|wrong| unreadable(json, &wrong))?.checked("distribution")
    }
}

fn unreadable(json: &str, wrong: &str) -> Error {
    Error::new(Kind::Storage, format!("the distribution {json} cannot be read: {wrong}"))
}

type ParseResult<T> = std::result::Result<T, String>;

fn read(value: &Value) -> ParseResult<Distribution> {
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(name) = word("name") {
        let attributes = value.get("attributes").and_then(Value::as_object).ok_or("it has no attributes")?;
        return match name {
            "CategoricalDistribution" => read_choices(attributes),
            "FloatDistribution" | "UniformDistribution" => read_float(attributes, "step", flag(attributes)),
            "LogUniformDistribution" => read_float(attributes, "step", true),
            "DiscreteUniformDistribution" => read_float(attributes, "q", false),
            "IntDistribution" | "IntUniformDistribution" => read_int(attributes, flag(attributes)),
            "IntLogUniformDistribution" => read_int(attributes, true),
            _ => Err(format!("there is no distribution of the name {name}")),
        };
    }
    let attributes = value.as_object().ok_or("it is not a JSON object")?;
    match word("type") {
        Some("categorical") => read_choices(attributes),
        Some("float") => read_float(attributes, "step", flag(attributes)),
        Some("int") => read_int(attributes, flag(attributes)),
        _ => Err("it has neither a name nor a type".into()),
    }
}

fn flag(attributes: &Map<String, Value>) -> bool {
    attributes.get("log").and_then(Value::as_bool).unwrap_or(false)
}

fn number<T>(
    attributes: &Map<String, Value>,
    key: &str,
    as_number: impl Fn(&Value) -> Option<T>,
) -> ParseResult<T> {
    attributes.get(key).and_then(as_number).ok_or_else(|| format!("{key} is missing or no number"))
}

fn read_float(attributes: &Map<String, Value>, step: &str, log: bool) -> ParseResult<Distribution> {
    let (low, high) = (number(attributes, "low", Value::as_f64)?, number(attributes, "high", Value::as_f64)?);
    let step = match attributes.get(step) {
        None | Some(Value::Null) => None,
        Some(_) => Some(number(attributes, step, Value::as_f64)?),
    };
    Ok(Distribution::Float { low, high, log, step })
}

fn read_int(attributes: &Map<String, Value>, log: bool) -> ParseResult<Distribution> {
    let whole = |value: &Value| value.as_i64().or_else(|| value.as_f64().map(|x| x as i64));
    let (low, high) = (number(attributes, "low", whole)?, number(attributes, "high", whole)?);
    let step = match attributes.get("step") {
        None | Some(Value::Null) => 1,
        Some(_) => number(attributes, "step", whole)?,
    };
    Ok(Distribution::Int { low, high, log, step })
}

fn read_choices(attributes: &Map<String, Value>) -> ParseResult<Distribution> {
    let choices = attributes.get("choices").and_then(Value::as_array).ok_or("choices are missing")?;
    let choices = choices.iter().map(read_choice).collect::<ParseResult<Vec<_>>>()?;
    Ok(Distribution::Categorical { choices })
}

fn read_choice(value: &Value) -> ParseResult<Choice> {
    Ok(match value {
        Value::Null => Choice::Null,
        Value::Bool(yes) => Choice::Bool(*yes),
        Value::Number(n) => {
            n.as_i64().map_or_else(|| Choice::Float(n.as_f64().unwrap_or(f64::NAN)), Choice::Int)
        }
        Value::String(text) => match text.strip_prefix(MARK) {
            Some("NaN") => Choice::Float(f64::NAN),
            Some("Infinity") => Choice::Float(f64::INFINITY),
            Some("-Infinity") => Choice::Float(f64::NEG_INFINITY),
            _ => Choice::Text(text.clone()),
        },
        // Optuna accepts lists and objects as choices, with a warning: they are distinguished by their JSON.
        Value::Array(_) | Value::Object(_) => {
            return Err(format!("{value} is not a choice that Optuna's storages can hold"));
        }
    })
}

fn choice_json(choice: &Choice) -> String {
    match choice {
        Choice::Null => "null".into(),
        Choice::Bool(yes) => yes.to_string(),
        Choice::Int(n) => n.to_string(),
        Choice::Float(x) => python_float(*x),
        Choice::Text(text) => Value::from(text.as_str()).to_string(),
    }
}

/// A float as Python's `json` writes it: its `repr`, or `NaN`, `Infinity`, `-Infinity`.
fn python_float(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = x.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
    format!("{mantissa}e{sign}{exponent:0>2}")
}

/// The prefix of a string that was a bare `NaN` or `Infinity`.
const MARK: char = '\u{1}';

/// Quotes Python's bare `NaN` and `Infinity`, which are not valid JSON.
fn mark_bare_words(json: &str) -> String {
    let mut marked = String::with_capacity(json.len() + 16);
    let (mut rest, mut in_string) = (json, false);
    while let Some(c) = rest.chars().next() {
        let bare =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !in_string && rest.starts_with(word));
        let length = match bare {
            Some(word) => {
                marked.push_str(&format!("\"\\u0001{word}\""));
                word.len()
            }
            None => {
                in_string ^= c == '"';
                let escaped = if in_string && c == '\\' { rest[1..].chars().next() } else { None };
                let length = c.len_utf8() + escaped.map_or(0, char::len_utf8);
                marked.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of `distribution_to_json` in optuna 5.0.0.
    const WRITTEN: [&str; 7] = [
        r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}"#,
        r#"{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": -1.0, "high": 1e+16, "log": false}}"#,
        r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 123456789012345.0, "log": false}}"#,
        r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.5e-310, "high": 1.25e+300, "log": false}}"#,
        r#"{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": -3, "high": 9}}"#,
        r#"{"name": "CategoricalDistribution", "attributes": {"choices": [null, true, 3, 0.5, "a\"b\\", "NaN"]}}"#,
        r#"{"name": "CategoricalDistribution", "attributes": {"choices": [NaN, Infinity, -Infinity, "NaN, \"", 2]}}"#,
    ];

    #[test]
    fn both_ways() {
        for json in WRITTEN {
            assert_eq!(Distribution::from_json(json).unwrap().to_json(), json);
        }
    }

    #[test]
    fn old_names_and_the_short_form() {
        for (old, new) in [
            (
                r#"{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 2.0}}"#,
                "float 0.0 to 2.0",
            ),
            (
                r#"{"name": "LogUniformDistribution", "attributes": {"low": 0.5, "high": 2}}"#,
                "float 0.5 to 2.0, log",
            ),
            (
                r#"{"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 2, "q": 0.5}}"#,
                "float 0.0 to 2.0, step 0.5",
            ),
            (
                r#"{"name": "IntUniformDistribution", "attributes": {"low": 0, "high": 9, "step": 3}}"#,
                "int 0 to 9, step 3",
            ),
            (
                r#"{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}"#,
                "int 1 to 9, log",
            ),
            (r#"{"type": "float", "low": 0, "high": 1, "log": false}"#, "float 0.0 to 1.0"),
            (r#"{"type": "int", "low": 1, "high": 8, "log": true}"#, "int 1 to 8, log"),
            (r#"{"type": "categorical", "choices": ["a", 1]}"#, "one of a, 1"),
        ] {
            assert_eq!(Distribution::from_json(old).unwrap().to_string(), new);
        }
    }

    #[test]
    fn unreadable_json_is_refused() {
        for (json, wrong) in [
            ("{", "EOF"),
            ("[]", "not a JSON object"),
            (
                r#"{"name": "NormalDistribution", "attributes": {}}"#,
                "no distribution of the name NormalDistribution",
            ),
            (r#"{"name": "FloatDistribution"}"#, "no attributes"),
            (r#"{"name": "FloatDistribution", "attributes": {"low": 1}}"#, "high is missing"),
            (r#"{"name": "CategoricalDistribution", "attributes": {"choices": [[1]]}}"#, "not a choice"),
            (
                r#"{"name": "IntDistribution", "attributes": {"low": 3, "high": 1}}"#,
                "low must not be above high",
            ),
        ] {
            let error = Distribution::from_json(json).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
