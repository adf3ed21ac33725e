//! Functions of one variable that are lines between knots, and may jump at them.

/// A function of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The knots by rising x. The first is below all values.
    pub knots: Vec<Knot>,
}

/// A knot, and the line after it: the value of x is `at` where x is the knot's, and `after + slope (x - knot's x)` up to the next knot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    /// Where it is.
    pub x: f64,
    /// The value there.
    pub at: f64,
    /// The value right after it.
    pub after: f64,
    /// The slope after it.
    pub slope: f64,
}

/// Below all values of single precision.
const BELOW_ALL: f64 = -1e39;

impl Curve {
    /// The function that is `before` up to the first of `knots`.
    pub fn new(before: f64, knots: impl IntoIterator<Item = Knot>) -> Curve {
        let first = Knot { x: BELOW_ALL, at: before, after: before, slope: 0.0 };
        Curve { knots: std::iter::once(first).chain(knots).collect() }
    }
}
