//! The time and the steps that the search may take.
//!
//! The search is one fixed sequence of steps, of which the budget allows a first part: so what was done in a given time can be
//! done again by its number of steps.

use std::time::{Duration, Instant};

use super::work::{Kind, Work};

/// The limits of the search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// From the start of the process to its last file; `None`: until the portfolio ends.
    pub time: Option<Duration>,
    /// Steps of the search; `None`: as many as there are.
    pub steps: Option<usize>,
}

impl Limits {
    /// The limits of a search after which a share of the time is left.
    pub(super) fn before(self, share: f64) -> Limits {
        Limits { time: self.time.map(|time| time.mul_f64(1.0 - share)), ..self }
    }
}

/// The limits, and the part of them that is used.
#[derive(Debug)]
pub(super) struct Budget {
    started: Instant,
    limits: Limits,
    n_steps: usize,
    /// The time that is kept for what follows the search.
    reserve: Duration,
    /// The operations a second of a product of matrices.
    product_rate: f64,
    /// Steps that were done, and their seconds.
    timed: Vec<(Work, f64)>,
}

/// Before any steps of its kind were timed, a step takes so many times longer than products alone.
const BESIDE_PRODUCTS: f64 = 2.5;
/// The same of other work: operations a second of a slow core.
const SLOW: f64 = 5e9;
/// Steps may take longer than foreseen.
const MARGIN: f64 = 1.15;
/// Larger products run at a higher rate: as this power of their operations, within a factor.
const GROWTH: f64 = 0.3;
const LARGEST_GROWTH: f64 = 4.0;

impl Budget {
    /// The limits of a search that began at `started`. The rate of products is only asked for where the time is limited.
    pub(super) fn new(started: Instant, limits: Limits, product_rate: impl FnOnce() -> f64) -> Budget {
        let product_rate = limits.time.map_or(SLOW, |_| product_rate());
        Budget { started, limits, n_steps: 0, reserve: Duration::ZERO, product_rate, timed: Vec::new() }
    }

    /// Keeps `reserve` for what follows the search.
    pub(super) fn keep(&mut self, reserve: Duration) {
        self.reserve = self.reserve.max(reserve);
    }

    /// The duration of a step of that work, after a step of the same fit that took `last`; zero where nothing is known.
    pub(super) fn foresee(&self, work: Option<Work>, last: Option<Duration>) -> Duration {
        let seconds = match work {
            None => last.map_or(0.0, |last| last.as_secs_f64()),
            Some(work) => work.operations as f64 / self.rate(work),
        };
        Duration::try_from_secs_f64(seconds * MARGIN).unwrap_or(Duration::MAX)
    }

    /// Operations a second of steps like one of that work.
    fn rate(&self, work: Work) -> f64 {
        let share = |timed: &Work| timed.operations as f64 / work.operations as f64;
        let alike = self.timed.iter().rev().filter(|(timed, _)| timed.kind == work.kind);
        // Of steps of the same size, the last.
        let nearest = alike.min_by(|(a, _), (b, _)| share(a).ln().abs().total_cmp(&share(b).ln().abs()));
        let Some((timed, seconds)) = nearest else {
            return match work.kind {
                Kind::Products => self.product_rate / BESIDE_PRODUCTS,
                Kind::Other => SLOW,
            };
        };
        let growth = share(timed).powf(-GROWTH);
        timed.operations as f64 / seconds.max(1e-9) * growth.clamp(1.0 / LARGEST_GROWTH, LARGEST_GROWTH)
    }

    /// Whether a step is left, whatever the time.
    pub(super) fn has_steps(&self) -> bool {
        self.leaves(0)
    }

    /// Whether a step is left beside `n` others.
    pub(super) fn leaves(&self, n: usize) -> bool {
        self.limits.steps.is_none_or(|steps| self.n_steps + n < steps)
    }

    /// Whether there is time for a step of that duration and for what is kept.
    pub(super) fn allows(&self, next: Duration) -> bool {
        if !self.has_steps() {
            return false;
        }
        let Some(time) = self.limits.time else { return true };
        self.started.elapsed().saturating_add(next).saturating_add(self.reserve) < time
    }

    /// When the first of `n` equal parts of the time that is left ends; `None` without a limit, or with one that the clock cannot show.
    pub(super) fn deadline_of_first(&self, n: usize) -> Option<Instant> {
        let end = self.started.checked_add(self.limits.time?)?;
        let end = end.checked_sub(self.reserve).unwrap_or(self.started);
        let now = Instant::now();
        Some(now + end.saturating_duration_since(now) / n.max(1) as u32)
    }

