//! A quasi-Newton descent with an L1 term. The caller gives it values and gradients, and can evaluate several functions at once.
//!
//! It minimises `loss(w) + ridge |w|^2 / 2 + lasso |w|_1`, the penalties over the first weights. The direction is that of L-BFGS
//! (Nocedal and Wright, "Numerical Optimization", 2nd edition, 2006, algorithm 7.4) from an inverse Hessian that the driver applies; a
//! shorter step follows until the value falls enough (their algorithm 3.1). With a lasso it is OWL-QN (Andrew and Gao, "Scalable training
//! of L1-regularized log-linear models", ICML 2007): the gradient is that of the orthant which the step enters, and a weight that would leave its
//! orthant becomes 0. Unlike there, steps and changes are restricted to the weights that are free to move, so that the direction is a
//! Newton step among them: on correlated features a fifth of the evaluations suffices.
//!
//! The penalties may change: steps and changes of the loss stay, which makes a path of penalties short.

use std::collections::VecDeque;

use headsmith_kernels::Pool;

use super::lbfgs::{self, n_pairs};
use super::vectors::{add, dot, max_abs};

/// The factors of the penalties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Penalty {
    /// Of half the squares.
    pub(crate) ridge: f64,
    /// Of the absolute values.
    pub(crate) lasso: f64,
}

/// When a descent ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// Where the next step is expected to lower the value by this share of it.
    Decrease(f64),
    /// Where no element of the gradient is larger than this, or than this share of the value where that is below 1.
    Gradient(f64),
    /// Where both are so.
    Close { gradient: f64, decrease: f64 },
}

/// A step and the change of the gradient along it.
struct Pair {
    step: Vec<f32>,
    change: Vec<f32>,
}

/// A point with the loss there.
#[derive(Default)]
struct Point {
    weights: Vec<f64>,
    /// The gradient of the loss.
    gradient: Vec<f64>,
    loss: f64,
}

/// A descent under way.
pub(crate) struct Descent {
    n_penalised: usize,
    penalty: Penalty,
    here: Point,
    trial: Point,
    direction: Vec<f64>,
    /// The factors of the pairs of the direction, the last first; `None` of a pair that was left out.
    alphas: Vec<Option<(f64, f64)>>,
    pairs: VecDeque<Pair>,
    step: f64,
    slope: f64,
    has_value: bool,
    n_flat: usize,
    n_iter: usize,
}

/// The share of the expected decrease that is enough.
const SUFFICIENT: f64 = 1e-4;
/// Differences of values below this share of them are rounding errors.
const ROUNDING: f64 = 1e-7;
/// Iterations in a row that lower the value by less than this share before it counts as flat.
const FLAT: f64 = 1e-9;
const PATIENCE: usize = 5;
/// Pairs with less curvature than this share are left out of a direction.
const CURVATURE: f64 = 1e-8;
/// The shortest step.
const SHORTEST: f64 = 1e-12;

/// The bytes of a descent of `n` weights, with those that its direction takes for a moment.
pub(crate) fn n_bytes(n: u64) -> u64 {
    lbfgs::n_bytes(n).saturating_add(n.saturating_mul(16))
}

impl Descent {
    /// Begins at `weights`, of which the first `n_penalised` are penalised. The first [`trial`](Descent::trial) is there.
    pub(crate) fn new(weights: Vec<f64>, n_penalised: usize, penalty: Penalty) -> Descent {
        let n = weights.len();
        let place = |weights| Point { weights, gradient: vec![0.0; n], loss: 0.0 };
        Descent {
            n_penalised,
            penalty,
            here: place(weights.clone()),
            trial: place(weights),
            direction: vec![0.0; n],
            alphas: Vec::new(),
            pairs: VecDeque::new(),
            step: 0.0,
            slope: 0.0,
            has_value: false,
            n_flat: 0,
            n_iter: 0,
        }
    }

