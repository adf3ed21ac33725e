//! Kernel ridge regression on landmarks: the Nystroem approximation of large tables.
//!
//! The outputs are `sum_j beta_j k(x, z_j) + b` over landmarks z (`landmarks.rs`), which minimise
//!
//! ```text
//! sum_i w_i |y_i - f(x_i)|^2 + alpha beta' K beta          K the kernel matrix of the landmarks
//! ```
//!
//! (Williams and Seeger, "Using the Nystroem method to speed up kernel machines", 2001; Rudi, Camoriano and Rosasco, "Less is more: Nystroem computational
//! regularization", 2015): with n landmarks one symmetric system of n equations, whose sums of products over the rows are accumulated in blocks, in double
//! precision. The rows are dealt to folds, which have sums of their own: the system without a fold is the difference of two, so that each strength has exact
//! out-of-fold outputs for one more factor a fold, and the table is read once for the sums, and once for the outputs.

mod folds;
mod sums;

use std::collections::HashMap;

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{Matrix, Pool};

use self::folds::{chunks, dealt};
use self::sums::{Solution, Sums};
use super::gram::Gram;
use super::landmarks::{self, Landmarks};
use super::machine::{FittedKernel, Machine};
use super::plan::Plan;
use super::plan::search_rows;
use super::problem::{NO_WEIGHT, Problem};
use super::refine::Prepared;
use super::screen::Scored;
use super::trial::Setting;
use crate::calibration::{self, Calibration};
use crate::error::{Error, Result};
use crate::head::{Cost, Folds, Shape};
use crate::linalg::Products;
use crate::linalg::tiles::{self, Tiles};

/// Folds of rows that strengths are compared by.
pub(super) const N_FOLDS: usize = 5;
/// Rows whose products are added in one step.
const CHUNK: usize = 4096;
/// Factors of the strength that the search on fewer rows found.
const MOVES: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// The addition to the diagonal of the landmarks' kernel matrix, as a share of it.
const JITTER: f64 = 1e-6;
/// Rounding coefficients and kernel values to single precision may change an output by so much, at most.
const MOST_ERROR: f64 = 1e-3;

/// A fit on landmarks under way.
#[derive(Debug)]
pub(super) struct Nystroem {
    prepared: Prepared,
    landmarks: Landmarks,
    /// The kernel matrix of the landmarks.
    matrix: Tiles<f64>,
    point: Scored,
    settings: Vec<Setting>,
    /// The fold of each row.
    fold_of: Vec<u32>,
    /// The rows of each chunk, all of one fold.
    chunks: Vec<Vec<usize>>,
    n_added: usize,
    /// The sums of each fold while they grow.
    growing: Vec<Products>,
    /// The sums of each fold, and those of all.
    sums: Vec<Sums>,
    total: Option<Sums>,
    n_left_out: usize,
    /// For each strength the outputs of each row by the fit without its fold.
    outputs: Vec<Vec<f64>>,
    best: Option<Best>,
}

/// The fit with the best strength.
#[derive(Debug)]
struct Best {
    at: usize,
    solution: Solution,
    calibration: Calibration,
    log_loss: f64,
}

impl Nystroem {
    /// Begins a fit with the features and gamma of `point`, and a strength around its own, unless `plan` has one.
    ///
    /// # Errors
    /// When the transform cannot be fitted, or the kernel matrix of landmarks is singular.
    pub(super) fn begin(
        problem: &Problem,
        plan: &Plan,
        point: Scored,
        (n_landmarks, units, seed): (usize, Option<&[u32]>, u64),
        pool: &Pool,
    ) -> Result<Nystroem> {
        let prepared = Prepared::new(point.features, problem.x.view(), pool)?;
        let alphas: Vec<f64> = match plan.is_open().1 {
            true => MOVES.iter().map(|factor| point.alpha * factor).collect(),
            false => vec![point.alpha],
        };
        let settings = alphas.iter().map(|alpha| plan.setting(point.gamma, *alpha, prepared.variance));
        let settings = settings.collect::<Result<Vec<Setting>>>()?;
        let function = settings[0].function;
        let drawn = landmarks::draw(prepared.rows.view(), (function, point.alpha), n_landmarks, seed, pool)?;
        let landmarks = Landmarks::new(prepared.rows.view().gather(&drawn));
        let gram = Gram::<f64>::new(landmarks.rows.view(), pool);
        let matrix = gram.matrix(function, |_| JITTER, pool);
        let fold_of = dealt(&problem.one_hot.target, units);
        let chunks = chunks(&fold_of);
        let size = landmarks.n() + 1 + problem.one_hot.width();
        Ok(Nystroem {
            prepared,
            landmarks,
            matrix,
            point,
            settings,
            fold_of,
            chunks,
            n_added: 0,
            growing: (0..N_FOLDS).map(|_| Products::new(size)).collect(),
            sums: Vec::new(),
            total: None,
            n_left_out: 0,
            outputs: Vec::new(),
            best: None,
        })
    }

