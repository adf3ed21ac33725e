//! Split criteria: impurities, and the search for the cut of a sorted feature that lowers them most.
//!
//! With `L_c` and `R_c` the weights of class `c` left and right of a cut, `w_l` and `w_r` their sums, a cut is
//! better the greater
//!
//! - Gini:    `sum_c L_c^2 / w_l + sum_c R_c^2 / w_r`
//! - entropy: `sum_c L_c log L_c - w_l log w_l + sum_c R_c log R_c - w_r log w_r`
//!
//! which are `-(w_l i_l + w_r i_r)` but for terms that do not depend on the cut (scikit-learn:
//! `proxy_impurity_improvement`). Moving a row from right to left changes the terms of one class only.

/// What a split lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Gini impurity, `1 - sum_c p_c^2`.
    Gini,
    /// Shannon entropy in bits, `-sum_c p_c log2 p_c`.
    Entropy,
}

/// The weights of the classes in a node; only classes in `present` have valid sums.
#[derive(Debug)]
pub(super) struct ClassSums {
    sums: Vec<ClassSum>,
    present: Vec<u32>,
    total: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct ClassSum {
    total: f64,
    left: f64,
}

/// The rows of a node in the order of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sorted<'a, P> {
    /// Indices into `classes` and `weights`.
    pub(super) order: &'a [P],
    pub(super) classes: &'a [u32],
    pub(super) weights: &'a [f64],
}

/// A cut: the first `n_left` rows in the order of the feature go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    /// The quantity of the module's head: the greater, the better.
    pub(super) gain: f64,
    pub(super) n_left: usize,
}

impl ClassSums {
    pub(super) fn new(n_classes: usize) -> ClassSums {
        ClassSums { sums: vec![ClassSum::default(); n_classes], present: Vec::new(), total: 0.0 }
    }

    /// Sums up a node.
    pub(super) fn set(&mut self, classes: &[u32], weights: &[f64]) {
        for class in self.present.drain(..) {
            self.sums[class as usize].total = 0.0;
        }
        self.total = 0.0;
        for (&class, weight) in classes.iter().zip(weights) {
            let sum = &mut self.sums[class as usize].total;
            if *sum == 0.0 {
                self.present.push(class);
            }
            *sum += weight;
            self.total += weight;
        }
    }

    /// The weight of the node.
    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// The classes that the node has, with their shares of its weight, in ascending order.
    pub(super) fn shares(&self) -> Vec<(u32, f64)> {
        let mut shares: Vec<(u32, f64)> =
            self.present.iter().map(|&c| (c, self.sums[c as usize].total / self.total)).collect();
        shares.sort_unstable_by_key(|(class, _)| *class);
        shares
    }

    /// The node's impurity.
    pub(super) fn impurity(&self, criterion: Criterion) -> f64 {
        let totals = self.present.iter().map(|&c| self.sums[c as usize].total);
        match criterion {
            Criterion::Gini => 1.0 - totals.map(|t| t * t).sum::<f64>() / (self.total * self.total),
            Criterion::Entropy => totals.map(|t| -(t / self.total) * (t / self.total).ln()).sum::<f64>() / LN_2,
        }
    }

    /// The gain of a cut that leaves one class on each side: there is no greater one.
    pub(super) fn perfect_gain(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Gini => self.total,
            Criterion::Entropy => 0.0,
        }
    }

    /// The best cut with a gain above `floor` and `min_leaf` rows or more on either side, for which `is_cut(n_left)`
    /// says that the values beside it differ.
    pub(super) fn best_cut<P: super::columns::Position>(
        &mut self,
        criterion: Criterion,
        sorted: Sorted<'_, P>,
        min_leaf: usize,
        floor: f64,
        is_cut: impl Fn(usize) -> bool,
    ) -> Option<Cut> {
        for &class in &self.present {
            self.sums[class as usize].left = 0.0;
        }
        match criterion {
            Criterion::Gini => self.best_gini_cut(sorted, min_leaf, floor, is_cut),
            Criterion::Entropy => self.best_entropy_cut(sorted, min_leaf, floor, is_cut),
        }
    }

    fn best_gini_cut<P: super::columns::Position>(
        &mut self,
        sorted: Sorted<'_, P>,
        min_leaf: usize,
        floor: f64,
        is_cut: impl Fn(usize) -> bool,
    ) -> Option<Cut> {
        let total = self.total;
        let total_squares: f64 = self.present.iter().map(|&c| self.sums[c as usize].total.powi(2)).sum();
        let mut best = Cut { gain: floor, n_left: 0 };
        // Sums over classes of L^2 and of 2 L T; those of R^2 follow, because R = T - L.
        let (mut left, mut squares, mut products) = (0.0f64, 0.0f64, 0.0f64);
        let n = sorted.order.len();
        for (k, index) in sorted.order[..n - min_leaf].iter().enumerate() {
            let index = index.index();
            let weight = sorted.weights[index];
            let sum = &mut self.sums[sorted.classes[index] as usize];
            squares += weight * (2.0 * sum.left + weight);
            products += 2.0 * weight * sum.total;
            sum.left += weight;
            left += weight;
            // Multiplied out, because divisions would take most of the time.
            let numerator = squares * total + (total_squares - products) * left;
            let denominator = left * (total - left);
            if numerator > best.gain * denominator && k + 1 >= min_leaf {
                // The rounded quotient decides, so that equal cuts stay equal.
                let gain = numerator / denominator;
                if gain > best.gain && is_cut(k + 1) {
                    best = Cut { gain, n_left: k + 1 };
                }
            }
        }
        (best.n_left > 0).then_some(best)
    }

    fn best_entropy_cut<P: super::columns::Position>(
        &mut self,
        sorted: Sorted<'_, P>,
        min_leaf: usize,
        floor: f64,
        is_cut: impl Fn(usize) -> bool,
    ) -> Option<Cut> {
        let mut best = Cut { gain: floor, n_left: 0 };
        // Sum over classes of L log L + R log R.
        let mut terms: f64 = self.present.iter().map(|&c| xlogx(self.sums[c as usize].total)).sum();
        let mut left = 0.0f64;
        let n = sorted.order.len();
        for (k, index) in sorted.order[..n - min_leaf].iter().enumerate() {
            let index = index.index();
            let weight = sorted.weights[index];
            let sum = &mut self.sums[sorted.classes[index] as usize];
            terms -= xlogx(sum.left) + xlogx(sum.total - sum.left);
            sum.left += weight;
            terms += xlogx(sum.left) + xlogx(sum.total - sum.left);
            left += weight;
            let gain = terms - xlogx(left) - xlogx(self.total - left);
            if gain > best.gain && k + 1 >= min_leaf {
                // Rounding errors have added up over the rows: the sums themselves decide.
                let gain = self.entropy_gain(left);
                if gain > best.gain && is_cut(k + 1) {
                    best = Cut { gain, n_left: k + 1 };
                }
            }
        }
        (best.n_left > 0).then_some(best)
    }

    fn entropy_gain(&self, left: f64) -> f64 {
        let classes = self.present.iter().map(|&c| self.sums[c as usize]);
        classes.map(|s| xlogx(s.left) + xlogx(s.total - s.left)).sum::<f64>()
            - xlogx(left)
            - xlogx(self.total - left)
    }
}

const LN_2: f64 = std::f64::consts::LN_2;

/// `x log x` in nats, 0 for 0 (and for what rounding leaves below).
fn xlogx(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}
