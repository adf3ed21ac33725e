//! Assembles a block of rows column by column.

use super::{Cells, Scheme, Values, lists};
use crate::columns::{MAX_FEATURES, ONE_LABEL, Role, SEVERAL};
use crate::finite::are_finite;
use crate::list::{self, shown};
use crate::rows::{BadRow, NO_LABEL, RowBlock, Texts};
use crate::{Result, RowLocation};
use std::collections::HashMap;

/// A block that is being assembled.
pub(crate) struct Batch<'a> {
    scheme: &'a Scheme,
    n_before: u64,
    n_rows: Option<usize>,
    n_features_seen: usize,
    block: RowBlock,
    /// The error of each row, in its first bad column.
    bad: Vec<Option<BadRow>>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(scheme: &'a Scheme, n_before: u64) -> Batch<'a> {
        let names = scheme.columns.one_hot.clone();
        let block = RowBlock { names, ..RowBlock::default() };
        Batch { scheme, n_before, n_rows: None, n_features_seen: 0, block, bad: Vec::new() }
    }

    pub(crate) fn add(&mut self, column: usize, cells: Cells) -> Result<()> {
        let n_rows = *self.n_rows.get_or_insert(cells.n_rows);
        if n_rows != cells.n_rows {
            return Err(self.scheme.damaged("its columns have different numbers of rows"));
        }
        if self.bad.len() < n_rows {
            self.bad = vec![None; n_rows];
            self.block.codes = vec![NO_LABEL; n_rows];
        }
        let Some(cells) = self.take_lists(column, cells) else { return Ok(()) };
        let value_level = self.scheme.fields[column].value_level;
        if !cells.fit(value_level) {
            return Err(self.scheme.damaged("its levels and its values do not belong together"));
        }
        if matches!(self.scheme.columns.roles[column], Role::Embeddings | Role::Feature) {
            self.allocate();
        }
        match self.scheme.columns.roles[column] {
            Role::Embeddings if !self.scheme.fields[column].is_list() => self.add_text_lists(column, &cells),
            Role::Embeddings if lists(&cells).count() != n_rows => {
                return Err(self.scheme.damaged("its lists begin in other rows than they should"));
            }
            Role::Embeddings => self.add_lists(column, &cells),
            Role::Feature => self.add_feature(column, &cells),
            Role::Label => self.add_labels(column, &cells),
            Role::OneHot(class) => self.add_one_hot(column, class, &cells),
            Role::Index | Role::Other => self.add_other(column, &cells),
        }
        Ok(())
    }

    /// Takes the values of a column of lists over as the features, without a copy, if all rows are good ones of 32-bit
    /// numbers; otherwise returns the cells.
    fn take_lists(&mut self, column: usize, cells: Cells) -> Option<Cells> {
        let field = &self.scheme.fields[column];
        let is_regular = self.scheme.columns.roles[column] == Role::Embeddings
            && field.is_list()
            && cells.are_lists_of(self.scheme.n_features, field.value_level);
        match cells.values {
            Values::F32(values) if is_regular && are_finite(&values) => {
                self.block.x = values;
                None
            }
            values => Some(Cells { values, ..cells }),
        }
    }

    /// Makes room for the features.
    fn allocate(&mut self) {
        if self.block.x.is_empty() {
            self.block.x = vec![0.0; self.bad.len() * self.scheme.n_features];
        }
    }

    fn location(&self, row: usize, column: usize) -> RowLocation {
        RowLocation::row(self.n_before + row as u64 + 1).in_column(&self.scheme.fields[column].name)
    }

    fn refuse(&mut self, row: usize, location: RowLocation, what: String, hint: &str) {
        self.bad[row].get_or_insert_with(|| BadRow::new(location, what, Some(hint)));
    }

    fn add_lists(&mut self, column: usize, cells: &Cells) {
        let field = &self.scheme.fields[column];
        let n_features = self.scheme.n_features;
        let element_level = field.element_level.unwrap_or(field.value_level);
        let mut next_value = 0;
        for (row, list) in lists(cells).enumerate().take(self.bad.len()) {
            if field.nested && cells.repetitions[list.clone()].contains(&1) {
                next_value += n_of(&cells.definitions[list.clone()], field.value_level);
                let n = cells.repetitions[list].iter().filter(|&&level| level < 2).count();
                let what = format!("expected one vector, found a list of {n} lists");
                self.refuse(row, self.location(row, column), what, POOL);
                continue;
            }
            let definitions = &cells.definitions[list];
            let first = next_value;
            next_value += n_of(definitions, field.value_level);
            if let Some((what, hint)) =
                flaw_of_list(definitions, element_level, field.value_level, n_features)
            {
                let null = definitions.iter().position(|&level| level < field.value_level);
                let location = match null.filter(|_| definitions[0] >= element_level) {
                    Some(element) => self.location(row, column).at_element(element as u64 + 1),
                    None => self.location(row, column),
                };
                self.refuse(row, location, what, hint);
                continue;
            }
            if self.copy_finite(row, &cells.values, first) {
                continue;
            }
            for element in 0..n_features {
                self.set(row, column, element, &cells.values, first + element, Some(element));
            }
        }
    }

    /// Lists in text form, such as `"[0.5, 1.25]"`, as database drivers return vectors.
    fn add_text_lists(&mut self, column: usize, cells: &Cells) {
        let n_features = self.scheme.n_features;
        self.for_each_cell(column, cells, |batch, row, value| {
            let location = batch.location(row, column);
            let Some(text) = value.and_then(|i| cells.values.texts().get(i)) else {
                batch.refuse(row, location, "expected a list of numbers, found null".to_owned(), WRITE);
                return;
            };
            let x = &mut batch.block.x[row * n_features..(row + 1) * n_features];
            match list::read(text.data(), x) {
                Ok(underflows) => batch.block.underflows.add(underflows, || location),
                Err(flaw) => {
                    let location = RowLocation { element: flaw.element, ..location };
                    batch.bad[row].get_or_insert_with(|| BadRow::new(location, flaw.what, flaw.hint));
                }
            }
        });
    }

    /// Copies a whole row of finite 32-bit values; returns false for anything else.
    fn copy_finite(&mut self, row: usize, values: &Values, first: usize) -> bool {
        let n_features = self.scheme.n_features;
        let Values::F32(values) = values else { return false };
        let values = &values[first..first + n_features];
        let finite = values.iter().all(|value| value.is_finite());
        if finite {
            self.block.x[row * n_features..(row + 1) * n_features].copy_from_slice(values);
        }
        finite
    }

    fn add_feature(&mut self, column: usize, cells: &Cells) {
        let feature = self.n_features_seen;
        self.n_features_seen += 1;
        self.for_each_cell(column, cells, |batch, row, value| match value {
            Some(value) => batch.set(row, column, feature, &cells.values, value, None),
            None => {
                let location = batch.location(row, column);
                batch.refuse(row, location, "expected a number, found null".to_owned(), FILL);
            }
        });
    }

    /// Calls `cell` with each row and the index of its value, if it is not null.
    fn for_each_cell(
        &mut self,
        column: usize,
        cells: &Cells,
        cell: impl Fn(&mut Self, usize, Option<usize>),
    ) {
        let value_level = self.scheme.fields[column].value_level;
        let mut next = 0;
        for row in 0..self.bad.len() {
            let present = cells.definitions.get(row).is_none_or(|&level| level == value_level);
            cell(self, row, present.then_some(next));
            next += usize::from(present);
        }
    }

    #[inline]
    fn set(
        &mut self,
        row: usize,
        column: usize,
        feature: usize,
        values: &Values,
        i: usize,
        element: Option<usize>,
    ) {
        let (number, underflow) = values.number(i);
        self.block.x[row * self.scheme.n_features + feature] = number;
        if number.is_finite() && !underflow {
            return;
        }
        let mut location = self.location(row, column);
        location.element = element.map(|element| element as u64 + 1);
        if underflow {
            self.block.underflows.add(1, || location);
            return;
        }
        let found = values.text(i).unwrap_or_default();
        if matches!(found.as_str(), "NaN" | "inf" | "-inf") {
            self.refuse(row, location, format!("expected a finite number, found {found}"), FILL);
        } else {
            let what = format!("expected a number that fits 32 bits (at most 3.4e38), found {found}");
            self.refuse(row, location, what, "rescale the features before writing them");
        }
    }

    fn add_labels(&mut self, column: usize, cells: &Cells) {
        let mut codes: HashMap<String, u32> = HashMap::new();
        let mut names = Vec::new();
        let mut last: (Vec<u8>, u32) = (Vec::new(), NO_LABEL);
        let value_level = self.scheme.fields[column].value_level;
        let mut next = 0;
        for row in 0..self.bad.len() {
            if cells.definitions.get(row).is_some_and(|&level| level < value_level) {
                continue;
            }
            let i = next;
            next += 1;
            if let Values::Texts(texts) = &cells.values
                && last.1 != NO_LABEL
                && texts[i].data() == last.0
            {
                self.block.codes[row] = last.1;
                continue;
            }
            let class = self.class_name(column, &cells.values, i);
            if class.as_ref().is_some_and(|name| name.is_none()) {
                let found = cells.values.text(i).unwrap_or_default();
                // Hugging Face marks rows without a label with -1.
                if found != "-1" && !self.scheme.columns.placeholders {
                    let what = format!("expected the number of a class, found {found}");
                    let location = self.location(row, column);
                    self.refuse(
                        row,
                        location,
                        what,
                        "the metadata of the file names fewer classes: write it again",
                    );
                }
                continue;
            }
            let Some(text) = class.flatten().or_else(|| cells.values.text(i)) else {
                if self.scheme.columns.placeholders {
                    continue;
                }
                let location = self.location(row, column);
                self.refuse(
                    row,
                    location,
                    "the label is not UTF-8".to_owned(),
                    "write labels as text or integers",
                );
                continue;
            };
            if text.trim().is_empty() || text == "NaN" && !matches!(cells.values, Values::Texts(_)) {
                continue;
            }
            last.0 = text.as_bytes().to_vec();
            last.1 = *codes.entry(text).or_insert_with_key(|text| {
                names.push(text.clone());
                names.len() as u32 - 1
            });
            self.block.codes[row] = last.1;
        }
        self.block.names = names;
    }

    /// The name of the class with number `i`, if the file names its classes; the inner `None` is an invalid number.
    fn class_name(&self, column: usize, values: &Values, i: usize) -> Option<Option<String>> {
        let names = &self.scheme.fields[column].class_names;
        match values {
            Values::Integers(numbers) if !names.is_empty() => {
                Some(usize::try_from(numbers[i]).ok().and_then(|number| names.get(number)).cloned())
            }
            _ => None,
        }
    }

    fn add_one_hot(&mut self, column: usize, class: u32, cells: &Cells) {
        self.for_each_cell(column, cells, |batch, row, value| {
            let number = value.map(|i| cells.values.number(i).0);
            if number == Some(0.0) {
                return;
            }
            let location = batch.location(row, column);
            if number == Some(1.0) && batch.block.codes[row] == NO_LABEL {
                batch.block.codes[row] = class;
            } else if !batch.scheme.columns.placeholders {
                let (what, hint) = if number == Some(1.0) {
                    (format!("{SEVERAL}: a second 1 in the one-hot columns"), ONE_LABEL)
                } else {
                    let text = value.map(|i| cells.values.text(i).unwrap_or_default());
                    let found = text.map_or("null".to_owned(), |text| shown(text.as_bytes()));
                    (format!("expected 0 or 1, found {found}"), ONE_HOT)
                };
                batch.refuse(row, location, what, hint);
            }
        });
    }

    fn add_other(&mut self, column: usize, cells: &Cells) {
        let mut texts = Texts::default();
        let value_level = self.scheme.fields[column].value_level;
        let mut next = 0;
        for row in 0..self.bad.len() {
            if cells.definitions.get(row).is_some_and(|&level| level != value_level) {
                texts.push(b"");
                continue;
            }
            match &cells.values {
                Values::Texts(values) => texts.push(utf8(values[next].data())),
                values => texts.push(values.text(next).unwrap_or_default().as_bytes()),
            }
            next += 1;
        }
        self.block.others.push((column, texts));
    }

    /// The block without its bad rows.
    pub(crate) fn finish(mut self) -> RowBlock {
        self.allocate();
        let n_features = self.scheme.n_features;
        let mut block = self.block;
        if self.bad.iter().any(Option::is_some) {
            block.retain_others(&self.bad.iter().map(Option::is_none).collect::<Vec<bool>>());
        }
        for (row, bad) in self.bad.into_iter().enumerate() {
            if let Some(bad) = bad {
                block.bad.push(bad);
                continue;
            }
            let kept = block.numbers.len();
            if kept < row {
                block.x.copy_within(row * n_features..(row + 1) * n_features, kept * n_features);
                block.codes[kept] = block.codes[row];
            }
            block.numbers.push(self.n_before + row as u64 + 1);
        }
        block.x.truncate(block.numbers.len() * n_features);
        block.codes.truncate(block.numbers.len());
        block
    }
}

