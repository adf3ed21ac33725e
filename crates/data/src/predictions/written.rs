//! How the columns of an input can be written.

use crate::columnar::Scheme;
use crate::columns::Columns;
use crate::csv;

/// How the columns of a file can be written. By default, all can.
#[derive(Debug, Clone, Default)]
pub(crate) struct WrittenColumns {
    /// Those that hold neither numbers nor text nor features.
    unwritable: Vec<usize>,
    /// Those that pandas stores as the index.
    indices: Vec<usize>,
    /// The raw names of a CSV's columns, including quotes.
    header: Option<Vec<Vec<u8>>>,
}

impl WrittenColumns {
    pub(crate) fn of_text(layout: &csv::Layout) -> WrittenColumns {
        let header = csv::fields(&layout.header).map(<[u8]>::to_vec).collect();
        WrittenColumns { header: Some(header), ..WrittenColumns::default() }
    }

    pub(crate) fn of_columnar(scheme: &Scheme) -> WrittenColumns {
        let columns = || 0..scheme.fields.len();
        WrittenColumns {
            unwritable: columns().filter(|&column| !scheme.can_be_written(column)).collect(),
            indices: columns().filter(|&column| scheme.is_pandas_index(column)).collect(),
            header: None,
        }
    }

    /// Whether a column can be written: it holds numbers, text, or the features.
    pub(crate) fn can_be_written(&self, column: usize) -> bool {
        !self.unwritable.contains(&column)
    }

    /// Whether it is written if all columns are.
    pub(super) fn is_written(&self, column: usize) -> bool {
        self.can_be_written(column) && !self.indices.contains(&column)
    }

    /// The names of the columns that are left out because of their content if all are written.
    pub(super) fn left_out(&self, columns: &Columns) -> Vec<String> {
        let names = columns.names.iter().enumerate();
        let left_out = names.filter(|(i, _)| !self.can_be_written(*i) && !self.indices.contains(i));
        left_out.map(|(_, name)| name.clone()).collect()
    }

    /// The raw name of a column of a CSV, including quotes.
    pub(super) fn raw_name(&self, column: usize) -> Option<&[u8]> {
        self.header.as_ref()?.get(column).map(Vec::as_slice)
    }
}
