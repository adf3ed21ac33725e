//! Samples for training: features and class indices.

use crate::labels::sort_names;
use crate::{Classes, Error, Result, Table};
use headsmith_kernels::{Mapped, MatRef, Matrix};
use std::collections::{HashMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The size in bytes up to which a copy of rows is held in memory even if there is a folder for large ones.
const LARGEST_IN_MEMORY: usize = 64 << 20;

/// The number of bytes written at once.
const BUFFER: usize = 1 << 20;

/// Features and class indices of samples, the classes they index, and perhaps the samples' weights.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The features, `n_samples x n_features`.
    pub x: Matrix,
    /// The class of each sample, an index into `classes.names()`.
    pub y: Vec<u32>,
    /// The classes.
    pub classes: Classes,
    /// The weight of each sample in a fit; `None` where all weigh the same.
    pub weights: Option<Vec<f32>>,
    /// The unit of each sample, where a column groups them: those of one unit are never parted, and are right and wrong together.
    pub units: Option<Vec<u32>>,
}

impl Dataset {
    /// The rows of `table`, with labels encoded by `classes`.
    ///
    /// # Errors
    /// Those of [`Classes::encode`].
    pub fn new(table: Table, classes: &Classes) -> Result<Dataset> {
        let y = classes.encode(&table)?;
        Ok(Dataset { x: table.x, y, classes: classes.clone(), weights: None, units: None })
    }

    /// The same with a weight for each sample: one of weight 2 counts as two do (scikit-learn: `sample_weight`).
    ///
    /// # Errors
    /// When the numbers of rows and weights differ, a weight is not a finite number of at least 0, or all are 0.
    pub fn with_weights(self, weights: Vec<f32>) -> Result<Dataset> {
        if weights.len() != self.y.len() {
            let (n_rows, n_weights) = (self.y.len(), weights.len());
            return Err(Error::labels(format!(
                "expected a weight for each of {n_rows} rows, found {n_weights}"
            )));
        }
        if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
            let weight = weights[row];
            return Err(Error::labels(format!(
                "the weight of row {row} is {weight}, expected a finite number of at least 0"
            )));
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(Error::labels("all weights are 0, expected one above 0 at least"));
        }
        Ok(Dataset { weights: Some(weights), ..self })
    }

    /// Rows `x` (`n_samples x n_features`) with a label each, in memory. The classes are the different labels, sorted by value
    /// when all are integers, and otherwise by code points, as scikit-learn sorts them.
    ///
    /// # Errors
    /// When the numbers of rows and labels differ, a feature is not finite, or there are fewer than two classes.
    pub fn from_arrays<L: ToString>(x: Matrix, labels: &[L]) -> Result<Dataset> {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        check_labelled(&x, &labels)?;
        let different: HashSet<&String> = labels.iter().collect();
        let mut names: Vec<String> = different.into_iter().cloned().collect();
        sort_names(&mut names);
        Dataset::of_labels(x, &labels, &Classes::new(names)?)
    }

    /// The same of validation or test rows, whose labels must be among `classes`.
    ///
    /// # Errors
    /// When the numbers of rows and labels differ, a feature is not finite, or a label is none of `classes`.
    pub fn from_arrays_with<L: ToString>(x: Matrix, labels: &[L], classes: &Classes) -> Result<Dataset> {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        Dataset::of_labels(x, &labels, classes)
    }

    fn of_labels(x: Matrix, labels: &[String], classes: &Classes) -> Result<Dataset> {
        check_labelled(&x, labels)?;
        if let Some(i) = x.as_slice().iter().position(|value| !value.is_finite()) {
            let (row, column, value) = (i / x.n_cols(), i % x.n_cols(), x.as_slice()[i]);
            return Err(Error::labels(format!(
                "feature {column} of row {row} is {value}, expected a finite number"
            )));
        }
        let index: HashMap<&str, u32> = classes.names().iter().map(String::as_str).zip(0..).collect();
        let encode = |(row, label): (usize, &String)| {
            index.get(label.as_str()).copied().ok_or_else(|| {
                let known = classes.names().join(", ");
                Error::labels(format!("the label of row {row} is \"{label}\", expected one of {known}"))
            })
        };
        let y = labels.iter().enumerate().map(encode).collect::<Result<_>>()?;
        Ok(Dataset { x, y, classes: classes.clone(), weights: None, units: None })
    }

    /// A copy of the given `rows` of `x` and `y`, in that order, without weights and units. With a folder `cache`, a large copy is written to an
    /// unnamed file there and mapped; the file is removed with the copy.
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of_rows(
        x: MatRef<'_>,
        y: &[u32],
        classes: &Classes,
        rows: &[usize],
        cache: Option<&Path>,
    ) -> Result<Dataset> {
        let n_bytes = rows.len() * x.n_cols() * size_of::<f32>();
        let x = match cache.filter(|_| n_bytes > LARGEST_IN_MEMORY) {
            None => in_memory(x, rows),
            Some(folder) => mapped(x, rows, folder).map_err(|error| {
                let hint = "put the cache where there is room for the table and a copy of its rows";
                Error::output(folder, error).with_hint(hint)
            })?,
        };
        Ok(Dataset {
            x,
            y: rows.iter().map(|&row| y[row]).collect(),
            classes: classes.clone(),
            weights: None,
            units: None,
        })
    }

    /// A copy of the given `rows`, in that order, with their weights and units; see [`of_rows`](Dataset::of_rows).
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn part(&self, rows: &[usize], cache: Option<&Path>) -> Result<Dataset> {
        let part = Dataset::of_rows(self.x.view(), &self.y, &self.classes, rows, cache)?;
        let weights = self.weights.as_ref().map(|weights| rows.iter().map(|&row| weights[row]).collect());
        let units = self.units.as_ref().map(|units| rows.iter().map(|&row| units[row]).collect());
        Ok(Dataset { weights, units, ..part })
    }
}

