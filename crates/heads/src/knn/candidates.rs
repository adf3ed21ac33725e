//! The rows that may be among the nearest of a query, while products give bounds of their scores.

/// A row whose score lies between two bounds: the higher, the nearer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) row: u32,
    pub(super) lower: f32,
    pub(super) upper: f32,
}

/// The candidates of one query.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    list: Vec<Candidate>,
    /// The length at which those that are out of reach are dropped.
    limit: usize,
}

/// The number of neighbours that is asked for: of rows, or of weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The sum of the weights that the neighbours must reach.
    pub(super) weight: f64,
    /// The weights of the rows; `None` when all are 1.
    pub(super) weights: Option<&'a [f32]>,
}

impl Wanted<'_> {
    /// The number of rows that reach it where all weigh 1.
    fn n_rows(self) -> usize {
        self.weight.ceil().clamp(1.0, 1e9) as usize
    }

    /// The position of the row that reaches it, in a list that is sorted by `lower` as far as that needs; `None` where all do not.
    fn position(self, list: &mut [Candidate]) -> Option<usize> {
        let by_lower = |a: &Candidate, b: &Candidate| b.lower.total_cmp(&a.lower);
        let Some(weights) = self.weights else {
            let last = self.n_rows() - 1;
            if last >= list.len() {
                return None;
            }
            list.select_nth_unstable_by(last, by_lower);
            return Some(last);
        };
        list.sort_unstable_by(by_lower);
        let mut sum = 0.0;
        list.iter().position(|candidate| {
            sum += f64::from(weights[candidate.row as usize]);
            sum >= self.weight
        })
    }
}

impl Candidates {
    pub(super) fn push(&mut self, candidate: Candidate) {
        self.list.push(candidate);
    }

    /// Whether there are so many that some should be dropped.
    pub(super) fn is_full(&self, wanted: Wanted<'_>) -> bool {
        self.list.len() >= self.limit.max(2usize.saturating_mul(wanted.n_rows()).saturating_add(32))
    }

    /// Drops those whose upper bound is below the lower bounds of as many others as are wanted; returns that bound, the
    /// threshold for those to come.
    pub(super) fn shrink(&mut self, wanted: Wanted<'_>) -> f32 {
        let threshold = match wanted.position(&mut self.list) {
            // Equal bounds stay: the threshold itself is excluded.
            Some(last) => self.list[last].lower.next_down(),
            None => f32::NEG_INFINITY,
        };
        self.list.retain(|candidate| candidate.upper > threshold);
        self.limit = 2 * self.list.len();
        threshold
    }

    /// Adds those that other rows gave.
    pub(super) fn extend(&mut self, other: &Candidates) {
        self.list.extend_from_slice(&other.list);
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        self.list.iter().map(|candidate| candidate.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bounds: &[(f32, f32)]) -> Candidates {
        let mut candidates = Candidates::default();
        for (row, &(lower, upper)) in bounds.iter().enumerate() {
            candidates.push(Candidate { row: row as u32, lower, upper });
        }
        candidates
    }

    fn rows(candidates: &Candidates) -> Vec<u32> {
        let mut rows: Vec<u32> = candidates.rows().collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn rows_that_may_be_among_the_nearest_stay() {
        let bounds = [(1.0, 1.2), (3.0, 3.2), (2.0, 2.2), (0.5, 2.1), (0.0, 0.9), (2.0, 2.0)];
        let wanted = |weight| Wanted { weight, weights: None };
        let mut candidates = of(&bounds);
        assert!(candidates.shrink(wanted(2.0)) < 2.0);
        assert_eq!(rows(&candidates), [1, 2, 3, 5]);
        let mut candidates = of(&bounds);
        assert_eq!(candidates.shrink(wanted(7.0)), f32::NEG_INFINITY);
        assert_eq!(rows(&candidates), [0, 1, 2, 3, 4, 5]);
        // By weight: rows 1 and 2 are not enough.
        let weights = [1.0, 0.5, 0.25, 1.0, 1.0, 0.0];
        let mut candidates = of(&bounds);
        candidates.shrink(Wanted { weight: 1.0, weights: Some(&weights) });
        assert_eq!(rows(&candidates), [0, 1, 2, 3, 5]);
    }
}
