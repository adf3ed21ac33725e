//! A column of a file, as its type says.

use super::Stored;
use super::vectors::{ELEMENT, Vectors};

/// One column of a file.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Whether pandas says that it is the index, which it keeps beside the columns proper.
    pub(crate) is_index: bool,
    /// Its type in words.
    pub(crate) type_name: String,
    /// The number that its reader finds it by; `None` where it is of a kind that is not read.
    pub(crate) leaf: Option<usize>,
    pub(crate) stored: Stored,
    /// For a list, the definition level at which it has an element, be it null.
    pub(crate) element_level: Option<i16>,
    /// The definition level of a value.
    pub(crate) value_level: i16,
    /// Whether it is a list of lists, of which every row has to have one.
    pub(crate) nested: bool,
    /// Whether it holds bytes that say nothing of what they are.
    pub(crate) is_bytes: bool,
    /// How it holds vectors that are no lists of the file.
    pub(crate) vectors: Option<Vectors>,
    /// The names of the classes behind its numbers.
    pub(crate) class_names: Vec<String>,
}

impl Field {
    /// The leaf columns that are read for it.
    pub(crate) fn leaves(&self) -> Vec<usize> {
        match &self.vectors {
            Some(Vectors::Spark(fields)) => fields.iter().filter_map(|field| field.leaf).collect(),
            _ => self.leaf.into_iter().collect(),
        }
    }

    /// Takes the levels of the lists that its vectors are read as.
    pub(crate) fn become_lists(&mut self) {
        self.element_level = Some(ELEMENT);
        self.value_level = ELEMENT;
    }

    pub(crate) fn is_list(&self) -> bool {
        self.element_level.is_some()
    }
}

impl Field {
    /// A column of a kind that is not read.
    pub(crate) fn unread() -> Field {
        Field {
            name: String::new(),
            is_index: false,
            type_name: String::new(),
            leaf: None,
            stored: Stored::Other,
            element_level: None,
            value_level: 0,
            nested: false,
            is_bytes: false,
            vectors: None,
            class_names: Vec::new(),
        }
    }
}
