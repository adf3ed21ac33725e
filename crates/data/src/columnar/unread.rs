//! Columns of an unsupported type that were asked for.

use super::Field;
use crate::columns::{ColumnKind, ColumnSketch, is_embeddings_name, is_label_name, lists_of_labels};
use crate::{Error, ReadOptions, Result};

/// Refuses an unsupported column that was requested as the label or the embeddings, or has their name.
pub(super) fn refuse(fields: &[Field], sketches: &[ColumnSketch], options: &ReadOptions) -> Result<()> {
    let asked = |name: &Option<String>, field: &Field| name.as_ref() == Some(&field.name);
    let any = |is: &dyn Fn(&ColumnSketch) -> bool| sketches.iter().any(is);
    let is_other = |(_, sketch): &(&Field, &ColumnSketch)| sketch.kind == ColumnKind::Other;
    for (field, sketch) in fields.iter().zip(sketches).filter(is_other) {
        let embeddings = match &options.embeddings_column {
            Some(name) => *name == field.name,
            None => is_embeddings_name(&sketch.name) && !any(&|sketch| sketch.kind == ColumnKind::List),
        };
        let label = match &options.label_column {
            Some(name) => *name == field.name,
            None if asked(&options.label_hint, field) => true,
            None => {
                is_label_name(&sketch.name)
                    && !any(&|other| other.kind != ColumnKind::Other && is_label_name(&other.name))
            }
        };
        let is_list = field.is_list() || field.type_name.starts_with("list of");
        if label && !embeddings && is_list && !options.has_placeholders() {
            return Err(lists_of_labels(&field.name, &sketch.example));
        }
        if embeddings || label && !options.has_placeholders() {
            let what = format!("column \"{}\" is of type {}, which is not read", field.name, field.type_name);
            let hint = match (embeddings, options.dtype) {
                (true, Some(_)) if field.type_name == "bytes" => {
                    "most of its values have lengths that vectors of this --dtype do not have: name another"
                }
                (true, None) if field.type_name == "bytes" => {
                    "say which numbers they are with --dtype f32, f64 or f16, or write lists of floats"
                }
                (true, _) => "write the embeddings as lists of floats",
                (false, _) => {
                    "write the labels as text or integers, or name another column with --label-column"
                }
            };
            return Err(Error::column(what).with_hint(hint));
        }
    }
    Ok(())
}
