//! Fitting a calibration.

use std::borrow::Cow;
use std::ops::Range;

use headsmith_kernels::softmax::softmax_f64;
use headsmith_kernels::{Pool, sums};

use super::basis::{Basis, fill};
use super::{Calibration, Form};
use crate::head::Folds;
use crate::optim::lbfgs::{Function, Lbfgs};

/// Outputs for rows that their fit did not see, and what the rows are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs<'a> {
    /// Row after row, `n` a row.
    pub(crate) values: &'a [f64],
    /// Outputs of a row.
    pub(crate) n: usize,
    /// The output that is the row's class.
    pub(crate) target: &'a [usize],
    /// The weight of each row.
    pub(crate) weights: &'a [f64],
}

/// The factor of outputs that show no signal: of classes with equal shares, the one with the highest output is predicted. Of few rows, those that
/// are left out show none where new rows would.
const OF_TIES: f64 = 1e-3;
/// The least share of a class: its logarithm is finite.
const LEAST_SHARE: f64 = 1e-6;

impl Outputs<'_> {
    /// Whether outputs are higher for rows of their class than for others, on average over the classes.
    ///
    /// A fit without a row has seen its class less often than the others, so without a signal the output of a row's own class is a little lower. A
    /// calibration that falls with it would tell the classes of all rows apart, and of no new row.
    fn rise_with_their_class(&self, rows: &[usize]) -> bool {
        let (mut all, mut own) = (vec![0.0; self.n], vec![0.0; self.n]);
        let (mut total, mut of_class) = (0.0, vec![0.0; self.n]);
        for &i in rows {
            let (weight, target) = (self.weights[i], self.target[i]);
            let row = &self.values[i * self.n..(i + 1) * self.n];
            all.iter_mut().zip(row).for_each(|(sum, v)| *sum += weight * v);
            own[target] += weight * row[target];
            of_class[target] += weight;
            total += weight;
        }
        let covariance = |k: usize| own[k] - of_class[k] / total * all[k];
        (0..self.n).map(covariance).sum::<f64>() > 0.0
    }

    /// The calibration to the shares of the classes, with so large a factor of the scaled outputs.
    fn shares(&self, rows: &[usize], factor: f64) -> Calibration {
        let mut shares = vec![0.0; self.n];
        rows.iter().for_each(|&i| shares[self.target[i]] += self.weights[i]);
        let total: f64 = shares.iter().sum();
        let bias = shares.iter().map(|share| (share / total).max(LEAST_SHARE).ln()).collect();
        let linear = vec![factor / Scale::of(*self, rows).deviation];
        Calibration { n: self.n, linear, square: vec![0.0], bias }
    }
}

/// The most classes of the form with C (2 C + 1) numbers, and the fewest rows for each number.
const MOST_CLASSES: usize = 10;
const ROWS_A_NUMBER: usize = 20;
/// The fewest rows for each number of the form with C + 2 numbers. With fewer, outputs that are left out of a ridge regression on 2, 5 and 10 classes of 2 to 6
/// rows each (64 features, 24 tables) predict new rows better with a temperature alone: accuracy .47 for .38 with 5 classes of 2 rows, .60 for .56 of 4;
/// with more, worse (10 classes of 16 rows: .677 for .684).
const ROWS_A_SHARED_NUMBER: usize = 6;
/// The L2 penalty, beside the sum of the losses of rows of weight 1.
const PENALTY: f64 = 1e-3;
/// Iterations, fewer where an evaluation is dear: as many as this many logits allow.
const MAX_ITER: usize = 200;
const MIN_ITER: usize = 20;
const MOST_LOGITS: usize = 40_000_000;
const TOL: f64 = 1e-6;
/// The fit ends where so many iterations lower the loss by less than this share of it: of separable classes it falls for ever, and other rows gain nothing.
const SPAN: usize = 5;
const FLAT: f64 = 1e-3;
/// Rows whose loss is one sum.
const BLOCK: usize = 256;
/// Folds of a calibration that is to be judged.
pub(crate) const N_FOLDS: usize = 5;

