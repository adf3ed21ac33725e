//! Restrictions on the feature columns: those of the training table, those asked for, and those dropped.

use super::{ColumnKind, ColumnSketch, Columns, Role, named, quoted};
use crate::{Error, ReadOptions, Result};
use glob::Pattern;

/// The columns that the options choose.
#[derive(Debug)]
pub(super) struct ColumnChoice {
    dropped: Vec<bool>,
    /// The columns of the training table's features, in their order; empty if there is no such table, or its features
    /// are in lists.
    known: Vec<usize>,
    /// For each column, whether it is requested as a feature, and whether by its exact name; empty if nothing is
    /// requested.
    asked: Vec<(bool, bool)>,
}

impl ColumnChoice {
    /// # Errors
    /// If a named column is missing, a pattern is invalid, or a feature of the training table is missing.
    pub(super) fn new(sketches: &[ColumnSketch], options: &ReadOptions) -> Result<ColumnChoice> {
        let mut dropped = vec![false; sketches.len()];
        let others = [(&options.group_column, "group"), (&options.weight_column, "weight")];
        for (name, what) in others {
            refuse_other_use(name, what, options)?;
        }
        let others = others.into_iter().filter_map(|(name, what)| Some((name.as_ref()?, what)));
        for (name, what) in options.drop.iter().map(|name| (name, "--drop")).chain(others) {
            let column = match sketches.iter().position(|sketch| sketch.name == *name) {
                // Other tables need not have the dropped columns of the training table.
                None if options.is_beside() => continue,
                None => named(sketches, name, what)?,
                Some(column) => column,
            };
            dropped[column] = true;
        }
        let known = known(sketches, options)?;
        let patterns = options.features.iter().map(NamePattern::new);
        let patterns = patterns.collect::<Result<Vec<NamePattern<'_>>>>()?;
        if !known.is_empty() {
            refuse_fewer_features(&patterns, options)?;
        }
        let mut asked = Vec::new();
        if !patterns.is_empty() && known.is_empty() {
            let of = |sketch: &ColumnSketch| {
                let is_name = patterns.iter().any(|one| *one.text == sketch.name);
                (patterns.iter().any(|one| one.names(&sketch.name)), is_name)
            };
            asked = sketches.iter().map(of).collect();
            let is_unused = |one: &&NamePattern<'_>| {
                !sketches.iter().any(|sketch| sketch.kind.is_number() && one.names(&sketch.name))
            };
            let unused: Vec<&String> = patterns.iter().filter(is_unused).map(|one| one.text).collect();
            let columns = || quoted(sketches.iter().map(|sketch| &sketch.name));
            if unused.len() == patterns.len() {
                return Err(Error::column(format!(
                    "no column of numbers is one of --features {}; the columns are {}",
                    options.features.join(","),
                    columns()
                )));
            }
            if !unused.is_empty() {
                let what = format!(
                    "no column of numbers is {} of --features; the columns are {}",
                    quoted(unused),
                    columns()
                );
                return Err(Error::column(what).with_hint("correct the name or the pattern, or leave it out"));
            }
        }
        Ok(ColumnChoice { dropped, known, asked })
    }

    pub(super) fn is_dropped(&self, column: usize) -> bool {
        self.dropped[column]
    }

    /// Whether the options choose the features by name.
    pub(super) fn is_by_name(&self) -> bool {
        !self.known.is_empty() || !self.asked.is_empty()
    }

    /// Assigns the training table's features, in its order.
    pub(super) fn assign_known(&self, columns: &mut Columns) {
        self.known.iter().for_each(|&column| columns.roles[column] = Role::Feature);
        let mut sorted = self.known.clone();
        sorted.sort_unstable();
        if sorted != self.known {
            columns.order =
                self.known.iter().map(|column| sorted.partition_point(|other| other < column)).collect();
        }
    }

    /// The role of a numeric column that is not the label.
    pub(super) fn role(&self, column: usize, sketch: &ColumnSketch) -> Role {
        let (is_asked, by_name) = self.asked.get(column).copied().unwrap_or((true, false));
        match () {
            () if sketch.is_index() && !by_name => Role::Index,
            () if is_asked && self.known.is_empty() => Role::Feature,
            () => Role::Other,
        }
    }

    /// The numeric columns that are not features of the training table.
    pub(super) fn unknown(&self, columns: &Columns, sketches: &[ColumnSketch]) -> Vec<usize> {
        let is = |&i: &usize| columns.roles[i] == Role::Other && sketches[i].kind.is_number();
        (0..sketches.len()).filter(|i| !self.known.is_empty() && is(i)).collect()
    }
}

