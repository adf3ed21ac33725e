//! The choice of C and gamma by the log loss of calibrated decision values, each by a fit without the row's fold.
//!
//! From C = 1 and gamma `scale` on, each that is to be chosen goes up and down a ladder as long as the loss falls: C by factors of 3, gamma by
//! factors of 2; then C once more.

use headsmith_kernels::Pool;

use super::folds::scores;
use super::rows::Rows;
use super::source::{MOST_BYTES, Source};
use crate::calibration::{self, Form, Outputs};
use crate::error::Result;
use crate::head::Folds;

/// Rows on which values are compared.
pub(super) const MOST_ROWS: usize = 4000;
/// The factors of the ladders, and their rungs up or down.
const C_FACTOR: f64 = 3.0;
const GAMMA_FACTOR: f64 = 2.0;
const MOST_RUNGS: i32 = 6;

/// Values that were tried, and the log loss with them.
pub(super) type Tried = (f64, f64, f64);

/// A search for C or gamma, or both.
pub(super) struct Search<'p> {
    rows: Rows,
    tol: f64,
    form: Form,
    pool: &'p Pool,
    /// The kernel of the gamma that was looked at last.
    source: Option<(f64, Source)>,
    pub(super) tried: Vec<Tried>,
}

impl<'p> Search<'p> {
    /// A search on some of `rows`.
    pub(super) fn new(rows: &Rows, tol: f64, form: Form, pool: &'p Pool) -> Search<'p> {
        Search { rows: rows.thinned(MOST_ROWS), tol, form, pool, source: None, tried: Vec::new() }
    }

    /// The best of the values that are tried from `(c, gamma)` on; `free` says which of them may change.
    ///
    /// # Errors
    /// When the features are too large.
    pub(super) fn best(&mut self, start: (f64, f64), free: (bool, bool)) -> Result<(f64, f64)> {
        let mut best = start;
        if free.0 {
            best.0 = self.climb(best.0, C_FACTOR, |c| (c, best.1))?;
        }
        if free.1 {
            best.1 = self.climb(best.1, GAMMA_FACTOR, |gamma| (best.0, gamma))?;
        }
        if free == (true, true) && best.1 != start.1 {
            best.0 = self.climb(best.0, C_FACTOR, |c| (c, best.1))?;
        }
        Ok(best)
    }

    /// Goes up the ladder from `start`, or, if that is no better, down, as long as the loss falls.
    fn climb(&mut self, start: f64, factor: f64, setting: impl Fn(f64) -> (f64, f64)) -> Result<f64> {
        let mut best = (start, self.loss(setting(start))?);
        for direction in [1, -1] {
            for rung in 1..=MOST_RUNGS {
                let value = start * factor.powi(direction * rung);
                let loss = self.loss(setting(value))?;
                if loss >= best.1 {
                    break;
                }
                best = (value, loss);
            }
            if best.0 != start {
                break;
            }
        }
        Ok(best.0)
    }

    fn loss(&mut self, (c, gamma): (f64, f64)) -> Result<f64> {
        if let Some((.., loss)) = self.tried.iter().find(|tried| (tried.0, tried.1) == (c, gamma)) {
            return Ok(*loss);
        }
        if self.source.as_ref().is_none_or(|(of, _)| *of != gamma) {
            // Not two at once.
            self.source = None;
            let x = self.rows.scaled(gamma, self.pool)?;
            self.source = Some((gamma, Source::new(x, MOST_BYTES, self.pool)));
        }
        let Some((_, source)) = &self.source else { return Ok(f64::INFINITY) };
        let values = scores(&self.rows, source, (c, self.tol), self.pool);
        let loss = log_loss(&self.rows, &values, self.form, self.pool);
        self.tried.push((c, gamma, loss));
        Ok(loss)
    }
}

/// The scores of rows as a calibration takes them.
pub(super) fn outputs<'a>(rows: &'a Rows, values: &'a [f64]) -> Outputs<'a> {
    Outputs { values, n: rows.classes.len(), target: &rows.target, weights: &rows.weights }
}

/// The mean log loss of scores, each calibrated by those of other folds, in nats.
pub(super) fn log_loss(rows: &Rows, values: &[f64], form: Form, pool: &Pool) -> f64 {
    let n = rows.classes.len();
    let proba = calibration::cross_fitted(outputs(rows, values), form, Folds::Of(&rows.units), pool);
    let losses = proba.chunks_exact(n).zip(&rows.target).zip(&rows.weights);
    let sum: f64 = losses.map(|((row, &target), weight)| -weight * row[target].max(1e-15).ln()).sum();
    sum / rows.weights.iter().sum::<f64>()
}
