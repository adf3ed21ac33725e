//! Cuts of many rows by the codes of whole columns, of which masks say which rows count.

use super::{LANES, Lanes, Node, RandomCuts, Run, Search, WIDTH, for_each_bit};

/// More classes are counted row by row.
const MOST_CLASSES: usize = 16;

/// The rows of a node among all, of which a word has [`LANES`].
#[derive(Debug, Clone, Default)]
pub(super) struct Masks {
    /// All bits of each row's byte.
    bytes: Vec<[u8; LANES]>,
    /// One bit for each row.
    node: Vec<u32>,
    /// The rows of each run, run after run, where there are few; else empty.
    runs: Vec<u32>,
    left: Vec<u32>,
}

impl Masks {
    /// # Panics
    /// When there is no such row.
    pub(super) fn set(&mut self, n_rows: usize, node: Node<'_>) {
        let n_words = n_rows.next_multiple_of(64) / LANES;
        let (no_bytes, no_rows) = ([0; LANES], 0);
        self.bytes.clear();
        self.bytes.resize(n_words, no_bytes);
        self.left.resize(n_words, no_rows);
        self.node.clear();
        self.node.resize(n_words, no_rows);
        for &row in node.rows {
            let (word, bit) = place(row);
            self.node[word] |= 1 << bit;
            self.bytes[word][bit] = u8::MAX;
        }
        self.runs.clear();
        if node.runs.len() <= MOST_CLASSES {
            self.runs.resize(node.runs.len() * n_words, no_rows);
            for ((_, places), words) in node.places().zip(self.runs.chunks_exact_mut(n_words)) {
                for (word, bit) in node.rows[places].iter().map(|row| place(*row)) {
                    words[word] |= 1 << bit;
                }
            }
        }
    }

    /// The least and the greatest code.
    #[inline(always)]
    fn ends(&self, column: &[[u8; LANES]]) -> [u8; 2] {
        let (mut least, mut most) = ([u8::MAX; LANES], [0; LANES]);
        for (codes, mask) in column.iter().zip(&self.bytes) {
            for lane in 0..LANES {
                least[lane] = least[lane].min(codes[lane] | !mask[lane]);
                most[lane] = most[lane].max(codes[lane] & mask[lane]);
            }
        }
        let [mut low, mut high] = [u8::MAX, 0];
        for lane in 0..LANES {
            (low, high) = (low.min(least[lane]), high.max(most[lane]));
        }
        [low, high]
    }

    /// Calls `visit` with the rows that have this code.
    #[inline(always)]
    fn for_each_row(
        &self,
        column: &[[u8; LANES]],
        code: u8,
        equal: impl Fn(&[u8; LANES], &[u8; LANES]) -> u32,
        mut visit: impl FnMut(u32),
    ) {
        let code = [code; LANES];
        for (word, (codes, mask)) in column.iter().zip(&self.node).enumerate() {
            for_each_bit(equal(codes, &code) & mask, |bit| visit((word * LANES + bit) as u32));
        }
    }
}

/// The word and the bit of a row.
fn place(row: u32) -> (usize, usize) {
    (row as usize / LANES, row as usize % LANES)
}

impl RandomCuts {
    #[inline(always)]
    pub(super) fn cut_by_columns(
        &mut self,
        search: Search<'_>,
        equal: impl Fn(&[u8; LANES], &[u8; LANES]) -> u32,
    ) {
        let (mut low, mut high) = (Lanes::<f32>::default(), Lanes::<f32>::default());
        for lane in 0..search.n_features {
            let ends = self.column_ends(search, lane, &equal);
            [low.as_flattened_mut()[lane], high.as_flattened_mut()[lane]] = ends;
        }
        self.draw(search, &low, &high);
        let sides = search.sides(&self.thresholds);
        for lane in 0..search.n_features {
            let column = search.table.column(search.features.as_flattened()[lane]).as_chunks::<LANES>().0;
            let last = [sides.last[lane]; LANES];
            let Masks { node, left, .. } = &mut self.masks;
            for ((codes, mask), left) in column.iter().zip(node).zip(left) {
                let lower: [u8; LANES] = std::array::from_fn(|row| codes[row].min(last[row]));
                *left = equal(&lower, codes) & *mask;
            }
            if sides.is_shared >> lane & 1 == 1 {
                let threshold = self.thresholds.as_flattened()[lane];
                let mut left = std::mem::take(&mut self.masks.left);
                self.masks.for_each_row(column, sides.shared[lane], &equal, |row| {
                    let (word, bit) = place(row);
                    left[word] |= u32::from(search.value(row, lane) <= threshold) << bit;
                });
                self.masks.left = left;
            }
            self.count(search, lane);
        }
    }

    /// The least and the greatest value of a feature.
    #[inline(always)]
    fn column_ends(
        &self,
        search: Search<'_>,
        lane: usize,
        equal: &impl Fn(&[u8; LANES], &[u8; LANES]) -> u32,
    ) -> [f32; 2] {
        let feature = search.features.as_flattened()[lane];
        let (column, scale) = (search.table.column(feature).as_chunks().0, search.table.scale(feature));
        let [least, most] = self.masks.ends(column);
        if let Some(ends) = scale.ends(least, most) {
            return ends;
        }
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        self.masks.for_each_row(column, least, equal, |row| low = low.min(search.value(row, lane)));
        self.masks.for_each_row(column, most, equal, |row| high = high.max(search.value(row, lane)));
        [low, high]
    }

    /// Counts the rows on the left of the cut in a lane.
    #[inline(always)]
    fn count(&mut self, search: Search<'_>, lane: usize) {
        let (chunk, at) = (lane / WIDTH, lane % WIDTH);
        let Masks { runs: masks, left, .. } = &self.masks;
        let mut add = |run: &Run, n_left: u32| {
            self.n_left[chunk][at] += n_left;
            self.left[run.class as usize][chunk][at] += f64::from(n_left) * run.weight;
        };
        if masks.is_empty() {
            let is_left = |row: &u32| left[place(*row).0] >> place(*row).1 & 1;
            for (run, places) in search.node.places() {
                add(&run, search.node.rows[places].iter().map(is_left).sum());
            }
            return;
        }
        for (run, mask) in search.node.runs.iter().zip(masks.chunks_exact(left.len())) {
            let both = mask.iter().zip(left).map(|(mask, left)| (mask & left).count_ones());
            add(run, both.sum());
        }
    }
}
