//! GaussianNoise and Dropout, which in training follow a layer while its output is in the cache.
//!
//! GaussianNoise: `y = x + stddev * normal`; the gradient passes unchanged. Dropout (Srivastava et al., "Dropout: a
//! simple way to prevent neural networks from overfitting", 2014), inverted: each value is zeroed with probability
//! `rate` and otherwise divided by `1 - rate`, so that nothing needs scaling later; the gradient goes through the
//! same mask.

use headsmith_kernels::Pool;
use headsmith_kernels::draws::{Draws, add_normals, dropout};
use headsmith_kernels::gemm::Block;

use super::PIECE_ROWS;

/// Adds noise of the standard deviation `stddev` to rows of `width` values.
pub(crate) fn add_noise(rows: &mut [f32], width: usize, stddev: f64, draws: Draws, pool: &Pool) {
    pool.for_each_chunk(rows, PIECE_ROWS * width, |i, rows| {
        let mut block = Block::of_rows(rows, &mut [], width, i * PIECE_ROWS);
        add_normals(&mut block, stddev as f32, draws);
    });
}

/// The random stage after a layer in a training step, if there is one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Random {
    /// The standard deviation.
    pub(crate) noise: Option<(f32, Draws)>,
    /// The rate.
    pub(crate) dropout: Option<(f64, Draws)>,
}

impl Random {
    /// Whether nothing follows.
    pub(crate) fn is_none(&self) -> bool {
        self.noise.is_none() && self.dropout.is_none()
    }

    /// Adds noise and drops out; what is dropped is zeroed in the block's mask.
    pub(crate) fn apply(&self, block: &mut Block<'_>) {
        if let Some((stddev, draws)) = self.noise {
            add_normals(block, stddev, draws);
        }
        if let Some((rate, draws)) = self.dropout {
            dropout(block, rate, draws);
        }
    }
}

/// Where a gradient may pass on its way back through rectifier and dropout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate<'a> {
    /// Zero where it may not; one byte a value.
    pub(crate) mask: &'a [u8],
    /// The factor of the other values.
    pub(crate) scale: f32,
}
