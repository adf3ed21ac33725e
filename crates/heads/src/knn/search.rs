//! The search for the nearest rows: products of blocks of queries with all rows, and the exact distances of the few rows that their
//! bounds leave.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::nearest::{Hit, collect_above};
use headsmith_kernels::{MatMut, MatRef, Matrix, Pool};

use super::candidates::{Candidate, Candidates, Wanted};
use super::index::Index;

/// Rows of a product: its scores stay in a second-level cache until they are looked at.
const TILE: usize = 256;
/// Values of a block of queries, and bounds of its length.
const QUERY_VALUES: usize = 1 << 18;
const MOST_QUERIES: usize = 128;
const FEWEST_QUERIES: usize = 16;
/// Blocks whose candidates are held at once.
const GROUP: usize = 32;
/// Pieces of a group at least, where rows are enough; and the rows of a piece then.
const PIECES: usize = 8;
const FEWEST_ROWS: usize = 2048;
/// Pairs of a row and a query that are compared exactly at a time.
const MOST_PAIRS: usize = 1 << 14;

/// A training row and its distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    pub(super) distance: f64,
    pub(super) row: u32,
}

/// The rows that are searched.
pub(super) struct Search<'a> {
    pub(super) rows: MatRef<'a>,
    pub(super) index: &'a Index,
    pub(super) wanted: Wanted<'a>,
}

/// The queries of a block.
fn block_len(n_features: usize) -> usize {
    (QUERY_VALUES / n_features.max(1)).clamp(FEWEST_QUERIES, MOST_QUERIES)
}

/// The bytes of a search that takes `wanted` neighbours of each query, with 16 threads.
pub(super) fn n_bytes(n_queries: u64, n_rows: u64, n_features: u64, wanted: u64) -> u64 {
    let block = block_len(n_features as usize) as u64;
    let tile = (TILE as u64).min(n_rows);
    // Queries, transposed and in panels; scores, hits, and lists before they shrink.
    let a_thread = block
        .saturating_mul(n_features.saturating_mul(8).saturating_add(tile * 28 + 64 * 1024))
        .saturating_add(48 * MOST_PAIRS as u64);
    let lists = n_queries
        .min(block * GROUP as u64)
        .saturating_mul(wanted.saturating_mul(2).min(n_rows).saturating_add(tile + 64));
    let threads = n_queries.div_ceil(block).max(PIECES as u64).min(16);
    a_thread.min(1 << 40).saturating_mul(threads).saturating_add(lists.saturating_mul(24))
}

