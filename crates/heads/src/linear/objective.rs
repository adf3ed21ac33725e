//! The objective and its gradient, in one pass over the rows:
//!
//! ```text
//! f(W, b) = sum_i w_i loss_i / sum_i w_i + |W|^2 / (2 C sum_i w_i)
//! ```
//!
//! which is scikit-learn's `C sum_i w_i loss_i + |W|^2 / 2`, divided by `C sum_i w_i`; `w_i` is the weight of row i times
//! that of its class.
//!
//! Rows are taken in blocks, whose size depends on the shape alone; a block's gradient is a product in `f32`, and
//! blocks are added in their order in `f64`. A vector of weights is W (`n_scores x n_features`) in panels, as products take
//! and give it, followed by the intercepts.

use std::sync::{Mutex, PoisonError};

use headsmith_kernels::dense::add_bias;
use headsmith_kernels::gemm::{
    Panels, Turned, Workspace, matmul_tn, matmul_turned, packed_len, turn, unpack,
};
use headsmith_kernels::{Buffer, MatMut, MatRef, Matrix, Pool};

use super::loss::{Target, residuals};
use super::targets::Targets;
use crate::affine::Affine;
use crate::optim::lbfgs::Function;
use crate::samples::Samples;

/// Features of a block of rows: it stays in a second-level cache from one product to the other.
const BLOCK_VALUES: usize = 1 << 17;
/// Bounds of the rows of a block.
const MOST_ROWS: usize = 1024;
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

/// The function of the weights.
pub(super) struct Objective<'a> {
    samples: Samples<'a>,
    targets: Targets,
    pool: &'a Pool,
    /// The pool of a block where threads compute several; otherwise they share its products.
    inline: Option<Pool>,
    fit_intercept: bool,
    /// `1 / (C sum_i w_i)`.
    penalty: f64,
    n_panel_values: usize,
    rows_a_block: usize,
    /// The sums of the blocks that are computed at a time.
    wave: Vec<Sums>,
    /// The workspaces of threads, for the next one that needs one.
    scratch: Mutex<Vec<Scratch>>,
    weights: Buffer,
    intercept: Vec<f32>,
    workspace: Workspace,
}

/// The sums over a block.
#[derive(Default)]
struct Sums {
    loss: f64,
    gradient: Buffer,
    intercept: Vec<f64>,
}

#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    scores: Vec<f32>,
    targets: Vec<Target>,
    workspace: Workspace,
}

/// How many blocks are computed at a time, and their rows.
fn blocks(n_panel_values: usize, n_features: usize) -> (usize, usize) {
    let n = (WAVE_VALUES / n_panel_values.max(1)).clamp(1, LARGEST_WAVE);
    let rows = (BLOCK_VALUES / n_features).clamp(FEWEST_ROWS, MOST_ROWS);
    (n, if n == 1 { ROWS_OF_LARGE } else { rows })
}

/// The bytes that an objective needs beside the vectors of weights, for `n_samples` rows.
pub(super) fn n_bytes(n_samples: u64, n_features: u64, n_scores: u64) -> u64 {
    let n_panel_values = n_scores.saturating_mul(n_features.saturating_add(MOST_PANEL));
    let (n_blocks, rows) = blocks(n_panel_values as usize, n_features as usize);
    let (rows, n_blocks) =
        ((rows as u64).min(n_samples), n_samples.div_ceil(rows as u64).min(n_blocks as u64));
    // The gradient of each block; the weights, and their transpose.
    let shared = (n_blocks + 1).saturating_mul(n_panel_values);
    let shared = shared.saturating_add(n_features.saturating_mul(n_scores + MOST_PANEL));
    // Rows and their packed form, scores and theirs, targets.
    let a_row = 2 * (n_features + MOST_PANEL) + 3 * (n_scores + MOST_PANEL) + 8;
    let scratch = rows.saturating_mul(a_row).saturating_mul(n_blocks.min(MOST_THREADS));
    shared.saturating_add(scratch).saturating_mul(4)
}

