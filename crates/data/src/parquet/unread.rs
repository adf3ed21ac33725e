//! Columns of a type that is not read, where they are what is asked for.

use super::schema::Field;
use crate::columns::{Kind, Sketch, is_embeddings_name, is_label_name};
use crate::{Error, ReadOptions, Result};
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::schema::types::Type;

/// Refuses a column that has to be the label or the embeddings, by what was asked for or by its name, and cannot be.
pub(super) fn refuse(fields: &[Field], sketches: &[Sketch], options: &ReadOptions) -> Result<()> {
    let asked = |name: &Option<String>, field: &Field| name.as_ref() == Some(&field.name);
    let any = |is: &dyn Fn(&Sketch) -> bool| sketches.iter().any(is);
    let is_other = |(_, sketch): &(&Field, &Sketch)| sketch.kind == Kind::Other;
    for (field, sketch) in fields.iter().zip(sketches).filter(is_other) {
        let embeddings = match &options.embeddings_column {
            Some(name) => *name == field.name,
            None => is_embeddings_name(&sketch.name) && !any(&|sketch| sketch.kind == Kind::List),
        };
        let label = match &options.label_column {
            Some(name) => *name == field.name,
            None if asked(&options.label_hint, field) => true,
            None => {
                is_label_name(&sketch.name)
                    && !any(&|other| other.kind != Kind::Other && is_label_name(&other.name))
            }
        };
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

/// A column's type in words.
pub(super) fn type_name(field: &Type) -> String {
    let info = field.get_basic_info();
    let logical = info.logical_type_ref();
    if !field.is_primitive() {
        let names: Vec<&str> = field.get_fields().iter().map(|field| field.name()).collect();
        return match (logical, info.converted_type()) {
            (Some(LogicalType::Map), _) | (_, ConvertedType::MAP) => "map".to_owned(),
            (Some(LogicalType::List), _) | (_, ConvertedType::LIST) => {
                // The list's own element stands two levels below.
                let below = |field: &Type| {
                    (!field.is_primitive()).then(|| field.get_fields().first().cloned()).flatten()
                };
                let element = below(field).map(|repeated| below(&repeated).unwrap_or(repeated));
                element.map_or("list".to_owned(), |element| format!("list of {}", type_name(&element)))
            }
            _ => format!("struct of {}", names.join(", ")),
        };
    }
    let decimal = || format!("decimal({}, {})", field.get_precision(), field.get_scale());
    match (logical, info.converted_type()) {
        (Some(LogicalType::Decimal { .. }), _) | (_, ConvertedType::DECIMAL) => decimal(),
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => "date".to_owned(),
        (Some(LogicalType::Time { .. }), _)
        | (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => "time".to_owned(),
        (Some(LogicalType::Timestamp { .. }), _)
        | (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => "timestamp".to_owned(),
        (Some(LogicalType::Uuid), _) => "UUID".to_owned(),
        (Some(LogicalType::String), _) | (_, ConvertedType::UTF8) => "text".to_owned(),
        (Some(LogicalType::Bson), _) | (_, ConvertedType::BSON) => "BSON".to_owned(),
        (Some(LogicalType::Json), _) | (_, ConvertedType::JSON) => "JSON".to_owned(),
        (_, ConvertedType::INTERVAL) => "interval".to_owned(),
        _ => match field.get_physical_type() {
            Physical::INT96 => "timestamp (INT96)".to_owned(),
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => "bytes".to_owned(),
            other => other.to_string(),
        },
    }
}
