//! Linear discriminant analysis with a shrunk covariance: how well columns predict the label together.

use headsmith_kernels::MatRef;

/// The accuracy on held-out rows of a model of `columns`: even and odd ones of the `rows` of `x`, with classes `y`,
/// are the two halves, and a model of each half predicts the other.
pub(super) fn out_of_fold(
    x: MatRef<'_>,
    rows: &[usize],
    y: &[u32],
    n_classes: usize,
    columns: &[usize],
) -> f64 {
    let value = |i: usize, j: usize| f64::from(x.row(rows[i])[columns[j]]);
    let right = |fold: usize| -> usize {
        let train: Vec<usize> = (0..rows.len()).filter(|i| i % 2 != fold).collect();
        let Some(model) = LinearModel::fit(&train, y, n_classes, columns.len(), &value) else { return 0 };
        (0..rows.len()).filter(|i| i % 2 == fold && model.class_of(|j| value(*i, j)) == y[*i]).count()
    };
    (right(0) + right(1)) as f64 / rows.len().max(1) as f64
}

/// A linear score of each class.
struct LinearModel {
    weights: Vec<Vec<f64>>,
    offsets: Vec<f64>,
}

impl LinearModel {
    fn fit(
        rows: &[usize],
        y: &[u32],
        n_classes: usize,
        n: usize,
        value: &impl Fn(usize, usize) -> f64,
    ) -> Option<LinearModel> {
        let mut counts = vec![0.0; n_classes];
        let mut means = vec![vec![0.0; n]; n_classes];
        for &row in rows {
            let class = y[row] as usize;
            counts[class] += 1.0;
            means[class].iter_mut().enumerate().for_each(|(j, mean)| *mean += value(row, j));
        }
        for (mean, count) in means.iter_mut().zip(&counts) {
            mean.iter_mut().for_each(|mean| *mean /= f64::max(*count, 1.0));
        }
        let mut covariance = vec![0.0; n * n];
        let mut centred = vec![0.0; n];
        for &row in rows {
            let mean = &means[y[row] as usize];
            centred.iter_mut().enumerate().for_each(|(j, c)| *c = value(row, j) - mean[j]);
            for i in 0..n {
                let (factor, to) = (centred[i], &mut covariance[i * n..i * n + i + 1]);
                to.iter_mut().zip(&centred).for_each(|(to, c)| *to += factor * c);
            }
        }
        covariance.iter_mut().for_each(|value| *value /= rows.len().max(1) as f64);
        let lower = cholesky(shrunk(covariance, n, rows.len()), n)?;
        let weights: Vec<Vec<f64>> = means.iter().map(|mean| solve(&lower, n, mean)).collect();
        let offset = |class: usize| {
            let half: f64 = weights[class].iter().zip(&means[class]).map(|(w, m)| w * m).sum();
            if counts[class] > 0.0 {
                (counts[class] / rows.len() as f64).ln() - half / 2.0
            } else {
                f64::NEG_INFINITY
            }
        };
        let offsets = (0..n_classes).map(offset).collect();
        Some(LinearModel { weights, offsets })
    }

    fn class_of(&self, x: impl Fn(usize) -> f64) -> u32 {
        let score = |class: usize| {
            let sum: f64 = self.weights[class].iter().enumerate().map(|(j, weight)| weight * x(j)).sum();
            sum + self.offsets[class]
        };
        let scores: Vec<f64> = (0..self.offsets.len()).map(score).collect();
        let best =
            (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best });
        best as u32
    }
}

/// Shrinks the off-diagonal values of a covariance (lower half), the more so the fewer rows it has; constant columns
/// get a small variance.
fn shrunk(mut covariance: Vec<f64>, n: usize, n_rows: usize) -> Vec<f64> {
    let shrinkage = (0.1 * n as f64 / n_rows.max(1) as f64).clamp(0.01, 0.5);
    let mean = (0..n).map(|i| covariance[i * n + i]).sum::<f64>() / n.max(1) as f64;
    for i in 0..n {
        covariance[i * n..i * n + i].iter_mut().for_each(|value| *value *= 1.0 - shrinkage);
        covariance[i * n + i] += 1e-6 * mean + f64::MIN_POSITIVE;
    }
    covariance
}

/// The Cholesky factor (lower triangle); `None` if the matrix has none.
fn cholesky(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            a[i * n + j] = match i == j {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / a[j * n + j],
            };
        }
    }
    Some(a)
}

fn solve(lower: &[f64], n: usize, b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| lower[i * n + k] * x[k]).sum();
        x[i] = (x[i] - dot) / lower[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| lower[k * n + i] * x[k]).sum();
        x[i] = (x[i] - dot) / lower[i * n + i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Matrix;

    #[test]
    fn solve_inverts_the_factored_matrix() {
        let a = [4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 6.0];
        let x = solve(&cholesky(a.to_vec(), 3).unwrap(), 3, &[1.0, 2.0, 3.0]);
        let full = [[4.0, 2.0, 1.0], [2.0, 5.0, 3.0], [1.0, 3.0, 6.0]];
        for (row, b) in full.iter().zip([1.0, 2.0, 3.0]) {
            assert!((row.iter().zip(&x).map(|(a, x)| a * x).sum::<f64>() - b).abs() < 1e-12);
        }
        assert!(cholesky(vec![1.0, 0.0, 2.0, 1.0], 2).is_none());
    }

    #[test]
    fn separates_classes_by_two_columns_together() {
        // The class is whether one column is greater than the other; both vary widely.
        let value =
            |i: usize, j: usize| ((i * 7919 % 101) as f32) + if j == 1 { [2.0, -2.0][i % 2] } else { 0.0 };
        let x = Matrix::new((0..400).map(|k| value(k / 2, k % 2)).collect(), 200, 2);
        let rows: Vec<usize> = (0..200).map(|i| (i * 37) % 200).collect();
        let y: Vec<u32> = rows.iter().map(|row| (row % 2) as u32).collect();
        // Halves with both classes.
        let order: Vec<usize> = (0..200).map(|i| (i / 2) + (i % 2) * 100).collect();
        let (rows, y): (Vec<usize>, Vec<u32>) = order.iter().map(|&i| (rows[i], y[i])).unzip();
        assert!(out_of_fold(x.view(), &rows, &y, 2, &[0, 1]) > 0.95);
        assert!(out_of_fold(x.view(), &rows, &y, 2, &[0]) < 0.75);
    }
}
