//! The checked values of a head's parameters.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{AUTO, TRANSFORM, Table, Value};
use crate::error::{Error, Result};
use crate::transform::NONE;

/// The values of one head's parameters: every parameter of its table, each checked.
#[derive(Debug, Clone)]
pub struct Params {
    table: &'static Table,
    values: BTreeMap<&'static str, Value>,
}

impl Params {
    pub(super) fn new(table: &'static Table, values: BTreeMap<&'static str, Value>) -> Params {
        Params { table, values }
    }

    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
    }

    /// The table whose parameters these are.
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// The values, if they are of `table`.
    ///
    /// # Errors
    /// When they are of another head's table.
    pub fn of(&self, table: &Table) -> Result<&Params> {
        if self.table.head == table.head {
            return Ok(self);
        }
        Err(Error::parameter(format!("the parameters are of {}, expected {}", self.table.head, table.head)))
    }

    /// The value of `name`; `None` if the head has no such parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The integer `name`; `None` if its value is a word, or the head has no such parameter.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Value::Int(v)) => Some(*v),
            _ => None,
        }
    }

    /// The float `name`; `None` if its value is a word, or the head has no such parameter.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Value::Float(v)) => Some(*v),
            Some(Value::Int(v)) => Some(*v as f64),
            _ => None,
        }
    }

    /// The word `name`; `None` if its value is a number, or the head has no such parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(v)) => Some(v),
            _ => None,
        }
    }

    /// Whether `name` is set.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    /// The count `name`.
    ///
    /// # Errors
    /// When it is not an integer of at least 0.
    pub fn count(&self, name: &str) -> Result<usize> {
        self.int(name).and_then(|v| usize::try_from(v).ok()).ok_or_else(|| self.unfit(name, "a count"))
    }

    /// The count `name`; `None` if its value is a word, as in `none`.
    ///
    /// # Errors
    /// When it is a negative integer, or neither an integer nor a word.
    pub fn count_or_word(&self, name: &str) -> Result<Option<usize>> {
        match self.get(name) {
            Some(Value::Text(_)) => Ok(None),
            _ => self.count(name).map(Some),
        }
    }

    /// The number `name`.
    ///
    /// # Errors
    /// When it is not a number.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.float(name).ok_or_else(|| self.unfit(name, "a number"))
    }

    /// The word `name`.
    ///
    /// # Errors
    /// When it is not a word.
    pub fn word(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| self.unfit(name, "a word"))
    }

    /// The transform of the features before the head: none where the head chooses it.
    pub fn transform(&self) -> &str {
        match self.text(TRANSFORM) {
            None | Some(AUTO) => NONE,
            Some(transform) => transform,
        }
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    fn unfit(&self, name: &str, expected: &str) -> Error {
        match self.get(name) {
            Some(value) => Error::parameter(format!("{name} is {value}, expected {expected}")),
            None => self.table.unknown(name),
        }
    }
}

impl PartialEq for Params {
    fn eq(&self, other: &Params) -> bool {
        self.table.head == other.table.head && self.values == other.values
    }
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}
