//! Coordinate ascent over the offsets: one class after another gets its best offset on a grid, the others fixed.
//!
//! With the others fixed, a row is decided as the class from some offset on, and below it as the best of the others. So
//! one pass over the rows finds for each the first offset of the grid that takes it, and the counts at all offsets
//! follow from the lowest upwards. The two best classes of each row are kept, and found again only for rows that the
//! new offset concerns: a sweep over the classes takes about `n_samples x n_classes` comparisons.

use headsmith_kernels::MatRef;

use super::{Expected, ROUNDING};
use crate::{Metric, Predictions};

/// Grid steps on either side of 0.
const STEPS: usize = 32;
/// The largest offset.
const LARGEST: f64 = 0.4;
/// Sweeps over the classes at most: of few classes, and of many, where one gains nearly everything.
const SWEEPS: [usize; 2] = [8, 3];
/// More classes than this are many.
const MANY: usize = 50;

/// The offsets found from zeros for `metric`; that of the most frequent class stays 0.
pub(super) fn offsets(proba: MatRef<'_>, metric: Metric) -> Vec<f64> {
    let mut ascent = Ascent::new(proba, metric);
    let n_classes = proba.n_cols();
    let support = &ascent.counts.support;
    let fixed = (1..n_classes).fold(0, |most, c| if support[c] > support[most] { c } else { most });
    for _ in 0..SWEEPS[usize::from(n_classes > MANY)] {
        let mut has_moved = false;
        for class in (0..n_classes).filter(|&class| class != fixed) {
            has_moved |= ascent.improve(class);
        }
        if !has_moved {
            break;
        }
    }
    ascent.steps.iter().map(|&step| offset(step)).collect()
}

/// The offset at a place of the grid.
fn offset(step: usize) -> f64 {
    (step as f64 - STEPS as f64) * (LARGEST / STEPS as f64)
}

struct Ascent<'p> {
    proba: MatRef<'p>,
    metric: Metric,
    /// `exp(offset)` at each place of the grid.
    grid: Vec<f64>,
    /// The place of each class on the grid.
    steps: Vec<usize>,
    /// The best and the second best class of each row.
    leaders: Vec<[u32; 2]>,
    counts: Expected,
}

/// A row that is decided as the class at some places of the grid, and as `other` at those below.
struct Mover {
    row: usize,
    other: usize,
    /// The first place at which it is decided as the class.
    from: usize,
}

