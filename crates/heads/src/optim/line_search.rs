//! A step along a direction that satisfies the strong Wolfe conditions (Nocedal and Wright, "Numerical Optimization", 2nd
//! edition, 2006, algorithms 3.5 and 3.6): with f the function along the direction and f'(0) < 0,
//!
//! ```text
//! f(a) <= f(0) + 1e-4 a f'(0)   and   |f'(a)| <= 0.9 |f'(0)|
//! ```
//!
//! Near the minimum the first condition compares numbers whose difference is rounding error. There it may be replaced by
//! `f'(a) <= -(1 - 2e-4) f'(0)`, where f(a) and f(0) differ by no more than rounding: for a parabola the two are the
//! same (the approximate Wolfe conditions of Hager and Zhang, "A new conjugate gradient method with guaranteed descent and
//! an efficient line search", SIAM Journal on Optimization 16, 2005).

const SUFFICIENT_DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Differences of values below this share of them are rounding errors: a value is the sum of `f32` losses.
const ROUNDING: f64 = 1e-7;
/// Evaluations after which the search ends.
const MOST: usize = 30;
/// How much longer the next step is where the function still falls.
const LONGER: f64 = 4.0;

/// A point of the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) step: f64,
    pub(super) value: f64,
    pub(super) slope: f64,
}

/// Searches from `start`, whose slope is below 0, with `first` as the first step. `at` gives value and slope of a step; its
/// last call is for the point that is returned. `None` if no step with a smaller value was found.
pub(super) fn search(start: Point, first: f64, at: &mut dyn FnMut(f64) -> (f64, f64)) -> Option<Point> {
    let rounding = ROUNDING * start.value.abs();
    let decreases = |p: &Point| {
        p.value <= start.value + SUFFICIENT_DECREASE * p.step * start.slope
            || (p.value - start.value).abs() <= rounding
                && p.slope <= (2.0 * SUFFICIENT_DECREASE - 1.0) * start.slope
    };
    let (mut low, mut high, mut step) = (start, None, first);
    for _ in 0..MOST {
        let (value, slope) = at(step);
        let point = Point { step, value, slope };
        if !decreases(&point) || point.value > low.value + rounding {
            high = Some(point);
        } else if slope.abs() <= -CURVATURE * start.slope {
            return Some(point);
        } else {
            let towards = high.map_or(1.0, |high| high.step - low.step);
            if slope * towards >= 0.0 {
                high = Some(low);
            }
            low = point;
        }
        step = match high {
            Some(high) => between(low, high),
            None => LONGER * step,
        };
    }
    (low.value < start.value).then(|| {
        let (value, slope) = at(low.step);
        Point { step: low.step, value, slope }
    })
}

/// The minimum of the cubic through two points (Nocedal and Wright, equation 3.59), or the middle where it is too close to
/// either, or there is none.
fn between(low: Point, high: Point) -> f64 {
    let width = high.step - low.step;
    let d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.step - high.step);
    let d2 = width.signum() * (d1 * d1 - low.slope * high.slope).sqrt();
    let share = 1.0 - (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2);
    if (0.1..=0.9).contains(&share) { low.step + share * width } else { low.step + 0.5 * width }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(f: impl Fn(f64) -> (f64, f64), first: f64) -> (Point, usize) {
        let mut n = 0;
        let mut at = |step| {
            n += 1;
            f(step)
        };
        let (value, slope) = f(0.0);
        let start = Point { step: 0.0, value, slope };
        let point = search(start, first, &mut at).unwrap();
        assert!(point.value <= value + 1e-4 * point.step * slope, "{point:?}");
        assert!(point.slope.abs() <= 0.9 * slope.abs(), "{point:?}");
        assert_eq!((point.value, point.slope), f(point.step));
        (point, n)
    }

    /// The first is of Moré and Thuente, "Line search algorithms with guaranteed sufficient decrease", 1994.
    #[test]
    fn known_hard_lines_end_at_a_wolfe_point() {
        for first in [1e-3, 1e-1, 1.0, 10.0, 1e3] {
            let (_, n) = check(|a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)), first);
            assert!(n < 12, "{n} evaluations from {first}");
            check(|a| ((a - 1.0).powi(4), 4.0 * (a - 1.0).powi(3)), first);
            check(|a| ((a - 3.0).powi(2), 2.0 * (a - 3.0)), first);
        }
    }

    #[test]
    fn infinities_shorten_the_step() {
        let barrier = |a: f64| {
            if a < 1.0 { (-a - (1.0 - a).ln() * 0.01, -1.0 + 0.01 / (1.0 - a)) } else { (f64::NAN, f64::NAN) }
        };
        check(barrier, 1.0);
        check(barrier, 100.0);
    }

    #[test]
    fn rounding_errors_do_not_keep_it_from_a_minimum() {
        // The fall is far below the errors of the values, but the slopes are good.
        let f = |a: f64| (1.0 + 3e-9 * (a * 7919.0).sin(), 1e-9 * (a - 1.0));
        let start = Point { step: 0.0, value: 1.0, slope: -1e-9 };
        let point = search(start, 1.0, &mut |a| f(a)).unwrap();
        assert!((point.step - 1.0).abs() < 0.9);
    }

    #[test]
    fn where_nothing_falls_there_is_no_point() {
        let start = Point { step: 0.0, value: 1.0, slope: -1.0 };
        assert!(search(start, 1.0, &mut |_| (f64::NAN, f64::NAN)).is_none());
        assert!(search(start, 1.0, &mut |a| (1.0 + a, 1.0)).is_none());
    }
}
