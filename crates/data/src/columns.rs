//! Which column of a table is what: the features, the labels, and those that are neither.

use crate::nearest::nearest;
use crate::{Error, ReadOptions, Result};
use serde::{Deserialize, Serialize};

/// The most features a row may have: far above any embedding, far below what an attack needs.
pub(crate) const MAX_FEATURES: usize = 1 << 16;

/// What the first rows of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lists of numbers.
    List,
    /// Numbers.
    Number,
    /// Numbers that are all 0 or 1.
    ZeroOne,
    /// Text of which some occurs twice.
    RepeatedText,
    /// Text that is different in every row: names, sentences.
    DistinctText,
    /// Nothing.
    Empty,
    /// Something that is neither features nor labels: timestamps, structures.
    Other,
}

impl Kind {
    fn is_number(self) -> bool {
        matches!(self, Kind::Number | Kind::ZeroOne)
    }

    fn may_be_label(self) -> bool {
        !matches!(self, Kind::List | Kind::Other)
    }

    fn is_text(self) -> bool {
        matches!(self, Kind::RepeatedText | Kind::DistinctText)
    }
}

/// A column's name and what its first rows hold.
#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether the file says that it is the row index.
    pub(crate) is_index: bool,
}

impl Sketch {
    /// Whether it is the row index, as the file or its name says.
    fn is_index(&self) -> bool {
        self.is_index || is_index_name(&self.name)
    }
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// All features, as a list.
    Embeddings,
    /// One feature.
    Feature,
    /// The label.
    Label,
    /// Whether the row is of the one-hot class with this index.
    OneHot(u32),
    /// A row index or an identifier that is a number, and would be a feature by what it holds.
    Index,
    /// Neither features nor label.
    Other,
}

/// What each column of a table is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) roles: Vec<Role>,
    /// The name of the label column, or the prefix of the one-hot columns.
    pub(crate) label: Option<String>,
    /// The classes of the one-hot columns, in column order.
    pub(crate) one_hot: Vec<String>,
    /// Why there is no label column, for the error when there has to be one.
    pub(crate) no_label: String,
    /// The columns without a use in a table without a column of lists, where one would expect features.
    pub(crate) left_out: Vec<usize>,
    /// Whether labels are placeholders: nothing about them is wrong.
    pub(crate) placeholders: bool,
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

/// The columns of a table of arrays: one of features, and perhaps one of labels.
pub(crate) fn of_arrays(label: Option<String>, options: &ReadOptions) -> Columns {
    let names: Vec<String> = ["embeddings".to_owned()].into_iter().chain(label.clone()).collect();
    let roles = [Role::Embeddings, Role::Label].into_iter().take(names.len()).collect();
    let no_label =
        "an npy file has its labels beside it, NAME.labels.npy, and an npz in an array y".to_owned();
    let placeholders = options.placeholder_labels;
    Columns { names, roles, label, one_hot: Vec::new(), no_label, left_out: Vec::new(), placeholders }
}

const LABEL_NAMES: [&str; 5] = ["label", "labels", "class", "target", "y"];
const EMBEDDINGS_NAMES: [&str; 6] = ["embeddings", "embedding", "features", "vector", "emb", "x"];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.trim().eq_ignore_ascii_case(other))
}

/// Whether a column is the label by its name.
pub(crate) fn is_label_name(name: &str) -> bool {
    is_one_of(name, &LABEL_NAMES)
}

/// Whether a column is that of the embeddings by its name.
pub(crate) fn is_embeddings_name(name: &str) -> bool {
    is_one_of(name, &EMBEDDINGS_NAMES)
}

/// Whether a column is a row index by its name: pandas writes its own as an unnamed first column.
fn is_index_name(name: &str) -> bool {
    name.is_empty()
        || name.starts_with("Unnamed: ")
        || name.starts_with("__index_level_")
        || is_one_of(name, &["index", "id", "row_id"])
}

/// Decides what each column is.
pub(crate) fn assign(sketches: &[Sketch], options: &ReadOptions) -> Result<Columns> {
    let names: Vec<String> = sketches.iter().map(|sketch| sketch.name.clone()).collect();
    let mut columns = Columns {
        roles: vec![Role::Other; names.len()],
        names,
        label: None,
        one_hot: Vec::new(),
        no_label: String::new(),
        left_out: Vec::new(),
        placeholders: options.placeholder_labels,
    };
    let embeddings = embeddings_column(sketches, options)?;
    if let Some(column) = embeddings {
        columns.roles[column] = Role::Embeddings;
    }
    assign_label(&mut columns, sketches, options)?;
    if embeddings.is_none() {
        assign_features(&mut columns, sketches)?;
    }
    Ok(columns)
}

