//! The columns of the output and their content.

use super::source::{other_columns, unwritable};
use super::{FOLD, OutputFormat, SETS, WriteOptions, WrittenColumns};
use crate::columns::{self, Role, quoted};
use crate::nearest::nearest;
use crate::{Classes, Error, Result, Table, TableStream, csv};
use std::collections::HashSet;
use std::str::FromStr;

/// The columns of the input to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Columns {
    /// All, in their order and unchanged, with the label filled in or added.
    #[default]
    All,
    /// Only the label.
    LabelOnly,
    /// The columns with these names, in this order; `label` is the prediction.
    Named(Vec<String>),
}

/// The name for the prediction, whatever the label column is called.
const LABEL: &str = "label";

/// Parses `all`, `label`, or names separated by commas, such as `id,label`. A name with a comma is quoted, as in a
/// CSV.
impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Columns, String> {
        match text.trim() {
            "all" => return Ok(Columns::All),
            LABEL => return Ok(Columns::LabelOnly),
            _ => {}
        }
        let plain = |field: &[u8]| String::from_utf8_lossy(&csv::value(field.trim_ascii())).trim().to_owned();
        let names: Vec<String> = csv::fields(text.as_bytes()).map(plain).collect();
        let mut seen = HashSet::new();
        for name in &names {
            if name.is_empty() {
                return Err("a name is empty; expected all, label, or names such as id,label".to_owned());
            }
            if !seen.insert(name) {
                return Err(format!("\"{name}\" is named twice"));
            }
        }
        Ok(Columns::Named(names))
    }
}

/// A column of the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) content: Content,
}

/// The content of an output column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A column of the input, by its index.
    Input(usize),
    /// The predicted class.
    Label,
    /// Whether this class was predicted.
    OneHot(u32),
    /// The fold of a cross-validation.
    Fold,
    /// The prediction set.
    Set,
    /// The probability of this class.
    Probability(usize),
}

impl Column<'_> {
    /// The column of the input that it copies, if it does.
    pub(super) fn input(&self) -> Option<usize> {
        match self.content {
            Content::Input(column) => Some(column),
            _ => None,
        }
    }
}

/// The columns of an input, as far as those of its output depend on them.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputColumns<'a> {
    pub(super) columns: &'a columns::Columns,
    pub(super) written: &'a WrittenColumns,
    /// Whether it is a text, whose cells have no types.
    pub(super) is_text: bool,
    /// The name of the label column of the output, if the input has none.
    added_label: &'a str,
}

/// The columns that an output of all of them leaves out because of their content.
pub(super) fn left_out(input: InputColumns<'_>, (format, columns): (OutputFormat, &Columns)) -> Vec<String> {
    match columns {
        Columns::All if !format.is_npy() => input.written.left_out(input.columns),
        _ => Vec::new(),
    }
}

impl<'a> InputColumns<'a> {
    pub(super) fn of_table(table: &'a Table, written: &'a WrittenColumns) -> InputColumns<'a> {
        let is_text = table.parts[0].format.is_text();
        let added_label = table.options.added_label();
        InputColumns { columns: table.columns(), written, is_text, added_label }
    }

    pub(super) fn of_stream(stream: &'a TableStream) -> InputColumns<'a> {
        let added_label = stream.options().added_label();
        let (columns, is_text) = (stream.columns(), stream.is_text());
        InputColumns { columns, written: stream.written(), is_text, added_label }
    }

    /// The name of the label column of the output.
    fn label_name(&self) -> &'a str {
        self.columns.label.as_deref().unwrap_or(self.added_label)
    }
}

/// The columns that predictions have beside their classes and probabilities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Added {
    pub(super) folds: bool,
    pub(super) sets: bool,
}

/// The columns of the output.
///
/// # Errors
/// If a requested column is missing or cannot be written, none holds a prediction, or two have the same name.
pub(super) fn layout<'a>(
    input: InputColumns<'a>,
    classes: &'a Classes,
    (options, added): (&WriteOptions, Added),
) -> Result<Vec<Column<'a>>> {
    let label = Column { name: input.label_name(), content: Content::Label };
    let set = Column { name: SETS, content: Content::Set };
    let mut columns = match &options.columns {
        Columns::LabelOnly => vec![label],
        Columns::All => {
            let mut columns = all(input, classes)?;
            columns.extend(added.sets.then_some(set));
            columns
        }
        Columns::Named(names) => {
            let named = names.iter().map(|name| match name.as_str() {
                SETS if added.sets => Ok(set),
                _ => match find(input, name)? {
                    None => Ok(label),
                    Some(column) => of_input(input, classes, column),
                },
            });
            named.collect::<Result<Vec<_>>>()?
        }
    };
    columns.extend(added.folds.then_some(Column { name: FOLD, content: Content::Fold }));
    refuse_name_twice(&columns)?;
    if !options.proba && columns.iter().all(|column| column.input().is_some()) {
        return Err(Error::column("the columns that are asked for hold no prediction")
            .with_hint("add label to them, or write the probabilities too"));
    }
    if options.proba {
        refuse_clashes(&columns, classes)?;
        let named = classes.names().iter().enumerate();
        columns.extend(named.map(|(class, name)| Column { name, content: Content::Probability(class) }));
    }
    Ok(columns)
}