    /// The memory and work of a fit, whose search screens on so many rows.
    pub(super) fn cost(shape: Shape, n_landmarks: usize, n_screen: u64) -> Cost {
        let [n, f, k, m] =
            [shape.n_samples, shape.n_features, shape.n_classes, n_landmarks].map(|n| n as u64);
        let size = m + 1 + k;
        // Sums of each fold, of all, and the triangles while they grow; the landmarks' matrix, the system and its factor.
        let square = |n: u64| n.saturating_mul(n).saturating_mul(8);
        let matrices =
            square(size).saturating_mul(N_FOLDS as u64 + 2).saturating_add(square(m).saturating_mul(2));
        // The rows, after the transform, and those of its principal axes.
        let rows = n.saturating_mul(f).saturating_mul(4 * 3);
        let outputs = n.saturating_mul(k).saturating_mul(8 * (MOVES.len() as u64 + 3));
        let chunk = (CHUNK as u64).saturating_mul(size).saturating_mul(4 + 8);
        let n_search = search_rows(shape.n_samples, n_landmarks) as u64;
        let sample = tiles::n_bytes(n_search, 4 + 8 + 8);
        let operations = n.saturating_mul(m).saturating_mul(4 * m + 4 * f);
        let cube = |n: u64| n.saturating_mul(n).saturating_mul(n);
        Cost {
            bytes: [matrices, rows, outputs, chunk, sample, 1 << 26]
                .iter()
                .fold(0, |sum, n| sum.saturating_add(*n)),
            operations: operations
                .saturating_add(cube(m).saturating_mul(26))
                .saturating_add(cube(n_search).saturating_mul(10))
                .saturating_add(cube(n_screen).saturating_mul(72)),
            hint: "fewer landmarks (n_landmarks)",
        }
    }

    /// The steps that follow the sums.
    pub(super) const AFTER_SUMS: usize = N_FOLDS + 1;

    /// The steps that sum the products of so many rows, if all folds have as many.
    pub(super) fn n_chunks(n_rows: usize) -> usize {
        n_rows.div_ceil(N_FOLDS).div_ceil(CHUNK) * N_FOLDS
    }

    /// The steps that are left: of the sums, and after them.
    pub(super) fn n_left(&self) -> (usize, usize) {
        let after = N_FOLDS - self.n_left_out + usize::from(self.best.is_none());
        (self.chunks.len() - self.n_added, after)
    }

    /// The operations of a step of the sums, and of one after them; `is_open` tells whether strengths are compared.
    pub(super) fn operations(problem: &Problem, n_landmarks: usize, is_open: bool) -> [u64; 2] {
        let n_alphas = if is_open { MOVES.len() } else { 1 };
        let [n, f, outputs] = [n_landmarks, problem.x.n_cols(), problem.one_hot.width()].map(|n| n as u64);
        let chunk = (CHUNK.min(problem.n().div_ceil(N_FOLDS))) as u64;
        // Products in double precision take twice as long.
        let products = chunk * n * (2 * f + 2 * (n + outputs));
        let of_fold = problem.n().div_ceil(N_FOLDS) as u64 * n * (2 * f + 2 * outputs * n_alphas as u64);
        [products, n_alphas as u64 * n * n * n + of_fold]
    }

    /// Whether the fit is over.
    pub(super) fn is_done(&self) -> bool {
        self.best.is_some()
    }

    /// Whether all sums are there.
    fn is_summed(&self) -> bool {
        self.n_added == self.chunks.len()
    }

    /// Does the next step: adds the products of some rows, leaves out a fold, or fits on all rows.
    ///
    /// # Errors
    /// When a system has no solution.
    pub(super) fn step(&mut self, problem: &Problem, pool: &Pool) -> Result<()> {
        if !self.is_summed() {
            self.add_chunk(problem, pool);
        } else if self.n_left_out < N_FOLDS {
            self.leave_out(problem, pool)?;
        } else if self.best.is_none() {
            self.best = Some(self.choose(problem, pool)?);
        }
        Ok(())
    }

