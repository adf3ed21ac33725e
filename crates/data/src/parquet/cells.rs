//! The cells of one Parquet column, decoded.

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescriptor;

/// What the values of a column are, and in which type they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Float,
    Half,
    Bool,
    Signed,
    Unsigned,
    Text,
    /// Whole multiples of a power of ten, with so many decimals.
    Decimal(u32),
    /// Bytes of a fixed number that say nothing of what they are.
    Bytes,
    /// Neither numbers nor text: dates, identifiers.
    Other,
}

/// The most digits of a decimal whose digits fit 128 bits.
const MAX_PRECISION: i32 = 38;

/// What a column's values are.
pub(crate) fn stored(column: &ColumnDescriptor) -> Stored {
    let logical = column.logical_type_ref();
    if matches!(logical, Some(LogicalType::Decimal { .. }))
        || column.converted_type() == ConvertedType::DECIMAL
    {
        let scale = u32::try_from(column.type_scale()).ok();
        let scale = scale.filter(|_| column.type_precision() <= MAX_PRECISION);
        return scale.map_or(Stored::Other, Stored::Decimal);
    }
    match column.physical_type() {
        Type::FLOAT | Type::DOUBLE => Stored::Float,
        Type::BOOLEAN => Stored::Bool,
        Type::INT32 | Type::INT64 => match (logical, column.converted_type()) {
            (Some(LogicalType::Integer(integer)), _) => {
                if integer.is_signed {
                    Stored::Signed
                } else {
                    Stored::Unsigned
                }
            }
            (None, ConvertedType::NONE | ConvertedType::INT_8 | ConvertedType::INT_16) => Stored::Signed,
            (None, ConvertedType::INT_32 | ConvertedType::INT_64) => Stored::Signed,
            (None, ConvertedType::UINT_8 | ConvertedType::UINT_16) => Stored::Unsigned,
            (None, ConvertedType::UINT_32 | ConvertedType::UINT_64) => Stored::Unsigned,
            // A column of nulls alone, as pandas writes one of None.
            (Some(LogicalType::Unknown), _) => Stored::Text,
            _ => Stored::Other,
        },
        Type::FIXED_LEN_BYTE_ARRAY if logical == Some(&LogicalType::Float16) && column.type_length() == 2 => {
            Stored::Half
        }
        Type::FIXED_LEN_BYTE_ARRAY if is_bytes(column) => Stored::Bytes,
        Type::BYTE_ARRAY => match (logical, column.converted_type()) {
            (Some(LogicalType::String | LogicalType::Enum), _) => Stored::Text,
            (None, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM) => Stored::Text,
            _ => Stored::Other,
        },
        _ => Stored::Other,
    }
}

/// Whether a column holds bytes that say nothing of what they are; text was written so once.
pub(crate) fn is_bytes(column: &ColumnDescriptor) -> bool {
    matches!(column.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY)
        && column.logical_type_ref().is_none()
        && column.converted_type() == ConvertedType::NONE
}

/// Values of a column, without its nulls.
#[derive(Debug)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Integers(Vec<i128>),
    Bools(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::Integers(values) => values.len(),
            Values::Bools(values) => values.len(),
            Values::Texts(values) => values.len(),
        }
    }

    /// Value `i` as an `f32`, and whether it underflowed to zero. An infinite result of a finite value is an overflow.
    #[inline]
    pub(crate) fn number(&self, i: usize) -> (f32, bool) {
        match self {
            Values::F32(values) => (values[i], false),
            Values::F64(values) => {
                let value = values[i] as f32;
                (value, value == 0.0 && values[i] != 0.0)
            }
            Values::Integers(values) => (values[i] as f32, false),
            Values::Bools(values) => (f32::from(u8::from(values[i])), false),
            Values::Texts(_) => (f32::NAN, false),
        }
    }

    /// Value `i` in double precision; NaN when it is no number.
    pub(crate) fn wide(&self, i: usize) -> f64 {
        match self {
            Values::F64(values) => values[i],
            Values::Texts(_) => f64::NAN,
            _ => f64::from(self.number(i).0),
        }
    }

    /// The values, where they are text.
    pub(crate) fn texts(&self) -> &[ByteArray] {
        if let Values::Texts(texts) = self { texts } else { &[] }
    }

    /// Value `i` as pandas would write it in a CSV; `None` when it is not UTF-8.
    pub(crate) fn text(&self, i: usize) -> Option<String> {
        match self {
            Values::F32(values) => Some(format!("{:?}", values[i])),
            Values::F64(values) => Some(format!("{:?}", values[i])),
            Values::Integers(values) => Some(values[i].to_string()),
            Values::Bools(values) => Some(if values[i] { "True" } else { "False" }.to_owned()),
            Values::Texts(values) => std::str::from_utf8(values[i].data()).ok().map(str::to_owned),
        }
    }
}