/// Refuses names of features and of dropped columns for a file of arrays, whose columns have no names.
pub(crate) fn refuse_names(options: &ReadOptions) -> Result<()> {
    let lists = [("--features", &options.features), ("--drop", &options.drop)];
    match lists.into_iter().find(|(_, names)| !names.is_empty() && !options.is_beside()) {
        Some((flag, names)) => {
            let names = names.join(",");
            let what = format!("the columns of an array have no names, so {flag} {names} names none of them");
            Err(Error::column(what)
                .with_hint(format!("leave {flag} out, or save a table with named columns")))
        }
        None => Ok(()),
    }
}

/// Refuses a column of `what` (`group`) that is also the label or the embeddings.
fn refuse_other_use(column: &Option<String>, what: &str, options: &ReadOptions) -> Result<()> {
    let uses = [(&options.label_column, "label"), (&options.embeddings_column, "embeddings")];
    match (column, uses.into_iter().find(|(name, _)| *name == column)) {
        (Some(name), Some((_, other))) => {
            let error =
                format!("column \"{name}\" is named both as the {what} column and as the {other} column");
            let hint = format!("name another column with --{what}-column, or leave it out");
            Err(Error::column(error).with_hint(hint))
        }
        _ => Ok(()),
    }
}

/// Refuses to leave out features of the training table: what was fitted to them needs them all.
fn refuse_fewer_features(patterns: &[NamePattern<'_>], options: &ReadOptions) -> Result<()> {
    let is_asked = |name: &String| patterns.is_empty() || patterns.iter().any(|one| one.names(name));
    let dropped = options.feature_names.iter().find(|name| options.drop.contains(name));
    let left_out = options.feature_names.iter().find(|name| !is_asked(name));
    match dropped.map(|name| (name, "--drop")).or(left_out.map(|name| (name, "--features"))) {
        None => Ok(()),
        Some((name, flag)) => {
            let what = format!("{flag} leaves out column \"{name}\", a feature of the training table");
            Err(Error::column(what).with_hint(format!("leave {flag} out, or fit without the column")))
        }
    }
}

/// The columns of the training table's features.
fn known(sketches: &[ColumnSketch], options: &ReadOptions) -> Result<Vec<usize>> {
    let names = &options.feature_names;
    let has_lists = sketches.iter().any(|sketch| sketch.kind == ColumnKind::List);
    let places: std::collections::HashMap<&str, usize> =
        sketches.iter().enumerate().map(|(i, sketch)| (sketch.name.as_str(), i)).collect();
    let missing: Vec<&String> = names.iter().filter(|name| !places.contains_key(name.as_str())).collect();
    if options.embeddings_column.is_some() || has_lists && missing.len() == names.len() {
        return Ok(Vec::new());
    }
    if !missing.is_empty() {
        let (n, all) = (missing.len(), names.len());
        let what = match n {
            1 => format!("column {} is missing, a feature of the training table", quoted(missing)),
            _ => format!("{n} of the {all} features of the training table are missing: {}", quoted(missing)),
        };
        let hint = match sketches.iter().any(|sketch| sketch.name == "column_1") {
            true => "the table seems to have no header: add a first line with the names of its columns",
            false => {
                "features are matched by the names of their columns: add the columns, or fit without them"
            }
        };
        return Err(Error::column(what).with_hint(hint));
    }
    let columns: Vec<usize> = names.iter().filter_map(|name| places.get(name.as_str()).copied()).collect();
    if let Some(&column) = columns.iter().find(|&&column| !sketches[column].kind.is_number()) {
        let what = format!(
            "column \"{}\" holds no numbers; it is a feature of the training table",
            sketches[column].name
        );
        return Err(Error::column(what));
    }
    Ok(columns)
}

/// A name of a column, or a pattern of names.
struct NamePattern<'a> {
    text: &'a String,
    glob: Pattern,
}

impl<'a> NamePattern<'a> {
    /// # Errors
    /// If it is no valid pattern.
    fn new(text: &'a String) -> Result<NamePattern<'a>> {
        let glob = Pattern::new(text).map_err(|error| {
            Error::column(format!("--features {text} is not a valid pattern of column names: {error}"))
                .caused_by(error)
                .with_hint("e.g. --features 'emb_*'")
        })?;
        Ok(NamePattern { text, glob })
    }

    fn names(&self, column: &str) -> bool {
        self.text == column || self.glob.matches(column)
    }
}
