//! Splits validation rows off the training table if there is no validation table: a stratified part, drawn by the
//! seed. Rows with the same features stay on one side, so that no row has a duplicate across the split; so do rows of
//! one group, if there is a group column.
//!
//! Rows are joined to *units* that cannot be split (`units.rs`). Without groups, most units are single rows: each
//! class in turn draws from its units, in an order that depends only on the seed and the class, until it has its
//! share; a unit counts for the class of most of its rows. So the rows of one class do not affect those of another.
//! Groups are large and have several classes, so they are distributed to both sides one by one (`deal.rs`). Both
//! methods give the same split for any number of threads.

mod deal;
pub(crate) mod units;

pub(crate) use deal::deal;

use std::collections::{HashMap, HashSet};

use headsmith_data::{Classes, Dataset, Groups};
use headsmith_kernels::Philox;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit_data::{FitData, part};
use crate::progress::Progress;
use crate::report::{Split, SplitGroups};

/// The default share of validation rows.
pub const VAL_SHARE: f64 = 0.2;

/// The stream of random numbers for drawing units.
const STREAM: u32 = 0x7370_6c74;

/// The maximum number of classes named in a warning or an error.
const N_NAMED: usize = 5;

impl FitData {
    /// The same with `share` of the training rows as validation rows: stratified, drawn by the seed, rows with equal features, or of one unit of
    /// [`units`](Dataset::units), on one side.
    ///
    /// # Errors
    /// When the share leaves one side without rows.
    pub fn split(mut self, share: f64, context: &mut Context<'_>) -> Result<FitData> {
        split_units(&mut self, share, None, context)?;
        Ok(self)
    }
}

/// Moves `share` of the training rows to the validation rows of `data`, and reports it. Rows of one group of `groups`
/// stay together.
///
/// # Errors
/// If the share is invalid, or leaves no training or no validation rows; if all rows, or all rows of a class, are in
/// one group.
pub(crate) fn split_off(
    data: &mut FitData,
    share: f64,
    groups: Option<&Groups>,
    context: &mut Context<'_>,
) -> Result<()> {
    if let (Some(groups), Some(units)) = (groups, units::of_column(&data.train)) {
        refuse_too_few(&data.train.classes, &data.train.y, &units, groups)?;
    }
    split_units(data, share, groups, context)?;
    if let Some(split) = &data.split {
        context.emit(&Progress::Split(split));
    }
    Ok(())
}

/// The same without a report: rows of one unit together, or with equal features.
fn split_units(
    data: &mut FitData,
    share: f64,
    groups: Option<&Groups>,
    context: &mut Context<'_>,
) -> Result<()> {
    if !(0.0..1.0).contains(&share) {
        return Err(no_share(share));
    }
    let (units, is_grouped) = (units::of_rows(&data.train, context.pool), data.train.units.is_some());
    let is_val = draw(&units, &data.train.y, share, context.seed, is_grouped);
    let rows = |of_val: bool| (0..is_val.len()).filter(|&row| is_val[row] == of_val).collect::<Vec<_>>();
    let (train, val) = (rows(false), rows(true));
    if val.is_empty() || train.is_empty() {
        return Err(no_rows(share, is_val.len(), val.len()));
    }
    warn_of_classes_without(&data.train, &val, if is_grouped { "groups" } else { "rows" }, context);
    let groups = groups.map(|groups| split_groups(groups, &val));
    let split = Split { share, n_train: train.len(), n_val: val.len(), seed: context.seed, groups };
    let cache = data.cache.as_deref();
    (data.train, data.val) = (part(&data.train, &train, cache)?, Some(part(&data.train, &val, cache)?));
    data.places.keep(val);
    data.split = Some(split);
    Ok(())
}

/// The error for an invalid share.
pub(crate) fn no_share(share: f64) -> Error {
    Error::usage(format!(
        "--val-share {share} is not a valid share of the training rows: expected a number above 0 and below 1"
    ))
}

/// The error for a share that leaves one side without rows.
pub(crate) fn no_rows(share: f64, n_rows: usize, n_val: usize) -> Error {
    Error::usage(format!(
        "{share} of {n_rows} training rows gives {n_val} validation rows and leaves {} to train on (a class keeps a row to train on, and equal rows stay together): choose \
         another --val-share, add rows, or name a validation table with --val",
        n_rows - n_val
    ))
}

/// The groups, and how many of them have rows in `val`.
fn split_groups(groups: &Groups, val: &[usize]) -> SplitGroups {
    let of_val: HashSet<u32> = val.iter().map(|&row| groups.codes()[row]).collect();
    SplitGroups { column: groups.column().to_owned(), n_groups: groups.names().len(), n_val: of_val.len() }
}

