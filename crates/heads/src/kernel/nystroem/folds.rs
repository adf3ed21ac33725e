//! The folds of a fit on landmarks.

use super::{CHUNK, N_FOLDS};

/// The fold of each row: rows of one unit in one fold, and about as many of each class in each.
pub(super) fn dealt(target: &[usize], units: Option<&[u32]>) -> Vec<u32> {
    // The rows of the only unit are dealt one by one: without all of them there is no fit.
    let units = units.filter(|units| units.iter().any(|unit| *unit != units[0]));
    let unit = |i: usize| units.map_or(i, |units| units[i] as usize);
    let n_units = (0..target.len()).map(unit).max().map_or(0, |most| most + 1);
    let mut class_of = vec![usize::MAX; n_units];
    target.iter().enumerate().for_each(|(i, &class)| class_of[unit(i)] = class_of[unit(i)].min(class));
    let mut order: Vec<usize> = (0..n_units).collect();
    order.sort_by_key(|&unit| class_of[unit]);
    let mut fold_of = vec![0; n_units];
    order.into_iter().enumerate().for_each(|(at, unit)| fold_of[unit] = (at % N_FOLDS) as u32);
    (0..target.len()).map(|i| fold_of[unit(i)]).collect()
}

/// The rows of the folds in turn, some at a time.
pub(super) fn chunks(fold_of: &[u32]) -> Vec<Vec<usize>> {
    let of_fold =
        |fold: usize| -> Vec<usize> { (0..fold_of.len()).filter(|&i| fold_of[i] as usize == fold).collect() };
    (0..N_FOLDS)
        .flat_map(|fold| of_fold(fold).chunks(CHUNK).map(<[usize]>::to_vec).collect::<Vec<_>>())
        .collect()
}