impl<'p> Ascent<'p> {
    fn new(proba: MatRef<'p>, metric: Metric) -> Ascent<'p> {
        let mut ascent = Ascent {
            proba,
            metric,
            grid: (0..=2 * STEPS).map(|step| offset(step).exp()).collect(),
            steps: vec![STEPS; proba.n_cols()],
            leaders: Vec::new(),
            counts: Expected::of(Predictions::from(proba)),
        };
        ascent.leaders = (0..proba.n_rows()).map(|i| ascent.two_best(i)).collect();
        ascent
    }

    /// The product of probability and factor that is compared.
    fn product(&self, row: usize, class: usize) -> f64 {
        f64::from(self.proba.row(row)[class]) * self.grid[self.steps[class]]
    }

    /// The classes of the largest and the second largest product, of equals the earlier first.
    fn two_best(&self, row: usize) -> [u32; 2] {
        let (mut best, mut second) = ((0, f64::NEG_INFINITY), (0, f64::NEG_INFINITY));
        for (class, (&p, &step)) in self.proba.row(row).iter().zip(&self.steps).enumerate() {
            let product = f64::from(p) * self.grid[step];
            if product > best.1 {
                (best, second) = ((class as u32, product), best);
            } else if product > second.1 {
                second = (class as u32, product);
            }
        }
        [best.0, second.0]
    }

    /// Moves `class` to its best place on the grid; whether that is another.
    fn improve(&mut self, class: usize) -> bool {
        let mut movers = self.movers(class);
        if movers.is_empty() {
            return false;
        }
        movers.sort_by_key(|mover| mover.from);
        let lowest = self.below(class, &movers);
        let values = self.values(class, &movers, lowest.clone());
        let now = self.steps[class];
        let best = best_place(&values, now);
        if best == now {
            return false;
        }
        self.counts = lowest;
        for mover in movers.iter().take_while(|mover| mover.from <= best) {
            self.counts.change(self.proba.row(mover.row), mover.other, class);
        }
        self.steps[class] = best;
        self.find_leaders(class);
        true
    }

    /// The rows that some offset of `class` decides as it, and another does not.
    fn movers(&self, class: usize) -> Vec<Mover> {
        let (lowest, highest) = (self.grid[0], self.grid[2 * STEPS]);
        let mut movers = Vec::new();
        for (row, leaders) in self.leaders.iter().enumerate() {
            let other = leaders[usize::from(leaders[0] as usize == class)] as usize;
            let (p, rival) = (f64::from(self.proba.row(row)[class]), self.product(row, other));
            let wins = |factor: f64| p * factor > rival || (p * factor == rival && class < other);
            if wins(highest) && !wins(lowest) {
                movers.push(Mover { row, other, from: self.grid.partition_point(|&factor| !wins(factor)) });
            }
        }
        movers
    }

    /// The counts at the lowest offset of `class`.
    fn below(&self, class: usize, movers: &[Mover]) -> Expected {
        let mut counts = self.counts.clone();
        for mover in movers.iter().filter(|mover| mover.from <= self.steps[class]) {
            counts.change(self.proba.row(mover.row), class, mover.other);
        }
        counts
    }

    /// The metric at each place of the grid, from the `counts` at the lowest.
    fn values(&self, class: usize, movers: &[Mover], mut counts: Expected) -> Vec<f64> {
        let mut movers = movers.iter().peekable();
        let value = |place: usize| {
            while let Some(mover) = movers.next_if(|mover| mover.from <= place) {
                counts.change(self.proba.row(mover.row), mover.other, class);
            }
            counts.value(self.metric)
        };
        (0..=2 * STEPS).map(value).collect()
    }

    /// Finds the two best classes of the rows again for which the new offset of `class` may have changed them.
    fn find_leaders(&mut self, class: usize) {
        for row in 0..self.leaders.len() {
            let leaders = self.leaders[row];
            if leaders.contains(&(class as u32))
                || self.product(row, class) >= self.product(row, leaders[1] as usize)
            {
                self.leaders[row] = self.two_best(row);
            }
        }
    }
}

/// The place with the largest value, of equals the nearest to the middle, unless it is no better than `now`.
fn best_place(values: &[f64], now: usize) -> usize {
    let mut best = now;
    for place in (0..=STEPS).flat_map(|step| [STEPS - step, STEPS + step]) {
        if values[place] > values[best] + ROUNDING {
            best = place;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{Matrix, Philox};

    use super::super::{decide, expected};
    use super::*;

    /// Probabilities in twelfths have ties, and products on the grid must be those of `decide`.
    fn proba(n_samples: usize, n_classes: usize) -> Matrix {
        let mut random = Philox::new(3, 0, 0).sequence(0, 0);
        let mut proba = Matrix::zeros(n_samples, n_classes);
        for i in 0..n_samples {
            for _ in 0..12 {
                let (a, b) = (random.below(n_classes as u32), random.below(n_classes as u32));
                proba.row_mut(i)[a.min(b) as usize] += 1.0 / 12.0;
            }
        }
        proba
    }

    /// The counts that the ascent carries along are those of its offsets, and its leaders those of a full search.
    #[test]
    fn counts_are_those_of_the_offsets() {
        let proba = proba(300, 5);
        for metric in [Metric::WeightedF1, Metric::MacroF1, Metric::Mcc] {
            let mut ascent = Ascent::new(proba.view(), metric);
            for class in [3, 1, 4, 2, 3, 1] {
                ascent.improve(class);
                let leaders: Vec<[u32; 2]> = (0..300).map(|i| ascent.two_best(i)).collect();
                assert_eq!(ascent.leaders, leaders);
                let classes: Vec<u32> = leaders.iter().map(|leaders| leaders[0]).collect();
                let value = expected(Predictions::decided(proba.view(), &classes), metric).unwrap();
                assert!((ascent.counts.value(metric) - value).abs() < 1e-12, "{metric}, class {class}");
            }
        }
    }

    /// Of two classes, the best place is found by trying all.
    #[test]
    fn two_classes_by_brute_force() {
        let proba = proba(200, 2);
        for metric in [Metric::WeightedF1, Metric::MacroF1, Metric::Mcc] {
            let found = offsets(proba.view(), metric);
            let value = |offsets: &[f64]| {
                expected(Predictions::decided(proba.view(), &decide(proba.view(), offsets)), metric).unwrap()
            };
            let best = (0..=2 * STEPS).map(|step| value(&[0.0, offset(step)])).fold(0.0, f64::max);
            assert_eq!(found[0], 0.0, "the more frequent class");
            assert!((value(&found) - best).abs() < 1e-8, "{metric}: {found:?} {best}");
        }
    }
}
