//! The solutions of all pairs of classes, spread over the threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use headsmith_kernels::Pool;

use super::cache;
use super::machine::pairs;
use super::solver::{Problem, Solution, Solver};
use super::source::Source;

/// The most problems that are solved at once, and the bytes of the cache of each: with all kernel values at hand, and without.
const WHOLE: (usize, usize) = (16, 48 << 20);
const COMPUTED: (usize, usize) = (4, 512 << 20);

fn limits(is_whole: bool) -> (usize, usize) {
    if is_whole { WHOLE } else { COMPUTED }
}

/// The most bytes that solving `n_problems` problems of at most `n` rows takes, beside the solutions.
pub(super) fn n_bytes(n: u64, n_problems: u64, is_whole: bool) -> u64 {
    let (n_lanes, cache_bytes) = limits(is_whole);
    let values =
        cache::n_values(usize::try_from(n).unwrap_or(usize::MAX >> 8).min(1 << 28), cache_bytes) as u64;
    let of_rows = n.saturating_mul(120);
    n_problems.min(n_lanes as u64).saturating_mul((4 * values).saturating_add(of_rows))
}

/// Solves the problems of all pairs of classes of each of `sets`, which are the rows of each class; the solutions of a set are one after another.
///
/// Which thread solves a problem changes nothing but the time; large ones come first.
pub(super) fn solve(
    source: &Source,
    sets: &[Vec<Vec<u32>>],
    (bounds, tol): (&[f64], f64),
    pool: &Pool,
) -> Vec<Solution> {
    let problems: Vec<[&[u32]; 2]> =
        sets.iter().flat_map(|set| pairs(set.len()).map(|(i, j)| [&set[i][..], &set[j][..]])).collect();
    let mut order: Vec<usize> = (0..problems.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(problems[at][0].len() + problems[at][1].len()));
    let (n_lanes, cache_bytes) = limits(source.is_whole());
    let next = AtomicUsize::new(0);
    let lanes = pool.map(n_lanes.min(order.len()), |_| {
        let mut solver = Solver::new(source, cache_bytes);
        let mut solved = Vec::new();
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            solved.push((at, solver.solve(Problem { rows: problems[at], bounds, tol })));
        }
        solved
    });
    let mut solutions = vec![Solution::default(); problems.len()];
    for (at, solution) in lanes.into_iter().flatten() {
        solutions[at] = solution;
    }
    solutions
}