    fn add_chunk(&mut self, problem: &Problem, pool: &Pool) {
        let rows = &self.chunks[self.n_added];
        let (n, width) = (self.landmarks.n(), problem.one_hot.width());
        let values = self.kernel(rows, pool);
        let targets = problem.targets();
        let sums = &mut self.growing[self.fold_of[rows[0]] as usize];
        let row = |i: usize, to: &mut [f64]| {
            let of = rows[i];
            let root = problem.in_fit[of].sqrt();
            to[..n].iter_mut().zip(values.row(i)).for_each(|(to, v)| *to = root * f64::from(*v));
            to[n] = root;
            let y = &targets.values[of * width..(of + 1) * width];
            to[n + 1..].iter_mut().zip(y).for_each(|(to, y)| *to = root * y);
        };
        sums.add_rows(rows.len(), row, pool);
        self.n_added += 1;
        if self.is_summed() {
            let sums = |products: Products| Sums { values: products.into_matrix(pool), n, width };
            self.sums = std::mem::take(&mut self.growing).into_iter().map(sums).collect();
            self.total = Some(Sums::total(&self.sums));
            self.outputs = vec![vec![0.0; problem.n() * width]; self.settings.len()];
        }
    }

    /// The kernel functions of some rows and the landmarks.
    fn kernel(&self, rows: &[usize], pool: &Pool) -> Matrix {
        let gathered = self.prepared.rows.view().gather(rows);
        self.landmarks.kernel(self.settings[0].function, gathered.view(), pool)
    }

    /// The outputs of the rows of a fold by fits without it.
    fn leave_out(&mut self, problem: &Problem, pool: &Pool) -> Result<()> {
        let (fold, width) = (self.n_left_out, problem.one_hot.width());
        self.n_left_out += 1;
        if !self.fold_of.contains(&(fold as u32)) {
            return Ok(());
        }
        let (total, own) = (self.total.as_ref().map_or(0.0, Sums::weight), self.sums[fold].weight());
        // Where no weight is left there is no fit: the outputs stay 0, which favour no class.
        if total - own <= NO_WEIGHT * own {
            return Ok(());
        }
        let solutions = self
            .settings
            .iter()
            .map(|setting| self.solve(setting.alpha, Some(fold), pool))
            .collect::<Result<Vec<_>>>()?;
        let n_columns = width * solutions.len();
        let mut coefficients = Matrix::zeros(self.landmarks.n(), n_columns);
        for (at, solution) in solutions.iter().enumerate() {
            for (j, of) in solution.coefficients.chunks_exact(width).enumerate() {
                let to = &mut coefficients.row_mut(j)[at * width..(at + 1) * width];
                to.iter_mut().zip(of).for_each(|(to, v)| *to = *v as f32);
            }
        }
        let coefficients = packed(coefficients.view());
        for rows in self.chunks.iter().filter(|rows| self.fold_of[rows[0]] as usize == fold) {
            let values = self.kernel(rows, pool);
            let mut sums = Matrix::zeros(rows.len(), n_columns);
            let panels = Panels::new(&coefficients, self.landmarks.n(), n_columns);
            matmul(sums.view_mut(), &mut [], values.view(), panels, pool, |_| ());
            for (i, &row) in rows.iter().enumerate() {
                for ((of, solution), outputs) in
                    sums.row(i).chunks_exact(width).zip(&solutions).zip(&mut self.outputs)
                {
                    let to = &mut outputs[row * width..(row + 1) * width];
                    let of = of.iter().zip(&solution.intercept);
                    to.iter_mut().zip(of).for_each(|(to, (v, b))| *to = f64::from(*v) + b);
                }
            }
        }
        Ok(())
    }

    /// The fit on all rows with the strength whose out-of-fold outputs have the lowest log loss.
    fn choose(&self, problem: &Problem, pool: &Pool) -> Result<Best> {
        let fit = |outputs: &Vec<f64>| {
            calibration::fit(problem.one_hot.outputs(outputs), self.settings[0].form, pool)
        };
        let scored = self.outputs.iter().map(fit).enumerate();
        let best = scored.min_by(|(_, (_, a)), (_, (_, b))| a.total_cmp(b));
        let (at, (calibration, log_loss)) = best.ok_or_else(singular)?;
        let solution = self.solve(self.settings[at].alpha, None, pool)?;
        Ok(Best { at, solution, calibration, log_loss })
    }

    fn solve(&self, alpha: f64, without: Option<usize>, pool: &Pool) -> Result<Solution> {
        let total = self.total.as_ref().ok_or_else(singular)?;
        let without = without.map(|fold| &self.sums[fold]);
        let mut jitter = 0.0;
        loop {
            if let Some(solution) = total.solve(without, &self.matrix, (alpha, jitter), pool) {
                // Where landmarks are nearly alike, their coefficients grow and cancel.
                if solution.rounding() <= MOST_ERROR {
                    return Ok(solution);
                }
            }
            jitter = if jitter == 0.0 { 10.0 * JITTER } else { 10.0 * jitter };
            if jitter > 1.0 {
                return Err(singular());
            }
        }
    }

