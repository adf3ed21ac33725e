//! The choice of the number of neighbours and the temperature: by the log loss of training rows whose neighbours are other rows.

use headsmith_kernels::Pool;

use super::Knn;
use super::search::Neighbour;
use super::votes::{ClassShares, Weighting};
use crate::samples::Samples;

/// The numbers of neighbours that are compared.
const NUMBERS: [usize; 6] = [5, 10, 20, 40, 80, 160];
/// Temperatures that are compared, as shares of the mean distance of neighbours: powers of the root of 2.
const TEMPERATURES: std::ops::RangeInclusive<i32> = -16..=3;
/// Rows whose losses choose, at most: every n-th.
pub(super) const MOST_ROWS: usize = 8192;
/// Rows whose losses are added up by one thread.
const PIECE: usize = 64;

/// The parameters that a fit chooses, where they are not given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Given {
    pub(super) n_neighbors: Option<usize>,
    pub(super) weighting: Option<Weighting>,
}

/// Rows that choose, with their neighbours.
struct Choosers<'k> {
    knn: &'k Knn,
    class_shares: ClassShares,
    neighbours: Vec<(u32, Vec<Neighbour>)>,
}

/// The most neighbours that are looked at, given their number or not.
pub(super) fn most_neighbours(given: Option<usize>) -> usize {
    given.unwrap_or(NUMBERS[NUMBERS.len() - 1])
}

/// Copies of a row have the number of the first of them.
fn copies(knn: &Knn) -> Vec<u32> {
    // -0 is 0.
    let bits = |v: &f32| u64::from((v + 0.0).to_bits());
    let hash = |i: usize| {
        let start = 0x9E37_79B9_7F4A_7C15u64;
        knn.rows
            .row(i)
            .iter()
            .fold(start, |hash, v| (hash ^ bits(v)).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(23))
    };
    let mut order: Vec<(u64, u32)> = (0..knn.rows.n_rows()).map(|i| (hash(i), i as u32)).collect();
    order.sort_unstable();
    let mut first: Vec<u32> = (0..knn.rows.n_rows() as u32).collect();
    for pair in 1..order.len() {
        let ((hash, before), (other, i)) = (order[pair - 1], order[pair]);
        if hash == other && knn.rows.row(before as usize) == knn.rows.row(i as usize) {
            first[i as usize] = first[before as usize];
        }
    }
    first
}

/// Chooses what is not given for a head that has everything else. A row's neighbours are no copies of it, and of other `units`, if the
/// stored rows have some. Rows without neighbours choose nothing.
pub(super) fn choose(knn: &Knn, given: Given, units: Option<&[u32]>, pool: &Pool) -> (usize, Weighting) {
    let total: f64 = knn.weights.iter().map(|w| f64::from(*w)).sum();
    let most = (total as usize).saturating_sub(1).max(1);
    let mut numbers: Vec<usize> = match given.n_neighbors {
        Some(n) => vec![n],
        None => NUMBERS.iter().map(|n| (*n).min(most)).collect(),
    };
    numbers.dedup();
    let most = numbers[numbers.len() - 1];
    let choosers = Choosers::new(knn, units, most, pool);
    let weightings = match given.weighting {
        Some(weighting) => vec![weighting],
        None => choosers.temperatures(most),
    };
    let losses = choosers.losses(&numbers, &weightings, pool);
    let mut best = 0;
    for (i, loss) in losses.iter().enumerate() {
        if *loss < losses[best] {
            best = i;
        }
    }
    (numbers[best % numbers.len()], weightings[best / numbers.len()])
}

