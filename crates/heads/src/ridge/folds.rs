//! The outputs for the rows of folds of the fits without them, from sums over all rows less those over the fold.

use headsmith_kernels::{MatRef, Pool};

use super::fit::{Path, Weighted};
use crate::linalg::spd::Spd;
use crate::linalg::{Products, RowBlocks};
use crate::one_hot::OneHot;
use crate::samples::Samples;

/// The outputs, `n_samples x n_targets`, with the strength `alpha`; `None` when a fold leaves no rows with weight.
pub(super) fn leave_fold_out(
    path: &Path,
    alpha: f64,
    samples: Samples<'_>,
    targets: &OneHot,
    folds: &[u32],
    pool: &Pool,
) -> Option<Vec<f64>> {
    let mut by_fold: Vec<usize> = (0..folds.len()).collect();
    by_fold.sort_by_key(|&i| folds[i]);
    let sets: Vec<&[usize]> = by_fold.chunk_by(|a, b| folds[*a] == folds[*b]).collect();
    if sets.len() < 2 {
        return None;
    }
    let weighted = Weighted { samples, weights: &targets.weights };
    let of_sets = pool.map(sets.len(), |at| without(path, alpha, &weighted, targets, sets[at]));
    let k = targets.width();
    let mut outputs = vec![0.0; targets.values.len()];
    for (set, of_set) in sets.into_iter().zip(of_sets) {
        for (&i, row) in set.iter().zip(of_set?.chunks_exact(k)) {
            outputs[i * k..(i + 1) * k].copy_from_slice(row);
        }
    }
    Some(outputs)
}

/// Rows of a fold that are read together.
const BLOCK: usize = 256;

/// The outputs for the rows of `set` of the fit without them: the normal equations of an intercept and the axes.
fn without(
    path: &Path,
    alpha: f64,
    weighted: &Weighted<'_>,
    targets: &OneHot,
    set: &[usize],
) -> Option<Vec<f64>> {
    let (principal, k, inline) = (&path.principal, targets.width(), Pool::inline());
    let size = principal.squares.len() + 1;
    let mut products = Products::new(size);
    // The right sides by columns: sums of targets, and products with the axes.
    let mut rhs: Vec<f64> = (0..k)
        .flat_map(|c| {
            let sum = path.target_means[c] * principal.weight;
            std::iter::once(sum).chain((0..size - 1).map(move |axis| path.products[axis * k + c]))
        })
        .collect();
    let along = |rows: &[usize]| -> Vec<f32> {
        let mut values = vec![0.0; rows.len() * weighted.n_cols()];
        weighted.samples.copy_rows(rows.iter().copied(), &mut values);
        let rows = MatRef::new(&values, rows.len(), weighted.n_cols());
        principal.project(rows, &inline).into_vec()
    };
    for rows in set.chunks(BLOCK) {
        let mut scaled = Vec::with_capacity(rows.len() * size);
        let along = along(rows);
        for (at, &i) in rows.iter().enumerate() {
            let z = &along[at * (size - 1)..(at + 1) * (size - 1)];
            let (weight, y) = (targets.weights[i], &targets.values[i * k..(i + 1) * k]);
            let root = weight.sqrt();
            scaled.push(root);
            scaled.extend(z.iter().map(|v| root * f64::from(*v)));
            for (c, y) in y.iter().enumerate() {
                let of = &mut rhs[c * size..(c + 1) * size];
                of[0] -= weight * y;
                of[1..].iter_mut().zip(z).for_each(|(to, v)| *to -= weight * y * f64::from(*v));
            }
        }
        products.add(&scaled, &inline);
    }
    let mut matrix = products.into_matrix();
    matrix.iter_mut().for_each(|v| *v = -*v);
    matrix[0] += principal.weight;
    for (axis, square) in principal.squares.iter().enumerate() {
        matrix[(axis + 1) * (size + 1)] += square + alpha;
    }
    Spd::new(&matrix, size)?.solve(&mut rhs);
    let mut outputs = Vec::with_capacity(set.len() * k);
    for rows in set.chunks(BLOCK) {
        let along = along(rows);
        for at in 0..rows.len() {
            let z = &along[at * (size - 1)..(at + 1) * (size - 1)];
            for coef in rhs.chunks_exact(size) {
                let product: f64 = coef[1..].iter().zip(z).map(|(c, v)| c * f64::from(*v)).sum();
                outputs.push(coef[0] + product);
            }
        }
    }
    Some(outputs)
}