    /// Whether there is time for fits that take so long after the search.
    pub(super) fn allows_refits(&self, refits: Duration, after: Duration) -> bool {
        let time = self.limits.time.unwrap_or(Duration::MAX);
        self.started.elapsed().saturating_add(refits).saturating_add(after) < time
    }

    /// Whether no step is left, or no time.
    pub(super) fn is_spent(&self) -> bool {
        !self.allows(Duration::ZERO)
    }

    /// Counts a step that was done in that time.
    pub(super) fn count(&mut self, work: Option<Work>, took: Duration) {
        self.n_steps += 1;
        let work = work.filter(|work| work.operations > 0);
        self.timed.extend(work.map(|work| (work, took.as_secs_f64())));
    }

    /// Counts `n_steps` alone: those since were in vain.
    pub(super) fn forget(&mut self, n_steps: usize) {
        self.n_steps = self.n_steps.min(n_steps);
    }

    /// Counts `n_steps` of an earlier process.
    pub(super) fn resume(&mut self, n_steps: usize) {
        self.n_steps += n_steps;
    }

    /// Steps done.
    pub(super) fn n_steps(&self) -> usize {
        self.n_steps
    }

    /// Time since the process started.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget(limits: Limits) -> Budget {
        Budget::new(Instant::now(), limits, || 4e9)
    }

    #[test]
    fn a_step_is_allowed_where_it_fits_before_what_follows() {
        let mut budget = budget(Limits { time: Some(100 * SECOND), steps: None });
        assert!(budget.allows(60 * SECOND));
        assert!(!budget.allows(101 * SECOND));
        budget.keep(45 * SECOND);
        assert!(!budget.allows(60 * SECOND));
        assert!(!budget.is_spent());
        assert!(!budget.allows(Duration::MAX));
    }

    #[test]
    fn steps_are_foreseen_by_those_of_their_size() {
        let mut budget = budget(Limits { time: Some(100 * SECOND), steps: None });
        assert_eq!(budget.foresee(None, None), Duration::ZERO);
        assert_eq!(budget.foresee(None, Some(10 * SECOND)), SECOND.mul_f64(11.5));
        let seconds = |budget: &Budget, work| budget.foresee(Some(work), None).as_secs_f64();
        let is_close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a}, expected {b}");
        is_close(seconds(&budget, Work::other(50_000_000_000)), 11.5);
        is_close(seconds(&budget, Work::products(50_000_000_000)), 35.9375);
        budget.count(Some(Work::products(1_000_000_000)), SECOND);
        is_close(seconds(&budget, Work::products(1_000_000_000)), 1.15);
        // A step of more work is done faster for its work.
        is_close(seconds(&budget, Work::products(10_000_000_000)), 11.5 / 10f64.powf(GROWTH));
        is_close(seconds(&budget, Work::products(1_000_000_000_000)), 1150.0 / LARGEST_GROWTH);
        budget.count(Some(Work::products(10_000_000_000)), 4 * SECOND);
        is_close(seconds(&budget, Work::products(10_000_000_000)), 4.6);
        is_close(seconds(&budget, Work::products(1_000_000_000)), 1.15);
        // Work of another kind does not tell.
        is_close(seconds(&budget, Work::other(1_000_000_000)), 0.23);
    }

    #[test]
    fn steps_are_counted() {
        let mut budget = budget(Limits { time: None, steps: Some(2) });
        for done in 0..2 {
            assert!(budget.allows(Duration::MAX));
            budget.count(None, SECOND);
            assert_eq!(budget.n_steps(), done + 1);
        }
        assert!(budget.is_spent() && !budget.has_steps());
        budget.forget(1);
        assert_eq!(budget.n_steps(), 1);
        assert!(budget.has_steps() && budget.leaves(0) && !budget.leaves(1));
    }

    #[test]
    fn the_time_that_is_left_is_parted() {
        let mut budget = budget(Limits { time: Some(100 * SECOND), steps: None });
        budget.keep(20 * SECOND);
        let left = budget.deadline_of_first(4).unwrap() - Instant::now();
        assert!(left <= 20 * SECOND && left > 10 * SECOND, "{left:?}");
        budget.keep(200 * SECOND);
        assert!(budget.deadline_of_first(4).unwrap() <= Instant::now());
        assert!(Budget::new(Instant::now(), Limits::default(), || 4e9).deadline_of_first(1).is_none());
    }
}
