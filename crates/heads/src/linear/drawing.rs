//! The rows that choose a strength: their folds, and a part of many rows.

use std::collections::{BTreeMap, BTreeSet};

use headsmith_kernels::{Matrix, Philox};

use super::lockstep::NO_FOLD;
use super::targets::Targets;
use crate::error::Result;
use crate::samples::Samples;

/// The streams of random numbers.
const FOLDS: u32 = 0x666f_6c64;
const PART: u32 = 0x7061_7274;
/// The most rows that choose.
pub(super) const MOST_ROWS: usize = 20_000;
/// The most values of them, but for this many rows.
const MOST_VALUES: usize = 1 << 27;
const FEW_ROWS: usize = 2_000;

/// A stratified part of the rows.
pub(super) struct Part {
    x: Matrix,
    y: Vec<u32>,
    weights: Option<Vec<f32>>,
    units: Option<Vec<u32>>,
    n_classes: usize,
}

/// The number of rows that choose, of `n_samples`.
pub(super) fn n_choosing(n_samples: usize, n_features: usize) -> usize {
    n_samples.min((MOST_VALUES / n_features.max(1)).clamp(FEW_ROWS, MOST_ROWS))
}

impl Part {
    /// Draws about `n` rows, of each class its share, and at least two where it has them.
    pub(super) fn draw(samples: Samples<'_>, targets: &Targets, n: usize, seed: u64) -> Part {
        let mut chosen = Vec::new();
        let classes = shuffled(samples, targets, seed, PART);
        let total: usize = classes.iter().map(Vec::len).sum();
        for rows in classes {
            let share = (rows.len() as f64 * n as f64 / total as f64).round() as usize;
            chosen.extend(&rows[..share.max(2).min(rows.len())]);
        }
        chosen.sort_unstable();
        let mut x = Matrix::zeros(chosen.len(), samples.n_features());
        samples.copy_rows(chosen.iter().copied(), x.as_mut_slice());
        Part {
            x,
            y: chosen.iter().map(|&i| samples.y()[i]).collect(),
            weights: samples.weights().map(|weights| chosen.iter().map(|&i| weights[i]).collect()),
            units: samples.units().map(|units| chosen.iter().map(|&i| units[i]).collect()),
            n_classes: samples.n_classes(),
        }
    }

    /// Its rows.
    ///
    /// # Errors
    /// Never: they were rows before.
    pub(super) fn samples(&self) -> Result<Samples<'_>> {
        let samples = Samples::new(self.x.view(), &self.y, self.n_classes)?;
        let samples = match &self.weights {
            Some(weights) => samples.weighted(weights)?,
            None => samples,
        };
        match &self.units {
            Some(units) => samples.in_units(units),
            None => Ok(samples),
        }
    }
}

/// The rows of each class that weigh anything, in random order; without the classes that have none.
fn shuffled(samples: Samples<'_>, targets: &Targets, seed: u64, stream: u32) -> Vec<Vec<usize>> {
    let mut classes = vec![Vec::new(); samples.n_classes()];
    for i in 0..samples.n_samples() {
        if targets.of(samples, i).weight > 0.0 {
            classes[samples.y()[i] as usize].push(i);
        }
    }
    classes.retain(|rows| !rows.is_empty());
    for (class, rows) in classes.iter_mut().enumerate() {
        Philox::new(seed, class as u32, stream).sequence(0, 0).shuffle(rows);
    }
    classes
}