fn all<'a>(input: InputColumns<'a>, classes: &Classes) -> Result<Vec<Column<'a>>> {
    let (names, label_name) = (&input.columns.names, input.label_name());
    if input.columns.label.is_none() && names.iter().any(|name| name == label_name) {
        let what = format!(
            "the labels cannot be written to column \"{label_name}\", which holds neither text nor numbers"
        );
        return Err(Error::column(what).with_hint("write the label alone, or rename the column"));
    }
    let written = (0..names.len()).filter(|&i| input.written.is_written(i));
    let mut columns = written.map(|i| of_input(input, classes, i)).collect::<Result<Vec<Column<'_>>>>()?;
    if input.columns.label.is_none() {
        columns.push(Column { name: label_name, content: Content::Label });
    }
    Ok(columns)
}

/// Returns an error unless all files have the columns of the first, in any order.
pub(super) fn refuse_other_columns(table: &Table) -> Result<()> {
    match table.parts.iter().find(|part| !table.columns().has_names_of(&part.columns)) {
        None => Ok(()),
        Some(part) => Err(other_columns(table.files()[0]).at(part.source.path())),
    }
}

/// The column of the input with this name; `None` for the prediction.
///
/// # Errors
/// If there is no such column.
pub(super) fn find(input: InputColumns<'_>, name: &str) -> Result<Option<usize>> {
    let columns = input.columns;
    if name == LABEL || name == input.label_name() {
        return Ok(None);
    }
    if let Some(column) = columns.names.iter().position(|other| other == name) {
        return Ok(Some(column));
    }
    let what = format!("there is no column \"{name}\" to write; the columns are {}", quoted(&columns.names));
    let names = columns.names.iter().map(String::as_str).chain([LABEL]);
    let hint = match nearest(name, names) {
        _ if name == SETS => "only a model fitted with --conformal has prediction sets".to_owned(),
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => "name columns of this table, and label for the prediction".to_owned(),
    };
    Err(Error::column(what).with_hint(hint))
}

/// The column of the output for the input's column `column`.
fn of_input<'a>(input: InputColumns<'a>, classes: &Classes, column: usize) -> Result<Column<'a>> {
    let name = input.columns.names[column].as_str();
    let content = match input.columns.roles[column] {
        Role::Label => Content::Label,
        Role::OneHot(k) => Content::OneHot(one_hot_class(input, classes, k)?),
        _ if input.written.can_be_written(column) => Content::Input(column),
        _ => return Err(unwritable(name)),
    };
    Ok(Column { name, content })
}

fn refuse_name_twice(columns: &[Column<'_>]) -> Result<()> {
    let mut seen = HashSet::new();
    match columns.iter().find(|column| !seen.insert(column.name)) {
        Some(column) => {
            let what = format!("two columns would be named \"{}\"", column.name);
            Err(Error::column(what).with_hint("name each column once"))
        }
        None => Ok(()),
    }
}

fn refuse_clashes(columns: &[Column<'_>], classes: &Classes) -> Result<()> {
    let taken: HashSet<&str> = columns.iter().map(|column| column.name).collect();
    let clashes: Vec<&String> = classes.names().iter().filter(|name| taken.contains(name.as_str())).collect();
    if clashes.is_empty() {
        return Ok(());
    }
    let what = format!(
        "the columns of probabilities would have the names of columns there are: {}",
        quoted(clashes)
    );
    Err(Error::column(what).with_hint("write the label alone, or rename the columns"))
}

/// The class of one-hot column `k`; returns an error unless every class has one column.
fn one_hot_class(input: InputColumns<'_>, classes: &Classes, k: u32) -> Result<u32> {
    let found = &input.columns.one_hot;
    let known: Vec<u32> = classes.classes_of(found).into_iter().flatten().collect();
    let mut sorted = known.clone();
    sorted.sort_unstable();
    if known.len() == found.len() && sorted.into_iter().eq(0..classes.len() as u32) {
        return Ok(known[k as usize]);
    }
    let prefix = input.label_name();
    let what = format!(
        "the one-hot columns \"{prefix}_..\" cannot hold the predictions: expected a column for each of the model's \
         classes {}, found those of {}",
        quoted(classes.names()),
        quoted(found)
    );
    let hint = format!("name them \"{prefix}_CLASS\" for these classes, or write the label alone");
    Err(Error::column(what).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_commas() {
        let named = |names: &[&str]| Ok(Columns::Named(names.iter().map(|&name| name.to_owned()).collect()));
        assert_eq!("all".parse(), Ok(Columns::All));
        assert_eq!("label".parse(), Ok(Columns::LabelOnly));
        assert_eq!("id, label".parse(), named(&["id", "label"]));
        assert_eq!("\"a, b\",id".parse(), named(&["a, b", "id"]));
        assert_eq!("id".parse(), named(&["id"]));
        for (text, why) in [("id,,label", "empty"), ("", "empty"), ("id,label,id", "\"id\" is named twice")] {
            assert!(text.parse::<Columns>().unwrap_err().contains(why), "{text}");
        }
    }
}
