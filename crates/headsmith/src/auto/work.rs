//! The work of a step, by which its time is foreseen.

use std::time::Instant;

use headsmith_kernels::{Matrix, Pool, gemm};

/// About so many arithmetic operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) operations: u64,
    pub(super) kind: Kind,
}

/// Operations of one kind take about as long each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nearly all are of products of matrices.
    Products,
    /// Anything else.
    Other,
}

/// Rows and columns of the product that is timed: 0.27 billion operations, a few milliseconds.
const SIDE: usize = 512;
/// The least of so many times counts.
const N_TIMED: usize = 5;

impl Work {
    pub(super) fn products(operations: u64) -> Work {
        Work { operations, kind: Kind::Products }
    }

    pub(super) fn other(operations: u64) -> Work {
        Work { operations, kind: Kind::Other }
    }

    /// So many times the work.
    pub(super) fn times(self, n: u64) -> Work {
        Work { operations: self.operations.saturating_mul(n), ..self }
    }
}

/// The operations a second of a product of matrices on the threads of `pool`, measured.
pub(super) fn product_rate(pool: &Pool) -> f64 {
    let a = Matrix::new(vec![1.0; SIDE * SIDE], SIDE, SIDE);
    let packed = gemm::packed(a.view());
    let (panels, mut product) = (gemm::Panels::new(&packed, SIDE, SIDE), Matrix::zeros(SIDE, SIDE));
    // The first wakes the threads, and another program may use the core meanwhile.
    let mut best = 0.0f64;
    for _ in 0..N_TIMED {
        let start = Instant::now();
        gemm::matmul(product.view_mut(), &mut [], a.view(), panels, pool, |_| ());
        best = best.max(2.0 * (SIDE as f64).powi(3) / start.elapsed().as_secs_f64().max(1e-9));
    }
    best
}