/// Fits a calibration of `form`; also returns the mean loss of the rows with it, in nats.
pub(crate) fn fit(outputs: Outputs<'_>, form: Form, pool: &Pool) -> (Calibration, f64) {
    let rows: Vec<usize> = (0..outputs.target.len()).collect();
    fit_rows(outputs, &rows, (form, OF_TIES), pool)
}

/// The outputs of all rows calibrated, each by a calibration fitted on rows of other folds; row after row, `n` probabilities a row. Small folds
/// are calibrated together, as five: one calibration for each would take long and change little.
pub(crate) fn cross_fitted(outputs: Outputs<'_>, form: Form, folds: Folds<'_>, pool: &Pool) -> Vec<f64> {
    let all = 0..outputs.target.len();
    let groups = groups(outputs.target.iter().copied(), outputs.n, folds);
    let mut proba = vec![0.0; outputs.values.len()];
    for group in 0..N_FOLDS {
        let (own, others): (Vec<usize>, Vec<usize>) = all.clone().partition(|&i| groups[i] == group);
        if own.is_empty() {
            continue;
        }
        // The outputs of these rows are a little lower for their own class: ties are no evidence.
        let (calibration, _) = fit_rows(outputs, &others, (form, 0.0), pool);
        for i in own {
            let row = i * outputs.n..(i + 1) * outputs.n;
            calibration.row(&outputs.values[row.clone()], &mut proba[row]);
        }
    }
    proba
}

/// The group, below [`N_FOLDS`], of each row by its class: folds of several rows stay together, the rows of each class in other folds are dealt in
/// turn.
pub(crate) fn groups(target: impl Iterator<Item = usize>, n_classes: usize, folds: Folds<'_>) -> Vec<usize> {
    let mut next = vec![0; n_classes];
    let deal = |class: usize| {
        next[class] = (next[class] + 1) % N_FOLDS;
        next[class]
    };
    let mut groups: Vec<usize> = target.map(deal).collect();
    for (at, set) in folds.sets(groups.len()).iter().enumerate().filter(|(_, set)| set.len() > 1) {
        set.iter().for_each(|&i| groups[i] = at % N_FOLDS);
    }
    groups
}

fn fit_rows(
    outputs: Outputs<'_>,
    rows: &[usize],
    (form, of_ties): (Form, f64),
    pool: &Pool,
) -> (Calibration, f64) {
    let n = outputs.n;
    if form == Form::None || rows.is_empty() {
        let calibration = Calibration::none(n);
        let loss = mean_loss(&calibration, outputs, rows);
        return (calibration, loss);
    }
    if !outputs.rise_with_their_class(rows) {
        let calibration = outputs.shares(rows, of_ties);
        let loss = mean_loss(&calibration, outputs, rows);
        return (calibration, loss);
    }
    let scale = Scale::of(outputs, rows);
    let is_full =
        form == Form::Quadratic && n <= MOST_CLASSES && rows.len() >= ROWS_A_NUMBER * n * (2 * n + 1);
    let basis = if is_full { basis(outputs, rows, scale) } else { None };
    let layout = match (form, &basis) {
        (Form::Quadratic, Some(basis)) => Layout::OfClasses(basis),
        (Form::Quadratic, None) if rows.len() >= ROWS_A_SHARED_NUMBER * (n + 2) => Layout::Shared,
        _ => Layout::Temperature,
    };
    let objective = || Objective { outputs, rows, layout, scale, pool };
    let n_numbers = objective().n_numbers();
    let calibration = match Lbfgs::new(objective(), n_numbers, TOL, pool) {
        Some(lbfgs) => minimised(lbfgs, (MOST_LOGITS / (rows.len() * n)).clamp(MIN_ITER, MAX_ITER)),
        None => objective().calibration(&vec![0.0; n_numbers]),
    };
    let loss = mean_loss(&calibration, outputs, rows);
    (calibration, loss)
}

