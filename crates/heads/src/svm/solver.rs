//! Sequential minimal optimisation with second-order choice of pairs and shrinking, for two classes of rows.
//!
//! With `beta_t = y_t alpha_t` and `y_t` 1 for rows of the first class and -1 for those of the second, the dual problem is
//!
//! ```text
//! minimise 1/2 beta' K beta - y' beta    for sum beta = 0, beta_t between 0 and y_t C_t
//! ```
//!
//! The score of a row is the negative gradient, `f_t = y_t - sum_s beta_s k_ts`. Each step raises the row of the largest score and lowers a
//! partner by as much. The problem is solved when no row that may rise has a score of `tol` or more above that of one that may fall.
//!
//! References: Fan, Chen and Lin, "Working set selection using second order information for training support vector machines", 2005;
//! Chang and Lin, "LIBSVM: a library for support vector machines", 2011, whose rules of shrinking these are.

use headsmith_kernels::smo::{self, LEAST_CURVATURE, Largest, Partner};

use super::cache::{Cache, padded};
use super::source::{Columns, Source};

/// Steps between two shrinkings, at most.
const PERIOD: usize = 1000;
/// The most steps: the larger of this and 100 for each row (libsvm's limit).
const MOST_STEPS: usize = 10_000_000;
/// Rows leave where at least one of so many would: the kernel values in the cache move then.
const LEAST_LEAVING: usize = 16;
/// Rows whose kernel values are computed together to find the scores of rows that were not active.
const BLOCK: usize = 32;

/// A problem of two classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'p> {
    /// Rows of the source, of each class.
    pub(super) rows: [&'p [u32]; 2],
    /// C of every row of the source, above 0.
    pub(super) bounds: &'p [f64],
    /// The tolerance of scores.
    pub(super) tol: f64,
}

/// The solution of a problem: a row x is of the first class if `sum beta_s k(x, x_s) + intercept` is above 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Solution {
    /// The rows whose beta is not 0, with it; in the order of the problem.
    pub(super) support: Vec<(u32, f64)>,
    pub(super) intercept: f64,
    /// The minimum of the dual problem.
    pub(super) objective: f64,
    pub(super) n_iter: usize,
}

/// Solves problems one after another.
#[derive(Debug)]
pub(super) struct Solver<'s> {
    source: &'s Source,
    cache_bytes: usize,
    cache: Cache,
    /// All rows of the problem, their betas, and the least and largest of these.
    rows: Vec<u32>,
    beta: Vec<f64>,
    range: Vec<(f64, f64)>,
    /// The active rows as places in the problem, rising; their scores, and who may rise or fall, as the passes of [`smo`] take them.
    active: Vec<u32>,
    columns: Columns,
    f: Vec<f64>,
    up: Vec<f64>,
    low: Vec<f64>,
    largest: Largest,
    /// Whether the scores of all rows were computed again near the solution, as is done once.
    was_restored: bool,
}

