//! One pass over the rows: the scores of one or several problems, their residuals, and the gradients.
//!
//! Rows are taken in blocks, whose size depends on the shape alone; a block's gradient is a product in `f32`, and
//! blocks are added in their order in `f64`. Coefficients are `n_outputs x n_features` in panels, as products take and give them.

use std::sync::{Mutex, PoisonError};

use headsmith_kernels::dense::add_bias;
use headsmith_kernels::gemm::{Panels, Turned, Workspace, matmul_tn, matmul_turned, packed_len, turn};
use headsmith_kernels::{Buffer, MatMut, MatRef, Pool};

use crate::samples::Samples;

/// Features of a block of rows: it stays in a second-level cache from one product to the other.
const BLOCK_VALUES: usize = 1 << 17;
/// Bounds of the rows of a block.
pub(super) const MOST_ROWS: usize = 1024;
const FEWEST_ROWS: usize = 64;
/// Rows of a block whose gradient is so large that adding up those of smaller blocks would take longer than the products.
const ROWS_OF_LARGE: usize = 512;
/// Values of the gradients of all blocks that are computed at a time.
const WAVE_VALUES: usize = 1 << 20;
const LARGEST_WAVE: usize = 64;
/// The widest panel of a product.
const MOST_PANEL: u64 = 32;
/// The threads that memory is estimated for.
const MOST_THREADS: u64 = 16;
/// Values of the gradient that one thread adds up at a time.
const PIECE: usize = 1 << 13;

/// How many blocks are computed at a time, and their rows.
fn blocks(n_panel_values: usize, n_features: usize) -> (usize, usize) {
    let n = (WAVE_VALUES / n_panel_values.max(1)).clamp(1, LARGEST_WAVE);
    let rows = (BLOCK_VALUES / n_features).clamp(FEWEST_ROWS, MOST_ROWS);
    (n, if n == 1 { ROWS_OF_LARGE } else { rows })
}

/// The bytes that an objective needs beside the vectors of weights, for `n_samples` rows.
pub(super) fn n_bytes(n_samples: u64, n_features: u64, n_outputs: u64) -> u64 {
    let n_panel_values = n_outputs.saturating_mul(n_features.saturating_add(MOST_PANEL));
    let (n_blocks, rows) = blocks(n_panel_values as usize, n_features as usize);
    let (rows, n_blocks) =
        ((rows as u64).min(n_samples), n_samples.div_ceil(rows as u64).min(n_blocks as u64));
    // The gradient of each block; the weights, and their transpose.
    let shared = (n_blocks + 1).saturating_mul(n_panel_values);
    let shared = shared.saturating_add(n_features.saturating_mul(n_outputs + MOST_PANEL));
    // Rows and their packed form, scores and theirs, targets.
    let a_row = 2 * (n_features + MOST_PANEL) + 3 * (n_outputs + MOST_PANEL) + 8;
    let scratch = rows.saturating_mul(a_row).saturating_mul(n_blocks.min(MOST_THREADS));
    shared.saturating_add(scratch).saturating_mul(4)
}

/// The passes over rows of one width.
pub(super) struct Sweep {
    /// The pool of a block where threads compute several; otherwise they share its products.
    inline: Option<Pool>,
    n_features: usize,
    rows_a_block: usize,
    /// The sums of the blocks that are computed at a time.
    wave: Vec<Sums>,
    /// The workspaces of threads, for the next one that needs one.
    scratch: Mutex<Vec<Scratch>>,
    workspace: Workspace,
}

/// The sums over a block.
#[derive(Default)]
struct Sums {
    losses: Vec<f64>,
    gradient: Buffer,
    intercept: Vec<f64>,
}

#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    scores: Vec<f32>,
    workspace: Workspace,
}

/// The coefficients of a pass.
#[derive(Clone, Copy)]
pub(super) struct Outputs<'w> {
    /// `n_outputs x n_features` in panels.
    pub(super) coef: &'w [f32],
    pub(super) intercept: &'w [f32],
}

/// A pass over one block.
struct Pass<'p, F> {
    samples: Samples<'p>,
    weights: Turned,
    intercept: &'p [f32],
    n_losses: usize,
    residuals: F,
    pool: &'p Pool,
}

impl Sweep {
    /// For at most `n_outputs` scores a row.
    pub(super) fn new(n_samples: usize, n_features: usize, n_outputs: usize) -> Sweep {
        let (n_blocks, rows_a_block) = blocks(packed_len(n_outputs, n_features), n_features);
        let n_blocks = n_blocks.min(n_samples.div_ceil(rows_a_block));
        Sweep {
            inline: (n_blocks > 1).then(Pool::inline),
            n_features,
            rows_a_block,
            wave: (0..n_blocks).map(|_| Sums::default()).collect(),
            scratch: Mutex::new(Vec::new()),
            workspace: Workspace::default(),
        }
    }

