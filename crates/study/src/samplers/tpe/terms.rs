//! The contributions of a density's kernels at a point.
//!
//! Few kernels are visible beside the prior. A kernel is dropped as soon as its upper bound is negligible: a number
//! adds at most -(distance from the value's interval / sigma)^2 / 2 to its logarithm, and exactly that without a step.
//! The remaining kernels are computed in full.

use std::f64::consts::FRAC_1_SQRT_2;

use super::kernels::{Choices, Kernels, Numbers};
use super::masses::Masses;

/// A term this much below the prior's, in logarithms, does not change the sum, however many there are.
pub(super) const UNSEEN: f64 = 60.0;

/// The number of kernels that are bounded together before any is dropped.
const BLOCK: usize = 64;
const HEAD: usize = 2;

/// A density's kernels and the points to evaluate.
pub(super) struct Terms<'d> {
    /// By kernel, the part that does not depend on the point; the prior's last.
    constant: Vec<f64>,
    numbers: Vec<Number<'d>>,
    choices: Vec<Choice<'d>>,
}

/// The kernels that are visible at a point.
#[derive(Default)]
pub(super) struct VisibleTerms {
    kernels: Vec<u32>,
    sums: Vec<f64>,
}

impl<'d> Terms<'d> {
    /// `points[d][i]` is the value of parameter `d` at point `i`.
    pub(super) fn new(
        kernels: &'d [Kernels],
        constant: Vec<f64>,
        points: &'d [Vec<f64>],
        far: f64,
    ) -> Terms<'d> {
        let mut terms = Terms { constant, numbers: Vec::new(), choices: Vec::new() };
        for (kernels, x) in kernels.iter().zip(points) {
            match kernels {
                Kernels::Numbers(numbers) => terms.numbers.push(Number::new(numbers, x, far)),
                Kernels::Choices(choices) => terms.choices.push(Choice::new(choices, x)),
            }
        }
        terms
    }

    /// The logarithms of the visible kernels' contributions at a point, the prior's last.
    pub(super) fn visible<'s>(&mut self, point: usize, visible: &'s mut VisibleTerms) -> &'s [f64] {
        visible.kernels.clear();
        visible.sums.clear();
        let prior = self.constant.len() - 1;
        let prior_term = if self.numbers.iter().any(|n| n.is_outside(point)) {
            f64::NEG_INFINITY
        } else {
            self.at(prior, point)
        };
        if prior_term > f64::NEG_INFINITY {
            self.find_visible(point, prior_term - UNSEEN, visible);
        }
        visible.sums.push(prior_term);
        &visible.sums
    }

    /// The contribution of kernel `k` at a point.
    fn at(&mut self, k: usize, point: usize) -> f64 {
        let numbers: f64 = self.numbers.iter_mut().map(|number| number.at(k, point)).sum();
        let choices: f64 = self.choices.iter().map(|choice| choice.at(k, point)).sum();
        self.constant[k] + numbers + choices
    }

    /// Finds the kernels that may contribute at least `least` at a point.
    fn find_visible(&mut self, point: usize, least: f64, visible: &mut VisibleTerms) {
        let n_head = HEAD.min(self.numbers.len());
        let (head, rest) = self.numbers.split_at(n_head);
        let n = self.constant.len() - 1;
        let mut row = [0.0; BLOCK];
        for start in (0..n).step_by(BLOCK) {
            let block = start..n.min(start + BLOCK);
            let row = &mut row[..block.len()];
            row.copy_from_slice(&self.constant[block.clone()]);
            head.iter().for_each(|number| number.bound_all(point, start, row));
            visible.extend(start, row, least);
        }
        rest.iter().for_each(|number| visible.add(least, |k| number.bound(k, point)));
        self.choices.iter().for_each(|choice| visible.add(least, |k| choice.at(k, point)));
        if self.numbers.iter().any(|number| number.masses.is_some()) {
            for (k, sum) in visible.kernels.iter().zip(&mut visible.sums) {
                *sum = self.at(*k as usize, point);
            }
        }
    }
}

