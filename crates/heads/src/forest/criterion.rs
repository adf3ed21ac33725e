//! Split criteria: impurities, and the gain of a cut as rows pass from its right to its left.
//!
//! With `L_c` and `R_c` the weights of class `c` left and right of a cut, `w_l` and `w_r` their sums, a cut is
//! better the greater
//!
//! - Gini:    `sum_c L_c^2 / w_l + sum_c R_c^2 / w_r`
//! - entropy: `sum_c L_c log L_c - w_l log w_l + sum_c R_c log R_c - w_r log w_r`
//!
//! which are `-(w_l i_l + w_r i_r)` but for terms that do not depend on the cut (scikit-learn:
//! `proxy_impurity_improvement`). Moving a row from right to left changes the terms of one class only.

use headsmith_kernels::random_cuts::{self, Lanes};

use super::entry::Entry;

/// The impurity that a split lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Gini impurity, `1 - sum_c p_c^2`.
    Gini,
    /// Shannon entropy in bits, `-sum_c p_c log2 p_c`.
    Entropy,
}

/// The weights of the classes in a node.
#[derive(Debug)]
pub(super) struct ClassSums {
    sums: Vec<ClassSum>,
    /// The classes that the node has; the sums of others are zero.
    present: Vec<u32>,
    total: f64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ClassSum {
    /// The weight of a row, each time it was drawn.
    row_weight: f64,
    total: f64,
    left: f64,
}

impl ClassSums {
    pub(super) fn new(class_weights: &[f64]) -> ClassSums {
        let sums = class_weights.iter().map(|&row_weight| ClassSum { row_weight, ..ClassSum::default() });
        ClassSums { sums: sums.collect(), present: Vec::new(), total: 0.0 }
    }

    /// Begins with another node.
    pub(super) fn clear(&mut self) {
        for class in self.present.drain(..) {
            self.sums[class as usize].total = 0.0;
        }
    }

    /// Adds rows of a class to a node whose rows are sorted by their classes; returns the number of the class among those of the node.
    pub(super) fn add_run(&mut self, class: u32, weight: f64) -> u32 {
        if self.present.last() != Some(&class) {
            self.present.push(class);
        }
        self.sums[class as usize].total += weight;
        self.present.len() as u32 - 1
    }

    /// Sums up the classes, after all runs.
    pub(super) fn end_runs(&mut self) {
        self.total = self.totals().sum();
    }

    /// Sums up a node.
    pub(super) fn set(&mut self, entries: &[impl Entry]) {
        self.clear();
        for entry in entries {
            let sum = &mut self.sums[entry.class()];
            if sum.total == 0.0 {
                self.present.push(entry.class() as u32);
            }
            sum.total += sum.row_weight * entry.weight();
        }
        self.present.sort_unstable();
        self.total = self.totals().sum();
    }

    /// The weight of the node.
    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// The classes that the node has, with their shares of its weight, in ascending order.
    pub(super) fn shares(&self) -> impl ExactSizeIterator<Item = (u32, f64)> {
        self.present.iter().map(|&class| (class, self.sums[class as usize].total / self.total))
    }

    /// The node's impurity.
    pub(super) fn impurity(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Gini => 1.0 - self.totals().map(|t| t * t).sum::<f64>() / (self.total * self.total),
            Criterion::Entropy => self
                .shares()
                .map(|(_, p)| p * (p.ln() / std::f64::consts::LN_2))
                .fold(0.0, |sum, term| sum - term),
        }
    }

    fn totals(&self) -> impl Iterator<Item = f64> + Clone {
        self.present.iter().map(|&class| self.sums[class as usize].total)
    }

    /// The number of classes, present or not.
    pub(super) fn n_classes(&self) -> usize {
        self.sums.len()
    }

    /// How many classes the node has.
    pub(super) fn n_present(&self) -> usize {
        self.present.len()
    }

    /// The class with that number among those that the node has.
    #[inline(always)]
    pub(super) fn present(&self, number: usize) -> u32 {
        self.present[number]
    }

