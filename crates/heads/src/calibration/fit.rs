//! Fitting a calibration.

use headsmith_kernels::{Pool, sums};

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

    /// The calibration to the shares of the classes, whatever the outputs.
    fn shares(&self, rows: &[usize]) -> Calibration {
        let mut shares = vec![0.0; self.n];
        rows.iter().for_each(|&i| shares[self.target[i]] += self.weights[i]);
        let total: f64 = shares.iter().sum();
        let bias = shares.iter().map(|share| (share / total).max(LEAST_SHARE).ln()).collect();
        Calibration { n: self.n, linear: vec![0.0], square: vec![0.0], bias }
    }
}

/// The most classes of the form with C (2 C + 1) numbers, and the fewest rows for each number.
const MOST_CLASSES: usize = 10;
const ROWS_A_NUMBER: usize = 20;
/// The L2 penalty, beside the sum of the losses of rows of weight 1.
const PENALTY: f64 = 1e-3;
/// Iterations, fewer where an evaluation is dear: as many as this many logits allow.
const MAX_ITER: usize = 200;
const MIN_ITER: usize = 20;
const MOST_LOGITS: usize = 40_000_000;
const TOL: f64 = 1e-6;
/// Rows whose loss is one sum.
const BLOCK: usize = 256;
/// Folds of a calibration that is to be judged.
pub(crate) const N_FOLDS: usize = 5;

