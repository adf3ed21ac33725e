//! Decision values of rows by fits without them, for the calibration.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::machine::pairs;
use super::rows::Rows;
use super::solve::solve;
use super::solver::Solution;
use super::source::{RBF, Source};
use crate::calibration::{N_FOLDS, groups};
use crate::head::Folds;
use crate::kernel_function::support::{BLOCK, Support};

/// Problems whose solutions are kept at once, unless a fold has more.
const MOST_PROBLEMS: usize = 1 << 12;

/// The scores of all rows, `n x classes`, each by the fit without the rows of its fold. `source` is the kernel of the rows
/// times the square root of gamma.
pub(super) fn scores(rows: &Rows, source: &Source, (c, tol): (f64, f64), pool: &Pool) -> Vec<f64> {
    let (x, n_classes) = (&source.x, rows.classes.len());
    let fold_of = groups(rows.target.iter().copied(), n_classes, Folds::Of(&rows.units));
    let bounds: Vec<f64> = rows.weights.iter().map(|weight| c * weight).collect();
    let n_pairs = n_classes * (n_classes - 1) / 2;
    let at_once = (MOST_PROBLEMS / n_pairs.max(1)).clamp(1, N_FOLDS);
    let mut scores = vec![0.0; rows.n() * n_classes];
    // Where classes have few rows, some folds are empty.
    let folds: Vec<usize> = (0..N_FOLDS).filter(|fold| fold_of.contains(fold)).collect();
    for folds in folds.chunks(at_once) {
        let sets: Vec<Vec<Vec<u32>>> =
            folds.iter().map(|&fold| rows.of_classes(|row| fold_of[row] != fold)).collect();
        let solutions = solve(source, &sets, (&bounds, tol), pool);
        for (at, &fold) in folds.iter().enumerate() {
            let of_fold = &solutions[at * n_pairs..(at + 1) * n_pairs];
            let left_out: Vec<usize> = (0..rows.n()).filter(|&row| fold_of[row] == fold).collect();
            let out = x.view().gather(&left_out);
            let of_fold = Scorer::new(rows, x, of_fold, pool).scores(out.view(), pool);
            for (&row, of_row) in left_out.iter().zip(of_fold.chunks_exact(n_classes)) {
                scores[row * n_classes..(row + 1) * n_classes].copy_from_slice(of_row);
            }
        }
    }
    scores
}

/// The scores of a fit: the mean of the decision values of a class's pairs is one sum over all support vectors, whatever the number of pairs.
struct Scorer {
    support: Support,
    intercept: Vec<f64>,
}

impl Scorer {
    /// Of the solutions of all pairs of classes of `rows`, whose scaled features are `x`.
    fn new(rows: &Rows, x: &Matrix, solutions: &[Solution], pool: &Pool) -> Scorer {
        let n = rows.classes.len();
        let share = 1.0 / (n - 1).max(1) as f64;
        let mut places = vec![None; rows.n()];
        let mut vectors: Vec<usize> = Vec::new();
        for (row, _) in solutions.iter().flat_map(|solution| &solution.support) {
            if places[*row as usize].is_none() {
                places[*row as usize] = Some(vectors.len());
                vectors.push(*row as usize);
            }
        }
        let (mut coefficients, mut intercept) = (vec![0.0f32; vectors.len() * n], vec![0.0; n]);
        for ((i, j), solution) in pairs(n).zip(solutions) {
            intercept[i] += share * solution.intercept;
            intercept[j] -= share * solution.intercept;
            for &(row, beta) in &solution.support {
                if let Some(place) = places[row as usize] {
                    let of_row = &mut coefficients[place * n..(place + 1) * n];
                    of_row[i] += (share * beta) as f32;
                    of_row[j] -= (share * beta) as f32;
                }
            }
        }
        let coefficients = MatRef::new(&coefficients, vectors.len(), n);
        let support = Support::new(x.view().gather(&vectors).view(), coefficients, pool);
        Scorer { support, intercept }
    }

    /// The scores of the rows of `x`, which are scaled, row after row.
    fn scores(&self, x: MatRef<'_>, pool: &Pool) -> Vec<f64> {
        let blocks = pool.map(x.n_rows().div_ceil(BLOCK), |block| {
            let rows = x.rows(block * BLOCK, x.n_rows().min((block + 1) * BLOCK));
            let mut scores = self.intercept.repeat(rows.n_rows());
            self.support.add(RBF, rows, &mut scores);
            scores
        });
        blocks.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::Svm;
    use super::super::params::TABLE;
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn scores_are_means_of_decision_values() {
        let x: Vec<f32> = (0..180).map(|i| (i * i % 37) as f32 / 10.0).collect();
        let y: Vec<u32> = (0..60).map(|i| i * i % 7 % 4).collect();
        let samples = Samples::new(MatRef::new(&x, 60, 3), &y, 4).unwrap();
        let (pool, params) = (Pool::inline(), TABLE.defaults());
        let rows = Rows::new(samples, &params, &pool).unwrap();
        let gamma = rows.gamma(&params);
        let source = Source::new(rows.scaled(gamma, &pool).unwrap(), u64::MAX, &pool);
        let solutions = solve(&source, &[rows.of_classes(|_| true)], (&vec![1.0; 60], 1e-4), &pool);
        let svm = Svm::new(&rows, source.x.view(), &solutions, (1.0, gamma), &pool);
        let expected = svm.decide(samples.x(), false, &pool).scores;
        let shifted = {
            let mut x = samples.x().to_matrix();
            super::super::rows::shift(x.as_mut_slice(), &rows.mean, gamma.sqrt());
            x
        };
        let scores = Scorer::new(&rows, &source.x, &solutions, &pool).scores(shifted.view(), &pool);
        assert_eq!(scores.len(), expected.len());
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-5, "{score}, {expected}");
        }
    }
}
