//! Samples in order of their classes, and how often a resample draws each.

use std::ops::Range;

use headsmith_kernels::Philox;

/// The Philox stream of the resamples, apart from those that fits draw from.
const STREAM: u32 = 0x626f_6f74;

/// Samples put in order of their class and, within a class, of a key of the caller's.
///
/// Resamples are counted in that order: samples of the same class and key stand together, and sums over them run
/// through memory.
#[derive(Debug)]
pub(super) struct Strata<K> {
    /// The samples in the new order.
    pub(super) order: Vec<usize>,
    /// Runs of samples of the same class and key.
    pub(super) cells: Vec<Cell<K>>,
    /// The places of each class that occurs.
    classes: Vec<Range<usize>>,
}

/// Samples of one class and one key.
#[derive(Debug)]
pub(super) struct Cell<K> {
    pub(super) class: usize,
    pub(super) key: K,
    /// Their places in the new order.
    pub(super) places: Range<usize>,
}

impl<K: Copy + Ord> Strata<K> {
    /// Sorts samples of classes `y_true` by class and by `key(sample)`.
    pub(super) fn new(y_true: &[u32], key: impl Fn(usize) -> K) -> Strata<K> {
        let mut keyed: Vec<(u32, K, usize)> =
            y_true.iter().enumerate().map(|(i, &class)| (class, key(i), i)).collect();
        keyed.sort_unstable();
        let places = |runs: Vec<usize>| {
            let mut start = 0;
            let range = move |len| {
                start += len;
                start - len..start
            };
            runs.into_iter().map(range).collect::<Vec<Range<usize>>>()
        };
        let classes = places(keyed.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).collect());
        let cells = places(keyed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(<[_]>::len).collect());
        let cell = |places: Range<usize>| {
            let (class, key, _) = keyed[places.start];
            Cell { class: class as usize, key, places }
        };
        Strata {
            cells: cells.into_iter().map(cell).collect(),
            classes,
            order: keyed.iter().map(|k| k.2).collect(),
        }
    }

    /// Sets `counts` to how often resample `r` draws each sample, in the new order: `n` draws, each uniform, among the
    /// `n` samples of every class.
    pub(super) fn resample(&self, seed: u64, r: u32, counts: &mut [u32]) {
        counts.fill(0);
        let mut random = Philox::new(seed, 0, STREAM).sequence(0, r);
        for places in &self.classes {
            let counts = &mut counts[places.clone()];
            for _ in 0..counts.len() {
                counts[random.below(counts.len() as u32) as usize] += 1;
            }
        }
    }
}
