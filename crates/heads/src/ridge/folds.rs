//! The outputs for the rows of folds of the fits without them, from sums over all rows less those over the fold.

use headsmith_kernels::Pool;

use super::fit::Path;
use crate::head::Folds;
use crate::linalg::spd::Spd;
use crate::linalg::{Products, Projection};
use crate::one_hot::OneHot;
use crate::samples::Samples;

/// The outputs, `n_samples x n_targets`, with the strength `alpha`, where `left_out` are those for each row without itself; `None` when a
/// fold leaves no rows with weight.
pub(super) fn leave_fold_out(
    path: &Path,
    alpha: f64,
    samples: Samples<'_>,
    targets: &OneHot,
    (folds, left_out): (Folds<'_>, &[f64]),
    pool: &Pool,
) -> Option<Vec<f64>> {
    let sets = folds.sets(targets.n_samples());
    if sets.len() < 2 {
        return None;
    }
    let larger: Vec<&Vec<usize>> = sets.iter().filter(|set| set.len() > 1).collect();
    let projection = Projection::of(&path.principal);
    let rows = Rows { samples, projection: &projection };
    let of_sets = pool.map(larger.len(), |at| without(path, alpha, &rows, targets, larger[at]));
    let (mut outputs, k) = (left_out.to_vec(), targets.width());
    for (set, of_set) in larger.into_iter().zip(of_sets) {
        for (&i, row) in set.iter().zip(of_set?.chunks_exact(k)) {
            outputs[i * k..(i + 1) * k].copy_from_slice(row);
        }
    }
    Some(outputs)
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

/// Rows of a fold that are read together.
const BLOCK: usize = 256;

/// The outputs for the rows of `set` of the fit without them: the normal equations of an intercept and the axes.
fn without(path: &Path, alpha: f64, rows: &Rows<'_>, targets: &OneHot, set: &[usize]) -> Option<Vec<f64>> {
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
    for part in set.chunks(BLOCK) {
        let mut scaled = Vec::with_capacity(part.len() * size);
        let along = rows.along(part);
        for (at, &i) in part.iter().enumerate() {
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
    let mut matrix = products.into_matrix(&inline);
    matrix.iter_mut().for_each(|v| *v = -*v);
    matrix[0] += principal.weight;
    for (axis, square) in principal.squares.iter().enumerate() {
        matrix[(axis + 1) * (size + 1)] += square + alpha;
    }
    Spd::new(&matrix, size)?.solve(&mut rhs);
    let mut outputs = Vec::with_capacity(set.len() * k);
    for part in set.chunks(BLOCK) {
        let along = rows.along(part);
        for at in 0..part.len() {
            let z = &along[at * (size - 1)..(at + 1) * (size - 1)];
            for coef in rhs.chunks_exact(size) {
                let product: f64 = coef[1..].iter().zip(z).map(|(c, v)| c * f64::from(*v)).sum();
                outputs.push(coef[0] + product);
            }
        }
    }
    Some(outputs)
}
