//! A column of a file, as described by its type.

use super::StoredType;
use super::vectors::{ELEMENT, Vectors};

/// One column of a file.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Whether pandas marks it as the index, which it stores as a further column.
    pub(crate) is_index: bool,
    /// The name of its type, for messages.
    pub(crate) type_name: String,
    /// The number of its leaf column; `None` if its type is not supported.
    pub(crate) leaf: Option<usize>,
    pub(crate) stored: StoredType,
    /// For a list, the definition level at which it has an element, which may be null.
    pub(crate) element_level: Option<i16>,
    /// The definition level of a value.
    pub(crate) value_level: i16,
    /// Whether it is a list of lists, which no row may lack.
    pub(crate) nested: bool,
    /// Whether it holds bytes of unknown meaning.
    pub(crate) is_bytes: bool,
    /// The form of its vectors, if they are not lists of the file.
    pub(crate) vectors: Option<Vectors>,
    /// The class names of its numbers.
    pub(crate) class_names: Vec<String>,
}

impl Field {
    /// The leaf columns to read for it.
    pub(crate) fn leaves(&self) -> Vec<usize> {
        match &self.vectors {
            Some(Vectors::Spark(fields)) => fields.iter().filter_map(|field| field.leaf).collect(),
            _ => self.leaf.into_iter().collect(),
        }
    }

    /// Sets the levels to those of the lists that its vectors are converted to.
    pub(crate) fn become_lists(&mut self) {
        self.element_level = Some(ELEMENT);
        self.value_level = ELEMENT;
    }

    pub(crate) fn is_list(&self) -> bool {
        self.element_level.is_some()
    }
}

impl Field {
    /// A column of an unsupported type.
    pub(crate) fn unread() -> Field {
        Field {
            name: String::new(),
            is_index: false,
            type_name: String::new(),
            leaf: None,
            stored: StoredType::Other,
            element_level: None,
            value_level: 0,
            nested: false,
            is_bytes: false,
            vectors: None,
            class_names: Vec::new(),
        }
    }
}