const FILL: &str = "replace missing and infinite values before writing the table, or leave the row out";
const POOL: &str = "write one vector a row, e.g. the mean of those of its tokens or patches";
const WRITE: &str = "write every number of the row, or leave the row out";
const ONE_HOT: &str = "exactly one of the one-hot columns is 1 in every row";

/// The bytes if they are UTF-8, else none.
fn utf8(bytes: &[u8]) -> &[u8] {
    if std::str::from_utf8(bytes).is_ok() { bytes } else { b"" }
}

/// The number of levels that equal `level`.
fn n_of(definitions: &[i16], level: i16) -> usize {
    definitions.iter().filter(|&&other| other == level).count()
}

/// The error of one row's list, judged by its levels.
fn flaw_of_list(
    definitions: &[i16],
    element_level: i16,
    value_level: i16,
    n_features: usize,
) -> Option<(String, &'static str)> {
    if definitions.first().is_none_or(|&level| level < element_level) {
        let null = definitions.first().is_some_and(|&level| level + 1 < element_level);
        let what = if null { "expected a list of numbers, found null" } else { "the list is empty" };
        return Some((what.to_owned(), WRITE));
    }
    if definitions.iter().any(|&level| level < value_level) {
        return Some(("expected a number, found null".to_owned(), FILL));
    }
    let n = definitions.len();
    if n > MAX_FEATURES {
        let what = format!("the list has {n} elements; at most {MAX_FEATURES} features are read");
        return Some((what, "is this a table of embeddings?"));
    }
    (n != n_features).then(|| {
        let what = format!("expected {n_features} elements, found {n}");
        (what, "every row needs the same number of features: write this row again, or leave it out")
    })
}
