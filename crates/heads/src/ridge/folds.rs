//! The outputs for the rows of folds of the fits without them.
//!
//! A fold of fewer rows than there are axes is left out by the system of its rows: with G its block of `1 1' / W + Z (S + alpha)^-1 Z'` (W the sum of all weights) and w
//! its weights, the residuals without it are `(I - G w)^-1 (y - f)`. Of a larger one, sums over all rows less those over the fold give the normal equations without it.

use headsmith_kernels::Pool;

use super::fit::{LeftOut, Path};
use crate::head::Folds;
use crate::linalg::spd::Spd;
use crate::linalg::{Products, Projection};
use crate::one_hot::OneHot;
use crate::samples::Samples;

/// Rows of a fold that are read together.
const BLOCK: usize = 256;
/// A smaller share of a fold's weight is none.
const NO_WEIGHT: f64 = 1e-9;

/// The outputs, `n_samples x n_targets`, with the strength `alpha`, where `left_out` has those for each row without itself or its unit; `None` when a fold leaves no
/// rows with weight.
pub(super) fn leave_fold_out(
    path: &Path,
    alpha: f64,
    samples: Samples<'_>,
    targets: &OneHot,
    (folds, left_out): (Folds<'_>, &LeftOut),
    pool: &Pool,
) -> Option<Vec<f64>> {
    if folds.is_one() {
        return None;
    }
    let sets = folds.sets_other_than(&left_out.units, targets.n_samples());
    let mut outputs = left_out.outputs.clone();
    replace_sets(path, alpha, samples, targets, (&sets, &mut outputs), pool).then_some(outputs)
}

/// Replaces the outputs for the rows of each of `sets` by those of the fit without the set; returns whether there are such fits.
pub(super) fn replace_sets(
    path: &Path,
    alpha: f64,
    samples: Samples<'_>,
    targets: &OneHot,
    (sets, outputs): (&[Vec<usize>], &mut [f64]),
    pool: &Pool,
) -> bool {
    let of_sets = map(path, samples, targets, sets, pool, |without| without.outputs(&[alpha]));
    let (Some(of_sets), k) = (of_sets, targets.width()) else { return false };
    for (set, of_set) in sets.iter().zip(of_sets) {
        for (&i, row) in set.iter().zip(of_set.chunks_exact(k)) {
            outputs[i * k..(i + 1) * k].copy_from_slice(row);
        }
    }
    true
}

/// For each strength of the path the weighted sum of the squared errors for the rows of `sets` of the fits without the set; `None` when one leaves no rows with weight.
pub(super) fn squared_errors(
    path: &Path,
    samples: Samples<'_>,
    targets: &OneHot,
    sets: &[Vec<usize>],
    pool: &Pool,
) -> Option<Vec<f64>> {
    let of_sets = map(path, samples, targets, sets, pool, |without| without.squared_errors(&path.alphas))?;
    let mut sums = vec![0.0; path.alphas.len()];
    of_sets.iter().for_each(|of_set| sums.iter_mut().zip(of_set).for_each(|(sum, v)| *sum += v));
    Some(sums)
}

/// The results of `of` for each set; `None` if one has none.
fn map(
    path: &Path,
    samples: Samples<'_>,
    targets: &OneHot,
    sets: &[Vec<usize>],
    pool: &Pool,
    of: impl Fn(Without<'_>) -> Option<Vec<f64>> + Sync,
) -> Option<Vec<Vec<f64>>> {
    if sets.is_empty() {
        return Some(Vec::new());
    }
    let projection = Projection::of(&path.principal);
    let rows = Rows { samples, projection: &projection };
    pool.map(sets.len(), |at| of(Without { path, rows: &rows, targets, set: &sets[at] }))
        .into_iter()
        .collect()
}

/// The rows of samples along the axes.
struct Rows<'a> {
    samples: Samples<'a>,
    projection: &'a Projection,
}

impl Rows<'_> {
    fn along(&self, rows: &[usize]) -> Vec<f32> {
        let mut values = vec![0.0; rows.len() * self.samples.n_features()];
        self.samples.copy_rows(rows.iter().copied(), &mut values);
        let mut along = vec![0.0; rows.len() * self.projection.n_axes()];
        self.projection.project(&values, &mut along);
        along
    }
}

/// Some rows, and the fits without them.
struct Without<'a> {
    path: &'a Path,
    rows: &'a Rows<'a>,
    targets: &'a OneHot,
    set: &'a [usize],
}

