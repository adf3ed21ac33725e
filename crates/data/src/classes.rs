//! The classes of a training table, in their order, and the encoding of labels by it.

use crate::{Error, Result, Table};

/// The names of the classes in their order; class `i` of a model is `names()[i]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    names: Vec<String>,
}

impl Classes {
    /// Classes by their names, in this order (that of a stored model).
    ///
    /// # Errors
    /// With fewer than two names, or one twice.
    pub fn new(names: Vec<String>) -> Result<Classes> {
        Ok(Classes { names })
    }

    /// The classes of a training table: sorted by value when all are integers, else as scikit-learn sorts text (by
    /// code points).
    ///
    /// # Errors
    /// When the table has no labels, or only one class.
    pub fn of(table: &Table) -> Result<Classes> {
        let labels = table.labels().ok_or_else(|| Error::labels("no labels").at(table.path()))?;
        Classes::new(labels.names().to_vec())
    }

    /// The names in class order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none; never, for what [`Classes::new`] and [`Classes::of`] return.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The class of each row of `table`, an index into [`Classes::names`].
    ///
    /// # Errors
    /// When the table has no labels, or one that is none of these classes: with its first place and the nearest
    /// name.
    pub fn encode(&self, table: &Table) -> Result<Vec<u32>> {
        let labels = table.labels().ok_or_else(|| Error::labels("no labels").at(table.path()))?;
        Ok(labels.codes().to_vec())
    }
}