    /// The machine of the fit; `None` before its end.
    pub(super) fn machine(&self, problem: &Problem, history: &[Scored], pool: &Pool) -> Option<Machine> {
        let Best { at, solution, calibration, log_loss } = self.best.as_ref()?;
        let fitted = FittedKernel {
            prepared: &self.prepared,
            rows: self.landmarks.rows.view(),
            coefficients: &solution.coefficients,
            intercept: &solution.intercept,
            calibration,
            setting: self.settings[*at],
            scored: Scored { alpha: self.settings[*at].alpha, log_loss: *log_loss, ..self.point },
            double: false,
        };
        Some(Machine::new(problem, fitted, history, pool))
    }

    /// The outputs for each row of the fit without its fold, if that has all rows of each of `folds`.
    pub(super) fn out_of_fold(&self, folds: Folds<'_>) -> Option<&[f64]> {
        let best = self.best.as_ref()?;
        if let Folds::Of(folds) = folds {
            let mut own: HashMap<u32, u32> = HashMap::new();
            let is_whole = |(fold, of): (&u32, &u32)| *own.entry(*fold).or_insert(*of) == *of;
            if !folds.iter().zip(&self.fold_of).all(is_whole) {
                return None;
            }
        }
        Some(&self.outputs[best.at])
    }
}

