//! Tables of arrays in memory: rows that no file holds, which the checks and reports treat as any other.

use bytes::Bytes;
use headsmith_kernels::Matrix;

use crate::columns;
use crate::finite::check_finite;
use crate::format::Format;
use crate::gather::RowNumbers;
use crate::source::{Compression, Source};
use crate::table::Part;
use crate::{Error, Labels, ReadOptions, Result, Table};

/// The name of the label column.
const LABEL: &str = "label";

/// Labels of rows in memory.
#[derive(Debug, Clone)]
pub struct ArrayLabels {
    /// The different labels, in the order of the classes.
    pub names: Vec<String>,
    /// The index of the label of each row.
    pub codes: Vec<u32>,
}

impl Table {
    /// The table `name` of rows in memory, whose columns have the names `feature_names`, or none.
    ///
    /// # Errors
    /// When there are no rows, or not a name for each column and a label for each row, or a value is not finite.
    pub fn of_arrays(
        name: &str,
        x: Matrix,
        labels: Option<ArrayLabels>,
        feature_names: Vec<String>,
    ) -> Result<Table> {
        check(&x, labels.as_ref(), &feature_names)?;
        let options = ReadOptions::default();
        let label = labels.is_some().then(|| LABEL.to_owned());
        let columns = match feature_names.is_empty() {
            true => columns::of_arrays(label, &options),
            false => columns::of_named_arrays(feature_names, label, &options),
        };
        let labels = labels
            .map(|labels| of_codes(labels).ok_or_else(|| Error::labels("a row has a label without a name")));
        // One run of rows, numbered from 1.
        let numbers = RowNumbers::from_runs(vec![(0, 1)], x.n_rows()).unwrap_or_default();
        let source = Source::Bytes(name.into(), Bytes::new());
        let part = Part { source, format: Format::Npy, compression: Compression::Plain, columns, numbers };
        Ok(Table {
            name: name.into(),
            parts: vec![part],
            labels_from: Vec::new(),
            words: "in memory".to_owned(),
            options,
            x,
            labels: labels.transpose()?,
            warnings: Vec::new(),
            n_skipped: 0,
            cache_renewed: None,
        })
    }
}

fn of_codes(labels: ArrayLabels) -> Option<Labels> {
    Labels::from_parts(LABEL.to_owned(), labels.names, labels.codes)
}

fn check(x: &Matrix, labels: Option<&ArrayLabels>, feature_names: &[String]) -> Result<()> {
    let (n_rows, n_cols) = (x.n_rows(), x.n_cols());
    if n_rows == 0 || n_cols == 0 {
        return Err(Error::format(format!(
            "expected rows and features, found {n_rows} rows of {n_cols} features"
        )));
    }
    if !feature_names.is_empty() && feature_names.len() != n_cols {
        let n_names = feature_names.len();
        return Err(Error::column(format!("expected a name for each of {n_cols} features, found {n_names}")));
    }
    if let Some(labels) = labels.filter(|labels| labels.codes.len() != n_rows) {
        let n_labels = labels.codes.len();
        return Err(Error::labels(format!("expected a label for each of {n_rows} rows, found {n_labels}")));
    }
    check_finite(x.view())
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Pool;

    use super::*;
    use crate::checks;

    fn labels(codes: &[u32]) -> Option<ArrayLabels> {
        Some(ArrayLabels { names: vec!["no".to_owned(), "yes".to_owned()], codes: codes.to_vec() })
    }

    #[test]
    fn rows_in_memory_are_a_table_as_those_of_a_file() {
        let x = || Matrix::new(vec![1.0, 2.0, 3.0, 4.0, 1.0, 2.0], 3, 2);
        let table = Table::of_arrays("X", x(), labels(&[0, 1, 0]), Vec::new()).unwrap();
        assert_eq!((table.n_rows(), table.n_features(), table.format()), (3, 2, "in memory"));
        assert_eq!((table.embeddings_column(), table.feature_names()), (Some("embeddings"), None));
        assert_eq!(table.location(2).to_string(), "row 3");
        let of_file = crate::read_bytes(
            "a.csv",
            b"a,b,label\n1,2,no\n3,4,yes\n1,2,no\n",
            &ReadOptions::default(),
            &Pool::inline(),
        );
        assert_eq!(checks::fingerprint(&table), checks::fingerprint(&of_file.unwrap()));
        let named = vec!["a".to_owned(), "b".to_owned()];
        let table = Table::of_arrays("X", x(), None, named.clone()).unwrap();
        assert_eq!(table.feature_names(), Some(named));
        assert!(
            checks::inspect(&[("X", &table)], &Pool::inline())
                .iter()
                .any(|found| found.code == "duplicate-rows")
        );
    }

    #[test]
    fn arrays_that_do_not_go_together_are_refused() {
        let message = |x: Matrix, labels, names: Vec<String>| {
            Table::of_arrays("X", x, labels, names).unwrap_err().to_string()
        };
        assert!(message(Matrix::zeros(0, 2), None, Vec::new()).contains("0 rows of 2 features"));
        assert!(message(Matrix::zeros(2, 2), labels(&[0]), Vec::new()).contains("each of 2 rows, found 1"));
        assert!(
            message(Matrix::zeros(2, 2), None, vec!["a".to_owned()]).contains("each of 2 features, found 1")
        );
        assert!(message(Matrix::zeros(2, 2), labels(&[0, 2]), Vec::new()).contains("without a name"));
        let wrong = Matrix::new(vec![0.0, f32::NAN], 1, 2);
        assert!(message(wrong, None, Vec::new()).contains("feature 1 of row 0 is NaN"));
    }
}
