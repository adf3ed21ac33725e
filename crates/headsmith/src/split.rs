//! Validation rows taken from the training table, where there is no validation table: a stratified part, drawn by the seed.
//! Rows with the same features stay on one side, so that no row is its own neighbour across the split.
//!
//! Rows are joined to *units* that cannot be split. Each class in turn draws from its units, in an order that depends on
//! the seed and the class alone, until it has given its share; a unit counts for the class of most of its rows. So the
//! split is the same for any number of threads, and rows of one class do not move those of another.

use std::collections::HashMap;
use std::hash::Hash;

use headsmith_data::{Dataset, checks};
use headsmith_kernels::{Philox, Pool};
use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::FitData;
use crate::hold_back::part;
use crate::progress::Progress;

/// The share of the training rows that validates unless asked otherwise.
pub const VAL_SHARE: f64 = 0.2;

/// The stream of random numbers that units are drawn with.
const STREAM: u32 = 0x7370_6c74;

/// The classes that a warning names.
const N_NAMED: usize = 5;

/// How a training table was split into training and validation rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Split {
    /// The share of the rows that was asked for.
    pub share: f64,
    /// The rows that are left to train on.
    pub n_train: usize,
    /// The rows that validate.
    pub n_val: usize,
    /// The seed that they were drawn with.
    pub seed: u64,
}

/// Moves `share` of the training rows to the validation rows of `data`, and says so.
///
/// # Errors
/// When the share is none, or leaves training or validation without rows.
pub(crate) fn take(data: &mut FitData, share: f64, context: &mut Context<'_>) -> Result<()> {
    if !(0.0..1.0).contains(&share) {
        return Err(Error::usage(format!(
            "--val-share {share} is no share of the training rows: expected a number above 0 and below 1"
        )));
    }
    let units = units(&data.train, context.pool);
    let is_val = draw(&units, &data.train.y, share, context.seed);
    let rows = |of_val: bool| (0..is_val.len()).filter(|&row| is_val[row] == of_val).collect::<Vec<_>>();
    let (train, val) = (rows(false), rows(true));
    if val.is_empty() || train.is_empty() {
        return Err(Error::usage(format!(
            "{share} of {} training rows gives {} validation rows and leaves {} to train on: choose another --val-share, \
             or name a validation table with --val",
            is_val.len(),
            val.len(),
            train.len()
        )));
    }
    warn_of_classes_without(&data.train, &val, context);
    let split = Split { share, n_train: train.len(), n_val: val.len(), seed: context.seed };
    (data.train, data.val) = (part(&data.train, &train), Some(part(&data.train, &val)));
    data.places.keep(val);
    context.tell(&Progress::Split(&split));
    data.split = Some(split);
    Ok(())
}

/// The unit of each row: rows with the same features are of one unit.
fn units(rows: &Dataset, pool: &Pool) -> Vec<usize> {
    numbered(checks::row_hashes(rows.x.view(), pool))
}

/// Each key's number, from 0 in the order in which keys first occur.
fn numbered<K: Eq + Hash>(keys: impl IntoIterator<Item = K>) -> Vec<usize> {
    let mut number_of = HashMap::new();
    let number = |key| {
        let next = number_of.len();
        *number_of.entry(key).or_insert(next)
    };
    keys.into_iter().map(number).collect()
}

/// Whether each row is a validation row.
fn draw(units: &[usize], y: &[u32], share: f64, seed: u64) -> Vec<bool> {
    let n_classes = y.iter().max().map_or(0, |most| *most as usize + 1);
    let class_of = classes_of(units, y, n_classes);
    let mut size = vec![0; class_of.len()];
    units.iter().for_each(|&unit| size[unit] += 1);
    let mut of_class = vec![Vec::new(); n_classes];
    class_of.iter().enumerate().for_each(|(unit, &class)| of_class[class].push(unit));
    let mut is_val = vec![false; class_of.len()];
    for (class, mut own) in of_class.into_iter().enumerate() {
        let n_rows: usize = own.iter().map(|&unit| size[unit]).sum();
        let mut wanted = (n_rows as f64 * share).round() as usize;
        Philox::new(seed, class as u32, STREAM).sequence(0, 0).shuffle(&mut own);
        // One unit stays to train on, whatever the share.
        for &unit in own.iter().skip(1) {
            if size[unit] <= wanted {
                is_val[unit] = true;
                wanted -= size[unit];
            }
        }
    }
    units.iter().map(|&unit| is_val[unit]).collect()
}

/// The class of most of the rows of each unit; the first of those with as many.
fn classes_of(units: &[usize], y: &[u32], n_classes: usize) -> Vec<usize> {
    let n_units = units.iter().max().map_or(0, |most| most + 1);
    let mut counts: HashMap<(usize, u32), usize> = HashMap::new();
    units.iter().zip(y).for_each(|(&unit, &class)| *counts.entry((unit, class)).or_default() += 1);
    let mut best = vec![(0, n_classes); n_units];
    for ((unit, class), count) in counts {
        let (most, of) = best[unit];
        if count > most || count == most && (class as usize) < of {
            best[unit] = (count, class as usize);
        }
    }
    best.into_iter().map(|(_, class)| class).collect()
}

/// A class that is too small for the share is judged by no row.
fn warn_of_classes_without(rows: &Dataset, val: &[usize], context: &mut Context<'_>) {
    let mut n_val = vec![0usize; rows.classes.len()];
    val.iter().for_each(|&row| n_val[rows.y[row] as usize] += 1);
    let names = rows.classes.names();
    let without: Vec<&str> =
        names.iter().zip(&n_val).filter(|(_, n)| **n == 0).map(|(name, _)| name.as_str()).collect();
    if without.is_empty() {
        return;
    }
    let shown = without.iter().take(N_NAMED).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let more = if without.len() > N_NAMED { ", .." } else { "" };
    let (classes, have) = if without.len() == 1 { ("class", "has") } else { ("classes", "have") };
    context.warn(&format!(
        "{} {classes} {have} too few rows for the validation rows and {have} none there: {shown}{more}",
        without.len()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_gives_its_share_and_units_stay_together() {
        // Rows 2 k and 2 k + 1 are one unit in the first half, single rows in the second.
        let units: Vec<usize> = (0..2000).map(|row| if row < 1000 { row / 2 } else { row }).collect();
        let y: Vec<u32> = (0..2000).map(|row| u32::from(row % 10 < 2)).collect();
        let is_val = draw(&numbered(units.clone()), &y, 0.2, 7);
        let count = |class: u32| (0..2000).filter(|&row| is_val[row] && y[row] == class).count();
        assert_eq!([count(0), count(1)], [320, 80]);
        assert!((0..500).all(|unit| is_val[2 * unit] == is_val[2 * unit + 1]));
        assert_eq!(is_val, draw(&numbered(units.clone()), &y, 0.2, 7));
        assert_ne!(is_val, draw(&numbered(units.clone()), &y, 0.2, 8));
    }

    #[test]
    fn a_class_of_one_unit_stays_to_train_on() {
        let is_val = draw(&[0, 1, 2, 3, 4, 4, 4], &[0, 0, 0, 0, 1, 1, 1], 0.5, 1);
        assert_eq!(is_val[..4].iter().filter(|is| **is).count(), 2);
        assert!(!is_val[4..].contains(&true));
    }

    #[test]
    fn a_unit_counts_for_most_of_its_rows() {
        assert_eq!(classes_of(&[0, 0, 0, 1, 1], &[2, 1, 2, 1, 0], 3), [2, 0]);
    }
}