impl<'s> Solver<'s> {
    /// A solver of problems of the rows of `source` that keeps at most `cache_bytes` of kernel values.
    pub(super) fn new(source: &'s Source, cache_bytes: usize) -> Solver<'s> {
        Solver {
            source,
            cache_bytes,
            cache: Cache::default(),
            rows: Vec::new(),
            beta: Vec::new(),
            range: Vec::new(),
            active: Vec::new(),
            columns: Columns::Places(Vec::new()),
            f: Vec::new(),
            up: Vec::new(),
            low: Vec::new(),
            largest: Largest { row: 0, score: f64::NEG_INFINITY },
            was_restored: false,
        }
    }

    /// Solves a problem. A class without rows loses; without any there is nothing to tell apart.
    pub(super) fn solve(&mut self, problem: Problem<'_>) -> Solution {
        let [first, second] = problem.rows;
        if first.is_empty() || second.is_empty() {
            let intercept = f64::from(!first.is_empty()) - f64::from(!second.is_empty());
            return Solution { intercept, ..Solution::default() };
        }
        self.begin(problem);
        let n = self.rows.len();
        let (mut n_iter, mut until_shrinking) = (0, n.min(PERIOD));
        while n_iter < MOST_STEPS.max(100 * n) {
            if until_shrinking == 0 {
                until_shrinking = n.min(PERIOD);
                self.shrink(problem.tol);
            }
            if !self.step(problem.tol) {
                if self.active.len() == n {
                    break;
                }
                // Solved for the active rows: now for all, and those are few again.
                self.restore();
                until_shrinking = 1;
                if !self.step(problem.tol) {
                    break;
                }
            }
            (n_iter, until_shrinking) = (n_iter + 1, until_shrinking - 1);
        }
        self.restore();
        self.solution(n_iter)
    }

    /// Starts at betas of 0.
    fn begin(&mut self, problem: Problem<'_>) {
        let [first, second] = problem.rows;
        self.rows.clear();
        self.rows.extend(first.iter().chain(second));
        let n = self.rows.len();
        self.beta.clear();
        self.beta.resize(n, 0.0);
        self.range.clear();
        self.range.extend(first.iter().map(|&row| (0.0, problem.bounds[row as usize])));
        self.range.extend(second.iter().map(|&row| (-problem.bounds[row as usize], 0.0)));
        self.f.clear();
        self.f.resize(first.len(), 1.0);
        self.f.resize(n, -1.0);
        self.was_restored = false;
        self.activate_all();
    }

    /// Makes all rows active, whose scores are in `f`.
    fn activate_all(&mut self) {
        let n = self.rows.len();
        self.active.clear();
        self.active.extend(0..n as u32);
        self.columns = self.source.columns(self.rows.iter().copied());
        self.cache.clear(n, self.cache_bytes);
        self.set_moves();
    }

    /// Sets who may rise or fall of the active rows, and pads.
    fn set_moves(&mut self) {
        let (n, len) = (self.active.len(), padded(self.active.len()));
        self.f.truncate(n);
        self.f.resize(len, 0.0);
        for (moves, never) in [(&mut self.up, f64::NEG_INFINITY), (&mut self.low, f64::INFINITY)] {
            moves.clear();
            moves.resize(len, never);
        }
        (0..n).for_each(|at| self.set_move(at));
        smo::largest(&self.f, &self.up, &mut self.largest);
    }

    /// Sets whether active row `at` may rise or fall.
    fn set_move(&mut self, at: usize) {
        let place = self.active[at] as usize;
        let (beta, (least, most)) = (self.beta[place], self.range[place]);
        self.up[at] = if beta < most { 0.0 } else { f64::NEG_INFINITY };
        self.low[at] = if beta > least { 0.0 } else { f64::INFINITY };
    }

    /// Takes a step; false when the active rows are solved.
    fn step(&mut self, tol: f64) -> bool {
        let Largest { row: i, score } = self.largest;
        if score == f64::NEG_INFINITY {
            return false;
        }
        let slot_i = self.slot(i);
        let mut partner = Partner { row: usize::MAX, gap: f64::NEG_INFINITY };
        smo::partner(&self.f, &self.low, self.cache.row(slot_i), score, &mut partner);
        let j = partner.row;
        if partner.gap < tol || j == usize::MAX {
            return false;
        }
        let slot_j = self.slot(j);
        let curvature = 2.0 - 2.0 * f64::from(self.cache.row(slot_i)[j]);
        let wanted = (score - self.f[j]) / curvature.max(LEAST_CURVATURE);
        let size = self.move_pair(i, j, wanted);
        let (row_i, row_j) = (self.cache.row(slot_i), self.cache.row(slot_j));
        smo::step(&mut self.f, &self.up, row_i, row_j, size, &mut self.largest);
        true
    }

    /// Raises the beta of active row i and lowers that of j by as much, at most by `wanted`; returns by how much.
    fn move_pair(&mut self, i: usize, j: usize, wanted: f64) -> f64 {
        let [at_i, at_j] = [i, j].map(|at| self.active[at] as usize);
        let (most, least) = (self.range[at_i].1, self.range[at_j].0);
        let (room_i, room_j) = (most - self.beta[at_i], self.beta[at_j] - least);
        let size = wanted.min(room_i).min(room_j);
        // A bound that is reached is reached exactly.
        self.beta[at_i] = if size == room_i { most } else { self.beta[at_i] + size };
        self.beta[at_j] = if size == room_j { least } else { self.beta[at_j] - size };
        self.set_move(i);
        self.set_move(j);
        size
    }

    fn slot(&mut self, at: usize) -> usize {
        let row = self.rows[self.active[at] as usize];
        self.cache.slot(at, row, self.source, &self.columns)
    }

    /// Leaves out the rows at a bound that would only move beyond it.
    fn shrink(&mut self, tol: f64) {
        let largest = self.largest.score;
        let scores = self.f.iter().zip(&self.low);
        let smallest = scores.map(|(f, low)| f + low).fold(f64::INFINITY, f64::min);
        if !self.was_restored && largest - smallest <= 10.0 * tol {
            self.was_restored = true;
            self.restore();
            return;
        }
        let stays = |at: usize| match (self.up[at] == 0.0, self.low[at] == 0.0) {
            (true, false) => self.f[at] >= smallest,
            (false, true) => self.f[at] <= largest,
            _ => true,
        };
        let keep: Vec<u32> = (0..self.active.len() as u32).filter(|&at| stays(at as usize)).collect();
        if self.active.len() - keep.len() < self.active.len().div_ceil(LEAST_LEAVING) {
            return;
        }
        self.f = keep.iter().map(|&at| self.f[at as usize]).collect();
        self.active = keep.iter().map(|&at| self.active[at as usize]).collect();
        self.cache.shrink(&keep);
        self.columns = self.source.columns(self.active.iter().map(|&place| self.rows[place as usize]));
        self.set_moves();
    }

    /// Makes all rows active again: computes the scores of those that were not.
    fn restore(&mut self) {
        let n = self.rows.len();
        if self.active.len() == n {
            return;
        }
        let mut all = vec![f64::NAN; n];
        self.active.iter().zip(&self.f).for_each(|(&place, f)| all[place as usize] = *f);
        let others: Vec<usize> = (0..n).filter(|&place| all[place].is_nan()).collect();
        let mut f: Vec<f64> =
            others.iter().map(|&place| if self.range[place].1 > 0.0 { 1.0 } else { -1.0 }).collect();
        let columns = self.source.columns(others.iter().map(|&place| self.rows[place]));
        let support: Vec<usize> = (0..n).filter(|&place| self.beta[place] != 0.0).collect();
        let mut values = vec![0.0; BLOCK * others.len()];
        for block in support.chunks(BLOCK) {
            let rows: Vec<u32> = block.iter().map(|&place| self.rows[place]).collect();
            self.source.fill(&rows, &columns, &mut values, others.len());
            for (&place, values) in block.iter().zip(values.chunks_exact(others.len())) {
                smo::subtract(&mut f, values, self.beta[place]);
            }
        }
        others.iter().zip(f).for_each(|(&place, f)| all[place] = f);
        self.f = all;
        self.activate_all();
    }

    /// The solution, of which all rows are active.
    fn solution(&self, n_iter: usize) -> Solution {
        let support = self
            .rows
            .iter()
            .zip(&self.beta)
            .filter(|(_, beta)| **beta != 0.0)
            .map(|(row, beta)| (*row, *beta));
        let sum: f64 = self.beta.iter().zip(&self.f).map(|(beta, f)| beta.abs() + beta * f).sum();
        Solution { support: support.collect(), intercept: self.intercept(), objective: -0.5 * sum, n_iter }
    }

    /// The mean score of the rows between their bounds; without such rows, the middle of what the bounds allow.
    fn intercept(&self) -> f64 {
        let (mut sum, mut n_free) = (0.0, 0);
        let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
        for at in 0..self.active.len() {
            let f = self.f[at];
            match (self.up[at] == 0.0, self.low[at] == 0.0) {
                (true, true) => (sum, n_free) = (sum + f, n_free + 1),
                (true, false) => least = least.max(f),
                _ => most = most.min(f),
            }
        }
        if n_free > 0 { sum / f64::from(n_free) } else { (least + most) / 2.0 }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{Matrix, Philox, Pool};

    use super::*;

    /// Two overlapping classes.
    fn rows(n: usize) -> Matrix {
        let mut draws = Philox::new(5, 0, 0).sequence(0, 0);
        let value =
            |at: usize, draw: f64| (draw * 1.5 + if (at / 3).is_multiple_of(2) { 0.4 } else { 0.0 }) as f32;
        let values = (0..3 * n).map(|at| value(at, draws.uniform()));
        Matrix::new(values.collect(), n, 3)
    }

    /// How far a solution is from the optimum: the largest violation of the optimality conditions, with its own kernel in double precision.
    fn violation(x: &Matrix, problem: Problem<'_>, solution: &Solution) -> f64 {
        let kernel = |i: u32, j: u32| {
            let pairs = x.row(i as usize).iter().zip(x.row(j as usize));
            (-pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>()).exp()
        };
        let sum: f64 = solution.support.iter().map(|(_, beta)| beta).sum();
        assert!(sum.abs() < 1e-9, "the constraint: {sum}");
        let mut worst: f64 = 0.0;
        for (class, y) in [(0, 1.0), (1, -1.0)] {
            for &row in problem.rows[class] {
                let beta = solution.support.iter().find(|(s, _)| *s == row).map_or(0.0, |(_, beta)| *beta);
                let bound = problem.bounds[row as usize];
                assert!((0.0..=bound).contains(&(y * beta)));
                let decision: f64 = solution.support.iter().map(|(s, b)| b * kernel(row, *s)).sum::<f64>()
                    + solution.intercept;
                // 0 where the margin is met exactly, above where it is missed.
                let missed = 1.0 - y * decision;
                worst = worst.max(match y * beta {
                    0.0 => missed,
                    alpha if alpha == bound => -missed,
                    _ => missed.abs(),
                });
            }
        }
        worst
    }

    #[test]
    fn solutions_satisfy_the_optimality_conditions() {
        let (x, pool) = (rows(400), Pool::inline());
        let classes: [Vec<u32>; 2] = [0, 1].map(|class| (0..400).filter(|i| i % 2 == class).collect());
        let bounds: Vec<f64> = (0..400).map(|i| if i % 5 == 0 { 0.3 } else { 2.0 }).collect();
        let whole = Source::new(x.clone(), u64::MAX, &pool);
        let computed = Source::new(x.clone(), 0, &pool);
        let mut solvers = [
            Solver::new(&whole, 1 << 20),
            // Rows leave the cache.
            Solver::new(&whole, 40_000),
            Solver::new(&computed, 1 << 20),
        ];
        for tol in [1e-3, 1e-5] {
            let problem = Problem { rows: [&classes[0], &classes[1]], bounds: &bounds, tol };
            let solutions = solvers.each_mut().map(|solver| solver.solve(problem));
            for solution in &solutions {
                let violation = violation(&x, problem, solution);
                assert!(violation < 1.1 * tol, "{violation}");
                assert!(solution.n_iter > 100 && solution.support.len() < 400);
                assert!((solution.objective - solutions[0].objective).abs() < tol * solution.objective.abs());
            }
            assert_eq!(solutions[0], solutions[1]);
        }
    }

    #[test]
    fn a_class_without_rows_loses() {
        let (x, pool) = (rows(4), Pool::inline());
        let source = Source::new(x.clone(), u64::MAX, &pool);
        let mut solver = Solver::new(&source, 0);
        let mut solve = |rows| solver.solve(Problem { rows, bounds: &[1.0; 4], tol: 1e-3 }).intercept;
        assert_eq!([solve([&[], &[1, 2]]), solve([&[1], &[]]), solve([&[], &[]])], [-1.0, 1.0, 0.0]);
        // The middle between two rows.
        assert!(solve([&[0], &[1]]).abs() < 1e-6);
    }

    #[test]
    fn rows_at_one_place_are_told_apart_as_far_as_the_bounds_allow() {
        let x = Matrix::zeros(6, 2);
        let source = Source::new(x.clone(), u64::MAX, &Pool::inline());
        let problem = Problem { rows: [&[0, 2, 4], &[1, 3, 5]], bounds: &[0.5; 6], tol: 1e-3 };
        let solution = Solver::new(&source, 1 << 10).solve(problem);
        assert_eq!(solution.support.len(), 6);
        assert!(solution.intercept.is_finite() && solution.objective.is_finite());
    }
}
