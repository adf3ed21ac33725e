//! The stored rows, ready to be compared with queries: exact distances, and bounds of scores that single-precision products
//! give.
//!
//! The score of a row is the larger the nearer it is: `q . y - |y|^2 / 2` for Euclidean distances, whose square is
//! `|q|^2 - 2 score`; `q . y / (|q| |y|)` for cosine. A product in single precision gives it up to an error that is bounded by the
//! length of the sum (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, 2002, section 3.1), so rows that a
//! bound excludes are none of the nearest, and the others are compared by their distances in double precision.

use headsmith_kernels::nearest::{RowTerms, Scaled, squared_distances};
use headsmith_kernels::{MatRef, Pool};

/// The distance of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    Cosine,
    Euclidean,
}

/// The terms after which products begin a new sum.
const SUM: usize = 1024;
/// Half a unit in the last place of 1.
const ROUNDING: f64 = 1.0 / (1u64 << 24) as f64;
/// The error by underflow of scores that are scaled to about 1.
const UNDERFLOW: f64 = 1e-20;
/// The norms of rows, and of queries after scaling, within which products neither overflow nor underflow.
const NORMS: std::ops::RangeInclusive<f64> = 1e-18..=1e18;
/// Rows whose norms one thread computes at a time.
const PIECE: usize = 256;

/// Numbers of the stored rows that are computed once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Index {
    pub(super) distance: Distance,
    /// By which each row is multiplied before it is compared: 1, or 1 over its norm for cosine; 0 for a row of zeros.
    factors: Vec<f64>,
    terms: Vec<RowTerms>,
    /// By how much `terms` may be off, beside the error of the product.
    rounding: Vec<f32>,
    /// The factor of queries in products; `None` where numbers of such size would overflow in them.
    scale: Option<f64>,
}

/// The norm of a row.
fn norm(row: impl Iterator<Item = f64>) -> f64 {
    row.map(|v| v * v).sum::<f64>().sqrt()
}

fn floats(row: &[f32]) -> impl Iterator<Item = f64> + '_ {
    row.iter().map(|v| f64::from(*v))
}

/// 1 over a norm; 0 for a row of zeros.
fn inverse(norm: f64) -> f64 {
    if norm > 0.0 { 1.0 / norm } else { 0.0 }
}

impl Index {
    pub(super) fn new(rows: MatRef<'_>, distance: Distance, pool: &Pool) -> Index {
        let mut norms = vec![0.0; rows.n_rows()];
        pool.for_each_chunk(&mut norms, PIECE, |piece, norms| {
            for (i, to) in norms.iter_mut().enumerate() {
                *to = norm(floats(rows.row(piece * PIECE + i)));
            }
        });
        let largest = norms.iter().copied().fold(0.0, f64::max);
        let fits = |norm: f64| norm == 0.0 || NORMS.contains(&norm);
        let (scale, fits) = match distance {
            Distance::Cosine => (1.0, norms.iter().all(|norm| fits(*norm))),
            Distance::Euclidean if largest == 0.0 => (1.0, true),
            // A power of two rounds nothing.
            Distance::Euclidean => (2.0f64.powf(-(largest * largest).log2().round()), fits(largest)),
        };
        let (mut terms, mut rounding) = (Vec::with_capacity(norms.len()), Vec::with_capacity(norms.len()));
        for &norm in &norms {
            let half = 0.5 * norm * norm * scale;
            let (factor, slack, offset, error) = match distance {
                Distance::Cosine => (inverse(norm), 1.0, 0.0, 8.0 * ROUNDING),
                Distance::Euclidean => (1.0, norm, -half, 8.0 * ROUNDING * half),
            };
            let error = error + UNDERFLOW;
            rounding.push(error as f32);
            terms.push(RowTerms {
                factor: factor as f32,
                slack: slack as f32,
                offset: (offset + error) as f32,
            });
        }
        if distance == Distance::Cosine {
            norms.iter_mut().for_each(|norm| *norm = inverse(*norm));
        } else {
            norms.fill(1.0);
        }
        Index { distance, factors: norms, terms, rounding, scale: fits.then_some(scale) }
    }

    pub(super) fn terms(&self) -> &[RowTerms] {
        &self.terms
    }

    /// The lower bound of the score of `row` whose upper bound is `upper`, for a query of that slack.
    pub(super) fn lower(&self, row: usize, slack: f32, upper: f32) -> f32 {
        let width = 2.0 * (slack * self.terms[row].slack + self.rounding[row]);
        (upper - width).next_down()
    }

    /// Puts a query, as products take it, into a column of a matrix of `width` columns; returns its slack. `None`: products are of no use
    /// to it.
    pub(super) fn scaled(&self, query: &[f32], column: &mut [f32], width: usize) -> Option<f32> {
        let norm = norm(floats(query));
        let factor = match self.distance {
            Distance::Cosine if norm > 0.0 => 1.0 / norm,
            Distance::Cosine => 1.0,
            Distance::Euclidean => self.scale?,
        };
        self.scale?;
        let scaled = norm * factor;
        // Scores are then at most 1e18 times the largest norm, and rows of that norm have one of about 1.
        if self.distance == Distance::Euclidean && (scaled > *NORMS.end() || norm > *NORMS.end()) {
            return None;
        }
        column.iter_mut().step_by(width).zip(query).for_each(|(to, v)| *to = (f64::from(*v) * factor) as f32);
        let n_terms = query.len().min(SUM) + query.len() / SUM + 16;
        Some((n_terms as f64 * ROUNDING * scaled) as f32)
    }

    /// The factor by which a query is multiplied before rows are compared with it.
    fn factor(&self, query: &[f32]) -> f64 {
        match self.distance {
            Distance::Cosine => inverse(norm(floats(query))),
            Distance::Euclidean => 1.0,
        }
    }

    /// The distances of `pairs` of a row and a query, the queries counted from `first`. Equal rows have a distance of exactly 0.
    pub(super) fn distances(
        &self,
        rows: MatRef<'_>,
        (queries, first, n): (MatRef<'_>, usize, usize),
        pairs: &[(u32, u32)],
    ) -> Vec<f64> {
        let queries = queries.rows(first, first + n);
        let factors: Vec<f64> = (0..n).map(|i| self.factor(queries.row(i))).collect();
        let mut distances = vec![0.0; pairs.len()];
        let rows = Scaled { values: rows.as_slice(), factors: &self.factors };
        let others = Scaled { values: queries.as_slice(), factors: &factors };
        squared_distances(&mut distances, pairs, rows, others, queries.n_cols());
        for (distance, &(row, query)) in distances.iter_mut().zip(pairs) {
            let is_zero = self.factors[row as usize] == 0.0 || factors[query as usize] == 0.0;
            *distance = match self.distance {
                Distance::Euclidean => distance.sqrt(),
                Distance::Cosine if is_zero => 1.0,
                // Half the square of the chord is 1 minus the cosine, without cancellation.
                Distance::Cosine => 0.5 * *distance,
            };
        }
        distances
    }
}
