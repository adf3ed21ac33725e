//! Values of parameters, and the defaults that tables declare.

use std::fmt;

use serde::{Deserialize, Serialize};

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

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(v) => write!(f, "{v}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::Float(v) => write!(f, "{v:?}"),
            Value::Text(v) => write!(f, "{v}"),
        }
    }
}
