//! Decision values of rows by fits without them, for the calibration.

use headsmith_kernels::{Matrix, Pool};

use super::machine::Svm;
use super::rows::Rows;
use super::solve::solve;
use super::source::Source;
use crate::calibration::{N_FOLDS, groups};
use crate::head::Folds;

/// Problems whose solutions are kept at once, unless a fold has more.
const MOST_PROBLEMS: usize = 1 << 12;

/// The scores of all rows, `n x classes`, each by the fit of C and gamma without the rows of its fold. `source` is the kernel of the rows
/// times the square root of gamma.
pub(super) fn scores(
    rows: &Rows,
    source: &Source,
    (c, gamma, tol): (f64, f64, f64),
    pool: &Pool,
) -> Vec<f64> {
    let (x, n_classes) = (&source.x, rows.classes.len());
    let fold_of = groups(rows.target.iter().copied(), n_classes, Folds::Of(&rows.units));
    let bounds: Vec<f64> = rows.weights.iter().map(|weight| c * weight).collect();
    let n_pairs = n_classes * (n_classes - 1) / 2;
    let at_once = (MOST_PROBLEMS / n_pairs.max(1)).clamp(1, N_FOLDS);
    let mut scores = vec![0.0; rows.n() * n_classes];
    let folds: Vec<usize> = (0..N_FOLDS).collect();
    for folds in folds.chunks(at_once) {
        let sets: Vec<Vec<Vec<u32>>> =
            folds.iter().map(|&fold| rows.of_classes(|row| fold_of[row] != fold)).collect();
        let solutions = solve(source, &sets, (&bounds, tol), pool);
        for (at, &fold) in folds.iter().enumerate() {
            let of_fold = &solutions[at * n_pairs..(at + 1) * n_pairs];
            let left_out: Vec<usize> = (0..rows.n()).filter(|&row| fold_of[row] == fold).collect();
            let machine = Svm::new(rows, x.view(), of_fold, (c, gamma), pool);
            let values = left_out.iter().flat_map(|&row| x.row(row)).copied().collect();
            let out = Matrix::new(values, left_out.len(), x.n_cols());
            let decided = machine.decide_scaled(out.view(), pool);
            for (&row, of_row) in left_out.iter().zip(decided.scores.chunks_exact(n_classes)) {
                scores[row * n_classes..(row + 1) * n_classes].copy_from_slice(of_row);
            }
        }
    }
    scores
}
