//! The space of a study: its parameters, and which of them depend on others.

use crate::distribution::{Choice, Distribution};

/// Parameters in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Space {
    /// The parameters; a condition names one that stands before.
    pub params: Vec<SpaceParam>,
}

/// One parameter of a space.
#[derive(Debug, Clone, PartialEq)]
pub struct SpaceParam {
    /// Its name.
    pub name: String,
    /// Where its values lie.
    pub distribution: Distribution,
    /// When it is there at all; `None`: always.
    pub when: Option<Condition>,
}

/// Holds when a parameter that is there has one of these values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The parameter it looks at.
    pub param: String,
    /// The values for which it holds.
    pub is_one_of: Vec<Choice>,
}
