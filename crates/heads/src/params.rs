//! A head's parameters as data: declared once in a [`Table`], from which come validation, command-line flags, the
//! default search space, the JSON schema and the reference page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An integer in `low ..= high`.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
        /// Words accepted instead of a number.
        words: &'static [&'static str],
    },
    /// A float in `low ..= high`.
    Float {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// Words accepted instead of a number.
        words: &'static [&'static str],
    },
    /// A count (an integer of at least 1) or a fraction (a float in `(0, 1]`, written with a point).
    CountOrFraction {
        /// Words accepted instead of a number.
        words: &'static [&'static str],
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Bool,
    /// Text with a syntax of its own.
    Text {
        /// The syntax, for help and messages.
        syntax: &'static str,
        /// Whether a text follows it.
        check: fn(&str) -> bool,
    },
}

/// A value before it is known to fit a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A word.
    Text(String),
}

/// A default in a table.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// Yes or no.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A word.
    Text(&'static str),
}

/// Where a study looks for good values of a parameter, by default.
#[derive(Debug, Clone, Copy)]
pub enum Search {
    /// Integers in `low ..= high`.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
        /// Whether steps are even on a logarithmic scale.
        log: bool,
    },
    /// Floats in `low ..= high`.
    Float {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// Whether steps are even on a logarithmic scale.
        log: bool,
    },
}

/// One parameter of a head.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name, in snake case; on the command line with dashes.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is when not given.
    pub default: Default,
    /// Where a study looks for it; `None`: it does not.
    pub search: Option<Search>,
    /// One line of help.
    pub help: &'static str,
}

/// The parameters of one head.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The head: `forest`, `mlp`.
    pub head: &'static str,
    /// One line on what the head is.
    pub about: &'static str,
    /// Its parameters, in the order in which they are shown.
    pub params: &'static [Param],
}

/// The values of one head's parameters: every parameter of its table, each checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Params(BTreeMap<&'static str, Value>);

/// Whether `text` names a scaling of features: `none`, `divide:K` with a finite K above zero,
/// `standardise`, `l2` or `l2+standardise`.
pub fn is_scaling(text: &str) -> bool {
    match text.strip_prefix("divide:") {
        Some(divisor) => divisor.parse().is_ok_and(|k: f64| k.is_finite() && k > 0.0),
        None => matches!(text, "none" | "standardise" | "l2" | "l2+standardise"),
    }
}

impl Table {
    /// The parameter `name`; dashes count as underscores.
    pub fn find(&self, name: &str) -> Option<&'static Param> {
        let name = name.replace('-', "_");
        self.params.iter().find(|p| p.name == name)
    }

    /// The defaults of all parameters.
    pub fn defaults(&self) -> Params {
        Params(self.params.iter().map(|p| (p.name, p.default.value())).collect())
    }

    /// The defaults with `given` in their places.
    ///
    /// # Errors
    /// When a name is not in the table or a value not of its parameter's kind and range.
    pub fn resolve<'v>(&self, given: impl IntoIterator<Item = (&'v str, Value)>) -> Result<Params> {
        let mut params = self.defaults();
        for (name, value) in given {
            let param = self.find(name).ok_or_else(|| self.unknown(name))?;
            params.0.insert(param.name, param.check(value)?);
        }
        Ok(params)
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.params.iter().map(|p| p.name).collect();
        Error::parameter(format!("{} has no parameter `{name}`; it has {}", self.head, known.join(", ")))
    }
}

impl Param {
    /// Reads a value as it is typed.
    ///
    /// # Errors
    /// When it is not of the parameter's kind and range.
    pub fn parse(&self, text: &str) -> Result<Value> {
        let value = if let Ok(int) = text.parse() {
            Value::Int(int)
        } else if let Ok(float) = text.parse::<f64>() {
            Value::Float(float)
        } else if let Ok(flag) = text.parse() {
            Value::Bool(flag)
        } else {
            Value::Text(text.to_owned())
        };
        self.check(value)
    }

    /// Gives back `value` in the parameter's own type.
    ///
    /// # Errors
    /// When it is not of the parameter's kind and range.
    pub fn check(&self, value: Value) -> Result<Value> {
        let fits = match (&self.kind, &value) {
            (Kind::Int { low, high, .. }, Value::Int(v)) => (low..=high).contains(&v),
            (Kind::Float { low, high, .. }, Value::Float(v)) => v.is_finite() && *low <= *v && *v <= *high,
            (Kind::Float { .. }, Value::Int(v)) => return self.check(Value::Float(*v as f64)),
            (Kind::CountOrFraction { .. }, Value::Int(v)) => *v >= 1,
            (Kind::CountOrFraction { .. }, Value::Float(v)) => 0.0 < *v && *v <= 1.0,
            (Kind::Bool, Value::Bool(_)) => true,
            (Kind::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Kind::Text { check, .. }, Value::Text(text)) => check(text),
            (
                Kind::Int { words, .. } | Kind::Float { words, .. } | Kind::CountOrFraction { words },
                Value::Text(text),
            ) => words.contains(&text.as_str()),
            _ => false,
        };
        if fits { Ok(value) } else { Err(self.misfit(&value)) }
    }