impl<'a> Objective<'a> {
    pub(super) fn new(
        samples: Samples<'a>,
        targets: Targets,
        (c, fit_intercept): (f64, bool),
        pool: &'a Pool,
    ) -> Objective<'a> {
        let (n_features, n_scores) = (samples.n_features(), targets.n_scores());
        let n_panel_values = packed_len(n_scores, n_features);
        let (n_blocks, rows_a_block) = blocks(n_panel_values, n_features);
        let n_blocks = n_blocks.min(samples.n_samples().div_ceil(rows_a_block));
        Objective {
            samples,
            penalty: 1.0 / (c * targets.total_weight()),
            targets,
            pool,
            inline: (n_blocks > 1).then(Pool::inline),
            fit_intercept,
            n_panel_values,
            rows_a_block,
            wave: (0..n_blocks).map(|_| Sums::default()).collect(),
            scratch: Mutex::new(Vec::new()),
            weights: Buffer::zeros(n_panel_values),
            intercept: vec![0.0; n_scores],
            workspace: Workspace::default(),
        }
    }

    /// The values of a vector of weights.
    pub(super) fn n_weights(&self) -> usize {
        self.n_panel_values + if self.fit_intercept { self.targets.n_scores() } else { 0 }
    }

    /// The head of a vector of weights.
    pub(super) fn affine(&self, weights: &[f64]) -> Affine {
        let (n_scores, n_features) = (self.targets.n_scores(), self.samples.n_features());
        let (panels, intercept) = weights.split_at(self.n_panel_values);
        let panels: Vec<f32> = panels.iter().map(|w| *w as f32).collect();
        let intercept: Vec<f32> = intercept.iter().map(|w| *w as f32).collect();
        let mut coef = Matrix::zeros(n_scores, n_features);
        unpack(coef.as_mut_slice(), Panels::new(&panels, n_scores, n_features));
        self.targets.affine(coef.view(), &intercept)
    }

    fn round(&mut self, weights: &[f64]) {
        let (coef, intercept) = weights.split_at(self.n_panel_values);
        self.weights.iter_mut().zip(coef).for_each(|(to, w)| *to = *w as f32);
        self.intercept.iter_mut().zip(intercept).for_each(|(to, w)| *to = *w as f32);
    }

    /// Computes the sums of a block.
    fn block(&self, block: usize, weights: Turned, sums: &mut Sums) {
        let mut scratch = self.with_scratch(Vec::pop).unwrap_or_default();
        self.block_in(block, weights, sums, &mut scratch);
        self.with_scratch(|all| all.push(scratch));
    }

    fn with_scratch<T>(&self, of: impl FnOnce(&mut Vec<Scratch>) -> T) -> T {
        of(&mut self.scratch.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn block_in(&self, block: usize, weights: Turned, sums: &mut Sums, scratch: &mut Scratch) {
        let n_scores = self.targets.n_scores();
        let start = block * self.rows_a_block;
        let end = self.samples.n_samples().min(start + self.rows_a_block);
        let pool = self.inline.as_ref().unwrap_or(self.pool);
        let rows = self.samples.rows(start, end, &mut scratch.rows, pool);
        scratch.scores.resize((end - start) * n_scores, 0.0);
        scratch.targets.clear();
        scratch.targets.extend((start..end).map(|i| self.targets.of(self.samples, i)));
        let scores = MatMut::new(&mut scratch.scores, end - start, n_scores);
        matmul_turned(scores, rows, weights, &self.workspace, pool, |block| add_bias(block, &self.intercept));
        sums.loss = residuals(&mut scratch.scores, n_scores, &scratch.targets);
        let residuals = MatRef::new(&scratch.scores, end - start, n_scores);
        sums.intercept.clear();
        sums.intercept.resize(n_scores, 0.0);
        for row in residuals.as_slice().chunks_exact(n_scores) {
            sums.intercept.iter_mut().zip(row).for_each(|(sum, r)| *sum += f64::from(*r));
        }
        let gradient = sums.gradient.first(self.n_panel_values);
        matmul_tn([gradient], residuals, rows, &mut scratch.workspace, pool, |[to], sums| {
            to.copy_from_slice(sums);
        });
    }

    /// Adds up the sums of blocks; returns that of their losses.
    fn add(&self, wave: &[Sums], gradient: &mut [f64]) -> f64 {
        let (coef, intercept) = gradient.split_at_mut(self.n_panel_values);
        self.pool.for_each_chunk(coef, PIECE, |piece, to| {
            for sums in wave {
                let gradient = &sums.gradient[piece * PIECE..];
                to.iter_mut().zip(gradient).for_each(|(to, g)| *to += f64::from(*g));
            }
        });
        for sums in wave {
            intercept.iter_mut().zip(&sums.intercept).for_each(|(to, g)| *to += g);
        }
        wave.iter().map(|sums| sums.loss).sum()
    }
}

impl Function for Objective<'_> {
    fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        if weights.is_empty() {
            return 0.0;
        }
        self.round(weights);
        let (n_features, n_scores) = (self.samples.n_features(), self.targets.n_scores());
        let turned = turn(Panels::new(&self.weights, n_scores, n_features), &mut self.workspace, self.pool);
        gradient.fill(0.0);
        let (mut wave, mut loss) = (std::mem::take(&mut self.wave), 0.0);
        let n_blocks = self.samples.n_samples().div_ceil(self.rows_a_block);
        for first in (0..n_blocks).step_by(wave.len()) {
            let wave = &mut wave[..];
            let n = wave.len().min(n_blocks - first);
            self.pool
                .for_each_chunk(&mut wave[..n], 1, |i, sums| self.block(first + i, turned, &mut sums[0]));
            loss += self.add(&wave[..n], gradient);
        }
        self.wave = wave;
        let total = self.targets.total_weight();
        let (coef, intercept) = gradient.split_at_mut(self.n_panel_values);
        let mut square = 0.0;
        for (g, w) in coef.iter_mut().zip(weights) {
            *g = *g / total + self.penalty * w;
            square += w * w;
        }
        intercept.iter_mut().for_each(|g| *g /= total);
        loss / total + 0.5 * self.penalty * square
    }
}
