//! The heads there are.

use headsmith_heads::params::{Params, Table, Value};
use headsmith_heads::{forest, mlp};

use crate::error::Result;

/// A kind of head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadKind {
    /// The random forest.
    Forest,
    /// The multilayer perceptron.
    Mlp,
}

/// Values that an MLP's parameters have when not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// The defaults of the parameter table.
    #[default]
    Standard,
    /// Features divided by 10 and a learning rate of 1e-3, as the notebook truly ran.
    Notebook,
}

/// A head with all its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadConfig {
    /// The kind of head.
    pub kind: HeadKind,
    /// Every parameter of its table.
    pub params: Params,
}

impl HeadKind {
    /// All heads, the baseline first.
    pub const ALL: [HeadKind; 2] = [HeadKind::Forest, HeadKind::Mlp];

    /// The head's parameter table.
    pub fn table(self) -> &'static Table {
        match self {
            HeadKind::Forest => &forest::TABLE,
            HeadKind::Mlp => &mlp::TABLE,
        }
    }

    /// The head's name: `forest`, `mlp`.
    pub fn name(self) -> &'static str {
        self.table().head
    }
}

impl HeadConfig {
    /// A head with the parameters `given`, and defaults for the others.
    ///
    /// # Errors
    /// When a parameter is unknown or its value out of range.
    pub fn new(kind: HeadKind, given: &[(&'static str, Value)]) -> Result<HeadConfig> {
        let params = kind.table().resolve(given.iter().map(|(name, value)| (*name, value.clone())))?;
        Ok(HeadConfig { kind, params })
    }

    /// An MLP with the parameters `given`, and those of `preset` for the others.
    ///
    /// # Errors
    /// When a parameter is unknown or its value out of range.
    pub fn mlp(preset: Preset, given: &[(&'static str, Value)]) -> Result<HeadConfig> {
        let preset = match preset {
            Preset::Standard => Vec::new(),
            Preset::Notebook => mlp::notebook().collect(),
        };
        HeadConfig::new(HeadKind::Mlp, &[preset.as_slice(), given].concat())
    }
}