impl Without<'_> {
    /// The outputs for the rows, those with the first of `alphas` first, each `n_rows x n_targets`; `None` when no rows with weight are left.
    fn outputs(&self, alphas: &[f64]) -> Option<Vec<f64>> {
        let own: f64 = self.set.iter().map(|&i| self.targets.weights[i]).sum();
        if self.path.principal.weight - own <= NO_WEIGHT * own {
            return None;
        }
        match self.set.len() < self.path.principal.squares.len() {
            true => self.by_rows(alphas),
            false => self.by_axes(alphas),
        }
    }

    /// The weighted sums of squared errors with each of `alphas`.
    fn squared_errors(&self, alphas: &[f64]) -> Option<Vec<f64>> {
        let (outputs, k) = (self.outputs(alphas)?, self.targets.width());
        let of_row = |(&i, row): (&usize, &[f64])| {
            let squares = self.y(i).iter().zip(row).map(|(y, out)| (y - out).powi(2));
            self.targets.weights[i] * squares.sum::<f64>()
        };
        let of_alpha = |outputs: &[f64]| self.set.iter().zip(outputs.chunks_exact(k)).map(of_row).sum();
        Some(outputs.chunks_exact(self.set.len() * k).map(of_alpha).collect())
    }

    fn y(&self, i: usize) -> &[f64] {
        let k = self.targets.width();
        &self.targets.values[i * k..(i + 1) * k]
    }

    /// By the system of the rows.
    fn by_rows(&self, alphas: &[f64]) -> Option<Vec<f64>> {
        let (principal, k, m) = (&self.path.principal, self.targets.width(), self.set.len());
        let along = self.rows.along(self.set);
        let row = |at: usize| &along[at * principal.squares.len()..(at + 1) * principal.squares.len()];
        let weights: Vec<f64> = self.set.iter().map(|&i| self.targets.weights[i]).collect();
        let mut outputs = Vec::with_capacity(alphas.len() * m * k);
        for alpha in alphas {
            let coefficients = self.path.along_axes(*alpha);
            let shares: Vec<f64> = principal.squares.iter().map(|square| 1.0 / (square + alpha)).collect();
            let (mut block, mut system) = (vec![0.0; m * m], vec![0.0; m * m]);
            for a in 0..m {
                for b in 0..=a {
                    let terms = row(a).iter().zip(row(b)).zip(&shares);
                    let sum: f64 = terms.map(|((x, z), share)| f64::from(*x) * f64::from(*z) * share).sum();
                    block[a * m + b] = 1.0 / principal.weight + sum;
                    block[b * m + a] = block[a * m + b];
                    system[a * m + b] =
                        f64::from(u8::from(a == b)) - (weights[a] * weights[b]).sqrt() * block[a * m + b];
                }
            }
            let fitted = |at: usize, c: usize| {
                let products =
                    row(at).iter().enumerate().map(|(axis, z)| f64::from(*z) * coefficients[axis * k + c]);
                self.path.target_means[c] + products.sum::<f64>()
            };
            let residuals: Vec<f64> =
                (0..k * m).map(|at| self.y(self.set[at % m])[at / m] - fitted(at % m, at / m)).collect();
            // The system is symmetric in the residuals times the roots of the weights.
            let mut rooted: Vec<f64> =
                residuals.iter().enumerate().map(|(at, e)| weights[at % m].sqrt() * e).collect();
            Spd::new(&system, m)?.solve(&mut rooted);
            for (at, &i) in self.set.iter().enumerate() {
                for (c, y) in self.y(i).iter().enumerate() {
                    let terms = (0..m).map(|b| block[at * m + b] * weights[b].sqrt() * rooted[c * m + b]);
                    outputs.push(y - residuals[c * m + at] - terms.sum::<f64>());
                }
            }
        }
        Some(outputs)
    }

    /// By the normal equations of an intercept and the axes.
    fn by_axes(&self, alphas: &[f64]) -> Option<Vec<f64>> {
        let (matrix, rhs) = self.normal_equations();
        let size = self.path.principal.squares.len() + 1;
        let solutions = alphas.iter().map(|alpha| {
            let (mut matrix, mut solution) = (matrix.clone(), rhs.clone());
            (1..size).for_each(|axis| matrix[axis * (size + 1)] += alpha);
            Spd::new(&matrix, size)?.solve(&mut solution);
            Some(solution)
        });
        let solutions: Vec<Vec<f64>> = solutions.collect::<Option<_>>()?;
        let mut outputs = vec![Vec::new(); alphas.len()];
        for part in self.set.chunks(BLOCK) {
            let along = self.rows.along(part);
            for at in 0..part.len() {
                let z = &along[at * (size - 1)..(at + 1) * (size - 1)];
                for (solution, outputs) in solutions.iter().zip(&mut outputs) {
                    for coef in solution.chunks_exact(size) {
                        let product: f64 = coef[1..].iter().zip(z).map(|(c, v)| c * f64::from(*v)).sum();
                        outputs.push(coef[0] + product);
                    }
                }
            }
        }
        Some(outputs.concat())
    }

    /// The matrix without a ridge, and the right sides by columns: sums of targets, and products with the axes.
    fn normal_equations(&self) -> (Vec<f64>, Vec<f64>) {
        let (principal, k, inline) = (&self.path.principal, self.targets.width(), Pool::inline());
        let size = principal.squares.len() + 1;
        let mut products = Products::new(size);
        let mut rhs: Vec<f64> = (0..k)
            .flat_map(|c| {
                let sum = self.path.target_means[c] * principal.weight;
                let of_axis = move |axis: usize| self.path.products[axis * k + c];
                std::iter::once(sum).chain((0..size - 1).map(of_axis))
            })
            .collect();
        for part in self.set.chunks(BLOCK) {
            let mut scaled = Vec::with_capacity(part.len() * size);
            let along = self.rows.along(part);
            for (at, &i) in part.iter().enumerate() {
                let z = &along[at * (size - 1)..(at + 1) * (size - 1)];
                let weight = self.targets.weights[i];
                let root = weight.sqrt();
                scaled.push(root);
                scaled.extend(z.iter().map(|v| root * f64::from(*v)));
                for (c, y) in self.y(i).iter().enumerate() {
                    let of = &mut rhs[c * size..(c + 1) * size];
                    of[0] -= weight * y;
                    of[1..].iter_mut().zip(z).for_each(|(to, v)| *to -= weight * y * f64::from(*v));
                }
            }
            products.add(&scaled, &inline);
        }
        let mut matrix = products.into_matrix(&inline);
        matrix.iter_mut().for_each(|v| *v = -*v);
        matrix[0] += principal.weight;
        for (axis, square) in principal.squares.iter().enumerate() {
            matrix[(axis + 1) * (size + 1)] += square;
        }
        (matrix, rhs)
    }
}