impl Search<'_> {
    /// Calls `finish(query, neighbours, out)` for each query, with its nearest rows among those that are `allowed(query, row)`, the nearest
    /// first and the first of equals first, and its `width` values of `out`.
    pub(super) fn each<T: Send>(
        &self,
        queries: MatRef<'_>,
        allowed: &(impl Fn(usize, usize) -> bool + Sync),
        (out, width): (&mut [T], usize),
        finish: &(impl Fn(usize, &[Neighbour], &mut [T]) + Sync),
        pool: &Pool,
    ) {
        let group = GROUP * block_len(queries.n_cols());
        for (i, out) in out.chunks_mut(group * width).enumerate() {
            let first = i * group;
            let candidates = self.group(queries, first..first + out.len() / width, allowed, pool);
            let len = block_len(queries.n_cols());
            pool.for_each_chunk(out, len * width, |block, out| {
                let lists = |i: usize| candidates.iter().map(move |lists| &lists[block * len + i]);
                self.finish(queries, first + block * len, lists, (out, width), finish);
            });
        }
    }

    /// Finishes a block of queries from the one at `first` on, as many at a time as have not too many candidates.
    fn finish<'c, T, L: Iterator<Item = &'c Candidates>>(
        &self,
        queries: MatRef<'_>,
        first: usize,
        lists: impl Fn(usize) -> L,
        (out, width): (&mut [T], usize),
        finish: &impl Fn(usize, &[Neighbour], &mut [T]),
    ) {
        let (mut pairs, mut start, n) = (Vec::new(), 0, out.len() / width);
        for i in 0..n {
            let mut all = Candidates::default();
            lists(i).for_each(|some| all.extend(some));
            all.shrink(self.wanted);
            pairs.extend(all.rows().map(|row| (row, (i - start) as u32)));
            if pairs.len() < MOST_PAIRS && i + 1 < n {
                continue;
            }
            let n_queries = i + 1 - start;
            let neighbours = self.nearest(queries, (first + start, n_queries), std::mem::take(&mut pairs));
            for (neighbours, out) in neighbours.iter().zip(out[start * width..].chunks_exact_mut(width)) {
                finish(first + start, neighbours, out);
                start += 1;
            }
        }
    }

    /// The candidates of some queries, those of one part of the rows after the other.
    fn group(
        &self,
        queries: MatRef<'_>,
        group: Range<usize>,
        allowed: &(impl Fn(usize, usize) -> bool + Sync),
        pool: &Pool,
    ) -> Vec<Vec<Candidates>> {
        let (len, n_rows) = (block_len(queries.n_cols()), self.rows.n_rows());
        let n_blocks = group.len().div_ceil(len);
        let n_parts = PIECES.div_ceil(n_blocks).min(n_rows.div_ceil(FEWEST_ROWS)).max(1);
        let part = n_rows.div_ceil(n_parts);
        let mut lists = pool.map(n_parts * n_blocks, |piece| {
            let (rows, start) = (piece / n_blocks * part, group.start + piece % n_blocks * len);
            let block = start..group.end.min(start + len);
            self.block(queries, block, rows..n_rows.min(rows + part), allowed)
        });
        let mut parts = Vec::with_capacity(n_parts);
        while !lists.is_empty() {
            let rest = lists.split_off(n_blocks.min(lists.len()));
            parts.push(lists.into_iter().flatten().collect());
            lists = rest;
        }
        parts
    }

    /// The candidates of a block of queries among some of the rows.
    fn block(
        &self,
        queries: MatRef<'_>,
        block: Range<usize>,
        rows: Range<usize>,
        allowed: &(impl Fn(usize, usize) -> bool + Sync),
    ) -> Vec<Candidates> {
        let (n_queries, n_features) = (block.len(), queries.n_cols());
        let mut candidates = vec![Candidates::default(); n_queries];
        let mut columns = Matrix::zeros(n_features, n_queries);
        let (mut slacks, mut thresholds) = (vec![0.0; n_queries], vec![f32::NEG_INFINITY; n_queries]);
        for (j, query) in block.clone().enumerate() {
            let column = &mut columns.as_mut_slice()[j..];
            match self.index.scaled(queries.row(query), column, n_queries) {
                Some(slack) => slacks[j] = slack,
                None => {
                    // All rows are compared exactly.
                    thresholds[j] = f32::INFINITY;
                    for row in rows.clone().filter(|row| allowed(query, *row)) {
                        let (lower, upper) = (f32::NEG_INFINITY, f32::INFINITY);
                        candidates[j].push(Candidate { row: row as u32, lower, upper });
                    }
                }
            }
        }
        if thresholds.iter().all(|threshold| *threshold == f32::INFINITY) {
            return candidates;
        }
        let panels = packed(columns.view());
        drop(columns);
        let panels = Panels::new(&panels, n_features, n_queries);
        let (inline, hits) = (Pool::inline(), Mutex::new(Vec::new()));
        let mut scores = vec![0.0; TILE.min(rows.len()) * n_queries];
        for start in rows.clone().step_by(TILE) {
            let tile = start..rows.end.min(start + TILE);
            let scores = MatMut::new(&mut scores[..tile.len() * n_queries], tile.len(), n_queries);
            let terms = &self.index.terms()[tile.clone()];
            matmul(scores, &mut [], self.rows.rows(tile.start, tile.end), panels, &inline, |block| {
                let mut hits = hits.lock().unwrap_or_else(PoisonError::into_inner);
                collect_above(block, terms, &slacks, &thresholds, &mut hits);
            });
            let mut hits = hits.lock().unwrap_or_else(PoisonError::into_inner);
            for Hit { row, column, bound: upper } in hits.drain(..) {
                let (row, column) = (start + row as usize, column as usize);
                if allowed(block.start + column, row) {
                    let lower = self.index.lower(row, slacks[column], upper);
                    candidates[column].push(Candidate { row: row as u32, lower, upper });
                }
            }
            for (candidates, threshold) in candidates.iter_mut().zip(&mut thresholds) {
                if *threshold != f32::INFINITY && candidates.is_full(self.wanted) {
                    *threshold = candidates.shrink(self.wanted);
                }
            }
        }
        candidates
    }

    /// The nearest rows of some queries among pairs of a row and a query, with their distances.
    fn nearest(
        &self,
        queries: MatRef<'_>,
        (first, n): (usize, usize),
        mut pairs: Vec<(u32, u32)>,
    ) -> Vec<Vec<Neighbour>> {
        // Row by row: the queries stay in a second-level cache.
        pairs.sort_unstable();
        let distances = self.index.distances(self.rows, (queries, first, n), &pairs);
        let mut all = vec![Vec::new(); n];
        for ((row, query), distance) in pairs.into_iter().zip(distances) {
            all[query as usize].push(Neighbour { distance, row });
        }
        for neighbours in &mut all {
            self.truncate(neighbours);
        }
        all
    }

    /// Leaves as many of the nearest rows as are wanted, in their order.
    fn truncate(&self, neighbours: &mut Vec<Neighbour>) {
        let nearer = |a: &Neighbour, b: &Neighbour| a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row));
        neighbours.sort_unstable_by(nearer);
        let mut sum = 0.0;
        let reached = neighbours.iter().position(|neighbour| {
            sum += self.wanted.weights.map_or(1.0, |weights| f64::from(weights[neighbour.row as usize]));
            sum >= self.wanted.weight
        });
        neighbours.truncate(reached.map_or(usize::MAX, |last| last + 1));
    }
}