/// Rows of one column: levels (empty when the column cannot be null or repeated) and values.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) n_rows: usize,
    pub(crate) definitions: Vec<i16>,
    pub(crate) repetitions: Vec<i16>,
    pub(crate) values: Values,
}

impl Cells {
    /// Whether there are as many values as the levels say, and no level beyond that of a value.
    pub(crate) fn fit(&self, value_level: i16) -> bool {
        let n_values = self.definitions.iter().filter(|&&level| level == value_level).count();
        let expected = if self.definitions.is_empty() { self.n_rows } else { n_values };
        self.values.len() == expected && self.definitions.iter().all(|&level| level <= value_level)
    }
}

/// Reads the next `n_rows` rows of a column, or as many as there are.
pub(crate) fn read(reader: &mut ColumnReader, stored: Stored, n_rows: usize) -> Result<Cells> {
    let unsigned = stored == Stored::Unsigned;
    match reader {
        ColumnReader::FloatColumnReader(reader) => typed(reader, n_rows, Values::F32),
        ColumnReader::DoubleColumnReader(reader) => typed(reader, n_rows, Values::F64),
        ColumnReader::BoolColumnReader(reader) => typed(reader, n_rows, Values::Bools),
        ColumnReader::Int32ColumnReader(reader) => typed(reader, n_rows, |values| {
            integers(values, stored, |v| if unsigned { i128::from(v as u32) } else { i128::from(v) })
        }),
        ColumnReader::Int64ColumnReader(reader) => typed(reader, n_rows, |values| {
            integers(values, stored, |v| if unsigned { i128::from(v as u64) } else { i128::from(v) })
        }),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => typed(reader, n_rows, |values| match stored {
            Stored::Decimal(scale) => decimals(values.iter().map(|value| wide(value.data())), scale),
            Stored::Bytes => Values::Texts(values.iter().map(|value| value.data().to_vec().into()).collect()),
            _ => halves(values),
        }),
        ColumnReader::ByteArrayColumnReader(reader) => typed(reader, n_rows, |values| match stored {
            Stored::Decimal(scale) => decimals(values.iter().map(|value| wide(value.data())), scale),
            _ => Values::Texts(values),
        }),
        ColumnReader::Int96ColumnReader(reader) => typed(reader, n_rows, |_| Values::Texts(Vec::new())),
    }
}

fn typed<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    n_rows: usize,
    values: impl FnOnce(Vec<T::T>) -> Values,
) -> Result<Cells> {
    let (mut definitions, mut repetitions, mut read) = (Vec::new(), Vec::new(), Vec::new());
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

fn integers<T>(values: Vec<T>, stored: Stored, widen: impl Fn(T) -> i128) -> Values {
    let values = values.into_iter().map(widen);
    match stored {
        Stored::Decimal(scale) => decimals(values, scale),
        _ => Values::Integers(values.collect()),
    }
}

/// Decimals by their digits: integers where none stand behind the point.
fn decimals(digits: impl Iterator<Item = i128>, scale: u32) -> Values {
    if scale == 0 {
        return Values::Integers(digits.collect());
    }
    // Text is what rounds once, whatever the number of digits.
    Values::F64(digits.map(|digits| format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN)).collect())
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
    fn decimals_are_their_digits_over_a_power_of_ten() {
        assert_eq!(
            [wide(&[]), wide(&[0x7F, 0xFF]), wide(&[0xFF]), wide(&[0x80; 16])],
            [0, 32767, -1, i128::from_be_bytes([0x80; 16])]
        );
        let Values::F64(values) = decimals([150, -5, 0].into_iter(), 2) else {
            panic!("numbers with a fraction")
        };
        assert_eq!(values, [1.5, -0.05, 0.0]);
        assert!(matches!(decimals([7].into_iter(), 0), Values::Integers(values) if values == [7]));
    }
}