    /// The weights so far.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.here.weights
    }

    /// The steps taken.
    pub(crate) fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// The point that is to be evaluated next.
    pub(crate) fn trial(&self) -> &[f64] {
        &self.trial.weights
    }

    /// Where the gradient of the loss at the trial goes.
    pub(crate) fn trial_gradient(&mut self) -> &mut [f64] {
        &mut self.trial.gradient
    }

    /// The direction, for the driver to apply an inverse Hessian to; and the weights that are free to move, where some are not.
    pub(crate) fn direction(&mut self) -> (&mut [f64], Option<Vec<bool>>) {
        let free = self.free();
        (&mut self.direction, free)
    }

    /// The penalties.
    pub(crate) fn penalty(&self) -> Penalty {
        self.penalty
    }

    /// The value with the penalties.
    pub(crate) fn value(&self) -> f64 {
        self.value_of(&self.here)
    }

    fn value_of(&self, place: &Point) -> f64 {
        let penalised = &place.weights[..self.n_penalised];
        let squares: f64 = penalised.iter().map(|w| w * w).sum();
        let mut value = place.loss + 0.5 * self.penalty.ridge * squares;
        if self.penalty.lasso > 0.0 {
            value += self.penalty.lasso * penalised.iter().map(|w| w.abs()).sum::<f64>();
        }
        value
    }

    /// Continues without its steps and changes. [`aim`](Descent::aim) is next.
    pub(crate) fn forget(&mut self) {
        self.pairs.clear();
        self.n_flat = 0;
    }

    /// Continues with other penalties, from where it is. [`aim`](Descent::aim) is next.
    pub(crate) fn set_penalty(&mut self, penalty: Penalty) {
        let more = penalty.ridge - self.penalty.ridge;
        for pair in &mut self.pairs {
            let steps = &pair.step[..self.n_penalised];
            pair.change
                .iter_mut()
                .zip(steps)
                .for_each(|(c, s)| *c = (f64::from(*c) + more * f64::from(*s)) as f32);
        }
        (self.penalty, self.n_flat) = (penalty, 0);
    }

    /// The gradient with the penalties; with a lasso, of the orthant that a step down enters, and 0 where there is none.
    fn gradient(&self, i: usize) -> f64 {
        let (w, g) = (self.here.weights[i], self.here.gradient[i]);
        if i >= self.n_penalised {
            return g;
        }
        let (g, lasso) = (g + self.penalty.ridge * w, self.penalty.lasso);
        if w != 0.0 {
            return g + lasso * w.signum();
        }
        if g.abs() > lasso { g - lasso * g.signum() } else { 0.0 }
    }

    fn free(&self) -> Option<Vec<bool>> {
        (self.penalty.lasso > 0.0).then(|| {
            let n = self.here.weights.len();
            let is_free = |i| i >= self.n_penalised || self.here.weights[i] != 0.0 || self.gradient(i) != 0.0;
            (0..n).map(is_free).collect()
        })
    }

    /// Whether it has come to its end.
    pub(crate) fn is_done(&self, end: End) -> bool {
        let decreases = |share: f64| -0.5 * self.slope <= share * self.value();
        let is_level = |tol: f64| {
            let largest =
                (0..self.here.weights.len()).fold(0.0, |max: f64, i| max.max(self.gradient(i).abs()));
            largest <= tol * self.value().min(1.0)
        };
        let close = match end {
            End::Decrease(share) => decreases(share),
            End::Gradient(tol) => is_level(tol),
            End::Close { gradient, decrease } => decreases(decrease) && is_level(gradient),
        };
        close || self.n_flat >= PATIENCE
    }

    /// Whether loss and gradient at the first point are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.here.loss.is_finite() && max_abs(&self.here.gradient).is_finite()
    }

    /// Takes the loss at the trial, whose gradient is in its place. True if the trial is where it now is: [`aim`](Descent::aim) is next.
    /// Otherwise the trial is nearer, and is to be evaluated.
    pub(crate) fn tell(&mut self, loss: f64, pool: &Pool) -> bool {
        self.trial.loss = loss;
        if !self.has_value {
            self.has_value = true;
            std::mem::swap(&mut self.here, &mut self.trial);
            return true;
        }
        let (before, value) = (self.value(), self.value_of(&self.trial));
        let along: f64 = self.moves().map(|(i, step)| self.gradient(i) * step).sum();
        let rounding = ROUNDING * before.abs();
        let falls = value <= before + SUFFICIENT * along
            || (value - before).abs() <= rounding && self.ends_level(along);
        if !falls {
            return self.shorten(value - before);
        }
        self.n_flat = if before - value > FLAT * before.abs() { 0 } else { self.n_flat + 1 };
        self.remember(pool);
        std::mem::swap(&mut self.here, &mut self.trial);
        self.n_iter += 1;
        true
    }

    /// The weights that the trial moves, and how far.
    fn moves(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let steps = self.trial.weights.iter().zip(&self.here.weights).map(|(to, from)| to - from);
        steps.enumerate().filter(|(_, step)| *step != 0.0)
    }

    /// Whether the slope at the trial is that of a step which is not too long: where the difference of two values is rounding error.
    fn ends_level(&self, along: f64) -> bool {
        let penalised = |i: usize| if i < self.n_penalised { 1.0 } else { 0.0 };
        let slopes = self.moves().map(|(i, step)| {
            let w = self.trial.weights[i];
            let penalty =
                self.penalty.ridge * w + self.penalty.lasso * if w == 0.0 { 0.0 } else { w.signum() };
            (self.trial.gradient[i] + penalised(i) * penalty) * step
        });
        slopes.sum::<f64>() <= (2.0 * SUFFICIENT - 1.0) * along
    }

    /// Goes less far: to the minimum of the parabola. Where no step lowers the value, the descent is at its end. Returns false: there is no
    /// new place.
    fn shorten(&mut self, rise: f64) -> bool {
        let share = -self.slope * self.step / (2.0 * (rise - self.slope * self.step));
        self.step *= if share.is_finite() { share.clamp(0.05, 0.5) } else { 0.1 };
        if self.step >= SHORTEST {
            self.try_step();
            return false;
        }
        // Pairs of rounding errors may mislead: once more without them.
        if self.pairs.is_empty() {
            self.n_flat = PATIENCE;
        }
        self.pairs.clear();
        self.trial.weights.copy_from_slice(&self.here.weights);
        self.has_value = false;
        false
    }

    fn remember(&mut self, pool: &Pool) {
        let full = self.pairs.len() == n_pairs(self.here.weights.len());
        let oldest = if full { self.pairs.pop_front() } else { None };
        let mut pair = oldest.unwrap_or_else(|| Pair { step: Vec::new(), change: Vec::new() });
        let difference = |to: &mut Vec<f32>, a: &[f64], b: &[f64]| {
            to.clear();
            to.extend(a.iter().zip(b).map(|(a, b)| (a - b) as f32));
        };
        difference(&mut pair.step, &self.trial.weights, &self.here.weights);
        difference(&mut pair.change, &self.trial.gradient, &self.here.gradient);
        let (ridge, steps) = (self.penalty.ridge, &pair.step[..self.n_penalised]);
        pair.change
            .iter_mut()
            .zip(steps)
            .for_each(|(c, s)| *c = (f64::from(*c) + ridge * f64::from(*s)) as f32);
        if dot(&pair.step, &pair.change, pool) > f64::EPSILON * dot(&pair.change, &pair.change, pool) {
            self.pairs.push_back(pair);
        }
    }

    /// Begins the direction: [`direction`](Descent::direction) is what an inverse Hessian is to be applied to.
    pub(crate) fn aim(&mut self, pool: &Pool) {
        for i in 0..self.direction.len() {
            self.direction[i] = -self.gradient(i);
        }
        let free = self.free();
        self.alphas.clear();
        for pair in self.pairs.iter().rev() {
            let curvature = restricted(&pair.step, &pair.change, free.as_deref(), pool);
            let changes = restricted(&pair.change, &pair.change, free.as_deref(), pool);
            if curvature.is_nan() || curvature <= CURVATURE * changes {
                self.alphas.push(None);
                continue;
            }
            let alpha = dot(&pair.step, &self.direction, pool) / curvature;
            add(&mut self.direction, -alpha, &pair.change, pool);
            keep(&mut self.direction, free.as_deref());
            self.alphas.push(Some((alpha, curvature)));
        }
    }

    /// The change of the gradient along the last step, with the step's curvature: an inverse Hessian of the right size turns it into the step.
    pub(crate) fn last_change(&self) -> Option<(Vec<f64>, f64)> {
        let at = self.alphas.iter().position(Option::is_some)?;
        let (_, curvature) = self.alphas[at]?;
        let mut change: Vec<f64> =
            self.pairs[self.pairs.len() - 1 - at].change.iter().map(|v| f64::from(*v)).collect();
        keep(&mut change, self.free().as_deref());
        Some((change, curvature))
    }

    /// Ends the direction and sets the trial on it.
    pub(crate) fn go(&mut self, pool: &Pool) {
        let free = self.free();
        for (pair, alpha) in self.pairs.iter().zip(self.alphas.iter().rev()) {
            let Some((alpha, curvature)) = *alpha else { continue };
            let beta = dot(&pair.change, &self.direction, pool) / curvature;
            add(&mut self.direction, alpha - beta, &pair.step, pool);
            keep(&mut self.direction, free.as_deref());
        }
        self.slope = (0..self.direction.len()).map(|i| self.gradient(i) * self.direction[i]).sum();
        if self.slope.is_nan() || self.slope >= 0.0 {
            for i in 0..self.direction.len() {
                self.direction[i] = -self.gradient(i);
            }
            self.slope = -dot(&self.direction, &self.direction, pool);
            self.pairs.clear();
        }
        self.step = 1.0;
        self.try_step();
    }

    fn try_step(&mut self) {
        let (step, lasso) = (self.step, self.penalty.lasso);
        for i in 0..self.direction.len() {
            let (w, d) = (self.here.weights[i], self.direction[i]);
            let to = w + step * d;
            let orthant = if w != 0.0 { w } else { -self.gradient(i) };
            let leaves = lasso > 0.0 && i < self.n_penalised && to * orthant < 0.0;
            self.trial.weights[i] = if leaves { 0.0 } else { to };
        }
    }
}

