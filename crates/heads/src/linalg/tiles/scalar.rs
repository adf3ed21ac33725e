//! The precisions of tiles.

use std::ops::{Neg, SubAssign};

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::traits::RealField;
use faer::{MatMut, Par};

/// Single or double precision.
pub(crate) trait Scalar:
    RealField + Copy + PartialEq + Send + Sync + 'static + SubAssign + Neg<Output = Self>
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest value.
    fn from_f64(value: f64) -> Self;

    /// The value in double precision.
    fn to_f64(self) -> f64;

    /// Replaces a symmetric `n x n` tile by its Cholesky factor; zeros stand above the diagonal. False when it has none.
    fn cholesky_in_place(tile: &mut [Self], n: usize) -> bool {
        let stack = cholesky_in_place_scratch::<Self>(n, Par::Seq, Default::default());
        let mut buffer = MemBuffer::new(stack);
        let matrix = MatMut::from_column_major_slice_mut(&mut *tile, n, n);
        let done = cholesky_in_place(
            matrix,
            Default::default(),
            Par::Seq,
            MemStack::new(&mut buffer),
            Default::default(),
        );
        for (j, column) in tile.chunks_exact_mut(n).enumerate() {
            column[..j].fill(Self::ZERO);
        }
        done.is_ok() && tile.iter().all(|v| v.to_f64().is_finite())
    }
}

impl Scalar for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;

    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    fn from_f64(value: f64) -> f64 {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }
}
