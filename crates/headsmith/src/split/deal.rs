//! Distributes units of rows over parts so that each part has its share of every class, as scikit-learn's
//! `StratifiedGroupKFold` does: the units whose rows are spread least evenly over the classes come first, each goes to
//! the part that makes the shares of the classes most equal. For parts of different sizes, the filled share of a
//! part's target counts.

use headsmith_kernels::Philox;

use super::units;

/// The stream of random numbers that orders units of equal spread.
const STREAM: u32 = 0x6465_616c;

/// Smaller differences of the spread count as equal.
const SAME: f64 = 1e-9;

/// The number of rows of each unit by class.
struct Counts {
    /// Class and number of rows, unit after unit.
    counts: Vec<(u32, f64)>,
    /// The start of each unit's counts, and the end of the last.
    starts: Vec<usize>,
}

/// The part of each row: an index into `shares`, which sum to 1.
pub(crate) fn deal(units: &[u32], y: &[u32], shares: &[f64], seed: u64) -> Vec<usize> {
    let counts = Counts::new(units, y);
    let n_classes = super::n_classes(y);
    let mut parts = Parts::new(y, n_classes, shares);
    let mut part_of = vec![0; counts.len()];
    for unit in counts.order(n_classes, seed) {
        part_of[unit] = parts.add(counts.of(unit));
    }
    units.iter().map(|&unit| part_of[unit as usize]).collect()
}

impl Counts {
    fn new(units: &[u32], y: &[u32]) -> Counts {
        let mut pairs: Vec<(u32, u32)> = units.iter().copied().zip(y.iter().copied()).collect();
        pairs.sort_unstable();
        let mut counts: Vec<(u32, f64)> = Vec::new();
        let mut starts = vec![0; units::count(units) + 1];
        for same in pairs.chunk_by(|a, b| a == b) {
            let (unit, class) = same[0];
            counts.push((class, same.len() as f64));
            starts[unit as usize + 1] = counts.len();
        }
        Counts { counts, starts }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, unit: usize) -> &[(u32, f64)] {
        &self.counts[self.starts[unit]..self.starts[unit + 1]]
    }

    /// The units, those with the largest deviation between the classes first; equal ones in a random order from the
    /// seed.
    fn order(&self, n_classes: usize, seed: u64) -> Vec<usize> {
        let n = n_classes.max(1) as f64;
        let variance = |unit: usize| {
            let (sum, squares) =
                self.of(unit).iter().fold((0.0, 0.0), |(sum, squares), (_, n)| (sum + n, squares + n * n));
            squares / n - (sum / n) * (sum / n)
        };
        let variances: Vec<f64> = (0..self.len()).map(variance).collect();
        let mut order: Vec<usize> = (0..self.len()).collect();
        Philox::new(seed, 0, STREAM).sequence(0, 0).shuffle(&mut order);
        order.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]));
        order
    }
}

/// The contents of the parts so far.
struct Parts<'s> {
    shares: &'s [f64],
    /// The total number of rows of each class.
    totals: Vec<f64>,
    /// The number of rows of each class in each part, class by class.
    rows: Vec<f64>,
    /// The number of rows of each part.
    sizes: Vec<f64>,
}

