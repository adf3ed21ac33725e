//! L-BFGS: a quasi-Newton method that knows the curvature from its last steps (Liu and Nocedal, "On the limited memory
//! BFGS method for large scale optimization", Mathematical Programming 45, 1989; Nocedal and Wright, "Numerical
//! Optimization", 2nd edition, 2006, algorithms 7.4 and 7.5).
//!
//! With g the gradient, s the last steps and y the changes of g along them, the direction is `-H g`, where H is the BFGS
//! approximation of the inverse Hessian that begins with `(s . y) / (y . y)` times the identity.

use std::collections::VecDeque;

use headsmith_kernels::Pool;

use super::line_search::{Point, search};
use super::vectors::{add, dot, max_abs};

/// A function of many variables.
pub(crate) trait Function {
    /// The value at `weights`; the gradient goes to `gradient`.
    fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64;
}

/// A step and the change of the gradient along it: rounded, since they only steer the next steps.
struct Pair {
    step: Vec<f32>,
    change: Vec<f32>,
    /// 1 / (step . change)
    rho: f64,
}

/// The pairs that are kept.
const N_PAIRS: usize = 10;
/// Values of all pairs together above which fewer are kept: 1 GiB.
const MOST_VALUES: usize = 1 << 28;
/// The pairs kept of the longest vectors.
const FEWEST_PAIRS: usize = 3;
/// Iterations in a row that lower the value by less than [`FLAT`] of it before the value counts as flat.
const PATIENCE: usize = 5;
const FLAT: f64 = 1e-9;

/// The number of pairs that are kept of vectors of `n` values.
pub(super) fn n_pairs(n: usize) -> usize {
    (MOST_VALUES / (2 * n.max(1))).clamp(FEWEST_PAIRS, N_PAIRS)
}

/// The bytes that a minimisation needs for vectors of `n` values.
pub(crate) fn n_bytes(n: u64) -> u64 {
    // Vectors in double precision, and pairs in single.
    n.saturating_mul(5 * 8 + 2 * 4 * n_pairs(n as usize) as u64)
}

/// A minimisation under way.
pub(crate) struct Lbfgs<'p, F> {
    pub(crate) function: F,
    tol: f64,
    weights: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
    direction: Vec<f64>,
    /// Where the line search is, with the gradient there.
    trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    pairs: VecDeque<Pair>,
    /// Iterations in a row that changed next to nothing.
    n_flat: usize,
    pool: &'p Pool,
}