/// Whether each row is a validation row: `share` of the rows of each class, with no unit on both sides. `grouped`
/// tells whether units are groups.
pub(crate) fn draw(units: &[u32], y: &[u32], share: f64, seed: u64, grouped: bool) -> Vec<bool> {
    if !grouped {
        return draw_by_class(units, y, share, seed);
    }
    let parts = deal(units, y, &[1.0 - share, share], seed);
    let mut is_val: Vec<bool> = parts.into_iter().map(|part| part == 1).collect();
    leave_each_class(&mut is_val, units, y);
    is_val
}

/// Moves the smallest unit of each class without training rows back to training.
fn leave_each_class(is_val: &mut [bool], units: &[u32], y: &[u32]) {
    let size = units::sizes(units);
    let mut has_rows = vec![false; n_classes(y)];
    let train = (0..y.len()).filter(|&row| !is_val[row]);
    train.for_each(|row| has_rows[y[row] as usize] = true);
    for class in (0..).zip(has_rows).filter_map(|(class, has_rows)| (!has_rows).then_some(class)) {
        let of_class = || (0..y.len()).filter(|&row| y[row] == class);
        // A unit moved for another class may already have brought some back.
        if of_class().any(|row| !is_val[row]) {
            continue;
        }
        if let Some(unit) = of_class().map(|row| units[row]).min_by_key(|&unit| (size[unit as usize], unit)) {
            (0..y.len()).filter(|&row| units[row] == unit).for_each(|row| is_val[row] = false);
        }
    }
}

/// The number of classes, up to the last one that occurs.
pub(crate) fn n_classes(y: &[u32]) -> usize {
    y.iter().max().map_or(0, |most| *most as usize + 1)
}

fn draw_by_class(units: &[u32], y: &[u32], share: f64, seed: u64) -> Vec<bool> {
    let n_classes = n_classes(y);
    let (class_of, size) = (classes_of(units, y, n_classes), units::sizes(units));
    let mut of_class = vec![Vec::new(); n_classes];
    class_of.iter().enumerate().for_each(|(unit, &class)| of_class[class].push(unit));
    let mut is_val = vec![false; class_of.len()];
    for (class, mut own) in of_class.into_iter().enumerate() {
        let n_rows: usize = own.iter().map(|&unit| size[unit]).sum();
        let mut wanted = (n_rows as f64 * share).round() as usize;
        Philox::new(seed, class as u32, STREAM).sequence(0, 0).shuffle(&mut own);
        // One unit is kept for training, whatever the share.
        for &unit in own.iter().skip(1) {
            if size[unit] <= wanted {
                is_val[unit] = true;
                wanted -= size[unit];
            }
        }
    }
    units.iter().map(|&unit| is_val[unit as usize]).collect()
}

/// The most frequent class of each unit; the first of equally frequent ones.
fn classes_of(units: &[u32], y: &[u32], n_classes: usize) -> Vec<usize> {
    let mut counts: HashMap<(u32, u32), usize> = HashMap::new();
    units.iter().zip(y).for_each(|(&unit, &class)| *counts.entry((unit, class)).or_default() += 1);
    let mut best = vec![(0, n_classes); units::count(units)];
    for ((unit, class), count) in counts {
        let best = &mut best[unit as usize];
        if count > best.0 || count == best.0 && (class as usize) < best.1 {
            *best = (count, class as usize);
        }
    }
    best.into_iter().map(|(_, class)| class).collect()
}