impl<'k> Choosers<'k> {
    fn new(knn: &'k Knn, units: Option<&[u32]>, most: usize, pool: &Pool) -> Choosers<'k> {
        let (n_rows, copies) = (knn.rows.n_rows(), copies(knn));
        let is_other =
            |a: usize, b: usize| copies[a] != copies[b] && units.is_none_or(|units| units[a] != units[b]);
        let stride = n_rows.div_ceil(MOST_ROWS).max(1);
        let n_choosers = n_rows.div_ceil(stride);
        let chosen: Vec<usize> = (0..n_choosers).map(|i| i * stride).collect();
        let mut neighbours: Vec<(u32, Vec<Neighbour>)> = vec![(0, Vec::new()); n_choosers];
        let samples = Samples::new(knn.rows.view(), &knn.classes, knn.class_weights.len());
        let mut queries = vec![0.0; if stride == 1 { 0 } else { n_choosers * knn.rows.n_cols() }];
        let queries = match samples {
            Ok(samples) if stride > 1 => {
                samples.copy_rows(chosen.iter().copied(), &mut queries);
                headsmith_kernels::MatRef::new(&queries, n_choosers, knn.rows.n_cols())
            }
            _ => knn.rows.view(),
        };
        knn.search(most as f64).each(
            queries,
            &|query, row| is_other(chosen[query], row),
            (&mut neighbours, 1),
            &|query, found, out| out[0] = (chosen[query] as u32, found.to_vec()),
            pool,
        );
        Choosers { knn, class_shares: knn.class_shares(), neighbours }
    }

    /// Temperatures around the mean distance of `most` neighbours.
    fn temperatures(&self, most: usize) -> Vec<Weighting> {
        let (mut sum, mut n, voters) = (0.0, 0.0, self.knn.voters());
        for (row, neighbours) in &self.neighbours {
            let own = f64::from(self.knn.weights[*row as usize]);
            let distances: Vec<f64> = neighbours.iter().map(|neighbour| neighbour.distance).collect();
            voters.poll(neighbours, (&distances, most as f64), |_, distance| sum += own * distance);
            let ones = vec![1.0; distances.len()];
            voters.poll(neighbours, (&ones, most as f64), |_, one| n += own * one);
        }
        let mean = if sum > 0.0 { sum / n } else { 1.0 };
        TEMPERATURES.map(|power| Weighting::Temperature(mean * 2.0f64.powf(0.5 * f64::from(power)))).collect()
    }

    /// The sums of the losses: of the first weighting with all numbers, then of the next.
    fn losses(&self, numbers: &[usize], weightings: &[Weighting], pool: &Pool) -> Vec<f64> {
        let pieces: Vec<&[(u32, Vec<Neighbour>)]> = self.neighbours.chunks(PIECE).collect();
        let sums = pool.map(pieces.len(), |piece| {
            let (mut sums, mut weights) = (vec![0.0; numbers.len() * weightings.len()], Vec::new());
            for (row, neighbours) in pieces[piece].iter().filter(|(_, neighbours)| !neighbours.is_empty()) {
                for (weighting, sums) in weightings.iter().zip(sums.chunks_exact_mut(numbers.len())) {
                    weighting.weights(neighbours, &mut weights);
                    for (n, sum) in numbers.iter().zip(sums) {
                        *sum += self.loss(*row as usize, neighbours, &weights, *n);
                    }
                }
            }
            sums
        });
        let mut total = vec![0.0; numbers.len() * weightings.len()];
        for sums in sums {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        total
    }

    /// The loss of a row, by its own weight.
    fn loss(&self, row: usize, neighbours: &[Neighbour], weights: &[f64], n: usize) -> f64 {
        let (own, class_weights) = (self.knn.classes[row] as usize, &self.class_shares.class_weights);
        let (mut of_own, mut of_all) = (0.0, 0.0);
        self.knn.voters().poll(neighbours, (weights, n as f64), |class, vote| {
            let vote = vote * class_weights[class];
            of_all += vote;
            of_own += if class == own { vote } else { 0.0 };
        });
        let probability = self.class_shares.floored(own, of_own, of_all);
        let weight = f64::from(self.knn.weights[row]) * class_weights[own];
        if weight > 0.0 { -weight * probability.ln() } else { 0.0 }
    }
}