impl<'p, F: Function> Lbfgs<'p, F> {
    /// Begins at zeros. The minimum is found where no element of the gradient is larger than `tol`, or than this share of
    /// the value where that is below 1: the losses of separable rows are tiny, and so are their gradients far from the
    /// minimum. Or where no step lowers the value by more than rounding errors. `None` if value or gradient are
    /// not finite at zeros.
    pub(crate) fn new(mut function: F, n: usize, tol: f64, pool: &'p Pool) -> Option<Lbfgs<'p, F>> {
        let [weights, mut gradient, direction, trial, trial_gradient] = [(); 5].map(|()| vec![0.0; n]);
        let value = function.evaluate(&weights, &mut gradient);
        let (pairs, n_flat) = (VecDeque::new(), 0);
        let is_finite = value.is_finite() && max_abs(&gradient).is_finite();
        is_finite.then_some(Lbfgs {
            function,
            tol,
            weights,
            gradient,
            value,
            direction,
            trial,
            trial_gradient,
            pairs,
            n_flat,
            pool,
        })
    }

    /// The weights so far.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The function's value there.
    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// Whether the minimum is found.
    pub(crate) fn is_done(&self) -> bool {
        self.n_flat >= PATIENCE || max_abs(&self.gradient) <= self.tol * self.value.min(1.0)
    }

    /// Does an iteration.
    pub(crate) fn iterate(&mut self) {
        let before = self.value;
        let went = self.advance();
        let fell = before - self.value > FLAT * self.value.abs();
        self.n_flat = match (went, fell) {
            (false, _) => PATIENCE,
            (true, true) => 0,
            (true, false) => self.n_flat + 1,
        };
    }

    /// Goes one step. False if none lowers the value.
    fn advance(&mut self) -> bool {
        loop {
            self.direct();
            if self.step() {
                return true;
            }
            // Pairs of rounding errors may mislead: once more along the gradient alone.
            if self.pairs.is_empty() {
                return false;
            }
            self.pairs.clear();
        }
    }

    /// Sets the direction (algorithm 7.4).
    fn direct(&mut self) {
        let (q, pool) = (&mut self.direction, self.pool);
        q.iter_mut().zip(&self.gradient).for_each(|(q, g)| *q = -g);
        let mut alphas = [0.0; N_PAIRS];
        for (pair, alpha) in self.pairs.iter().rev().zip(&mut alphas) {
            *alpha = pair.rho * dot(&pair.step, q, pool);
            add(q, -*alpha, &pair.change, pool);
        }
        if let Some(last) = self.pairs.back() {
            let scale = 1.0 / (last.rho * dot(&last.change, &last.change, pool));
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas[..self.pairs.len()].iter().rev()) {
            let beta = pair.rho * dot(&pair.change, q, pool);
            add(q, alpha - beta, &pair.step, pool);
        }
    }

    /// Searches along the direction and goes there. False if no step lowers the value.
    fn step(&mut self) -> bool {
        let (weights, direction, pool) = (&self.weights, &self.direction, self.pool);
        let slope = dot(&self.gradient, direction, pool);
        if slope.is_nan() || slope >= 0.0 {
            return false;
        }
        let start = Point { step: 0.0, value: self.value, slope };
        // The direction has the length of a Newton step, but for the very first.
        let first = if self.pairs.is_empty() { 1.0 / dot(direction, direction, pool).sqrt() } else { 1.0 };
        let (trial, gradient, function) = (&mut self.trial, &mut self.trial_gradient, &mut self.function);
        let found = search(start, first, &mut |step| {
            trial.copy_from_slice(weights);
            add(trial, step, direction, pool);
            let value = function.evaluate(trial, gradient);
            (value, dot(gradient, direction, pool))
        });
        let Some(found) = found else { return false };
        self.remember();
        std::mem::swap(&mut self.weights, &mut self.trial);
        std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
        self.value = found.value;
        true
    }

    /// Keeps the step to the trial as a pair, in the place of the oldest.
    fn remember(&mut self) {
        let full = self.pairs.len() == n_pairs(self.weights.len());
        let oldest = if full { self.pairs.pop_front() } else { None };
        let mut pair = oldest.unwrap_or_else(|| Pair { step: Vec::new(), change: Vec::new(), rho: 0.0 });
        let difference = |to: &mut Vec<f32>, a: &[f64], b: &[f64]| {
            to.clear();
            to.extend(a.iter().zip(b).map(|(a, b)| (a - b) as f32));
        };
        difference(&mut pair.step, &self.trial, &self.weights);
        difference(&mut pair.change, &self.trial_gradient, &self.gradient);
        let curvature = dot(&pair.step, &pair.change, self.pool);
        // Below, the change is rounding error (the condition of Byrd, Lu, Nocedal and Zhu's L-BFGS-B).
        if curvature > f64::EPSILON * dot(&pair.change, &pair.change, self.pool) {
            pair.rho = 1.0 / curvature;
            self.pairs.push_back(pair);
        }
    }
}

/// Asserts that each number of a gradient is the difference of values on both sides of `at`, within `tolerance`.
#[cfg(test)]
pub(crate) fn assert_gradient(function: &mut impl Function, at: &[f64], tolerance: f64) {
    let (mut gradient, mut unused) = (vec![0.0; at.len()], vec![0.0; at.len()]);
    function.evaluate(at, &mut gradient);
    for (i, gradient) in gradient.into_iter().enumerate() {
        let mut moved = |by: f64| {
            let mut at = at.to_vec();
            at[i] += by;
            function.evaluate(&at, &mut unused)
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((gradient - difference).abs() < tolerance, "{i}: {gradient} and {difference}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl<F: FnMut(&[f64], &mut [f64]) -> f64> Function for F {
        fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64 {
            self(weights, gradient)
        }
    }

    /// The weights at the end, iterations and evaluations.
    fn run(n: usize, tol: f64, mut f: impl FnMut(&[f64], &mut [f64]) -> f64) -> (Vec<f64>, usize, usize) {
        let (mut n_iter, mut n_calls, pool) = (0, 0, Pool::inline());
        let function = |w: &[f64], g: &mut [f64]| {
            n_calls += 1;
            f(w, g)
        };
        let mut lbfgs = Lbfgs::new(function, n, tol, &pool).unwrap();
        while !lbfgs.is_done() && n_iter < 1000 {
            lbfgs.iterate();
            n_iter += 1;
        }
        (lbfgs.weights, n_iter, n_calls)
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        // It begins at (-1.2, 1).
        let (weights, n_iter, n_calls) = run(2, 1e-6, |w, g| {
            let (x, y) = (w[0] - 1.2, w[1] + 1.0);
            let (a, b) = (1.0 - x, y - x * x);
            g.copy_from_slice(&[-2.0 * a - 400.0 * x * b, 200.0 * b]);
            1.0 + a * a + 100.0 * b * b
        });
        assert!((weights[0] - 2.2).abs() < 1e-5 && weights[1].abs() < 1e-5, "{weights:?}");
        // SciPy 1.17's L-BFGS-B needs 37 iterations and 45 evaluations.
        assert!(n_iter < 60 && n_calls < 90, "{n_iter} iterations, {n_calls} evaluations");
    }

    #[test]
    fn an_ill_conditioned_quadratic_is_solved() {
        let curvature = |i: usize| 10f64.powf(i as f64 / 33.0);
        let (weights, n_iter, _) = run(100, 1e-6, |w, g| {
            let terms = w.iter().zip(g).enumerate().map(|(i, (w, g))| {
                *g = curvature(i) * (w - i as f64);
                0.5 * curvature(i) * (w - i as f64).powi(2)
            });
            1.0 + terms.sum::<f64>()
        });
        // SciPy 1.17's L-BFGS-B needs 313 iterations.
        assert!(n_iter < 500, "{n_iter} iterations");
        assert!(weights.iter().enumerate().all(|(i, w)| (w - i as f64).abs() < 1e-3));
    }

    #[test]
    fn it_ends_when_it_should() {
        // At the minimum already.
        assert_eq!(run(2, 1e-6, |_, _| 1.0), (vec![0.0; 2], 0, 1));
        // A gradient that is wrong by rounding never gets within a tolerance of 0, but the values tell.
        let (_, n_iter, _) = run(2, 0.0, |w, g| {
            g.copy_from_slice(&[w[0] - 5.0 + 1e-9, w[1] + 3.0 - 1e-9]);
            1.0 + 0.5 * ((w[0] - 5.0).powi(2) + (w[1] + 3.0).powi(2))
        });
        assert!(n_iter < 20, "{n_iter} iterations");
        let pool = Pool::inline();
        assert!(Lbfgs::new(|_: &[f64], _: &mut [f64]| f64::NAN, 2, 0.0, &pool).is_none());
        let infinite = |_: &[f64], g: &mut [f64]| {
            g[1] = f64::INFINITY;
            1.0
        };
        assert!(Lbfgs::new(infinite, 2, 0.0, &pool).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!((n_pairs(0), n_pairs(1539), n_pairs(65_537_000)), (10, 10, 3));
        // A thousand classes of 65,536 features.
        assert!(n_bytes(65_537_000) < 5 << 30);
    }
}