/// Refuses arrays without a label for each row.
fn check_labelled(x: &Matrix, labels: &[String]) -> Result<()> {
    match (x.n_rows(), labels.len()) {
        (n_rows, n_labels) if n_rows == n_labels => Ok(()),
        (n_rows, n_labels) => {
            Err(Error::labels(format!("expected a label for each of {n_rows} rows, found {n_labels}")))
        }
    }
}

fn in_memory(x: MatRef<'_>, rows: &[usize]) -> Matrix {
    let mut values = Vec::with_capacity(rows.len() * x.n_cols());
    rows.iter().for_each(|&row| values.extend_from_slice(x.row(row)));
    Matrix::new(values, rows.len(), x.n_cols())
}

fn mapped(x: MatRef<'_>, rows: &[usize], folder: &Path) -> io::Result<Matrix> {
    let file = tempfile::tempfile_in(folder)?;
    let mut out = BufWriter::with_capacity(BUFFER, &file);
    let mut bytes = Vec::new();
    for &row in rows {
        bytes.clear();
        bytes.extend(x.row(row).iter().flat_map(|value| value.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    out.flush()?;
    drop(out);
    Ok(Matrix::mapped(Mapped::new(&file, 0, rows.len() * x.n_cols())?, rows.len(), x.n_cols()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_become_samples_with_sorted_classes() {
        let x = || Matrix::new(vec![1.0, 2.0, 3.0], 3, 1);
        let data = Dataset::from_arrays(x(), &[10, 9, 10]).unwrap();
        assert_eq!(
            (data.classes.names(), &data.y[..]),
            (&["9".to_owned(), "10".to_owned()][..], &[1, 0, 1][..])
        );
        let data = Dataset::from_arrays(x(), &["b", "a", "10"]).unwrap();
        assert_eq!(data.y, [2, 1, 0]);
        let val = Dataset::from_arrays_with(x(), &["a", "a", "b"], &data.classes).unwrap();
        assert_eq!(val.y, [1, 1, 2]);
        let message = |result: Result<Dataset>| result.unwrap_err().to_string();
        assert!(message(Dataset::from_arrays(x(), &["a"])).contains("a label for each of 3 rows, found 1"));
        assert!(message(Dataset::from_arrays(x(), &["a", "a", "a"])).contains("at least two classes"));
        assert!(
            message(Dataset::from_arrays_with(x(), &["a", "c", "b"], &data.classes))
                .contains("the label of row 1 is \"c\", expected one of 10, a, b")
        );
        let infinite = Matrix::new(vec![1.0, f32::INFINITY], 2, 1);
        assert!(message(Dataset::from_arrays(infinite, &[0, 1])).contains("feature 0 of row 1 is inf"));
    }

    #[test]
    fn parts_have_the_weights_of_their_rows() {
        let x = Matrix::new(vec![1.0, 2.0, 3.0], 3, 1);
        let data = Dataset::from_arrays(x, &["a", "b", "a"]).unwrap();
        let weighted = data.clone().with_weights(vec![0.0, 2.0, 0.5]).unwrap();
        assert_eq!(weighted.part(&[2, 1], None).unwrap().weights, Some(vec![0.5, 2.0]));
        assert_eq!(data.part(&[2, 1], None).unwrap().weights, None);
        let message = |weights: &[f32]| data.clone().with_weights(weights.to_vec()).unwrap_err().to_string();
        assert_eq!(message(&[1.0]), "expected a weight for each of 3 rows, found 1");
        let negative = message(&[1.0, -1.0, 1.0]);
        assert_eq!(negative, "the weight of row 1 is -1, expected a finite number of at least 0");
        assert_eq!(message(&[0.0; 3]), "all weights are 0, expected one above 0 at least");
    }

    #[test]
    fn a_mapped_copy_equals_one_in_memory_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let values = (0..300).map(|i| f32::from_bits(0x3f80_0000 + i * 12_345)).collect();
        let x = Matrix::new(values, 100, 3);
        let rows: Vec<usize> = (0..50).map(|i| i * 37 % 100).collect();
        let (plain, copy) = (in_memory(x.view(), &rows), mapped(x.view(), &rows, folder.path()).unwrap());
        assert!(copy.is_mapped() && !plain.is_mapped());
        assert_eq!(plain.as_slice(), copy.as_slice());
        assert_eq!(copy.row(1), x.row(37));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(mapped(x.view(), &rows, &folder.path().join("none")).is_err());
    }
}