impl VisibleTerms {
    /// Adds the kernels from `start` on whose `sums` reach `least`.
    fn extend(&mut self, start: usize, sums: &[f64], least: f64) {
        let mut n = self.sums.len();
        self.kernels.resize(n + sums.len(), 0);
        self.sums.resize(n + sums.len(), 0.0);
        for (i, &sum) in sums.iter().enumerate() {
            self.kernels[n] = (start + i) as u32;
            self.sums[n] = sum;
            n += usize::from(sum >= least);
        }
        self.kernels.truncate(n);
        self.sums.truncate(n);
    }

    /// Adds a term to each, and drops the kernels below `least`.
    fn add(&mut self, least: f64, term: impl Fn(usize) -> f64) {
        let mut n = 0;
        for i in 0..self.kernels.len() {
            let k = self.kernels[i];
            let sum = self.sums[i] + term(k as usize);
            self.kernels[n] = k;
            self.sums[n] = sum;
            n += usize::from(sum >= least);
        }
        self.kernels.truncate(n);
        self.sums.truncate(n);
    }
}

/// A number's kernels.
struct Number<'d> {
    mus: &'d [f64],
    /// 1 / (sqrt(2) sigma).
    scales: Vec<f64>,
    ends: (f64, f64),
    /// The points' intervals on the scale of the kernels: middle and half width.
    intervals: Vec<(f64, f64)>,
    /// Masses of the intervals; `None` for a continuous density.
    masses: Option<Masses<'d>>,
}

impl<'d> Number<'d> {
    fn new(numbers: &'d Numbers, points: &[f64], far: f64) -> Number<'d> {
        let half = numbers.step.map_or(0.0, |step| 0.5 * step);
        let interval = |&x: &f64| match (numbers.log, half > 0.0) {
            (false, _) => (x, half),
            (true, false) => (x.ln(), 0.0),
            (true, true) => {
                let (left, right) = ((x - half).ln(), (x + half).ln());
                (0.5 * (left + right), 0.5 * (right - left))
            }
        };
        Number {
            mus: &numbers.mus,
            scales: numbers.sigmas.iter().map(|sigma| FRAC_1_SQRT_2 / sigma).collect(),
            ends: numbers.ends,
            intervals: points.iter().map(interval).collect(),
            masses: numbers.step.map(|step| Masses::new(numbers, step, points, far)),
        }
    }

    /// Whether the density is zero at a point.
    fn is_outside(&self, point: usize) -> bool {
        let x = self.intervals[point].0;
        self.masses.is_none() && !(self.ends.0 <= x && x <= self.ends.1)
    }

    fn at(&mut self, k: usize, point: usize) -> f64 {
        let interval = self.intervals[point];
        match &mut self.masses {
            None => bound(interval, self.mus[k], self.scales[k]),
            Some(masses) => masses.at(k, point, interval),
        }
    }

    /// An upper bound of the contribution of kernel `k`.
    fn bound(&self, k: usize, point: usize) -> f64 {
        bound(self.intervals[point], self.mus[k], self.scales[k])
    }

    /// [`Number::bound`] of the kernels `start ..`, added to `row`.
    fn bound_all(&self, point: usize, start: usize, row: &mut [f64]) {
        let interval = self.intervals[point];
        let (mus, scales) = (&self.mus[start..][..row.len()], &self.scales[start..][..row.len()]);
        for ((sum, mu), scale) in row.iter_mut().zip(mus).zip(scales) {
            *sum += bound(interval, *mu, *scale);
        }
    }
}

fn bound((middle, half): (f64, f64), mu: f64, scale: f64) -> f64 {
    let distance = (middle - mu).abs() - half;
    let distance = if distance > 0.0 { distance } else { 0.0 } * scale;
    -(distance * distance)
}

/// A choice's kernels: log probabilities of the observed choice, of the others, and of any choice under the prior.
struct Choice<'d> {
    x: &'d [f64],
    observed: &'d [u32],
    hit: f64,
    miss: f64,
    prior: f64,
}

impl<'d> Choice<'d> {
    fn new(choices: &'d Choices, x: &'d [f64]) -> Choice<'d> {
        let (hit, miss) = choices.hit_and_miss();
        let prior = -(choices.n_choices as f64).ln();
        Choice { x, observed: &choices.observed, hit: hit.ln(), miss: miss.ln(), prior }
    }

    fn at(&self, k: usize, point: usize) -> f64 {
        match self.observed.get(k) {
            Some(&observed) if observed == self.x[point] as u32 => self.hit,
            Some(_) => self.miss,
            None => self.prior,
        }
    }
}