    /// The classes that the node has, with their weights, in ascending order.
    pub(super) fn weights(&self) -> impl Iterator<Item = (u32, f64)> {
        self.present.iter().map(|&class| (class, self.sums[class as usize].total))
    }

    /// The weight of a row of `class`, each time it was drawn.
    pub(super) fn row_weight(&self, class: u32) -> f64 {
        self.sums[class as usize].row_weight
    }

    fn clear_left(&mut self) {
        for &class in &self.present {
            self.sums[class as usize].left = 0.0;
        }
    }
}

/// A cut of a node's rows as rows pass from its right to its left, one by one. The weights of the left are kept in
/// the [`ClassSums`] that the scan began with.
pub(super) trait Scan {
    /// All rows are right.
    fn new(sums: &mut ClassSums) -> Self;
    /// Moves rows of a class to the left, so many times as they were drawn.
    fn add(&mut self, sum: &mut ClassSum, times: f64);
    /// Whether the cut may have a gain above `floor`; a cheap guess that is never wrongly `false`.
    fn is_promising(&self, floor: f64) -> bool;
    /// The cut's gain.
    fn gain(&self, sums: &ClassSums) -> f64;
    /// The gains of `n` cuts, of which `left` has the weight on the left of each class that the node has.
    fn gains(sums: &ClassSums, left: &[Lanes<f64>], n: usize) -> Lanes<f64>;
    /// The gain of a cut that leaves one class on each side, less rounding errors: there is no greater one.
    fn perfect_gain(sums: &ClassSums) -> f64;

    /// Moves a row to the left.
    #[inline(always)]
    fn push(&mut self, sums: &mut ClassSums, entry: impl Entry) {
        self.add(&mut sums.sums[entry.class()], entry.weight());
    }

    /// Moves rows to the left, given how often those of each class were drawn.
    #[inline(always)]
    fn push_counts(&mut self, sums: &mut ClassSums, counts: &[u32]) {
        for (sum, &count) in sums.sums.iter_mut().zip(counts) {
            self.add(sum, f64::from(count));
        }
    }
}

/// Gini impurity: sums over classes of `L^2` and of `2 L T`. Those of `R^2` follow, because `R = T - L`.
#[derive(Debug)]
pub(super) struct GiniScan {
    total: f64,
    total_squares: f64,
    left: f64,
    squares: f64,
    products: f64,
}

impl GiniScan {
    // Multiplied out, because two divisions a row would take most of the time.
    #[inline(always)]
    fn fraction(&self) -> (f64, f64) {
        let numerator = self.squares * self.total + (self.total_squares - self.products) * self.left;
        (numerator, self.left * (self.total - self.left))
    }

    /// A bound that the gain of no cut exceeds while rows of these counts pass, in any order; see [`super::buckets`].
    pub(super) fn bound(&self, sums: &ClassSums, counts: &[u32]) -> f64 {
        let classes =
            || sums.sums.iter().zip(counts).map(|(sum, &count)| (sum, sum.row_weight * f64::from(count)));
        let moved: f64 = classes().map(|(_, weight)| weight).sum();
        let right = self.total - self.left;
        // Before the first row and behind the last one the slopes are not bounded.
        if self.left <= 0.0 || right <= moved * (1.0 + 1e-9) {
            return f64::INFINITY;
        }
        let right_squares = self.total_squares - self.products + self.squares;
        let (per_left, per_right) = (1.0 / self.left, 1.0 / right);
        let behind = (1.0 / (self.left + moved), 1.0 / (right - moved));
        let squares = right_squares * behind.1 * behind.1 - self.squares * behind.0 * behind.0;
        let gain = self.squares * per_left + right_squares * per_right;
        let growth: f64 = classes()
            .map(|(sum, weight)| {
                let (left, right) = (sum.left + weight, sum.total - sum.left - weight);
                weight * (2.0 * (left * per_left - right * per_right) + squares).max(0.0)
            })
            .sum();
        // Room for rounding errors.
        (gain + growth) * (1.0 + 1e-9)
    }
}

