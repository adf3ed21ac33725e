//! The classes of a training table in their order, and the encoding of labels as class indices.

use crate::columns::quoted;
use crate::labels::{Labels, folded, without_fraction};
use crate::nearest::nearest;
use crate::{Error, Result, Table};
use std::collections::HashMap;

/// The names of the classes in their order; class `i` of a model is `names()[i]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    names: Vec<String>,
}

impl Classes {
    /// Classes with these names, in this order (that of a stored model).
    ///
    /// # Errors
    /// If there are fewer than two names, or one occurs twice.
    pub fn new(names: Vec<String>) -> Result<Classes> {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::labels(format!("two classes are named \"{}\"", pair[0])));
        }
        if names.len() < 2 {
            let found = if names.is_empty() { "none".to_owned() } else { format!("only {}", quoted(&names)) };
            let hint = "a classifier has nothing to tell apart otherwise: is this the right label column?";
            return Err(
                Error::labels(format!("expected at least two classes, found {found}")).with_hint(hint)
            );
        }
        Ok(Classes { names })
    }

    /// The classes of a training table: sorted by value if all are integers, else by code points, as scikit-learn
    /// sorts text.
    ///
    /// # Errors
    /// If the table has no labels, or only one class.
    pub fn of(table: &Table) -> Result<Classes> {
        let labels = labels_of(table)?;
        Classes::new(labels.names().to_vec()).map_err(|error| error.at(table.path()))
    }

    /// The names in class order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Always false: there are at least two.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The class of each row of `table`, an index into [`Classes::names`]. Case does not matter, unless two classes
    /// differ only in case.
    ///
    /// # Errors
    /// If the table has no labels, or a label that is none of these classes; the message gives its first location and
    /// the nearest name.
    pub fn encode(&self, table: &Table) -> Result<Vec<u32>> {
        let labels = labels_of(table)?;
        let classes = self.classes_of(labels.names());
        let unknown = |code: &&u32| classes[**code as usize].is_none();
        if let Some(row) = labels.codes().iter().position(|code| unknown(&code)) {
            return Err(self.unknown(labels, &classes, row, table));
        }
        Ok(labels.codes().iter().filter_map(|&code| classes[code as usize]).collect())
    }

    /// For each name, its class.
    pub(crate) fn classes_of(&self, names: &[String]) -> Vec<Option<u32>> {
        let index =
            |names: &mut dyn Iterator<Item = String>| -> HashMap<String, u32> { names.zip(0..).collect() };
        let exact = index(&mut self.names.iter().cloned());
        // In a table of only whole numbers labels have no fraction; beside other labels `1.0` stays as it is.
        let key = |name: &String| without_fraction(&folded(name)).to_owned();
        let by_key = index(&mut self.names.iter().map(key));
        names.iter().map(|name| exact.get(name).or_else(|| by_key.get(&key(name))).copied()).collect()
    }

    fn unknown(&self, labels: &Labels, classes: &[Option<u32>], row: usize, table: &Table) -> Error {
        let name = labels.name(row);
        let n = labels.codes().iter().filter(|&&code| classes[code as usize].is_none()).count();
        let rows = if n == 1 { "in one row".to_owned() } else { format!("the first of {n} such rows") };
        let what = format!(
            "the label \"{}\" is none of the classes {} ({rows})",
            name.escape_debug(),
            quoted(&self.names)
        );
        let location = table.location(row).in_column(labels.column());
        let error = Error::labels(what).at(table.path()).placed(location);
        match nearest(name, self.names.iter().map(String::as_str)) {
            Some(class) => error.with_hint(format!("did you mean \"{class}\"?")),
            None => error.with_hint("leave these rows out, or train on a table that has the class"),
        }
    }
}

fn labels_of(table: &Table) -> Result<&Labels> {
    table.labels().ok_or_else(|| {
        let what = match &table.columns().label {
            Some(column) => format!("no labels: column \"{column}\" is empty"),
            None => format!(
                "no labels: expected a column named label, labels, class, target or y; {}",
                table.columns().no_label
            ),
        };
        Error::labels(what).at(table.path()).with_hint("name the column of the labels with --label-column")
    })
}