    fn misfit(&self, value: &Value) -> Error {
        Error::parameter(format!("{} is {value}, expected {}", self.name, self.kind))
    }
}

impl Params {
    /// The integer `name`; `None` if its value is a word.
    ///
    /// # Panics
    /// When the table has no such parameter.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Value::Int(v) => Some(*v),
            _ => None,
        }
    }

    /// The float `name`; `None` if its value is a word.
    ///
    /// # Panics
    /// When the table has no such parameter.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Value::Float(v) => Some(*v),
            Value::Int(v) => Some(*v as f64),
            _ => None,
        }
    }

    /// Whether `name` is set.
    ///
    /// # Panics
    /// When the table has no such parameter.
    pub fn flag(&self, name: &str) -> bool {
        *self.get(name) == Value::Bool(true)
    }

    /// The word `name`; `None` if its value is a number.
    ///
    /// # Panics
    /// When the table has no such parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Value::Text(v) => Some(v),
            _ => None,
        }
    }

    /// The value of `name`.
    ///
    /// # Panics
    /// When the table has no such parameter.
    pub fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("the table declares no `{name}`"))
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

impl Default {
    /// The default as a value.
    pub fn value(self) -> Value {
        match self {
            Default::Bool(v) => Value::Bool(v),
            Default::Int(v) => Value::Int(v),
            Default::Float(v) => Value::Float(v),
            Default::Text(v) => Value::Text(v.to_owned()),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(v) => write!(f, "{v}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::Float(v) => write!(f, "{v:?}"),
            Value::Text(v) => write!(f, "{v}"),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or = |words: &[&str]| match words {
            [] => String::new(),
            [word] => format!(" or {word}"),
            [first @ .., last] => format!(", {} or {last}", first.join(", ")),
        };
        match self {
            Kind::Int { low, high: i64::MAX, words } => {
                write!(f, "an integer of at least {low}{}", or(words))
            }
            Kind::Int { low, high, words } => write!(f, "an integer in {low}..{high}{}", or(words)),
            Kind::Float { low, high, words } if *high == f64::INFINITY => {
                write!(f, "a number of at least {low}{}", or(words))
            }
            Kind::Float { low, high, words } => write!(f, "a number in {low}..{high}{}", or(words)),
            Kind::CountOrFraction { words } => {
                write!(f, "a count or a fraction of 1 written with a point{}", or(words))
            }
            Kind::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Kind::Bool => write!(f, "true or false"),
            Kind::Text { syntax, .. } => write!(f, "{syntax}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        head: "toy",
        about: "a table for tests",
        params: &[
            Param {
                name: "max_depth",
                kind: Kind::Int { low: 1, high: i64::MAX, words: &["none"] },
                default: Default::Text("none"),
                search: None,
                help: "",
            },
            Param {
                name: "lr",
                kind: Kind::Float { low: 0.0, high: 1.0, words: &[] },
                default: Default::Float(0.1),
                search: None,
                help: "",
            },
            Param {
                name: "max_features",
                kind: Kind::CountOrFraction { words: &["sqrt"] },
                default: Default::Text("sqrt"),
                search: None,
                help: "",
            },
        ],
    };

    #[test]
    fn scalings_are_told_from_other_text() {
        for text in ["none", "divide:10", "divide:0.5", "divide:1e3", "standardise", "l2", "l2+standardise"] {
            assert!(is_scaling(text), "{text}");
        }
        for text in ["", "divide", "divide:", "divide:0", "divide:inf", "divide:nan", "L2", "standardise+l2"]
        {
            assert!(!is_scaling(text), "{text}");
        }
    }

    #[test]
    fn defaults_fit_their_own_kinds() {
        for param in TABLE.params {
            param.check(param.default.value()).unwrap();
        }
    }

    #[test]
    fn given_values_replace_defaults_and_take_the_declared_type() {
        let params = TABLE.resolve([("max-depth", Value::Int(3)), ("lr", Value::Int(1))]).unwrap();
        assert_eq!(params.int("max_depth"), Some(3));
        assert_eq!(params.float("lr"), Some(1.0));
        assert_eq!(params.text("max_features"), Some("sqrt"));
        assert_eq!(
            serde_json::to_string(&params).unwrap(),
            r#"{"lr":1.0,"max_depth":3,"max_features":"sqrt"}"#
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_sides() {
        let message = |name, text| TABLE.find(name).unwrap().parse(text).unwrap_err().to_string();
        assert_eq!(message("lr", "2"), "lr is 2.0, expected a number in 0..1");
        assert_eq!(message("lr", "nan"), "lr is NaN, expected a number in 0..1");
        assert_eq!(message("max_depth", "0"), "max_depth is 0, expected an integer of at least 1 or none");
        assert_eq!(
            message("max_features", "1.5"),
            "max_features is 1.5, expected a count or a fraction of 1 written with a point or sqrt"
        );
        assert_eq!(
            TABLE.resolve([("depth", Value::Int(3))]).unwrap_err().to_string(),
            "toy has no parameter `depth`; it has max_depth, lr, max_features"
        );
    }
}
