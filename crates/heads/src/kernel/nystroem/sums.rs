//! The system of a fit on landmarks, from sums of products over rows.

use headsmith_kernels::Pool;

use crate::linalg::tiles::{Factor, Tiles};

/// The symmetric matrix of the sums of products of the landmarks' functions, a column of ones, and the targets.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) values: Vec<f64>,
    /// Landmarks.
    pub(super) n: usize,
    /// Targets.
    pub(super) width: usize,
}

#[derive(Debug)]
pub(super) struct Solution {
    /// `n_landmarks x width`.
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: Vec<f64>,
}

impl Sums {
    /// The sums of all folds.
    pub(super) fn total(of: &[Sums]) -> Sums {
        let mut values = of[0].values.clone();
        for sums in &of[1..] {
            values.iter_mut().zip(&sums.values).for_each(|(to, v)| *to += v);
        }
        Sums { values, ..of[0] }
    }

    /// The weight of the rows.
    pub(super) fn weight(&self) -> f64 {
        self.values[self.n * (self.n + 1 + self.width) + self.n]
    }

    /// The solution of these sums without those of a fold; `None` when the system is not positive definite.
    pub(super) fn solve(
        &self,
        without: Option<&Sums>,
        matrix: &Tiles<f64>,
        (alpha, jitter): (f64, f64),
        pool: &Pool,
    ) -> Option<Solution> {
        let (n, width) = (self.n, self.width);
        let size = n + 1 + width;
        let at = |i: usize, j: usize| {
            let place = i * size + j;
            self.values[place] - without.map_or(0.0, |sums| sums.values[place])
        };
        let weight = at(n, n);
        let mean: Vec<f64> = (0..n).map(|j| at(n, j) / weight).collect();
        let system = matrix.map(pool, |row, column, height, tile| {
            for (place, v) in tile.iter_mut().enumerate() {
                let (i, j) = (row + place % height, column + place / height);
                let diagonal = if i == j { jitter } else { 0.0 };
                *v = alpha * (*v + diagonal) + at(i, j) - weight * mean[i] * mean[j];
            }
        });
        let factor = Factor::new(system, pool)?;
        let y: Vec<f64> = (0..width).map(|c| at(n, n + 1 + c)).collect();
        let mut coefficients: Vec<f64> = (0..n * width)
            .map(|k| at(k / width, n + 1 + k % width) - mean[k / width] * y[k % width])
            .collect();
        factor.solve(&mut coefficients, pool);
        let mut intercept: Vec<f64> = y.iter().map(|y| y / weight).collect();
        for (mean, of) in mean.iter().zip(coefficients.chunks_exact(width)) {
            intercept.iter_mut().zip(of).for_each(|(b, v)| *b -= mean * v);
        }
        let is_finite = coefficients.iter().chain(&intercept).all(|v| v.is_finite());
        is_finite.then_some(Solution { coefficients, intercept })
    }
}

impl Solution {
    /// About how much outputs change where coefficients and kernel values of at most 1 are rounded to single precision.
    pub(super) fn rounding(&self) -> f64 {
        let width = self.intercept.len();
        let of = |c: usize| self.coefficients.iter().skip(c).step_by(width).map(|v| v * v).sum::<f64>();
        f64::from(f32::EPSILON) * (0..width).map(of).fold(0.0, f64::max).sqrt()
    }
}
