//! Small symmetric positive definite systems, in double precision.

use faer::linalg::solvers::{Llt, Solve};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{MatMut, MatRef, Par, Side};

/// The Cholesky factor of a symmetric positive definite matrix.
#[derive(Debug)]
pub(crate) struct Spd {
    factor: Llt<f64>,
}

impl Spd {
    /// Factors the `n x n` matrix of `values`, of which the diagonal and the values below it are read; `None` when it is not positive
    /// definite.
    pub(crate) fn new(values: &[f64], n: usize) -> Option<Spd> {
        Some(Spd { factor: Llt::new(MatRef::from_row_major_slice(values, n, n), Side::Lower).ok()? })
    }

    /// Replaces each column of `rhs`, `n x k` by columns, by the solution for it.
    ///
    /// # Panics
    /// When `rhs` has no whole number of columns.
    pub(crate) fn solve(&self, rhs: &mut [f64]) {
        let n = self.factor.L().nrows();
        let k = rhs.len() / n.max(1);
        self.factor.solve_in_place(MatMut::from_column_major_slice_mut(rhs, n, k));
    }

    /// The inverse of the lower factor L with `L L' = A`, row after row; zeros above the diagonal.
    pub(crate) fn inverse_lower(&self) -> Vec<f64> {
        let n = self.factor.L().nrows();
        let mut inverse = vec![0.0; n * n];
        let to = MatMut::from_row_major_slice_mut(&mut inverse, n, n);
        invert_lower_triangular(to, self.factor.L(), Par::Seq);
        inverse
    }

    /// The logarithm of the determinant.
    pub(crate) fn ln_determinant(&self) -> f64 {
        let lower = self.factor.L();
        2.0 * (0..lower.nrows()).map(|i| lower[(i, i)].ln()).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_solve_the_system() {
        let matrix = [4.0, f64::NAN, f64::NAN, 1.0, 3.0, f64::NAN, -1.0, 0.5, 2.0];
        let spd = Spd::new(&matrix, 3).unwrap();
        let full = [4.0, 1.0, -1.0, 1.0, 3.0, 0.5, -1.0, 0.5, 2.0];
        let mut x = vec![1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
        spd.solve(&mut x);
        for (solution, rhs) in x.chunks(3).zip([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]]) {
            for (row, b) in full.chunks(3).zip(rhs) {
                let product: f64 = row.iter().zip(solution).map(|(a, x)| a * x).sum();
                assert!((product - b).abs() < 1e-12);
            }
        }
        // 4 (6 - .25) - 1 (2 + .5) + -1 (.5 + 3)
        assert!((spd.ln_determinant() - 17.0f64.ln()).abs() < 1e-12);
        let inverse = spd.inverse_lower();
        for (i, j) in [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2), (0, 1), (0, 2), (1, 2)] {
            // L^-1 A L^-T is the unit matrix.
            let product: f64 =
                (0..9).map(|at| inverse[i * 3 + at / 3] * full[at] * inverse[j * 3 + at % 3]).sum();
            assert!((product - f64::from(i == j)).abs() < 1e-12);
            assert!(i >= j || inverse[i * 3 + j] == 0.0);
        }
        assert!(Spd::new(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }
}