/// The basis of the form with C (2 C + 1) numbers.
fn basis(outputs: Outputs<'_>, rows: &[usize], scale: Scale) -> Option<Basis> {
    let n = outputs.n;
    let weighted = rows.iter().map(|&i| (outputs.weights[i], &outputs.values[i * n..(i + 1) * n]));
    // The curvature of the mean loss is at most that of equal probabilities, 1 / n of the moments.
    let ridge = n as f64 * PENALTY / rows.iter().map(|&i| outputs.weights[i]).sum::<f64>();
    Basis::new(weighted.map(|(weight, row)| (weight, scale.of_row(row))), n, ridge)
}

/// Iterates until so many in turn lower the loss by less than a share of it.
fn minimised(mut lbfgs: Lbfgs<'_, Objective<'_>>, max_iter: usize) -> Calibration {
    let mut before = lbfgs.value();
    for at in 1..=max_iter {
        if lbfgs.is_done() {
            break;
        }
        lbfgs.iterate();
        if at % SPAN == 0 {
            if before - lbfgs.value() < FLAT * before {
                break;
            }
            before = lbfgs.value();
        }
    }
    lbfgs.function.calibration(lbfgs.weights())
}

fn mean_loss(calibration: &Calibration, outputs: Outputs<'_>, rows: &[usize]) -> f64 {
    let (mut sum, mut total, mut proba) = (0.0, 0.0, vec![0.0; outputs.n]);
    for &i in rows {
        calibration.row(&outputs.values[i * outputs.n..(i + 1) * outputs.n], &mut proba);
        sum -= outputs.weights[i] * proba[outputs.target[i]].max(f64::MIN_POSITIVE).ln();
        total += outputs.weights[i];
    }
    sum / total
}

/// Mean and deviation of all outputs together: the numbers are fitted to outputs of mean 0 and deviation 1, where they are of one
/// size.
#[derive(Debug, Clone, Copy)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(outputs: Outputs<'_>, rows: &[usize]) -> Scale {
        let values = || rows.iter().flat_map(|&i| &outputs.values[i * outputs.n..(i + 1) * outputs.n]);
        let count = (rows.len() * outputs.n).max(1) as f64;
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        Scale { mean, deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 } }
    }

    /// The scaled outputs of a row.
    fn of_row(self, row: &[f64]) -> impl Iterator<Item = f64> {
        row.iter().map(move |f| (f - self.mean) / self.deviation)
    }
}

/// The meaning of the numbers that a fit of scaled outputs z finds.
#[derive(Debug, Clone, Copy)]
enum Layout<'a> {
    /// Of each class a factor of every z, one of every z^2, and an intercept; searched in a basis.
    OfClasses(&'a Basis),
    /// A factor of the class's z and one of its z^2 for all classes, then the intercepts.
    Shared,
    /// A factor of the class's z.
    Temperature,
}

/// The loss of the rows as a function of the numbers.
struct Objective<'a> {
    outputs: Outputs<'a>,
    rows: &'a [usize],
    layout: Layout<'a>,
    scale: Scale,
    pool: &'a Pool,
}

