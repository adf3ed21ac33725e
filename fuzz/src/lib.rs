//! What the fuzz targets of the readers share.

use headsmith_data::{OnBadRow, ReadOptions, checks, read_bytes};
use headsmith_kernels::Pool;

/// Reads a file of these bytes. Whatever they are, it ends with a table that keeps its promises, or an error.
pub fn read_table(bytes: &[u8]) {
    for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
        let options = ReadOptions { on_bad_row, ..ReadOptions::default() };
        if let Ok(table) = read_bytes("fuzzed", bytes, &options, &Pool::inline()) {
            assert_eq!(table.x().n_rows(), table.n_rows());
            assert!(table.x().as_slice().iter().all(|value| value.is_finite()));
            assert!(table.labels().is_none_or(|labels| labels.codes().len() == table.n_rows()));
            checks::inspect(&[("train", &table)], &Pool::inline());
        }
    }
}
