//! The structure of a fitted head, for reports.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::network::LayerSummary;

/// The structure of a fitted head. In a report it is one object: `kind`, `summary`, and the head's own `facts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The head's name.
    pub kind: String,
    /// One sentence without a full stop: `100 trees, 12,345 nodes`. Empty in reports of versions that had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The head's own facts, by names that stay: `n_trees`, `layers`, `feature_importances` ..
    #[serde(flatten)]
    pub facts: Map<String, Value>,
    /// The numbers that compare heads of one kind, kept with a study's trial: `n_params`, `n_nodes`.
    #[serde(skip)]
    pub sizes: Vec<(&'static str, u64)>,
    /// The layers, where it is a network.
    #[serde(skip)]
    pub layers: Vec<LayerSummary>,
    /// Lines below the summary, for people: a name and a text.
    #[serde(skip)]
    pub details: Vec<(&'static str, String)>,
}

impl Description {
    /// A head `kind` that `summary` describes.
    pub fn new(kind: &str, summary: String) -> Description {
        Description {
            kind: kind.to_owned(),
            summary,
            facts: Map::new(),
            sizes: Vec::new(),
            layers: Vec::new(),
            details: Vec::new(),
        }
    }

    /// With one more fact.
    pub fn fact(mut self, name: &str, value: impl Serialize) -> Description {
        // Numbers, texts and lists of them: nothing that JSON cannot hold.
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.facts.insert(name.to_owned(), value);
        self
    }
}

/// A number with its thousands separated: `1,234,567`.
pub fn thousands(n: impl Display) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its thousands separated, and the noun in the right number.
pub fn counted(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}
