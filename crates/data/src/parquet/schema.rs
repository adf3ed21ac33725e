//! The top-level columns of a Parquet file.

use super::cells::{self, Stored};
use super::unread;
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
}

impl Field {
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
        let leaf = (leaf == first + 1).then_some(first);
        self::field(field, leaf, schema)
    });
    top.collect()
}

fn n_leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| n_leaves(field)).sum() }
}

fn field(field: &Type, leaf: Option<usize>, schema: &SchemaDescriptor) -> Field {
    let (name, type_name) = (field.name().to_owned(), unread::type_name(field));
    let Some(column) = leaf.map(|leaf| schema.column(leaf)) else {
        let (stored, element_level, value_level) = (Stored::Other, None, 0);
        return Field { name, is_index: false, type_name, leaf, stored, element_level, value_level };
    };
    let value_level = column.max_def_level();
    let (stored, element_level) = match column.max_rep_level() {
        0 => (cells::stored(&column), None),
        1 => (cells::stored(&column), Some(repeated_level(schema, &column))),
        // Lists of lists.
        _ => (Stored::Other, None),
    };
    let is_index = name.starts_with("__index_level_");
    Field { name, is_index, type_name, leaf, stored, element_level, value_level }
}

/// The definition level at which the one repeated node above a leaf is present.
fn repeated_level(schema: &SchemaDescriptor, column: &ColumnDescriptor) -> i16 {
    let mut node = schema.root_schema();
    let mut level = 0;
    for part in column.path().parts() {
        let Some(next) = node.get_fields().iter().find(|field| field.name() == part) else { break };
        node = next;
        match node.get_basic_info().repetition() {
            Repetition::REQUIRED => {}
            Repetition::OPTIONAL => level += 1,
            Repetition::REPEATED => return level + 1,
        }
    }
    column.max_def_level()
}
