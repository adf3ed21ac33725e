//! Chooses the label column, by name and by content.

use super::{ColumnKind, ColumnSketch, Columns, Role, is_one_of, lists_of_labels, named, quoted};
use crate::{Error, LabelSource, ReadOptions, Result};

const LABEL_NAMES: [&str; 5] = ["label", "labels", "class", "target", "y"];
/// Names of label columns that other columns have as well: the content must fit.
const WEAK_LABEL_NAMES: [&str; 20] = [
    "category",
    "sentiment",
    "score",
    "rating",
    "stars",
    "label_id",
    "class_id",
    "label_idx",
    "label_name",
    "class_name",
    "classes",
    "intent",
    "topic",
    "emotion",
    "genre",
    "species",
    "outcome",
    "diagnosis",
    "polarity",
    "targets",
];

/// Whether a column's name is that of a label.
pub(crate) fn is_label_name(name: &str) -> bool {
    is_one_of(name, &LABEL_NAMES)
}

/// Whether a column's name may be that of a label, if its content fits.
pub(crate) fn may_be_label_by_name(name: &str) -> bool {
    is_one_of(name, &WEAK_LABEL_NAMES)
}

/// Chooses the label column.
///
/// # Errors
/// If the named column is missing or holds no labels, or several columns have the name of a label.
pub(super) fn assign_label(
    columns: &mut Columns,
    sketches: &[ColumnSketch],
    options: &ReadOptions,
) -> Result<()> {
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
        if columns.roles[column] == Role::Feature {
            return Err(Error::column(format!(
                "column \"{name}\" is a feature of the training table, not its label"
            )));
        }
        if sketches[column].kind == ColumnKind::List && !options.placeholder_labels {
            return Err(lists_of_labels(name, &sketches[column].example));
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
            if !LABEL_NAMES.iter().any(|name| assign_one_hot(columns, sketches, name)) {
                refuse_lists(columns, sketches, &free)?;
                assign_by_kind(columns, sketches, &free, options.labels == LabelSource::Alone);
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

/// The columns of a file of labels: its only column is the label, or the one that would be the label beside features.
///
/// # Errors
/// If it is not clear which column is the label.
pub(super) fn alone(sketches: &[ColumnSketch], options: &ReadOptions) -> Result<Columns> {
    let names = sketches.iter().map(|sketch| sketch.name.clone()).collect();
    let mut columns = Columns::unused(names, options);
    let candidates: Vec<usize> = (0..sketches.len()).filter(|&i| !sketches[i].is_index()).collect();
    match (&options.label_column, &candidates[..]) {
        (None, &[column]) if sketches[column].kind == ColumnKind::List => {
            return Err(lists_of_labels(&sketches[column].name, &sketches[column].example));
        }
        (None, &[column]) if sketches[column].kind.may_be_label() => set_label(&mut columns, column),
        _ => assign_label(&mut columns, sketches, options)?,
    }
    if columns.label.is_none() {
        let what = format!("it is not clear which column holds the labels: {}", columns.no_label);
        return Err(Error::column(what).with_hint("say which with --label-column"));
    }
    Ok(columns)
}

/// Refuses a column of lists with the name of a label, if there is no other label.
fn refuse_lists(columns: &Columns, sketches: &[ColumnSketch], free: &[usize]) -> Result<()> {
    let is = |&&i: &&usize| is_label_name(&sketches[i].name) && sketches[i].kind == ColumnKind::List;
    match free.iter().find(is).filter(|_| !columns.placeholders) {
        Some(&column) => Err(lists_of_labels(&sketches[column].name, &sketches[column].example)),
        None => Ok(()),
    }
}

/// Uses the column with this name as the label, or the one-hot columns with this prefix, if they exist.
fn assign_hinted(columns: &mut Columns, sketches: &[ColumnSketch], name: &str) -> bool {
    let is = |i: &usize| sketches[*i].name == name && columns.roles[*i] == Role::Other;
    match (0..sketches.len()).find(is).filter(|&i| sketches[i].kind.may_be_label()) {
        Some(column) => {
            set_label(columns, column);
            true
        }
        None => assign_one_hot(columns, sketches, name),
    }
}

/// Uses the only column with the name and the content of a label, or else the only one with its content.
fn assign_by_kind(columns: &mut Columns, sketches: &[ColumnSketch], free: &[usize], alone: bool) {
    let free: Vec<usize> = match columns.placeholders {
        true => Vec::new(),
        false => free.iter().copied().filter(|&i| !sketches[i].is_index()).collect(),
    };
    let of = |is: &dyn Fn(&ColumnSketch) -> bool| -> Vec<usize> {
        free.iter().copied().filter(|&i| is(&sketches[i])).collect()
    };
    let few = |sketch: &ColumnSketch| {
        matches!(sketch.kind, ColumnKind::FewNumbers | ColumnKind::ZeroOne | ColumnKind::RepeatedText)
    };
    let named = of(&|sketch| may_be_label_by_name(&sketch.name) && few(sketch));
    let texts = of(&|sketch| sketch.kind == ColumnKind::RepeatedText);
    // Among feature columns, a column with few distinct numbers may be a feature.
    let no_features = columns.roles.contains(&Role::Embeddings) || alone;
    let numbers =
        of(&|sketch| no_features && matches!(sketch.kind, ColumnKind::FewNumbers | ColumnKind::ZeroOne));
    let mut others: Vec<usize> = named.iter().chain(&texts).chain(&numbers).copied().collect();
    others.sort_unstable();
    others.dedup();
    let chosen = match (&named[..], &texts[..], &numbers[..]) {
        ([column], ..) | ([], [column], _) | ([], [], [column]) => *column,
        _ => {
            columns.no_label = no_label(sketches, &others);
            return;
        }
    };
    set_label(columns, chosen);
    others.retain(|&other| other != chosen);
    if texts != [chosen] || !named.is_empty() || !others.is_empty() {
        columns.why_label = why(sketches, chosen, &others);
    }
}

/// Explains the choice, and lists the other candidates.
fn why(sketches: &[ColumnSketch], chosen: usize, others: &[usize]) -> String {
    let ColumnSketch { name, kind, .. } = &sketches[chosen];
    let holds = match kind {
        ColumnKind::RepeatedText => "text of few values",
        ColumnKind::ZeroOne => "few values",
        _ => "whole numbers of few values",
    };
    let others = match others {
        [] => String::new(),
        _ => format!("; it could also be {}", quoted(others.iter().map(|&i| &sketches[i].name))),
    };
    format!("column \"{name}\" is used as the label: it holds {holds}{others}; choose with --label-column")
}

fn set_label(columns: &mut Columns, column: usize) {
    columns.roles[column] = Role::Label;
    columns.label = Some(columns.names[column].clone());
}

fn no_label(sketches: &[ColumnSketch], candidates: &[usize]) -> String {
    if candidates.is_empty() {
        return format!("its columns are {}", quoted(sketches.iter().map(|sketch| &sketch.name)));
    }
    let names = quoted(candidates.iter().map(|&i| &sketches[i].name));
    format!("more than one column may be the label: {names}")
}

/// Names the column with the name of a label that the options use for something else; empty if there is none.
pub(super) fn other_use(options: &ReadOptions) -> String {
    let dropped = options.drop.iter().map(|name| (name, "left out by --drop"));
    let group = options.group_column.iter().map(|name| (name, "the group column"));
    let weight = options.weight_column.iter().map(|name| (name, "the weight column"));
    let mut used = dropped.chain(group).chain(weight).filter(|(name, _)| is_label_name(name));
    used.next()
        .map_or(String::new(), |(name, use_)| format!("; \"{name}\" is {use_}, so it is not the label"))
}

/// Whether a column's name may be that of a one-hot column, so that its content is worth examining.
pub(crate) fn may_be_one_hot(name: &str, options: &ReadOptions) -> bool {
    let asked = [&options.label_column, &options.label_hint].into_iter().flatten().map(String::as_str);
    let mut prefixes = LABEL_NAMES.iter().copied().chain(asked);
    prefixes.any(|prefix| class_after(name, prefix).is_some())
}

/// The class in the name of a one-hot column: the part after the prefix and an underscore.
fn class_after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let class = name.get(prefix.len()..)?.strip_prefix('_')?;
    name[..prefix.len()].eq_ignore_ascii_case(prefix).then_some(class)
}

/// Columns `label_a`, `label_b`, .. of zeros and ones are one-hot labels of the classes `a`, `b`, ..
fn assign_one_hot(columns: &mut Columns, sketches: &[ColumnSketch], prefix: &str) -> bool {
    let empty = if columns.placeholders { ColumnKind::Empty } else { ColumnKind::ZeroOne };
    let is = |sketch: &ColumnSketch| sketch.kind == ColumnKind::ZeroOne || sketch.kind == empty;
    let class =
        |sketch: &ColumnSketch| class_after(&sketch.name, prefix).filter(|_| is(sketch)).map(str::to_owned);
    let classes: Vec<(usize, String)> = sketches
        .iter()
        .enumerate()
        .filter(|(i, _)| columns.roles[*i] == Role::Other)
        .filter_map(|(i, sketch)| Some((i, class(sketch)?)))
        .collect();
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
