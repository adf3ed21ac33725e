//! Eigenvalues and eigenvectors of symmetric matrices.

use faer::{MatRef, Side};

use crate::error::{Error, Result};

/// The decomposition of a symmetric matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Eigen {
    /// The eigenvalues, the largest first.
    pub(crate) values: Vec<f64>,
    /// The eigenvectors in their order, one a row: `n x n`. Each has the sign that makes its largest value positive.
    pub(crate) vectors: Vec<f64>,
}

/// Decomposes the symmetric `n x n` matrix of `values`, of which the diagonal and the values below it are read.
///
/// # Errors
/// When it has values that are not finite.
pub(crate) fn symmetric(values: &[f64], n: usize) -> Result<Eigen> {
    let too_large = || Error::samples("the features are too large for an eigendecomposition; scale them");
    if !values.iter().all(|v| v.is_finite()) {
        return Err(too_large());
    }
    if n == 0 {
        return Ok(Eigen { values: Vec::new(), vectors: Vec::new() });
    }
    let matrix = MatRef::from_row_major_slice(values, n, n);
    let eigen = matrix.self_adjoint_eigen(Side::Lower).map_err(|_| too_large())?;
    let (rising, columns) = (eigen.S().column_vector(), eigen.U());
    let mut vectors = Vec::with_capacity(n * n);
    for j in (0..n).rev() {
        vectors.extend(columns.col(j).iter());
    }
    vectors.chunks_exact_mut(n).for_each(with_sign);
    Ok(Eigen { values: rising.iter().rev().copied().collect(), vectors })
}

/// Gives a vector the sign that makes its largest value positive.
pub(super) fn with_sign(vector: &mut [f64]) {
    let largest = vector.iter().fold(0.0f64, |best, v| if v.abs() > best.abs() { *v } else { best });
    if largest < 0.0 {
        vector.iter_mut().for_each(|v| *v = -*v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_orthonormal_and_restore_the_matrix() {
        let n = 37;
        let value = |i: usize, j: usize| ((i.max(j) * 7 + i.min(j) * 13) % 17) as f64 - 8.0;
        let matrix: Vec<f64> = (0..n * n).map(|at| value(at / n, at % n)).collect();
        let eigen = symmetric(&matrix, n).unwrap();
        assert!(eigen.values.windows(2).all(|pair| pair[0] >= pair[1]));
        for i in 0..n {
            for j in 0..n {
                let dot: f64 = (0..n).map(|k| eigen.vectors[i * n + k] * eigen.vectors[j * n + k]).sum();
                assert!((dot - f64::from(i == j)).abs() < 1e-12);
                let back: f64 = (0..n)
                    .map(|k| eigen.values[k] * eigen.vectors[k * n + i] * eigen.vectors[k * n + j])
                    .sum();
                assert!((back - matrix[i * n + j]).abs() < 1e-11);
            }
        }
        assert!(symmetric(&[f64::NAN; 4], 2).is_err());
        assert!(symmetric(&[], 0).unwrap().values.is_empty());
    }
}
