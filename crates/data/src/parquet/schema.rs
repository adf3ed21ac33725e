//! The top-level columns of a Parquet file.

use super::cells::{self, Stored};
use super::unread;
use super::vectors::{ELEMENT, Vectors};
use parquet::basic::Repetition;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};

/// One top-level column.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    /// Whether pandas says that it is the index, which it keeps beside the columns proper.
    pub(super) is_index: bool,
    /// Its type in words.
    pub(super) type_name: String,
    /// The one leaf column below it; `None` for structures of several.
    pub(super) leaf: Option<usize>,
    pub(super) stored: Stored,
    /// For a list, the definition level at which it has an element, be it null.
    pub(super) element_level: Option<i16>,
    /// The definition level of a value.
    pub(super) value_level: i16,
    /// Whether it is a list of lists, of which every row has to have one.
    pub(super) nested: bool,
    /// Whether it holds bytes that say nothing of what they are.
    pub(super) is_bytes: bool,
    /// How it holds vectors that are no lists of the file.
    pub(super) vectors: Option<Vectors>,
    /// The names of the classes that its numbers stand for.
    pub(super) class_names: Vec<String>,
}

impl Field {
    /// The leaf columns that are read for it.
    pub(super) fn leaves(&self) -> Vec<usize> {
        match &self.vectors {
            Some(Vectors::Spark(fields)) => fields.iter().filter_map(|field| field.leaf).collect(),
            _ => self.leaf.into_iter().collect(),
        }
    }

    /// Takes the levels of the lists that its vectors are read as.
    pub(super) fn become_lists(&mut self) {
        self.element_level = Some(ELEMENT);
        self.value_level = ELEMENT;
    }

    pub(super) fn is_list(&self) -> bool {
        self.element_level.is_some()
    }
}

/// The top-level columns of a schema.
pub(super) fn fields(schema: &SchemaDescriptor) -> Vec<Field> {
    let mut leaf = 0;
    let top = schema.root_schema().get_fields().iter().map(|field| {
        let first = leaf;
        leaf += n_leaves(field);
        match spark_vector(field, first, schema) {
            Some(vector) => vector,
            None => self::field(field, (leaf == first + 1).then_some(first), schema),
        }
    });
    top.collect()
}

/// A vector of Spark ML, whose leaves begin at `first`.
fn spark_vector(group: &Type, first: usize, schema: &SchemaDescriptor) -> Option<Field> {
    if group.is_primitive() || group.get_fields().len() != 4 || n_leaves(group) != 4 {
        return None;
    }
    let mut parts =
        group.get_fields().iter().enumerate().map(|(i, part)| field(part, Some(first + i), schema));
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let names = parts.iter().map(|part| part.name.as_str()).eq(["type", "size", "indices", "values"]);
    let lists = parts.iter().map(Field::is_list).eq([false, false, true, true]);
    let stored = parts.iter().map(|part| part.stored).eq([
        Stored::Signed,
        Stored::Signed,
        Stored::Signed,
        Stored::Float,
    ]);
    (names && lists && stored).then(|| {
        let mut vector = field(group, None, schema);
        (vector.leaf, vector.stored) = (parts[3].leaf, Stored::Float);
        vector.vectors = Some(Vectors::Spark(Box::new(parts)));
        vector.become_lists();
        vector
    })
}

fn n_leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| n_leaves(field)).sum() }
}

fn field(field: &Type, leaf: Option<usize>, schema: &SchemaDescriptor) -> Field {
    let (name, type_name) = (field.name().to_owned(), unread::type_name(field));
    let Some(column) = leaf.map(|leaf| schema.column(leaf)) else {
        return Field { name, type_name, ..Field::unread() };
    };
    let value_level = column.max_def_level();
    let (stored, element_level) = match column.max_rep_level() {
        0 => (cells::stored(&column), None),
        1 => (cells::stored(&column), Some(repeated_level(schema, &column))),
        2 if cells::stored(&column) != Stored::Text => {
            (cells::stored(&column), Some(repeated_level(schema, &column)))
        }
        // Lists of lists of lists.
        _ => (Stored::Other, None),
    };
    let is_index = name.starts_with("__index_level_");
    let nested = column.max_rep_level() == 2 && element_level.is_some();
    let is_bytes = cells::is_bytes(&column) && element_level.is_none();
    Field {
        name,
        is_index,
        type_name,
        leaf,
        stored,
        element_level,
        value_level,
        nested,
        is_bytes,
        ..Field::unread()
    }
}

impl Field {
    /// A column of a kind that is not read.
    fn unread() -> Field {
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

/// The definition level at which the innermost repeated node above a leaf is present.
fn repeated_level(schema: &SchemaDescriptor, column: &ColumnDescriptor) -> i16 {
    let mut node = schema.root_schema();
    let (mut level, mut repeated) = (0, None);
    for part in column.path().parts() {
        let Some(next) = node.get_fields().iter().find(|field| field.name() == part) else { break };
        node = next;
        match node.get_basic_info().repetition() {
            Repetition::REQUIRED => {}
            Repetition::OPTIONAL => level += 1,
            Repetition::REPEATED => {
                level += 1;
                repeated = Some(level);
            }
        }
    }
    repeated.unwrap_or(column.max_def_level())
}
