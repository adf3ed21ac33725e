//! The cells of one Parquet column, decoded.

use crate::columnar::{Cells, MAX_PRECISION, StoredType, Values, decimals};
use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{DataType, FixedLenByteArray};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescriptor;

/// The type of a column's values.
pub(crate) fn stored(column: &ColumnDescriptor) -> StoredType {
    let logical = column.logical_type_ref();
    if matches!(logical, Some(LogicalType::Decimal { .. }))
        || column.converted_type() == ConvertedType::DECIMAL
    {
        let scale = u32::try_from(column.type_scale()).ok();
        let scale = scale.filter(|_| column.type_precision() <= MAX_PRECISION);
        return scale.map_or(StoredType::Other, StoredType::Decimal);
    }
    match column.physical_type() {
        Type::FLOAT | Type::DOUBLE => StoredType::Float,
        Type::BOOLEAN => StoredType::Bool,
        Type::INT32 | Type::INT64 => match (logical, column.converted_type()) {
            (Some(LogicalType::Integer(integer)), _) => {
                if integer.is_signed {
                    StoredType::Signed
                } else {
                    StoredType::Unsigned
                }
            }
            (None, ConvertedType::NONE | ConvertedType::INT_8 | ConvertedType::INT_16) => StoredType::Signed,
            (None, ConvertedType::INT_32 | ConvertedType::INT_64) => StoredType::Signed,
            (None, ConvertedType::UINT_8 | ConvertedType::UINT_16) => StoredType::Unsigned,
            (None, ConvertedType::UINT_32 | ConvertedType::UINT_64) => StoredType::Unsigned,
            // A column of only nulls, as pandas writes a column of None.
            (Some(LogicalType::Unknown), _) => StoredType::Text,
            _ => StoredType::Other,
        },
        Type::FIXED_LEN_BYTE_ARRAY if logical == Some(&LogicalType::Float16) && column.type_length() == 2 => {
            StoredType::Half
        }
        Type::FIXED_LEN_BYTE_ARRAY if is_bytes(column) => StoredType::Bytes,
        Type::BYTE_ARRAY => match (logical, column.converted_type()) {
            (Some(LogicalType::String | LogicalType::Enum), _) => StoredType::Text,
            (None, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM) => StoredType::Text,
            _ => StoredType::Other,
        },
        _ => StoredType::Other,
    }
}

/// Whether a column holds bytes of unknown meaning; old writers stored text this way.
pub(crate) fn is_bytes(column: &ColumnDescriptor) -> bool {
    matches!(column.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY)
        && column.logical_type_ref().is_none()
        && column.converted_type() == ConvertedType::NONE
}

/// Reads the next `n_rows` rows of a column, or as many as are left; `n_expected` is the expected number of values.
pub(crate) fn read(
    reader: &mut ColumnReader,
    stored: StoredType,
    n_rows: usize,
    n_expected: usize,
) -> Result<Cells> {
    let n = (n_rows, n_expected);
    let unsigned = stored == StoredType::Unsigned;
    match reader {
        ColumnReader::FloatColumnReader(reader) => typed(reader, n, Values::F32),
        ColumnReader::DoubleColumnReader(reader) => typed(reader, n, Values::F64),
        ColumnReader::BoolColumnReader(reader) => typed(reader, n, Values::Bools),
        ColumnReader::Int32ColumnReader(reader) => typed(reader, n, |values| {
            integers(values, stored, |v| if unsigned { i128::from(v as u32) } else { i128::from(v) })
        }),
        ColumnReader::Int64ColumnReader(reader) => typed(reader, n, |values| {
            integers(values, stored, |v| if unsigned { i128::from(v as u64) } else { i128::from(v) })
        }),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => typed(reader, n, |values| match stored {
            StoredType::Decimal(scale) => decimals(values.iter().map(|value| wide(value.data())), scale),
            StoredType::Bytes => {
                Values::Texts(values.iter().map(|value| value.data().to_vec().into()).collect())
            }
            _ => halves(values),
        }),
        ColumnReader::ByteArrayColumnReader(reader) => typed(reader, n, |values| match stored {
            StoredType::Decimal(scale) => decimals(values.iter().map(|value| wide(value.data())), scale),
            _ => Values::Texts(values),
        }),
        ColumnReader::Int96ColumnReader(reader) => typed(reader, n, |_| Values::Texts(Vec::new())),
    }
}

/// Skips the next `n_rows` rows of a column.
pub(crate) fn skip(reader: &mut ColumnReader, n_rows: usize) -> Result<usize> {
    match reader {
        ColumnReader::FloatColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::DoubleColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::BoolColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::Int32ColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::Int64ColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(n_rows),
        ColumnReader::Int96ColumnReader(reader) => reader.skip_records(n_rows),
    }
}

fn typed<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    (n_rows, n_expected): (usize, usize),
    values: impl FnOnce(Vec<T::T>) -> Values,
) -> Result<Cells> {
    let (mut definitions, mut repetitions) = (Vec::with_capacity(n_expected), Vec::with_capacity(n_expected));
    let mut read = Vec::with_capacity(n_expected);
    let mut n_read = 0;
    while n_read < n_rows {
        let (records, _, levels) = reader.read_records(
            n_rows - n_read,
            Some(&mut definitions),
            Some(&mut repetitions),
            &mut read,
        )?;
        n_read += records;
        if levels == 0 {
            break;
        }
    }
    Ok(Cells { n_rows: n_read, definitions, repetitions, values: values(read) })
}

fn integers<T>(values: Vec<T>, stored: StoredType, widen: impl Fn(T) -> i128) -> Values {
    let values = values.into_iter().map(widen);
    match stored {
        StoredType::Decimal(scale) => decimals(values, scale),
        _ => Values::Integers(values.collect()),
    }
}

/// A big-endian integer in two's complement.
fn wide(bytes: &[u8]) -> i128 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(sign, |value, &byte| value << 8 | i128::from(byte))
}

fn halves(values: Vec<FixedLenByteArray>) -> Values {
    let half = |value: &FixedLenByteArray| match value.data() {
        [low, high] => f16::from_le_bytes([*low, *high]).to_f32(),
        _ => f32::NAN,
    };
    Values::F32(values.iter().map(half).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_big_endian() {
        assert_eq!(
            [wide(&[]), wide(&[0x7F, 0xFF]), wide(&[0xFF]), wide(&[0x80; 16])],
            [0, 32767, -1, i128::from_be_bytes([0x80; 16])]
        );
    }
}
