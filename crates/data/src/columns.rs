//! The roles of a table's columns: features, labels, and others.

mod chosen;
mod label;
mod several;

use crate::nearest::nearest;
use crate::{Error, LabelSource, ReadOptions, Result};
use chosen::ColumnChoice;
pub(crate) use chosen::refuse_names;
use label::assign_label;
pub(crate) use label::{is_label_name, may_be_label_by_name, may_be_one_hot};
use serde::{Deserialize, Serialize};
pub(crate) use several::{ONE_LABEL, SEVERAL, lists_of_labels};
use std::collections::HashSet;

/// The maximum number of features: far above any embedding, far below what an attack needs.
pub(crate) const MAX_FEATURES: usize = 1 << 16;

/// The content of a column, judged by its first rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Lists of numbers.
    List,
    /// Numbers.
    Number,
    /// Whole numbers, each of which occurs several times.
    FewNumbers,
    /// Numbers that are all 0 or 1.
    ZeroOne,
    /// Text with repeated values.
    RepeatedText,
    /// Text that is different in every row, or free text: names, sentences.
    DistinctText,
    /// Nothing.
    Empty,
    /// Anything else: timestamps, structures.
    Other,
}

impl ColumnKind {
    fn is_number(self) -> bool {
        matches!(self, ColumnKind::Number | ColumnKind::FewNumbers | ColumnKind::ZeroOne)
    }

    /// Classifies numbers by a sample.
    pub(crate) fn of_numbers(values: &[f64]) -> ColumnKind {
        let mut distinct = values.to_vec();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let few = distinct.len() * 2 <= values.len() && distinct.iter().all(|value| value.fract() == 0.0);
        if few { ColumnKind::FewNumbers } else { ColumnKind::Number }
    }

    /// Whether text is free text, by a sample: sentences, not names of classes.
    pub(crate) fn is_free_text<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> bool {
        let is_sentence = |text: &&str| {
            let n_words = text.split_whitespace().count();
            text.trim().contains('\n')
                || n_words > 5
                || n_words > 1 && text.contains([';', ':', ',', '.', '!', '?', '"'])
        };
        texts.clone().filter(is_sentence).count() * 2 > texts.count()
    }

    fn may_be_label(self) -> bool {
        !matches!(self, ColumnKind::List | ColumnKind::Other)
    }

    fn is_text(self) -> bool {
        matches!(self, ColumnKind::RepeatedText | ColumnKind::DistinctText)
    }
}

/// A column's name and the content of its first rows.
#[derive(Debug, Clone)]
pub(crate) struct ColumnSketch {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// Whether the file marks it as the row index.
    pub(crate) is_index: bool,
    /// An example of a list in it, with its location; empty if there is none, or none was looked for.
    pub(crate) example: String,
}

impl ColumnSketch {
    /// Whether it is the row index, by the file's metadata or its name.
    fn is_index(&self) -> bool {
        self.is_index || is_index_name(&self.name)
    }
}

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// All features, as a list.
    Embeddings,
    /// One feature.
    Feature,
    /// The label.
    Label,
    /// Whether the row belongs to the one-hot class with this index.
    OneHot(u32),
    /// A row index or a numeric identifier, which would be a feature by its content.
    Index,
    /// Neither features nor label.
    Other,
}

/// The roles of a table's columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) roles: Vec<Role>,
    /// The name of the label column, or the prefix of the one-hot columns.
    pub(crate) label: Option<String>,
    /// The classes of the one-hot columns, in column order.
    pub(crate) one_hot: Vec<String>,
    /// The reason why there is no label column, for the error if one is required.
    pub(crate) no_label: String,
    /// Ignored columns of a table without a column of lists, which could be expected to be features.
    pub(crate) left_out: Vec<usize>,
    /// Whether labels are placeholders, and so never wrong.
    pub(crate) placeholders: bool,
    /// For each feature, its number among the feature columns, if their order differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) order: Vec<usize>,
    /// Numeric columns that are ignored because the training table does not have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unknown: Vec<usize>,
    /// How the label column was chosen, if not by its name alone; a text for messages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) why_label: String,
}

impl Columns {
    /// The column with the given role, if there is one.
    pub(crate) fn position(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|&other| other == role)
    }

    /// The names of the columns with the given role.
    pub(crate) fn with_role(&self, role: Role) -> Vec<String> {
        let pairs = self.names.iter().zip(&self.roles);
        pairs.filter(|(_, other)| **other == role).map(|(name, _)| name.clone()).collect()
    }
}

impl Columns {
    /// The names of the features in their order, if each has a column of its own.
    pub(crate) fn features(&self) -> Vec<String> {
        let names = self.with_role(Role::Feature);
        if self.order.is_empty() { names } else { self.order.iter().map(|&i| names[i].clone()).collect() }
    }

