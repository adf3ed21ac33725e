//! The top-level columns of a Parquet file.

use super::cells;
use super::type_name::type_name;
use crate::columnar::{Field, StoredType, spark};
use parquet::basic::Repetition;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};

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

/// A vector of Spark ML, whose leaves start at `first`.
fn spark_vector(group: &Type, first: usize, schema: &SchemaDescriptor) -> Option<Field> {
    if group.is_primitive() || group.get_fields().len() != 4 || n_leaves(group) != 4 {
        return None;
    }
    let mut parts =
        group.get_fields().iter().enumerate().map(|(i, part)| field(part, Some(first + i), schema));
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    spark(field(group, None, schema), parts)
}

fn n_leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| n_leaves(field)).sum() }
}

fn field(field: &Type, leaf: Option<usize>, schema: &SchemaDescriptor) -> Field {
    let (name, type_name) = (field.name().to_owned(), self::type_name(field));
    let Some(column) = leaf.map(|leaf| schema.column(leaf)) else {
        return Field { name, type_name, ..Field::unread() };
    };
    // A structure of one field is no column of its values, whatever they are.
    if !field.is_primitive() && column.max_rep_level() == 0 {
        return Field { name, type_name, ..Field::unread() };
    }
    let value_level = column.max_def_level();
    let (stored, element_level) = match column.max_rep_level() {
        0 => (cells::stored(&column), None),
        1 => (cells::stored(&column), Some(repeated_level(schema, &column))),
        2 if cells::stored(&column) != StoredType::Text => {
            (cells::stored(&column), Some(repeated_level(schema, &column)))
        }
        // Lists of lists of lists.
        _ => (StoredType::Other, None),
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