fn singular() -> Error {
    Error::samples(
        "the system of the landmarks is singular: alpha is too small for these rows; make it larger",
    )
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{MatRef, Philox};

    use super::*;
    use crate::kernel::params::TABLE;
    use crate::kernel_function::Evaluate;
    use crate::params::{Params, Value};
    use crate::samples::Samples;

    const N: usize = 120;

    fn table() -> (Vec<f32>, Vec<u32>, Vec<f32>, Vec<u32>) {
        let mut random = Philox::new(4, 0, 0).sequence(0, 0);
        let x: Vec<f32> = (0..N * 3).map(|_| random.uniform() as f32).collect();
        let y: Vec<u32> =
            x.chunks(3).map(|row| u32::from(row[0] + row[1] > 1.0) + u32::from(row[2] > 0.7)).collect();
        let weights: Vec<f32> = (0..N).map(|i| [1.0, 0.5, 2.0][i % 3]).collect();
        // Pairs of neighbours.
        (x, y, weights, (0..N as u32).map(|i| i / 2).collect())
    }

    fn params(values: &[(&str, Value)]) -> Params {
        let fixed = [("transform", Value::Text("none".into())), ("spectrum", Value::Text("none".into()))];
        TABLE.resolve(fixed.iter().chain(values).cloned()).unwrap()
    }

    fn fitted(problem: &Problem, params: &Params, units: &[u32], pool: &Pool) -> Nystroem {
        let plan = Plan::new(params).unwrap();
        let point = plan.only()[0];
        let mut fit = Nystroem::begin(problem, &plan, point, (20, Some(units), 3), pool).unwrap();
        while !fit.is_done() {
            fit.step(problem, pool).unwrap();
        }
        fit
    }

    /// `sum_i w_i (y_i - k_i beta - b)^2 + alpha beta' K beta` over the rows that count, by its normal equations, and the outputs of all rows.
    fn naive(fit: &Nystroem, problem: &Problem, alpha: f64, counts: impl Fn(usize) -> bool) -> Vec<f64> {
        let (n, width) = (fit.landmarks.n(), problem.one_hot.width());
        let function = fit.settings[0].function;
        let kernel = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let mut value = [dot(a, b)];
            f64::evaluate(function, &mut value, dot(a, a), &[dot(b, b)]);
            value[0]
        };
        let (rows, landmarks) = (&fit.prepared.rows, &fit.landmarks.rows);
        let of_row = |i: usize| -> Vec<f64> {
            let values = (0..n).map(|j| kernel(rows.row(i), landmarks.row(j)));
            values.chain([1.0]).collect()
        };
        let mut system = vec![0.0; (n + 1) * (n + 1)];
        let mut right = vec![0.0; (n + 1) * width];
        for i in (0..problem.n()).filter(|i| counts(*i)) {
            let (row, weight) = (of_row(i), problem.in_fit[i]);
            for a in 0..=n {
                (0..=n).for_each(|b| system[a * (n + 1) + b] += weight * row[a] * row[b]);
                for c in 0..width {
                    right[c * (n + 1) + a] += weight * row[a] * problem.one_hot.values[i * width + c];
                }
            }
        }
        for a in 0..n {
            (0..n)
                .for_each(|b| system[a * (n + 1) + b] += alpha * kernel(landmarks.row(a), landmarks.row(b)));
            system[a * (n + 1) + a] += alpha * JITTER;
        }
        crate::linalg::spd::Spd::new(&system, n + 1).unwrap().solve(&mut right);
        (0..problem.n())
            .flat_map(|i| {
                let row = of_row(i);
                let output =
                    |c: usize| row.iter().zip(&right[c * (n + 1)..]).map(|(v, b)| v * b).sum::<f64>();
                (0..width).map(output).collect::<Vec<f64>>()
            })
            .collect()
    }

    #[test]
    fn outputs_are_those_of_the_normal_equations_with_and_without_a_fold() {
        let (x, y, weights, units) = table();
        let samples = Samples::new(MatRef::new(&x, N, 3), &y, 3).unwrap().weighted(&weights).unwrap();
        let params = params(&[("gamma", Value::Float(1.0)), ("alpha", Value::Float(0.3))]);
        let pool = Pool::new(2).unwrap();
        let problem = Problem::new(samples, &params, &pool).unwrap();
        let fit = fitted(&problem, &params, &units, &pool);
        assert_eq!(fit.landmarks.n(), 20);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
        let all = naive(&fit, &problem, 0.3, |_| true);
        let machine = fit.machine(&problem, &[], &pool).unwrap();
        machine.outputs(samples.x(), &pool).iter().zip(&all).for_each(|(a, b)| close(*a, *b));
        let outputs = fit.out_of_fold(Folds::Of(&units)).unwrap();
        for fold in 0..N_FOLDS as u32 {
            let without = naive(&fit, &problem, 0.3, |i| fit.fold_of[i] != fold);
            for i in (0..N).filter(|&i| fit.fold_of[i] == fold) {
                (3 * i..3 * i + 3).for_each(|at| close(outputs[at], without[at]));
            }
        }
        // Every fold has rows of every class; a fold that is not whole has no outputs of its own.
        assert!((0..N_FOLDS as u32).all(|fold| fit.fold_of.iter().filter(|of| **of == fold).count() == 24));
        let halves: Vec<u32> = (0..N as u32).map(|i| i % 2).collect();
        assert!(fit.out_of_fold(Folds::Of(&halves)).is_none());
        assert!(fit.out_of_fold(Folds::LeaveOneOut).is_some());
    }

    #[test]
    fn the_same_bytes_for_any_number_of_threads_and_the_best_strength() {
        let (x, y, _, units) = table();
        let samples = Samples::new(MatRef::new(&x, N, 3), &y, 3).unwrap();
        let open = params(&[("gamma", Value::Float(1.0))]);
        let of = |pool: &Pool| {
            let problem = Problem::new(samples, &open, pool).unwrap();
            let fit = fitted(&problem, &open, &units, pool);
            let losses: Vec<f64> = fit
                .outputs
                .iter()
                .map(|outputs| {
                    calibration::fit(problem.one_hot.outputs(outputs), fit.settings[0].form, pool).1
                })
                .collect();
            let best = fit.best.as_ref().unwrap();
            assert_eq!(losses.len(), MOVES.len());
            assert!(losses.iter().all(|loss| best.log_loss <= *loss));
            fit.machine(&problem, &[], pool).unwrap().outputs(samples.x(), pool)
        };
        assert_eq!(of(&Pool::inline()), of(&Pool::new(3).unwrap()));
    }

    #[test]
    fn landmarks_are_for_large_tables_and_the_squared_loss() {
        let plan = |values: &[(&str, Value)]| Plan::new(&params(values)).unwrap();
        let n = |plan: Plan, n: usize| plan.n_landmarks(n).unwrap();
        assert_eq!([n(plan(&[]), 15_000), n(plan(&[]), 100_000)], [None, Some(4000)]);
        assert_eq!(n(plan(&[]), 2_000_000), Some(1000));
        assert_eq!(n(plan(&[("n_landmarks", Value::Text("none".into()))]), 100_000), None);
        let hundred = [("n_landmarks", Value::Int(100))];
        assert_eq!([n(plan(&hundred), 100), n(plan(&hundred), 101)], [None, Some(100)]);
        let logistic = ("loss", Value::Text("logistic".into()));
        assert_eq!(n(plan(std::slice::from_ref(&logistic)), 100_000), None);
        let error = plan(&[hundred[0].clone(), logistic]).n_landmarks(1000).unwrap_err().to_string();
        assert!(error.contains("n_landmarks"), "{error}");
    }
}