/// Refuses groups that cannot be split: a single one, or if all rows of a class are in one group.
pub(crate) fn refuse_too_few(classes: &Classes, y: &[u32], units: &[u32], groups: &Groups) -> Result<()> {
    let (column, n_groups) = (groups.column(), groups.names().len());
    let hint = "leave --group-column out, or name a validation table with --val";
    if units::count(units) < 2 {
        return Err(Error::data(match groups.names() {
            [only] => format!("all rows are of one group, \"{only}\" in column \"{column}\": {hint}"),
            _ => format!(
                "the {n_groups} groups of column \"{column}\" cannot be split: rows with the same features join them all; \
                 remove the duplicate rows, {hint}"
            ),
        }));
    }
    let mut unit_of: Vec<Option<u32>> = vec![None; classes.len()];
    let mut first_row = vec![0; classes.len()];
    let mut is_alone = vec![false; classes.len()];
    for (row, (&unit, &class)) in units.iter().zip(y).enumerate() {
        let class = class as usize;
        match unit_of[class] {
            None => (unit_of[class], first_row[class], is_alone[class]) = (Some(unit), row, true),
            Some(other) => is_alone[class] &= other == unit,
        }
    }
    let alone: Vec<usize> = (0..is_alone.len()).filter(|&class| is_alone[class]).collect();
    if alone.is_empty() {
        return Ok(());
    }
    let named = alone.iter().take(N_NAMED).map(|&class| {
        let group = groups.codes()[first_row[class]] as usize;
        format!("class \"{}\" in \"{}\"", classes.names()[class], groups.names()[group])
    });
    let more = if alone.len() > N_NAMED { ", .." } else { "" };
    Err(Error::data(format!(
        "too few groups in column \"{column}\": {} of {} classes {} in one group alone, and cannot be both trained on and \
         validated: {}{more}; leave the rows of such classes out, {hint}",
        alone.len(),
        classes.len(),
        if alone.len() == 1 { "is" } else { "are" },
        named.collect::<Vec<_>>().join(", ")
    )))
}

/// Warns of classes that are too small for the share and have no validation row.
fn warn_of_classes_without(rows: &Dataset, val: &[usize], of_what: &str, context: &mut Context<'_>) {
    let mut n_val = vec![0usize; rows.classes.len()];
    val.iter().for_each(|&row| n_val[rows.y[row] as usize] += 1);
    let names = rows.classes.names();
    let without: Vec<&str> =
        names.iter().zip(&n_val).filter(|(_, n)| **n == 0).map(|(name, _)| name.as_str()).collect();
    if without.is_empty() {
        return;
    }
    let (classes, have) = if without.len() == 1 { ("class", "has") } else { ("classes", "have") };
    context.warn(&format!(
        "{} {classes} {have} too few {of_what} for the validation rows and {have} none there: {}",
        without.len(),
        named(&without)
    ));
}

/// The first names in quotes.
pub(crate) fn named(names: &[&str]) -> String {
    let shown = names.iter().take(N_NAMED).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    shown + if names.len() > N_NAMED { ", .." } else { "" }
}

#[cfg(test)]
mod tests {
    use super::units::numbered;
    use super::*;

    #[test]
    fn each_class_gives_its_share_and_units_stay_together() {
        // Rows 2 k and 2 k + 1 are one unit in the first half, single rows in the second.
        let units: Vec<u32> = (0..2000).map(|row| if row < 1000 { row / 2 } else { row }).collect();
        let y: Vec<u32> = (0..2000).map(|row| u32::from(row % 10 < 2)).collect();
        let is_val = draw(&numbered(units.clone()), &y, 0.2, 7, false);
        let count = |class: u32| (0..2000).filter(|&row| is_val[row] && y[row] == class).count();
        assert_eq!([count(0), count(1)], [320, 80]);
        assert!((0..500).all(|unit| is_val[2 * unit] == is_val[2 * unit + 1]));
        assert_eq!(is_val, draw(&numbered(units.clone()), &y, 0.2, 7, false));
        assert_ne!(is_val, draw(&numbered(units.clone()), &y, 0.2, 8, false));
    }

    #[test]
    fn a_class_of_one_unit_stays_to_train_on() {
        let is_val = draw(&[0, 1, 2, 3, 4, 4, 4], &[0, 0, 0, 0, 1, 1, 1], 0.5, 1, false);
        assert_eq!(is_val[..4].iter().filter(|is| **is).count(), 2);
        assert!(!is_val[4..].contains(&true));
    }

    #[test]
    fn a_unit_counts_for_its_most_frequent_class() {
        assert_eq!(classes_of(&[0, 0, 0, 1, 1], &[2, 1, 2, 1, 0], 3), [2, 0]);
    }

    #[test]
    fn groups_stay_on_one_side_and_each_class_has_rows_to_train_on() {
        let units: Vec<u32> = (0..60).map(|row| row / 5).collect();
        // Class 1 is only in the units 0 and 1.
        let y: Vec<u32> = (0..60).map(|row| u32::from(row < 10)).collect();
        for (share, seed) in (1..20).map(|i| (f64::from(i) / 20.0, i as u64)) {
            let is_val = draw(&units, &y, share, seed, true);
            assert!((0..60).all(|row| is_val[row] == is_val[row / 5 * 5]), "{share}");
            assert!((0..10).any(|row| !is_val[row]) && (10..60).any(|row| !is_val[row]), "{share}");
        }
    }
}