impl Scan for GiniScan {
    #[inline(always)]
    fn new(sums: &mut ClassSums) -> GiniScan {
        sums.clear_left();
        let total_squares = sums.totals().map(|t| t * t).sum();
        GiniScan { total: sums.total, total_squares, left: 0.0, squares: 0.0, products: 0.0 }
    }

    #[inline(always)]
    fn add(&mut self, sum: &mut ClassSum, times: f64) {
        let weight = sum.row_weight * times;
        self.squares += weight * (sum.left + sum.left + weight);
        self.products += (weight + weight) * sum.total;
        self.left += weight;
        sum.left += weight;
    }

    #[inline(always)]
    fn is_promising(&self, floor: f64) -> bool {
        let (numerator, denominator) = self.fraction();
        numerator > floor * denominator
    }

    // The rounded quotient decides, so that equal cuts stay equal.
    #[inline(always)]
    fn gain(&self, _: &ClassSums) -> f64 {
        let (numerator, denominator) = self.fraction();
        numerator / denominator
    }

    #[inline(always)]
    fn gains(sums: &ClassSums, left: &[Lanes<f64>], n: usize) -> Lanes<f64> {
        random_cuts::gini(left, sums.totals(), sums.total, n)
    }

    fn perfect_gain(sums: &ClassSums) -> f64 {
        sums.total * (1.0 - 1e-14)
    }
}

/// Entropy, times the weight, in nats.
#[derive(Debug)]
pub(super) struct EntropyScan {
    total: f64,
    left: f64,
    /// Sum over classes of `L log L + R log R`.
    terms: f64,
}

impl Scan for EntropyScan {
    fn new(sums: &mut ClassSums) -> EntropyScan {
        sums.clear_left();
        EntropyScan { total: sums.total, left: 0.0, terms: sums.totals().map(xlogx).sum() }
    }

    fn add(&mut self, sum: &mut ClassSum, times: f64) {
        let weight = sum.row_weight * times;
        self.terms -= xlogx(sum.left) + xlogx(sum.total - sum.left);
        sum.left += weight;
        self.terms += xlogx(sum.left) + xlogx(sum.total - sum.left);
        self.left += weight;
    }

    // Rounding errors add up in `terms` over the rows: the guess leaves room for them.
    fn is_promising(&self, floor: f64) -> bool {
        let gain = self.terms - xlogx(self.left) - xlogx(self.total - self.left);
        self.left > 0.0 && gain + 1e-10 * self.total > floor
    }

    fn gain(&self, sums: &ClassSums) -> f64 {
        let sums = sums.present.iter().map(|&class| sums.sums[class as usize]);
        let terms: f64 = sums.map(|sum| xlogx(sum.left) + xlogx(sum.total - sum.left)).sum();
        terms - xlogx(self.left) - xlogx(self.total - self.left)
    }

    fn gains(sums: &ClassSums, left: &[Lanes<f64>], n: usize) -> Lanes<f64> {
        let mut gains = Lanes::default();
        for (lane, gain) in gains.as_flattened_mut().iter_mut().enumerate().take(n) {
            let sides = || {
                let totals = left.iter().zip(sums.totals());
                totals.map(|(left, total)| (left.as_flattened()[lane], total - left.as_flattened()[lane]))
            };
            let terms: f64 = sides().map(|(left, right)| xlogx(left) + xlogx(right)).sum();
            let (w_left, w_right): (f64, f64) =
                sides().fold((0.0, 0.0), |(l, r), (left, right)| (l + left, r + right));
            *gain = terms - xlogx(w_left) - xlogx(w_right);
        }
        gains
    }

    fn perfect_gain(sums: &ClassSums) -> f64 {
        -1e-12 * sums.total
    }
}

/// `x log x` in nats, 0 for 0 and for what rounding leaves below.
fn xlogx(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}