impl<'s> Parts<'s> {
    fn new(y: &[u32], n_classes: usize, shares: &'s [f64]) -> Parts<'s> {
        let mut totals = vec![0.0; n_classes];
        y.iter().for_each(|&class| totals[class as usize] += 1.0);
        let n = shares.len();
        Parts { shares, totals, rows: vec![0.0; n_classes * n], sizes: vec![0.0; n] }
    }

    /// Adds a unit to the best part, of equal ones the emptiest; returns the part.
    fn add(&mut self, unit: &[(u32, f64)]) -> usize {
        let before: f64 = unit.iter().map(|&(class, _)| self.spread(class as usize)).sum();
        let mut best = (f64::INFINITY, f64::INFINITY, 0);
        for part in 0..self.shares.len() {
            self.put(unit, part, 1.0);
            let spread = unit.iter().map(|&(class, _)| self.spread(class as usize)).sum::<f64>() - before;
            self.put(unit, part, -1.0);
            let fullness = self.sizes[part] / self.shares[part];
            if spread < best.0 - SAME || spread < best.0 + SAME && fullness < best.1 {
                best = (spread, fullness, part);
            }
        }
        self.put(unit, best.2, 1.0);
        best.2
    }

    fn put(&mut self, unit: &[(u32, f64)], part: usize, sign: f64) {
        for &(class, n) in unit {
            self.rows[class as usize * self.shares.len() + part] += sign * n;
            self.sizes[part] += sign * n;
        }
    }

    /// The standard deviation between the parts of their filled share of the class's target.
    fn spread(&self, class: usize) -> f64 {
        let n = self.shares.len();
        let rows = &self.rows[class * n..(class + 1) * n];
        let mean = rows.iter().sum::<f64>() / self.totals[class];
        let of_part = |(rows, share): (&f64, &f64)| {
            let full = rows / (share * self.totals[class]) - mean;
            share * full * full
        };
        rows.iter().zip(self.shares).map(of_part).sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_rows_are_dealt_as_evenly_as_can_be() {
        let y: Vec<u32> = (0..103).map(|row| u32::from(row % 10 < 3)).collect();
        let units: Vec<u32> = (0..103).collect();
        let part_of = deal(&units, &y, &[0.25; 4], 7);
        for class in 0..2 {
            let counts = (0..4).map(|part| (0..103).filter(|&i| part_of[i] == part && y[i] == class).count());
            let counts: Vec<usize> = counts.collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_eq!(part_of, deal(&units, &y, &[0.25; 4], 7));
        assert_ne!(part_of, deal(&units, &y, &[0.25; 4], 8));
    }

    #[test]
    fn a_part_has_its_share_of_every_class() {
        // 200 groups of 1 to 9 rows, most of one class.
        let units: Vec<u32> =
            (0..200).flat_map(|unit| std::iter::repeat_n(unit, 1 + unit as usize * 7 % 9)).collect();
        let y: Vec<u32> =
            units.iter().enumerate().map(|(i, unit)| if i % 7 == 0 { 2 } else { unit % 3 }).collect();
        let part_of = deal(&units, &y, &[0.7, 0.3], 1);
        for class in 0..3 {
            let n = |part| (0..y.len()).filter(|&i| y[i] == class && part_of[i] == part).count() as f64;
            let share = n(1) / (n(0) + n(1));
            assert!((share - 0.3).abs() < 0.02, "class {class}: {share}");
        }
        let split = (1..units.len()).filter(|&i| units[i] == units[i - 1] && part_of[i] != part_of[i - 1]);
        assert_eq!(split.count(), 0);
    }

    /// Recorded by `tests/data/make_groups.py`.
    #[test]
    fn groups_are_dealt_as_evenly_as_by_scikit_learn() {
        let cases: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/groups.json")).unwrap();
        for case in cases.as_array().unwrap() {
            let list = |key: &str| -> Vec<usize> {
                case[key].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
            };
            let (y, units) = (list("y"), units::numbered(list("groups")));
            let y: Vec<u32> = y.iter().map(|&class| class as u32).collect();
            let n_splits = case["n_splits"].as_u64().unwrap() as usize;
            let (mut sum, mut n, mut worst) = (0.0, 0.0, 0.0f64);
            for seed in 0..20 {
                let part_of = deal(&units, &y, &vec![1.0 / n_splits as f64; n_splits], seed);
                for class in 0..=*y.iter().max().unwrap() {
                    let rows: Vec<usize> = (0..y.len()).filter(|&row| y[row] == class).collect();
                    for part in 0..n_splits {
                        let own = rows.iter().filter(|&&row| part_of[row] == part).count();
                        let off = (own as f64 / rows.len() as f64 - 1.0 / n_splits as f64).abs();
                        (sum, n, worst) = (sum + off, n + 1.0, worst.max(off));
                    }
                }
                let split = (0..y.len()).find(|&row| {
                    part_of[row] != part_of[units.iter().position(|unit| *unit == units[row]).unwrap()]
                });
                assert_eq!(split, None);
            }
            let (mean, their_mean) = (sum / n, case["mean"].as_f64().unwrap());
            assert!(mean < 1.1 * their_mean + 1e-3, "mean {mean}, scikit-learn {their_mean}");
            let theirs = case["worst"].as_f64().unwrap();
            assert!(worst < 1.25 * theirs + 1e-3, "worst {worst}, scikit-learn {theirs}");
        }
    }
}
