//! Writes Parquet: one column each, with lists of 32-bit floats for embeddings. Empty cells are null.

use super::rows::Rows;
use super::types::{self, CellType};
use super::{Cell, OutputTable, WriteError};
use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{Type as Node, TypePtr};
use std::io::{self, Write};
use std::sync::Arc;

/// The approximate number of values in a row group.
const GROUP_VALUES: usize = 1 << 22;

/// Writes the rows.
pub(super) fn write(
    output_table: &OutputTable<'_>,
    rows: &mut dyn Rows,
    out: &mut (dyn Write + Send),
) -> std::result::Result<(), WriteError> {
    let types = &output_table.types;
    let names = output_table.columns.iter().map(|column| column.name);
    let fields = names.zip(types).map(|(name, &of)| field(name, of).map(Arc::new)).collect::<Result<_>>();
    let schema =
        Node::group_type_builder("schema").with_fields(fields.map_err(failed)?).build().map_err(failed)?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties));
    let mut writer = writer.map_err(failed)?;
    let width = |of: &CellType| if *of == CellType::List { output_table.n_features } else { 1 };
    let n_rows = (GROUP_VALUES / types.iter().map(width).sum::<usize>().max(1)).clamp(1, 1 << 17);
    let mut group: Vec<ColumnBuffer> = types.iter().map(|&of| ColumnBuffer::new(of)).collect();
    output_table.for_each_row(rows, &mut |row, cells| {
        for (buffer, cell) in group.iter_mut().zip(cells) {
            buffer.push(*cell, row.x);
        }
        if group[0].n_rows == n_rows {
            write_group(&mut writer, &mut group).map_err(failed)?;
        }
        Ok(())
    })?;
    if group[0].n_rows > 0 {
        write_group(&mut writer, &mut group).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

fn failed(error: ParquetError) -> WriteError {
    let error = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    };
    WriteError::Output(error)
}

fn field(name: &str, of: CellType) -> Result<Node> {
    let physical = match of {
        CellType::Bool => Physical::BOOLEAN,
        CellType::Integer => Physical::INT64,
        CellType::Double => Physical::DOUBLE,
        CellType::Float => Physical::FLOAT,
        CellType::Text => Physical::BYTE_ARRAY,
        CellType::List => return list(name, Physical::FLOAT, None),
        CellType::Set => return list(name, Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let text = (of == CellType::Text).then_some(LogicalType::String);
    Node::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(text)
        .build()
}

/// A list without nulls, in the three levels of the format's specification.
fn list(name: &str, physical: Physical, logical: Option<LogicalType>) -> Result<Node> {
    let required = Repetition::REQUIRED;
    let element = Node::primitive_type_builder("element", physical)
        .with_repetition(required)
        .with_logical_type(logical)
        .build()?;
    let repeated: TypePtr = Arc::new(
        Node::group_type_builder("list")
            .with_repetition(Repetition::REPEATED)
            .with_fields(vec![Arc::new(element)])
            .build()?,
    );
    Node::group_type_builder(name)
        .with_repetition(required)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![repeated])
        .build()
}

/// The cells of a column in a row group.
struct ColumnBuffer {
    values: Values,
    /// The definition level of each row: 1 with a value, 0 for null; of each element in sets, 0 for an empty one.
    levels: Vec<i16>,
    n_rows: usize,
}

enum Values {
    Bool(Vec<bool>),
    Integer(Vec<i64>),
    Double(Vec<f64>),
    Float(Vec<f32>),
    Text(Vec<ByteArray>),
    List(Vec<f32>),
    /// The elements, and for each definition level whether it continues a set.
    Set(Vec<ByteArray>, Vec<i16>),
}

impl ColumnBuffer {
    fn new(of: CellType) -> ColumnBuffer {
        let values = match of {
            CellType::Bool => Values::Bool(Vec::new()),
            CellType::Integer => Values::Integer(Vec::new()),
            CellType::Double => Values::Double(Vec::new()),
            CellType::Float => Values::Float(Vec::new()),
            CellType::Text => Values::Text(Vec::new()),
            CellType::List => Values::List(Vec::new()),
            CellType::Set => Values::Set(Vec::new(), Vec::new()),
        };
        ColumnBuffer { values, levels: Vec::new(), n_rows: 0 }
    }

    /// Adds a cell of the row with the features `x`.
    fn push(&mut self, cell: Cell<'_>, x: &[f32]) {
        self.n_rows += 1;
        let present = match (&mut self.values, cell) {
            (Values::Set(values, continues), Cell::Set(names, members)) => {
                values.extend(members.iter().map(|&member| ByteArray::from(names[member as usize].as_str())));
                // An empty set has a level without an element.
                let n_levels = members.len().max(1);
                continues.extend((0..n_levels).map(|i| i16::from(i > 0)));
                self.levels.extend(std::iter::repeat_n(i16::from(!members.is_empty()), n_levels));
                return;
            }
            (Values::List(values), _) => {
                values.extend_from_slice(x);
                true
            }
            (Values::Float(values), Cell::Number(number)) => {
                values.push(number);
                true
            }
            (values, cell) => values.push_text(&types::plain(cell)),
        };
        self.levels.push(i16::from(present));
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let levels = std::mem::take(&mut self.levels);
        self.n_rows = 0;
        match &mut self.values {
            Values::Set(values, continues) => {
                let writer = column.typed::<ByteArrayType>();
                writer.write_batch(values, Some(&levels), Some(continues))?;
                values.clear();
                continues.clear();
                Ok(())
            }
            Values::Bool(values) => put::<BoolType>(column, values, &levels),
            Values::Integer(values) => put::<Int64Type>(column, values, &levels),
            Values::Double(values) => put::<DoubleType>(column, values, &levels),
            Values::Float(values) => put::<FloatType>(column, values, &levels),
            Values::Text(values) => put::<ByteArrayType>(column, values, &levels),
            Values::List(values) => {
                let width = values.len() / levels.len().max(1);
                let repetitions: Vec<i16> = (0..values.len()).map(|i| i16::from(i % width > 0)).collect();
                let definitions = vec![1; values.len()];
                let writer = column.typed::<FloatType>();
                writer.write_batch(values, Some(&definitions), Some(&repetitions))?;
                values.clear();
                Ok(())
            }
        }
    }
}

impl Values {
    /// Adds the value of a text; returns false if there is none.
    fn push_text(&mut self, text: &str) -> bool {
        let word = text.trim();
        if word.is_empty() {
            return false;
        }
        match self {
            Values::Bool(values) => values.push(word.eq_ignore_ascii_case("true")),
            Values::Integer(values) => values.push(word.parse().unwrap_or_default()),
            Values::Double(values) => values.push(word.parse().unwrap_or_default()),
            Values::Float(values) | Values::List(values) => values.push(word.parse().unwrap_or_default()),
            Values::Text(values) => values.push(ByteArray::from(text.as_bytes().to_vec())),
            Values::Set(..) => return false,
        }
        true
    }
}

fn put<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<()> {
    column.typed::<T>().write_batch(values, Some(levels), None)?;
    values.clear();
    Ok(())
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    group: &mut [ColumnBuffer],
) -> Result<()> {
    let mut rows = writer.next_row_group()?;
    for buffer in group {
        if let Some(mut column) = rows.next_column()? {
            buffer.write(&mut column)?;
            column.close()?;
        }
    }
    rows.close()?;
    Ok(())
}
