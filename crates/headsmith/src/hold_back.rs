//! A part of the validation rows that is used for no choice: no trial, epoch, pruning or head sees it, so the score on
//! it needs no correction. `docs/guide/honest-numbers.md` explains when it is worth its rows.

use headsmith_kernels::{Philox, Pool};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit_data::{FitData, part};
use crate::judge;
use crate::report::HeldBack;
use crate::split::{self, units};
use headsmith_model::Model;

/// The stream of random numbers for drawing the rows.
const STREAM: u32 = 0x686f_6c64;

/// The held-back rows, in ascending order: the same share of each class, rounded, but never all. They depend only on
/// the labels, the share and the seed.
pub fn rows(y: &[u32], share: f64, seed: u64) -> Vec<usize> {
    let mut of_class = vec![Vec::new(); split::n_classes(y)];
    for (row, &class) in y.iter().enumerate() {
        of_class[class as usize].push(row);
    }
    let mut held = Vec::new();
    for (mut own, class) in of_class.into_iter().zip(0..) {
        let n = ((own.len() as f64 * share).round() as usize).min(own.len().saturating_sub(1));
        Philox::new(seed, class, STREAM).sequence(0, 0).shuffle(&mut own);
        held.extend_from_slice(&own[..n]);
    }
    held.sort_unstable();
    held
}

/// Moves `share` of the validation rows from `data.val` to `data.held_back`. Rows of one group, and rows with equal features, stay together.
///
/// # Errors
/// If there are no validation rows, the share is invalid, or amounts to no row.
pub fn take(data: &mut FitData, share: f64, seed: u64, pool: &Pool) -> Result<()> {
    if share == 0.0 {
        return Ok(());
    }
    if !(0.0..1.0).contains(&share) {
        return Err(Error::usage(format!(
            "{share} is not a valid share to hold back: expected at least 0 and less than 1"
        )));
    }
    let val = data
        .val
        .as_ref()
        .ok_or_else(|| Error::usage("there are no validation rows to hold back a part of"))?;
    let units = units::of_rows(val, pool);
    let held = match units::count(&units) == val.y.len() {
        true => rows(&val.y, share, seed),
        false => {
            let is_held = split::draw(&units, &val.y, share, seed, true);
            (0..is_held.len()).filter(|&row| is_held[row]).collect()
        }
    };
    if held.is_empty() {
        return Err(Error::usage(format!(
            "{share} of {} validation rows is less than one row of any class: hold back more, or nothing",
            val.y.len()
        )));
    }
    let is_shown = |row: &usize| held.binary_search(row).is_err();
    let shown: Vec<usize> = (0..val.y.len()).filter(is_shown).collect();
    let cache = data.cache.as_deref();
    let parts = (part(val, &shown, cache)?, part(val, &held, cache)?);
    (data.val, data.held_back) = (Some(parts.0), Some((share, parts.1)));
    data.places.keep(shown);
    Ok(())
}

/// Evaluates the selected model on the held-back rows, if there are any.
///
/// # Errors
/// If it cannot predict them.
pub(crate) fn judge(model: &Model, data: &FitData, context: &Context<'_>) -> Result<Option<HeldBack>> {
    let Some((share, rows)) = &data.held_back else { return Ok(None) };
    let judged = judge::judge(model, rows, Vec::new(), context)?;
    Ok(Some(HeldBack { share: *share, judgement: judged.judgement }))
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn each_class_gives_its_share_and_keeps_a_row() {
        let y: Vec<u32> = (0..1000u32).map(|i| if i == 7 { 3 } else { u32::from(i % 10 < 3) }).collect();
        let held = rows(&y, 0.2, 1);
        let count = |class: u32| held.iter().filter(|&&row| y[row] == class).count();
        assert_eq!([count(0), count(1), count(2), count(3)], [140, 60, 0, 0]);
        assert!(held.is_sorted());
        assert_eq!(held, rows(&y, 0.2, 1));
        assert_ne!(held, rows(&y, 0.2, 2));
        // One of two rows of a class is kept, whatever the share.
        assert_eq!(rows(&[0, 0, 1], 0.9, 1).len(), 1);
    }
}
