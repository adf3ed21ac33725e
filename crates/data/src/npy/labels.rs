//! Arrays of labels.

use super::header::ElementKind;
use super::{Array, Header, values};
use crate::columns::{ONE_LABEL, SEVERAL};
use crate::rows::{NO_LABEL, RowBlock};
use crate::{Error, Result, RowLocation};
use std::collections::HashMap;

/// The labels of all rows.
#[derive(Debug, Default)]
pub(super) struct LabelArray {
    /// The name for messages: that of the file or the array.
    pub(super) name: String,
    /// The name of their column in a table with named columns.
    pub(super) column: String,
    pub(super) names: Vec<String>,
    pub(super) codes: Vec<u32>,
}

/// Reads an array of labels.
pub(super) fn read_labels(mut array: Array<'_>, name: &str, column: &str) -> Result<LabelArray> {
    if array.header.kind == ElementKind::Object {
        let what = format!(
            "the array \"{name}\" holds Python objects, which are a pickle and could run anything; expected text or integers"
        );
        return Err(
            Error::labels(what).with_hint("save the labels as text: labels.astype(str), or numpy.asarray(labels).astype(str) of a column of pandas")
        );
    }
    let bytes = array.read_all()?;
    let header = &array.header;
    let mut labels = LabelArray { name: name.to_owned(), column: column.to_owned(), ..LabelArray::default() };
    match header.shape[..] {
        [_] => labels.add_names(values::texts(header, &bytes)?),
        [n_rows, 1] if n_rows > 0 => labels.add_names(values::texts(header, &bytes)?),
        [n_rows, n_classes] if n_classes >= 2 && header.is_number() => {
            labels.add_one_hot(header, &bytes, n_rows, n_classes)?
        }
        _ => {
            let what = format!(
                "the labels have the shape {}; expected (n_samples,), or (n_samples, n_classes) for one-hot labels",
                header.shape_text()
            );
            return Err(Error::labels(what));
        }
    }
    Ok(labels)
}

impl LabelArray {
    fn add_names(&mut self, texts: impl Iterator<Item = String>) {
        let mut codes = HashMap::new();
        for text in texts {
            if text.trim().is_empty() {
                self.codes.push(NO_LABEL);
                continue;
            }
            let code = *codes.entry(text).or_insert_with_key(|text: &String| {
                self.names.push(text.clone());
                self.names.len() as u32 - 1
            });
            self.codes.push(code);
        }
    }

    fn add_one_hot(&mut self, header: &Header, bytes: &[u8], n_rows: usize, n_classes: usize) -> Result<()> {
        let numbers = if header.fortran_order {
            values::from_columns(header, bytes, (n_rows, n_classes), 0..n_rows)
        } else {
            values::numbers(header, bytes)
        };
        self.names = (0..n_classes).map(|class| class.to_string()).collect();
        for (row, values) in numbers.values.chunks_exact(n_classes).enumerate() {
            let n_ones = values.iter().filter(|&&value| value == 1.0).count();
            let n_zeros = values.iter().filter(|&&value| value == 0.0).count();
            if n_ones != 1 || n_ones + n_zeros != n_classes {
                let location = RowLocation::row(row as u64 + 1);
                let shown = shown(values);
                if n_ones + n_zeros == n_classes && n_ones > 1 {
                    let error = Error::labels(format!("{SEVERAL}: {n_ones} ones in {shown}"));
                    return Err(error.with_hint(ONE_LABEL).placed(location));
                }
                let what = format!("expected one 1 and else 0 in a one-hot label, found {shown}");
                return Err(Error::labels(what).placed(location));
            }
            let class = values.iter().position(|&value| value == 1.0).unwrap_or_default();
            self.codes.push(class as u32);
        }
        Ok(())
    }
}

/// The first values, for a message.
fn shown(values: &[f32]) -> String {
    const N_VALUES: usize = 12;
    match values.len() {
        0..=N_VALUES => format!("{values:?}"),
        n => format!("{:?} and {} more", &values[..N_VALUES], n - N_VALUES),
    }
}

/// Labels without features, as blocks of rows.
pub(crate) struct LabelRows {
    labels: Option<LabelArray>,
    column: String,
    n_rows: usize,
}

impl LabelRows {
    pub(super) fn new(labels: LabelArray) -> LabelRows {
        LabelRows { column: labels.column.clone(), n_rows: labels.codes.len(), labels: Some(labels) }
    }

    pub(crate) fn column(&self) -> &str {
        &self.column
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }
}

impl Iterator for LabelRows {
    type Item = Result<RowBlock>;

    fn next(&mut self) -> Option<Result<RowBlock>> {
        let LabelArray { names, codes, .. } = self.labels.take()?;
        Some(Ok(RowBlock {
            numbers: (1..=codes.len() as u64).collect(),
            names,
            codes,
            ..RowBlock::default()
        }))
    }
}