/// Fits a calibration of `form`; also returns the mean loss of the rows with it, in nats.
pub(crate) fn fit(outputs: Outputs<'_>, form: Form, pool: &Pool) -> (Calibration, f64) {
    let rows: Vec<usize> = (0..outputs.target.len()).collect();
    fit_rows(outputs, &rows, form, pool)
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
        let (calibration, _) = fit_rows(outputs, &others, form, pool);
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

fn fit_rows(outputs: Outputs<'_>, rows: &[usize], form: Form, pool: &Pool) -> (Calibration, f64) {
    let n = outputs.n;
    if form == Form::None || rows.is_empty() {
        let calibration = Calibration::none(n);
        let loss = mean_loss(&calibration, outputs, rows);
        return (calibration, loss);
    }
    if !outputs.rise_with_their_class(rows) {
        let calibration = outputs.shares(rows);
        let loss = mean_loss(&calibration, outputs, rows);
        return (calibration, loss);
    }
    let is_full = n <= MOST_CLASSES && rows.len() >= ROWS_A_NUMBER * n * (2 * n + 1);
    let scale = Scale::of(outputs, rows);
    let objective = || Objective { outputs, rows, form, is_full, scale, pool };
    let n_numbers = objective().n_numbers();
    let calibration = match Lbfgs::new(objective(), n_numbers, TOL, pool) {
        Some(lbfgs) => minimised(lbfgs, (MOST_LOGITS / (rows.len() * n)).clamp(MIN_ITER, MAX_ITER)),
        None => objective().calibration(&vec![0.0; n_numbers]),
    };
    let loss = mean_loss(&calibration, outputs, rows);
    (calibration, loss)
}

fn minimised(mut lbfgs: Lbfgs<'_, Objective<'_>>, max_iter: usize) -> Calibration {
    for _ in 0..max_iter {
        if lbfgs.is_done() {
            break;
        }
        lbfgs.iterate();
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
}

/// The loss of the rows as a function of the numbers: first `linear`, then `square`, then `bias`, of scaled outputs.
struct Objective<'a> {
    outputs: Outputs<'a>,
    rows: &'a [usize],
    form: Form,
    is_full: bool,
    scale: Scale,
    pool: &'a Pool,
}

impl Objective<'_> {
    /// The numbers of a linear term.
    fn n_terms(&self) -> usize {
        if self.is_full && self.form == Form::Quadratic { self.outputs.n * self.outputs.n } else { 1 }
    }

    fn n_numbers(&self) -> usize {
        match self.form {
            Form::Quadratic => 2 * self.n_terms() + self.outputs.n,
            Form::Temperature | Form::None => 1,
        }
    }

    /// The calibration of scaled outputs.
    fn scaled(&self, weights: &[f64]) -> Calibration {
        let (n, terms) = (self.outputs.n, self.n_terms());
        match self.form {
            Form::Quadratic => Calibration {
                n,
                linear: weights[..terms].to_vec(),
                square: weights[terms..2 * terms].to_vec(),
                bias: weights[2 * terms..].to_vec(),
            },
            Form::Temperature | Form::None => {
                Calibration { n, linear: weights.to_vec(), square: vec![0.0], bias: vec![0.0; n] }
            }
        }
    }

    /// The calibration of the outputs themselves: with z = (f - m) / s, `a z + q z^2 + b` is a polynomial of f, too.
    fn calibration(&self, weights: &[f64]) -> Calibration {
        let mut c = self.scaled(weights);
        let (m, s) = (self.scale.mean, self.scale.deviation);
        for k in 0..c.n {
            let row = if c.linear.len() == 1 { 0..1 } else { k * c.n..(k + 1) * c.n };
            let shift = |(a, q): (&f64, &f64)| -a * m / s + q * m * m / (s * s);
            c.bias[k] += c.linear[row.clone()].iter().zip(&c.square[row]).map(shift).sum::<f64>();
        }
        if self.form != Form::Quadratic {
            // The same for all classes.
            c.bias.fill(0.0);
        }
        for (a, q) in c.linear.iter_mut().zip(&mut c.square) {
            *a = *a / s - 2.0 * *q * m / (s * s);
            *q /= s * s;
        }
        c
    }

    /// The loss of some rows, and its gradient.
    fn block(&self, calibration: &Calibration, rows: &[usize]) -> (f64, Vec<f64>) {
        let (n, terms) = (self.outputs.n, self.n_terms());
        let (mut loss, mut gradient) = (0.0, vec![0.0; self.n_numbers()]);
        let [mut z, mut squares, mut residuals] = [(); 3].map(|()| vec![0.0; n]);
        let is_quadratic = self.form == Form::Quadratic;
        for &i in rows {
            let values = &self.outputs.values[i * n..(i + 1) * n];
            z.iter_mut().zip(values).for_each(|(z, f)| *z = (f - self.scale.mean) / self.scale.deviation);
            squares.iter_mut().zip(&z).for_each(|(square, z)| *square = z * z);
            calibration.row(&z, &mut residuals);
            let (target, weight) = (self.outputs.target[i], self.outputs.weights[i]);
            loss -= weight * residuals[target].max(f64::MIN_POSITIVE).ln();
            residuals[target] -= 1.0;
            residuals.iter_mut().for_each(|r| *r *= weight);
            if terms == 1 {
                sums::add_dot(&mut gradient[0], &residuals, &z);
                if is_quadratic {
                    sums::add_dot(&mut gradient[1], &residuals, &squares);
                }
            } else {
                for (k, residual) in residuals.iter().enumerate() {
                    let (linear, square) = gradient.split_at_mut(terms);
                    sums::add_scaled(&mut linear[k * n..][..n], *residual, &z);
                    sums::add_scaled(&mut square[k * n..][..n], *residual, &squares);
                }
            }
            if is_quadratic {
                sums::add(&mut gradient[2 * terms..], &residuals);
            }
        }
        (loss, gradient)
    }
}

impl Function for Objective<'_> {
    fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let calibration = self.scaled(weights);
        let blocks: Vec<&[usize]> = self.rows.chunks(BLOCK).collect();
        let parts = self.pool.map(blocks.len(), |at| self.block(&calibration, blocks[at]));
        let total: f64 = self.rows.iter().map(|&i| self.outputs.weights[i]).sum();
        let (mut loss, penalty) = (0.0, PENALTY / total);
        gradient.fill(0.0);
        for (part, of_part) in parts {
            loss += part / total;
            gradient.iter_mut().zip(of_part).for_each(|(to, g)| *to += g / total);
        }
        let n_penalised = match self.form {
            Form::Quadratic => 2 * self.n_terms(),
            Form::Temperature | Form::None => 0,
        };
        for (g, w) in gradient[..n_penalised].iter_mut().zip(weights) {
            *g += penalty * w;
            loss += 0.5 * penalty * w * w;
        }
        loss
    }
}