impl Objective<'_> {
    fn n_numbers(&self) -> usize {
        let n = self.outputs.n;
        match self.layout {
            Layout::OfClasses(_) => n * (2 * n + 1),
            Layout::Shared => 2 + n,
            Layout::Temperature => 1,
        }
    }

    /// The numbers at a point of the search.
    fn numbers<'w>(&self, weights: &'w [f64]) -> Cow<'w, [f64]> {
        match self.layout {
            Layout::OfClasses(basis) => Cow::Owned(basis.numbers(weights)),
            Layout::Shared | Layout::Temperature => Cow::Borrowed(weights),
        }
    }

    /// Whether a number is penalised: all but the intercepts.
    fn is_penalised(&self, number: usize) -> bool {
        let n = self.outputs.n;
        match self.layout {
            Layout::OfClasses(_) => number % (2 * n + 1) < 2 * n,
            Layout::Shared => number < 2,
            Layout::Temperature => false,
        }
    }

    /// The calibration of scaled outputs.
    fn scaled(&self, numbers: &[f64]) -> Calibration {
        let n = self.outputs.n;
        match self.layout {
            Layout::OfClasses(_) => {
                let of = |part: Range<usize>| {
                    numbers.chunks_exact(2 * n + 1).flat_map(|class| class[part.clone()].to_vec()).collect()
                };
                Calibration { n, linear: of(0..n), square: of(n..2 * n), bias: of(2 * n..2 * n + 1) }
            }
            Layout::Shared => Calibration {
                n,
                linear: numbers[..1].to_vec(),
                square: numbers[1..2].to_vec(),
                bias: numbers[2..].to_vec(),
            },
            Layout::Temperature => {
                Calibration { n, linear: numbers.to_vec(), square: vec![0.0], bias: vec![0.0; n] }
            }
        }
    }

    /// The calibration of the outputs themselves: with z = (f - m) / s, `a z + q z^2 + b` is a polynomial of f, too.
    fn calibration(&self, weights: &[f64]) -> Calibration {
        let mut c = self.scaled(&self.numbers(weights));
        let (m, s) = (self.scale.mean, self.scale.deviation);
        for k in 0..c.n {
            let row = if c.linear.len() == 1 { 0..1 } else { k * c.n..(k + 1) * c.n };
            let shift = |(a, q): (&f64, &f64)| -a * m / s + q * m * m / (s * s);
            c.bias[k] += c.linear[row.clone()].iter().zip(&c.square[row]).map(shift).sum::<f64>();
        }
        if let Layout::Temperature = self.layout {
            // The same for all classes.
            c.bias.fill(0.0);
        }
        for (a, q) in c.linear.iter_mut().zip(&mut c.square) {
            *a = *a / s - 2.0 * *q * m / (s * s);
            *q /= s * s;
        }
        c
    }

    /// The loss of some rows, and its gradient with respect to the numbers.
    fn block(&self, numbers: &[f64], rows: &[usize]) -> (f64, Vec<f64>) {
        let n = self.outputs.n;
        let (mut loss, mut gradient) = (0.0, vec![0.0; numbers.len()]);
        let (mut terms, mut residuals) = (vec![1.0; 2 * n + 1], vec![0.0; n]);
        for &i in rows {
            fill(&mut terms, self.scale.of_row(&self.outputs.values[i * n..(i + 1) * n]));
            self.logits(numbers, &terms, &mut residuals);
            softmax_f64(&mut residuals);
            let (target, weight) = (self.outputs.target[i], self.outputs.weights[i]);
            loss -= weight * residuals[target].max(f64::MIN_POSITIVE).ln();
            residuals[target] -= 1.0;
            residuals.iter_mut().for_each(|r| *r *= weight);
            self.add_gradient(&mut gradient, &terms, &residuals);
        }
        (loss, gradient)
    }

    /// The logits of a row's terms: z, z^2 and 1.
    fn logits(&self, numbers: &[f64], terms: &[f64], logits: &mut [f64]) {
        let n = self.outputs.n;
        logits.fill(0.0);
        match self.layout {
            Layout::OfClasses(_) => {
                let classes = numbers.chunks_exact(2 * n + 1);
                logits.iter_mut().zip(classes).for_each(|(logit, class)| sums::add_dot(logit, class, terms));
            }
            Layout::Shared => {
                for (k, logit) in logits.iter_mut().enumerate() {
                    *logit = numbers[0] * terms[k] + numbers[1] * terms[n + k] + numbers[2 + k];
                }
            }
            Layout::Temperature => sums::add_scaled(logits, numbers[0], &terms[..n]),
        }
    }

    /// Adds a row's part of the gradient: each class's residual times what its numbers multiply.
    fn add_gradient(&self, gradient: &mut [f64], terms: &[f64], residuals: &[f64]) {
        let n = self.outputs.n;
        match self.layout {
            Layout::OfClasses(_) => {
                let classes = gradient.chunks_exact_mut(2 * n + 1);
                classes
                    .zip(residuals)
                    .for_each(|(class, residual)| sums::add_scaled(class, *residual, terms));
            }
            Layout::Shared => {
                sums::add_dot(&mut gradient[0], residuals, &terms[..n]);
                sums::add_dot(&mut gradient[1], residuals, &terms[n..2 * n]);
                sums::add(&mut gradient[2..], residuals);
            }
            Layout::Temperature => sums::add_dot(&mut gradient[0], residuals, &terms[..n]),
        }
    }
}

