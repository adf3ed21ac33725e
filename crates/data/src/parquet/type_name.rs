//! The names of Parquet types for messages.

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::schema::types::Type;

/// The name of a column's type.
pub(super) fn type_name(field: &Type) -> String {
    let info = field.get_basic_info();
    let logical = info.logical_type_ref();
    if !field.is_primitive() {
        let names: Vec<&str> = field.get_fields().iter().map(|field| field.name()).collect();
        return match (logical, info.converted_type()) {
            (Some(LogicalType::Map), _) | (_, ConvertedType::MAP) => "map".to_owned(),
            (Some(LogicalType::List), _) | (_, ConvertedType::LIST) => {
                // A list's element is two levels below.
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