fn embeddings_column(sketches: &[Sketch], options: &ReadOptions) -> Result<Option<usize>> {
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
    let is_label = |sketch: &Sketch| options.label_column.as_ref() == Some(&sketch.name);
    let lists: Vec<usize> = (0..sketches.len()).filter(|&i| sketches[i].kind == Kind::List).collect();
    match lists[..] {
        [] => {
            // Text where the lists should be: read as such, so that the error says what is wrong with it.
            let meant = |sketch: &Sketch| {
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

fn assign_label(columns: &mut Columns, sketches: &[Sketch], options: &ReadOptions) -> Result<()> {
    if let Some(name) = &options.label_column {
        let absent = sketches.iter().all(|sketch| sketch.name != *name);
        if absent && (assign_one_hot(columns, sketches, name) || options.placeholder_labels) {
            return Ok(());
        }
        let column = named(sketches, name, "label")?;
        if columns.roles[column] == Role::Embeddings {
            return Err(Error::column(format!(
                "column \"{name}\" cannot be both the embeddings and the label"
            )));
        }
        if !sketches[column].kind.may_be_label() {
            let what = format!("the label column \"{name}\" holds neither text nor numbers");
            return Err(Error::column(what).with_hint("write labels as text, integers or one-hot columns"));
        }
        set_label(columns, column);
        return Ok(());
    }
    if let Some(name) = &options.label_hint
        && assign_hinted(columns, sketches, name)
    {
        return Ok(());
    }
    let free: Vec<usize> = (0..sketches.len()).filter(|&i| columns.roles[i] == Role::Other).collect();
    let known = |&i: &usize| is_one_of(&sketches[i].name, &LABEL_NAMES) && sketches[i].kind.may_be_label();
    let candidates: Vec<usize> = free.iter().copied().filter(known).collect();
    match candidates[..] {
        [column] => set_label(columns, column),
        [] => {
            if LABEL_NAMES.iter().any(|name| assign_one_hot(columns, sketches, name)) {
                return Ok(());
            }
            let repeated = |&i: &usize| {
                sketches[i].kind == Kind::RepeatedText
                    && !sketches[i].is_index()
                    && !options.placeholder_labels
            };
            let texts: Vec<usize> = free.iter().copied().filter(repeated).collect();
            match texts[..] {
                [column] => set_label(columns, column),
                _ => columns.no_label = no_label(sketches, &texts),
            }
        }
        _ => {
            let names = quoted(candidates.iter().map(|&i| &sketches[i].name));
            let what = format!("more than one column may be the label: {names}");
            return Err(Error::column(what).with_hint("say which with --label-column"));
        }
    }
    Ok(())
}

/// Takes the column of this name for the label, or the one-hot columns of this prefix, where there are any.
fn assign_hinted(columns: &mut Columns, sketches: &[Sketch], name: &str) -> bool {
    let is = |i: &usize| sketches[*i].name == name && columns.roles[*i] == Role::Other;
    match (0..sketches.len()).find(is).filter(|&i| sketches[i].kind.may_be_label()) {
        Some(column) => {
            set_label(columns, column);
            true
        }
        None => assign_one_hot(columns, sketches, name),
    }
}

fn set_label(columns: &mut Columns, column: usize) {
    columns.roles[column] = Role::Label;
    columns.label = Some(columns.names[column].clone());
}

fn no_label(sketches: &[Sketch], texts: &[usize]) -> String {
    if texts.is_empty() {
        return format!("its columns are {}", quoted(sketches.iter().map(|sketch| &sketch.name)));
    }
    let names = quoted(texts.iter().map(|&i| &sketches[i].name));
    format!("more than one column may be the label: {names}")
}

/// Whether a column may be one of the one-hot columns by its name, so that it is worth looking into.
pub(crate) fn may_be_one_hot(name: &str, options: &ReadOptions) -> bool {
    let asked = [&options.label_column, &options.label_hint].into_iter().flatten().map(String::as_str);
    let mut prefixes = LABEL_NAMES.iter().copied().chain(asked);
    prefixes.any(|prefix| class_after(name, prefix).is_some())
}

/// The class in the name of a one-hot column: what follows the prefix and an underscore.
fn class_after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let class = name.get(prefix.len()..)?.strip_prefix('_')?;
    name[..prefix.len()].eq_ignore_ascii_case(prefix).then_some(class)
}

/// Columns `label_a`, `label_b`, .. that hold 0 and 1 are one-hot labels of the classes `a`, `b`, ..
fn assign_one_hot(columns: &mut Columns, sketches: &[Sketch], prefix: &str) -> bool {
    let empty = if columns.placeholders { Kind::Empty } else { Kind::ZeroOne };
    let is = |sketch: &Sketch| sketch.kind == Kind::ZeroOne || sketch.kind == empty;
    let class = |sketch: &Sketch| class_after(&sketch.name, prefix).filter(|_| is(sketch)).map(str::to_owned);
    let classes: Vec<(usize, String)> =
        sketches.iter().enumerate().filter_map(|(i, sketch)| Some((i, class(sketch)?))).collect();
    if classes.len() < 2 {
        return false;
    }
    for (k, (column, name)) in classes.into_iter().enumerate() {
        columns.roles[column] = Role::OneHot(k as u32);
        columns.one_hot.push(name);
    }
    columns.label = Some(prefix.to_owned());
    true
}

fn assign_features(columns: &mut Columns, sketches: &[Sketch]) -> Result<()> {
    for (role, sketch) in columns.roles.iter_mut().zip(sketches) {
        if *role == Role::Other && sketch.kind.is_number() {
            *role = if sketch.is_index() { Role::Index } else { Role::Feature };
        }
    }
    let is_left_out = |&i: &usize| columns.roles[i] == Role::Other && !sketches[i].is_index();
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

/// The error for rows too wide to be embeddings.
pub(crate) fn too_many_features(n_features: usize) -> Error {
    let what = format!("{n_features} features a row; at most {MAX_FEATURES} are read");
    Error::format(what).with_hint("is this a table of embeddings? one vector a row is expected: pool the vectors of tokens or patches, e.g. x.mean(axis=1)")
}

fn named(sketches: &[Sketch], name: &str, what: &str) -> Result<usize> {
    if let Some(column) = sketches.iter().position(|sketch| sketch.name == name) {
        return Ok(column);
    }
    let names = sketches.iter().map(|sketch| sketch.name.as_str());
    let error = Error::column(format!(
        "there is no {what} column \"{name}\"; the columns are {}",
        quoted(sketches.iter().map(|sketch| &sketch.name))
    ));
    Err(match nearest(name, names) {
        Some(meant) => error.with_hint(format!("did you mean \"{meant}\"?")),
        None => error,
    })
}

/// Names in quotes, separated by commas; the middle of a long list is left out.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
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