impl Function for Objective<'_> {
    fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let numbers = self.numbers(weights);
        let blocks: Vec<&[usize]> = self.rows.chunks(BLOCK).collect();
        let parts = self.pool.map(blocks.len(), |at| self.block(&numbers, blocks[at]));
        let total: f64 = self.rows.iter().map(|&i| self.outputs.weights[i]).sum();
        let (mut loss, penalty, mut of_numbers) = (0.0, PENALTY / total, vec![0.0; numbers.len()]);
        for (part, of_part) in parts {
            loss += part / total;
            of_numbers.iter_mut().zip(of_part).for_each(|(to, g)| *to += g / total);
        }
        for (at, (g, number)) in of_numbers.iter_mut().zip(&*numbers).enumerate() {
            if self.is_penalised(at) {
                *g += penalty * number;
                loss += 0.5 * penalty * number * number;
            }
        }
        match self.layout {
            Layout::OfClasses(basis) => basis.gradient(&of_numbers, gradient),
            Layout::Shared | Layout::Temperature => gradient.copy_from_slice(&of_numbers),
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::lbfgs::assert_gradient;

    #[test]
    fn outputs_without_a_signal_break_ties_of_new_rows_alone() {
        // Leave-one-out outputs of two rows a class: each is lower for its own class.
        let values = [0.2, 0.8, 0.3, 0.7, 0.9, 0.1, 0.6, 0.4];
        let outputs = Outputs { values: &values, n: 2, target: &[0, 0, 1, 1], weights: &[1.0; 4] };
        let (calibration, _) = fit(outputs, Form::Temperature, &Pool::inline());
        let mut proba = [0.0; 2];
        calibration.row(&[0.9, 0.1], &mut proba);
        assert!(proba[0] > proba[1] && proba[0] < 0.501, "{proba:?}");
        let crossed = cross_fitted(outputs, Form::Temperature, Folds::LeaveOneOut, &Pool::inline());
        assert!(crossed.chunks(2).all(|row| (row[0] - 0.5).abs() < 0.17), "{crossed:?}");
    }

    #[test]
    fn gradients_are_differences_of_losses() {
        let values: Vec<f64> = (0..120).map(|i| f64::from(i * 37 % 23) / 5.0 - 1.5).collect();
        let target: Vec<usize> = (0..40).map(|i| i * i % 3).collect();
        let weights: Vec<f64> = (0..40).map(|i| 0.5 + f64::from(i % 4)).collect();
        let outputs = Outputs { values: &values, n: 3, target: &target, weights: &weights };
        let (rows, pool) = ((0..40).collect::<Vec<_>>(), Pool::inline());
        let scale = Scale::of(outputs, &rows);
        let own = basis(outputs, &rows, scale).unwrap();
        for (layout, n) in [(Layout::OfClasses(&own), 21), (Layout::Shared, 5), (Layout::Temperature, 1)] {
            let mut objective = Objective { outputs, rows: &rows, layout, scale, pool: &pool };
            assert_eq!(objective.n_numbers(), n);
            let at: Vec<f64> = (0..n).map(|i| 0.3 - 0.02 * i as f64).collect();
            assert_gradient(&mut objective, &at, 1e-7);
            // The loss of the calibration is that of the objective, less the penalty.
            let loss = mean_loss(&objective.calibration(&at), outputs, &rows);
            let value = objective.evaluate(&at, &mut vec![0.0; n]);
            assert!(loss <= value + 1e-9 && value - loss < 0.02, "{n} numbers: {loss} of {value}");
        }
    }
}