    /// The name of the column of lists, if the features are in one.
    pub(crate) fn embeddings(&self) -> Option<&str> {
        self.position(Role::Embeddings).map(|column| self.names[column].as_str())
    }

    /// The names of the features, if each has its own column.
    pub(crate) fn feature_names(&self) -> Option<Vec<String>> {
        let names = self.features();
        (!names.is_empty()).then_some(names)
    }

    /// Whether there is a column with this name, whatever its role.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|other| other == name)
    }

    /// Whether `other` has columns of the same names, in any order.
    pub(crate) fn has_names_of(&self, other: &Columns) -> bool {
        let names: HashSet<&String> = self.names.iter().collect();
        names == other.names.iter().collect()
    }

    /// For each column, the number of features in the columns before it.
    pub(crate) fn features_before(&self) -> Vec<usize> {
        let mut n = 0;
        let count = |role: &Role| {
            let before = n;
            n += usize::from(*role == Role::Feature);
            before
        };
        self.roles.iter().map(count).collect()
    }

    /// The place among the features, in the order of the table, of the feature column `in_file` (from 0) of the file.
    pub(crate) fn place(&self, in_file: usize) -> usize {
        self.order.iter().position(|&other| other == in_file).unwrap_or(in_file)
    }

    /// Columns with these names and no role yet.
    fn unused(names: Vec<String>, options: &ReadOptions) -> Columns {
        Columns {
            roles: vec![Role::Other; names.len()],
            names,
            label: None,
            one_hot: Vec::new(),
            no_label: String::new(),
            left_out: Vec::new(),
            placeholders: options.has_placeholders(),
            order: Vec::new(),
            unknown: Vec::new(),
            why_label: String::new(),
        }
    }
}

/// The columns of a table of arrays: one of features, and one of labels if there are any.
pub(crate) fn of_arrays(label: Option<String>, options: &ReadOptions) -> Columns {
    let names: Vec<String> = ["embeddings".to_owned()].into_iter().chain(label.clone()).collect();
    let roles = [Role::Embeddings, Role::Label].into_iter().take(names.len()).collect();
    let no_label = "name the file of the labels with --labels, or save them beside the array, NAME.labels.npy, or in an npz as y";
    Columns { roles, label, no_label: no_label.to_owned(), ..Columns::unused(names, options) }
}

/// The columns of an array whose columns have names, and one of labels if there are any.
pub(crate) fn of_named_arrays(
    features: Vec<String>,
    label: Option<String>,
    options: &ReadOptions,
) -> Columns {
    let mut roles = vec![Role::Feature; features.len()];
    roles.extend(label.as_ref().map(|_| Role::Label));
    let names = features.into_iter().chain(label.clone()).collect();
    Columns { roles, label, ..Columns::unused(names, options) }
}

/// The column of a file of labels alone.
pub(crate) fn of_labels(label: String, options: &ReadOptions) -> Columns {
    let columns = Columns::unused(vec![label.clone()], options);
    Columns { roles: vec![Role::Label], label: Some(label), ..columns }
}

const EMBEDDINGS_NAMES: [&str; 6] = ["embeddings", "embedding", "features", "vector", "emb", "x"];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.trim().eq_ignore_ascii_case(other))
}

/// Whether a column's name is that of embeddings.
pub(crate) fn is_embeddings_name(name: &str) -> bool {
    is_one_of(name, &EMBEDDINGS_NAMES)
}

/// Whether a column's name is that of a row index: pandas writes its own as an unnamed first column.
fn is_index_name(name: &str) -> bool {
    name.is_empty()
        || name.starts_with("Unnamed: ")
        || name.starts_with("__index_level_")
        || is_one_of(name, &["index", "id", "row_id"])
}

/// Decides the role of each column.
pub(crate) fn assign(sketches: &[ColumnSketch], options: &ReadOptions) -> Result<Columns> {
    if options.labels == LabelSource::Alone {
        return label::alone(sketches, options);
    }
    let chosen = ColumnChoice::new(sketches, options)?;
    // A dropped column keeps its name but not its content.
    let sketch = |(i, sketch): (usize, &ColumnSketch)| match chosen.is_dropped(i) {
        true => ColumnSketch { kind: ColumnKind::Other, is_index: true, ..sketch.clone() },
        false => sketch.clone(),
    };
    let sketches: &[ColumnSketch] = &sketches.iter().enumerate().map(sketch).collect::<Vec<_>>();
    let names: Vec<String> = sketches.iter().map(|sketch| sketch.name.clone()).collect();
    let mut columns = Columns::unused(names, options);
    let embeddings = if chosen.is_by_name() { None } else { embeddings_column(sketches, options)? };
    if let Some(column) = embeddings {
        columns.roles[column] = Role::Embeddings;
    }
    chosen.assign_known(&mut columns);
    assign_label(&mut columns, sketches, options)?;
    if columns.label.is_none() {
        columns.no_label += &label::other_use(options);
    }
    if embeddings.is_none() {
        assign_features(&mut columns, sketches, &chosen)?;
    }
    Ok(columns)
}