/// Zeros where weights are not free.
fn keep(values: &mut [f64], free: Option<&[bool]>) {
    if let Some(free) = free {
        values.iter_mut().zip(free).filter(|(_, free)| !**free).for_each(|(v, _)| *v = 0.0);
    }
}

/// The scalar product over the free weights.
fn restricted(a: &[f32], b: &[f32], free: Option<&[bool]>, pool: &Pool) -> f64 {
    match free {
        None => dot(a, b, pool),
        Some(free) => {
            let terms = a.iter().zip(b).zip(free).filter(|(_, free)| **free);
            terms.map(|((a, b), _)| f64::from(*a) * f64::from(*b)).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minimises a sum of parabolas `curvature (w - i) ^ 2 / 2`, the last without penalty; the inverse Hessian is the identity.
    fn run(descent: &mut Descent, curvature: f64) -> usize {
        let (pool, mut n) = (Pool::inline(), 0);
        while n == 0 || !descent.is_done(End::Gradient(1e-9)) {
            let trial = descent.trial().to_vec();
            let mut loss = 1.0;
            for (i, (g, w)) in descent.trial_gradient().iter_mut().zip(&trial).enumerate() {
                let scale = curvature * (1.0 + i as f64);
                *g = scale * (w - i as f64);
                loss += scale * (w - i as f64).powi(2) / 2.0;
            }
            if descent.tell(loss, &pool) {
                descent.aim(&pool);
                descent.go(&pool);
            }
            n += 1;
            assert!(n < 200, "{:?}", descent.weights());
        }
        n
    }

    #[test]
    fn penalties_shrink_and_set_to_zero_as_their_formulas_say() {
        let mut descent = Descent::new(vec![0.0; 6], 5, Penalty { ridge: 0.5, lasso: 2.5 });
        for penalty in [(0.5, 2.5), (0.0, 0.0), (1.0, 7.0), (2.0, 0.0)] {
            let (ridge, lasso) = penalty;
            descent.set_penalty(Penalty { ridge, lasso });
            if descent.n_iter() > 0 {
                descent.aim(&Pool::inline());
                descent.go(&Pool::inline());
            }
            run(&mut descent, 1.0);
            for (i, w) in descent.weights().iter().enumerate() {
                let (scale, i) = (1.0 + i as f64, i as f64);
                let expected = if i < 5.0 { (scale * i - lasso).max(0.0) / (scale + ridge) } else { i };
                assert!((w - expected).abs() < 1e-6 && (expected != 0.0 || *w == 0.0), "{w}, {expected}");
            }
        }
    }

    #[test]
    fn too_long_steps_are_shortened() {
        // The inverse Hessian of the driver is a thousand times too large.
        let mut descent = Descent::new(vec![0.0; 6], 6, Penalty { ridge: 0.0, lasso: 0.0 });
        assert!(run(&mut descent, 1000.0) < 60);
        assert!(descent.weights().iter().enumerate().all(|(i, w)| (w - i as f64).abs() < 1e-6));
    }
}
