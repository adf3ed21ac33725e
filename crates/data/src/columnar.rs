//! Columnar files. Their readers decode columns to [`Cells`]: rows of one column with the levels that distinguish
//! rows, nulls and empty lists (Melnik et al., "Dremel", VLDB 2010). This module decides the roles of the columns and
//! converts the cells to features and labels, for all formats.

mod batch;
mod cells;
mod field;
mod huggingface;
mod numerals;
mod pandas;
mod sketch;
mod unread;
mod vectors;

pub(crate) use batch::Batch;
pub(crate) use cells::{Cells, MAX_PRECISION, StoredType, Values, decimals, lists};
pub(crate) use field::Field;
pub(crate) use numerals::numerals;
pub(crate) use vectors::{Vectors, as_lists, spark};

use crate::columns::{self, Columns, Role};
use crate::left_out::NumericTexts;
use crate::rows::{RowBlock, RowRange, Wanted};
use crate::{Error, ReadOptions, Result};
use headsmith_kernels::Pool;

/// The number of rows that are sampled to classify text columns and to find the length of the lists.
pub(crate) const N_SAMPLED: usize = 64;

/// The approximate number of values that are decoded at once.
const BLOCK_VALUES: usize = 1 << 19;

/// The number of rows in a block of `n_features`.
pub(crate) fn rows_of_block(n_features: usize) -> usize {
    (BLOCK_VALUES / n_features.max(1)).clamp(16, 8192)
}

/// An open columnar file.
pub(crate) trait ColumnarFile {
    /// The roles of its columns.
    fn scheme(&self) -> &Scheme;

    /// The number of rows, if it is known before they are read.
    fn n_rows(&self) -> usize;

    /// The number of rows, for which an Arrow file is read.
    ///
    /// # Errors
    /// If it cannot be read.
    fn count_rows(&self) -> Result<u64> {
        Ok(self.n_rows() as u64)
    }

    /// The rows in blocks.
    fn rows<'a>(
        &'a self,
        wanted: Wanted<'a>,
        range: RowRange,
        pool: &'a Pool,
    ) -> Result<Box<dyn Iterator<Item = Result<RowBlock>> + 'a>>;

    /// The ignored columns that hold numbers as text.
    fn numerals(&self) -> Result<Vec<NumericTexts>>;
}

/// Reads the first cells of a column; `None` if the file has no rows.
pub(crate) type FirstCells<'a> = dyn FnMut(&Field) -> Result<Option<Cells>> + 'a;

/// The roles of the columns of a file.
pub(crate) struct Scheme {
    /// The name of the format in messages, such as `Parquet`.
    format: &'static str,
    pub(crate) fields: Vec<Field>,
    pub(crate) columns: Columns,
    pub(crate) n_features: usize,
}

impl Scheme {
    /// Decides the role of each of `fields` by its type, its `first` cells, and the table's `metadata` from pandas and
    /// Hugging Face.
    ///
    /// # Errors
    /// If a column cannot have the role that it was given, or it is not clear which one is meant.
    pub(crate) fn new<'m>(
        format: &'static str,
        mut fields: Vec<Field>,
        metadata: &dyn Fn(&str) -> Option<&'m str>,
        first: &mut FirstCells<'_>,
        options: &ReadOptions,
    ) -> Result<Scheme> {
        let indices = pandas::index_columns(metadata("pandas"));
        let class_names = huggingface::class_names(metadata("huggingface"));
        for field in &mut fields {
            field.is_index |= indices.contains(&field.name);
            field.class_names = class_names.get(&field.name).cloned().unwrap_or_default();
            sketch::unpack(field, first, options)?;
        }
        let sketches = sketch::sketches(&fields, first, options)?;
        unread::refuse(&fields, &sketches, options)?;
        let columns = columns::assign(&sketches, options)?;
        let n_features = sketch::n_features(&fields, &columns, first)?;
        Ok(Scheme { format, fields, columns, n_features })
    }

    /// The number of rows in a block.
    pub(crate) fn rows_of_block(&self) -> usize {
        rows_of_block(self.n_features)
    }

    /// The columns to read.
    pub(crate) fn columns_to_read(&self, wanted: Wanted<'_>) -> Vec<usize> {
        let (Wanted::With(others) | Wanted::Alone(others)) = wanted;
        let wanted = |&column: &usize| match self.columns.roles[column] {
            Role::Index | Role::Other => others.contains(&column),
            _ => matches!(wanted, Wanted::With(_)),
        };
        (0..self.fields.len()).filter(wanted).filter(|&column| self.fields[column].leaf.is_some()).collect()
    }

    /// Whether the cells of a column can be written as text.
    pub(crate) fn can_be_written(&self, column: usize) -> bool {
        let field = &self.fields[column];
        let plain = !matches!(field.stored, StoredType::Other | StoredType::Bytes) && !field.is_list();
        match self.columns.roles[column] {
            Role::Index | Role::Other => plain,
            _ => true,
        }
    }

    /// Whether a column is the index that pandas stores as a further column.
    pub(crate) fn is_pandas_index(&self, column: usize) -> bool {
        self.fields[column].is_index
    }

    /// The error for a file that contradicts itself.
    pub(crate) fn damaged(&self, what: &str) -> Error {
        damaged(self.format, what)
    }
}

/// The error for a columnar file that cannot be read.
pub(crate) fn damaged(format: &str, what: &str) -> Error {
    Error::format(format!("the {format} file is damaged or of a kind that is not read: {what}"))
        .with_hint("write it again, e.g. with pandas to_parquet")
}

/// The error for a table without rows.
pub(crate) fn no_rows() -> Error {
    Error::format("the table has columns and no rows: expected at least one row")
        .with_hint("was the file written completely?")
}