fn embeddings_column(sketches: &[ColumnSketch], options: &ReadOptions) -> Result<Option<usize>> {
    if let Some(name) = &options.embeddings_column {
        let column = named(sketches, name, "embeddings")?;
        if sketches[column].kind.is_number() {
            let what =
                format!("the embeddings column \"{name}\" holds single numbers; expected lists of numbers");
            let hint = "leave --embeddings-column out to read a table with one column for each feature";
            return Err(Error::column(what).with_hint(hint));
        }
        return Ok(Some(column));
    }
    let is_label = |sketch: &ColumnSketch| options.label_column.as_ref() == Some(&sketch.name);
    // Lists under a label's name are multiple labels per row.
    let is_list = |&i: &usize| {
        sketches[i].kind == ColumnKind::List && !is_label(&sketches[i]) && !is_label_name(&sketches[i].name)
    };
    let lists: Vec<usize> = (0..sketches.len()).filter(is_list).collect();
    match lists[..] {
        [] => {
            // Text in place of lists is read as lists, so that the error can explain what is wrong with it.
            let meant = |sketch: &ColumnSketch| {
                sketch.kind.is_text() && !is_label(sketch) && is_one_of(&sketch.name, &EMBEDDINGS_NAMES)
            };
            Ok(sketches.iter().position(meant))
        }
        [column] => Ok(Some(column)),
        _ => {
            let known = |&i: &usize| is_one_of(&sketches[i].name, &EMBEDDINGS_NAMES);
            let mut known = lists.iter().copied().filter(known);
            if let (Some(column), None) = (known.next(), known.next()) {
                return Ok(Some(column));
            }
            let candidates = quoted(lists.iter().map(|&i| &sketches[i].name));
            let what = format!("more than one column holds lists of numbers: {candidates}");
            Err(Error::column(what).with_hint("say which with --embeddings-column"))
        }
    }
}

fn assign_features(columns: &mut Columns, sketches: &[ColumnSketch], chosen: &ColumnChoice) -> Result<()> {
    for (i, sketch) in sketches.iter().enumerate() {
        if columns.roles[i] == Role::Other && sketch.kind.is_number() {
            columns.roles[i] = chosen.role(i, sketch);
        }
    }
    columns.unknown = chosen.unknown(columns, sketches);
    let has_no_use = |&i: &usize| columns.roles[i] == Role::Other && !sketches[i].is_index();
    let is_left_out = |i: &usize| has_no_use(i) && !sketches[*i].kind.is_number();
    columns.left_out = (0..sketches.len()).filter(is_left_out).collect();
    let n_features = columns.with_role(Role::Feature).len();
    if n_features > MAX_FEATURES {
        return Err(too_many_features(n_features));
    }
    if n_features > 0 {
        return Ok(());
    }
    let names = quoted(sketches.iter().map(|sketch| &sketch.name));
    let what =
        format!("expected a column of lists of numbers, or numeric columns, found neither among {names}");
    Err(Error::column(what).with_hint("name the column of lists with --embeddings-column"))
}

/// The error for too many features.
pub(crate) fn too_many_features(n_features: usize) -> Error {
    let what = format!("{n_features} features a row; at most {MAX_FEATURES} are read");
    Error::format(what).with_hint("is this a table of embeddings? one vector a row is expected: pool the vectors of tokens or patches, e.g. x.mean(axis=1)")
}

fn named(sketches: &[ColumnSketch], name: &str, what: &str) -> Result<usize> {
    position(sketches.iter().map(|sketch| &sketch.name), name, what)
}

/// The index of the column `name` in `names`.
///
/// # Errors
/// If there is none; the message lists the columns and the nearest names.
pub(crate) fn position<'a>(
    names: impl Iterator<Item = &'a String> + Clone,
    name: &str,
    what: &str,
) -> Result<usize> {
    if let Some(column) = names.clone().position(|other| other == name) {
        return Ok(column);
    }
    let error = Error::column(format!(
        "there is no {what} column \"{name}\"; the columns are {}",
        quoted(names.clone())
    ));
    Err(match nearest(name, names.map(String::as_str)) {
        Some(meant) => error.with_hint(format!("did you mean \"{meant}\"?")),
        None => error,
    })
}

/// A name without line breaks and other control characters, which are shown as `\\n` is.
pub(crate) fn in_one_line(name: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    name.chars().map(shown).collect()
}

/// Names in quotes, separated by commas; the middle of a long list is omitted.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{}\"", in_one_line(name))).collect();
    if names.len() <= 12 {
        return names.join(", ");
    }
    format!(
        "{}, .. {} more .., {}",
        names[..6].join(", "),
        names.len() - 8,
        names[names.len() - 2..].join(", ")
    )
}