    /// Passes over the rows. `residuals(first_row, scores, losses)` turns the scores of a block into residuals and adds to the
    /// `n_losses` losses. Their sums are returned; those of the gradients go to `gradient`: of the coefficients in panels, then,
    /// where there is room, of the intercepts.
    pub(super) fn run(
        &mut self,
        samples: Samples<'_>,
        outputs: Outputs<'_>,
        gradient: &mut [f64],
        n_losses: usize,
        residuals: impl Fn(usize, &mut [f32], &mut [f64]) + Sync,
        pool: &Pool,
    ) -> Vec<f64> {
        let n_outputs = outputs.intercept.len();
        let panels = Panels::new(outputs.coef, n_outputs, self.n_features);
        let weights = turn(panels, &mut self.workspace, pool);
        let pass = Pass { samples, weights, intercept: outputs.intercept, n_losses, residuals, pool };
        gradient.fill(0.0);
        let (mut wave, mut losses) = (std::mem::take(&mut self.wave), vec![0.0; n_losses]);
        let n_blocks = samples.n_samples().div_ceil(self.rows_a_block);
        let n_panel_values = packed_len(n_outputs, self.n_features);
        for first in (0..n_blocks).step_by(wave.len()) {
            let wave = &mut wave[..];
            let n = wave.len().min(n_blocks - first);
            pool.for_each_chunk(&mut wave[..n], 1, |i, sums| self.block(first + i, &pass, &mut sums[0]));
            add(&wave[..n], gradient, n_panel_values, pool);
            let of_wave = |i: usize| wave[..n].iter().map(|sums| sums.losses[i]).sum::<f64>();
            losses.iter_mut().enumerate().for_each(|(i, loss)| *loss += of_wave(i));
        }
        self.wave = wave;
        losses
    }

    /// Computes the sums of a block.
    fn block<F: Fn(usize, &mut [f32], &mut [f64])>(&self, block: usize, pass: &Pass<'_, F>, sums: &mut Sums) {
        let mut scratch = self.with_scratch(Vec::pop).unwrap_or_default();
        self.block_in(block, pass, sums, &mut scratch);
        self.with_scratch(|all| all.push(scratch));
    }

    fn with_scratch<T>(&self, of: impl FnOnce(&mut Vec<Scratch>) -> T) -> T {
        of(&mut self.scratch.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn block_in<F: Fn(usize, &mut [f32], &mut [f64])>(
        &self,
        block: usize,
        pass: &Pass<'_, F>,
        sums: &mut Sums,
        scratch: &mut Scratch,
    ) {
        let n_outputs = pass.intercept.len();
        let start = block * self.rows_a_block;
        let end = pass.samples.n_samples().min(start + self.rows_a_block);
        let pool = self.inline.as_ref().unwrap_or(pass.pool);
        let rows = pass.samples.rows(start, end, &mut scratch.rows, pool);
        scratch.scores.resize((end - start) * n_outputs, 0.0);
        let scores = MatMut::new(&mut scratch.scores, end - start, n_outputs);
        matmul_turned(scores, rows, pass.weights, &self.workspace, pool, |block| {
            add_bias(block, pass.intercept);
        });
        sums.losses.clear();
        sums.losses.resize(pass.n_losses, 0.0);
        (pass.residuals)(start, &mut scratch.scores, &mut sums.losses);
        let residuals = MatRef::new(&scratch.scores, end - start, n_outputs);
        sums.intercept.clear();
        sums.intercept.resize(n_outputs, 0.0);
        for row in residuals.as_slice().chunks_exact(n_outputs) {
            sums.intercept.iter_mut().zip(row).for_each(|(sum, r)| *sum += f64::from(*r));
        }
        let gradient = sums.gradient.first(packed_len(n_outputs, self.n_features));
        matmul_tn([gradient], residuals, rows, &mut scratch.workspace, pool, |[to], sums| {
            to.copy_from_slice(sums);
        });
    }
}

/// Adds up the gradients of blocks.
fn add(wave: &[Sums], gradient: &mut [f64], n_panel_values: usize, pool: &Pool) {
    let (coef, intercept) = gradient.split_at_mut(n_panel_values);
    pool.for_each_chunk(coef, PIECE, |piece, to| {
        for sums in wave {
            let gradient = &sums.gradient[piece * PIECE..];
            to.iter_mut().zip(gradient).for_each(|(to, g)| *to += f64::from(*g));
        }
    });
    for sums in wave {
        intercept.iter_mut().zip(&sums.intercept).for_each(|(to, g)| *to += g);
    }
}
