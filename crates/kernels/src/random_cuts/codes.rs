//! Cuts of some rows by the codes of their features.

use super::{CHUNKS, LANES, Lanes, RandomCuts, Search, WIDTH, for_each_bit};

/// The most rows that a count of one byte holds.
const MOST_COUNTED: usize = u8::MAX as usize;

/// The sides of thresholds, as codes.
pub(super) struct Sides {
    /// Up to this code, a row is left.
    pub(super) last: [u8; LANES],
    /// Of rows with this code, the value decides.
    pub(super) shared: [u8; LANES],
    /// The lanes in which there is such a code.
    pub(super) is_shared: u32,
}

impl RandomCuts {
    #[inline(always)]
    pub(super) fn cut_by_codes(
        &mut self,
        search: Search<'_>,
        equal: impl Fn(&[u8; LANES], &[u8; LANES]) -> u32,
    ) {
        let rows = search.node.rows;
        let mut codes = std::mem::take(&mut self.codes);
        if codes.len() < rows.len() {
            codes.resize(rows.len(), [0; LANES]);
        }
        gather(search, &mut codes[..rows.len()]);
        let (low, high) = ends(search, &codes[..rows.len()], &equal);
        self.draw(search, &low, &high);
        let sides = search.sides(&self.thresholds);
        for (run, places) in search.node.places() {
            let of_run = (&codes[places.clone()], &rows[places]);
            let counts = self.counts(search, of_run, &sides, &equal);
            self.add(search, run, &counts);
        }
        self.codes = codes;
    }

    /// How many of the rows are left.
    #[inline(always)]
    fn counts(
        &self,
        search: Search<'_>,
        (codes, rows): (&[[u8; LANES]], &[u32]),
        sides: &Sides,
        equal: &impl Fn(&[u8; LANES], &[u8; LANES]) -> u32,
    ) -> Lanes<u32> {
        let mut counts = Lanes::<u32>::default();
        for (codes, rows) in codes.chunks(MOST_COUNTED).zip(rows.chunks(MOST_COUNTED)) {
            let mut clear = [0u8; LANES];
            for (codes, &row) in codes.iter().zip(rows) {
                for lane in 0..LANES {
                    clear[lane] += u8::from(codes[lane] <= sides.last[lane]);
                }
                for_each_bit(equal(codes, &sides.shared) & sides.is_shared, |lane| {
                    let threshold = self.thresholds.as_flattened()[lane];
                    counts.as_flattened_mut()[lane] += u32::from(search.value(row, lane) <= threshold);
                });
            }
            for (count, clear) in counts.as_flattened_mut().iter_mut().zip(clear) {
                *count += u32::from(clear);
            }
        }
        counts
    }
}

impl Search<'_> {
    /// The lanes with a feature.
    pub(super) fn lanes(&self) -> u32 {
        u32::MAX >> (LANES - self.n_features)
    }

    /// The sides of the thresholds.
    #[inline(always)]
    pub(super) fn sides(&self, thresholds: &Lanes<f32>) -> Sides {
        let mut shared = [0; LANES];
        let lanes = self.features.as_flattened().iter().zip(thresholds.as_flattened());
        for (code, (&feature, &threshold)) in shared.iter_mut().zip(lanes).take(self.n_features) {
            *code = self.table.scale(feature).code(threshold);
        }
        // The least value alone has the code 0, so none of its rows is doubtful.
        let is_shared = shared.iter().rev().fold(0, |bits, code| bits << 1 | u32::from(*code > 0));
        Sides { last: shared.map(|code| code.saturating_sub(1)), shared, is_shared: is_shared & self.lanes() }
    }
}

/// Copies the codes of the features of all rows.
#[inline(always)]
fn gather(search: Search<'_>, codes: &mut [[u8; LANES]]) {
    let (all, n_features) = (search.table.codes(), search.table.n_features());
    for (chunk, features) in search.features.iter().enumerate().take(search.n_chunks()) {
        let features = features.map(|feature| feature as usize);
        for (codes, &row) in codes.iter_mut().zip(search.node.rows) {
            // SAFETY: a search has rows and features of its table only.
            let of_row = unsafe {
                let row = all.as_ptr().add(row as usize * n_features);
                features.map(|feature| *row.add(feature))
            };
            codes.as_chunks_mut().0[chunk] = of_row;
        }
    }
}

/// The least and the greatest value of each feature.
#[inline(always)]
fn ends(
    search: Search<'_>,
    codes: &[[u8; LANES]],
    equal: &impl Fn(&[u8; LANES], &[u8; LANES]) -> u32,
) -> (Lanes<f32>, Lanes<f32>) {
    let (mut least, mut most) = ([u8::MAX; LANES], [0; LANES]);
    for codes in codes {
        for lane in 0..LANES {
            least[lane] = least[lane].min(codes[lane]);
            most[lane] = most[lane].max(codes[lane]);
        }
    }
    let (mut low, mut high) = ([[f32::INFINITY; WIDTH]; CHUNKS], [[f32::NEG_INFINITY; WIDTH]; CHUNKS]);
    let mut is_narrow = 0;
    for (lane, &feature) in search.features.as_flattened().iter().enumerate().take(search.n_features) {
        match search.table.scale(feature).ends(least[lane], most[lane]) {
            Some(ends) => [low.as_flattened_mut()[lane], high.as_flattened_mut()[lane]] = ends,
            None => is_narrow |= 1 << lane,
        }
    }
    if is_narrow == 0 {
        return (low, high);
    }
    for (codes, &row) in codes.iter().zip(search.node.rows) {
        let bits = (equal(codes, &least) | equal(codes, &most)) & is_narrow;
        for_each_bit(bits, |lane| {
            let value = search.value(row, lane);
            let (low, high) = (&mut low.as_flattened_mut()[lane], &mut high.as_flattened_mut()[lane]);
            *low = if value < *low { value } else { *low };
            *high = if value > *high { value } else { *high };
        });
    }
    (low, high)
}