/// The fold of each row, and how many folds there are: at most `n_folds`, and not more than units of the largest class; 0 where no class has two
/// units. Each class is spread over the folds, and the rows of a unit are of one fold. The only unit of a class is of no fold: without it the class could not be
/// learnt.
pub(super) fn folds(samples: Samples<'_>, targets: &Targets, n_folds: usize, seed: u64) -> (Vec<u32>, usize) {
    let classes = shuffled(samples, targets, seed, FOLDS);
    let unit = |i: usize| samples.units().map_or(i as u32, |units| units[i]);
    let own_units = |rows: &Vec<usize>| rows.iter().map(|&i| unit(i)).collect::<BTreeSet<u32>>();
    let units: Vec<BTreeSet<u32>> = classes.iter().map(own_units).collect();
    let n_folds = n_folds.min(units.iter().map(BTreeSet::len).max().unwrap_or(0));
    let mut fold_of = vec![NO_FOLD; samples.n_samples()];
    if n_folds < 2 {
        return (fold_of, 0);
    }
    let needed = units.iter().filter(|own| own.len() == 1).flatten();
    let mut fold_of_unit: BTreeMap<u32, u32> = needed.map(|unit| (*unit, NO_FOLD)).collect();
    let mut n_dealt = 0;
    for &i in classes.iter().flatten() {
        fold_of[i] = *fold_of_unit.entry(unit(i)).or_insert_with(|| {
            n_dealt += 1;
            ((n_dealt - 1) % n_folds) as u32
        });
    }
    (fold_of, n_folds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::TABLE;
    use headsmith_kernels::MatRef;

    #[test]
    fn folds_are_stratified_and_single_rows_are_held_out_of_none() {
        let y: Vec<u32> = (0..101).map(|i| if i == 100 { 3 } else { [0, 0, 0, 1, 2][i % 5] }).collect();
        let x = vec![0.0; 101];
        let samples = Samples::new(MatRef::new(&x, 101, 1), &y, 5).unwrap();
        let targets = Targets::new(samples, &TABLE.defaults()).unwrap();
        let (fold_of, n_folds) = folds(samples, &targets, 5, 1);
        assert_eq!((n_folds, fold_of[100]), (5, NO_FOLD));
        for (class, n) in [(0, 12), (1, 4), (2, 4)] {
            let count = |fold| (0..100).filter(|&i| y[i] == class && fold_of[i] == fold).count();
            assert!((0..5).all(|fold| count(fold) == n));
        }
        assert_ne!(fold_of, folds(samples, &targets, 5, 2).0);
        assert_eq!(folds(samples, &targets, 50, 1).1, 50);
        let part = Part::draw(samples, &targets, 20, 1);
        let part = part.samples().unwrap();
        let count = |class| part.y().iter().filter(|c| **c == class).count();
        assert_eq!([0, 1, 2, 3, 4].map(count), [12, 4, 4, 1, 0]);
        let single = Samples::new(MatRef::new(&x[..3], 3, 1), &[0, 1, 2], 3).unwrap();
        let targets = Targets::new(single, &TABLE.defaults()).unwrap();
        assert_eq!(folds(single, &targets, 5, 1).1, 0);
    }

    #[test]
    fn rows_of_a_unit_are_of_one_fold() {
        let y: Vec<u32> = (0..120).map(|i| if i < 2 { 2 } else { (i % 2) as u32 }).collect();
        let x = vec![0.0; 120];
        let samples = Samples::new(MatRef::new(&x, 120, 1), &y, 3).unwrap();
        let targets = Targets::new(samples, &TABLE.defaults()).unwrap();
        // Rows that are units of their own are dealt as rows.
        let single: Vec<u32> = (0..120).rev().collect();
        let alone = folds(samples.in_units(&single).unwrap(), &targets, 4, 1);
        assert_eq!(alone, folds(samples, &targets, 4, 1));
        // Of three rows each; those of the third class are in one unit.
        let units: Vec<u32> = (0..120).map(|i| i / 3).collect();
        let (fold_of, n_folds) = folds(samples.in_units(&units).unwrap(), &targets, 4, 1);
        assert_eq!(n_folds, 4);
        assert!(fold_of.chunks(3).all(|own| own.iter().all(|fold| *fold == own[0])));
        assert_eq!(fold_of[..3], [NO_FOLD; 3]);
        for fold in 0..4 {
            let n = fold_of.iter().filter(|own| **own == fold).count();
            assert!((24..=33).contains(&n), "{n}");
        }
        // Two groups make two folds.
        let units: Vec<u32> = (0..120).map(|i| i / 60).collect();
        let classes: Vec<u32> = (0..120).map(|i| i % 2).collect();
        let samples = Samples::new(MatRef::new(&x, 120, 1), &classes, 2).unwrap();
        assert_eq!(folds(samples.in_units(&units).unwrap(), &targets, 4, 1).1, 2);
    }
}
