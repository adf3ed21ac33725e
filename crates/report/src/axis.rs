//! Axes: from values to places, and the values that are named on them.

use crate::text::figures;

/// About so many values are named on an axis.
const N_TICKS: f64 = 5.0;

/// An axis with its name.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) name: String,
    low: f64,
    high: f64,
    log: bool,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis that holds `low` and `high`, widened to round values.
    pub(crate) fn around(name: &str, values: impl IntoIterator<Item = f64>) -> Axis {
        let (low, high) = range(values);
        // Of one value alone, some room on both sides.
        let room = if high > low { 0.0 } else { (low.abs() * 0.1).max(1e-3) };
        let (low, high) = (low - room, high + room);
        let step = step((high - low) / N_TICKS);
        Axis::linear(name, (low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step)
    }

    /// An axis from `low` to `high`.
    pub(crate) fn linear(name: &str, low: f64, high: f64) -> Axis {
        let step = step((high - low) / N_TICKS);
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let ticks =
            (first..=last).map(|i| i as f64 * step).map(|value| (value, format!("{value:.decimals$}")));
        Axis { name: name.to_owned(), low, high, log: false, ticks: ticks.collect() }
    }

    /// A logarithmic axis that holds `low` and `high`, both above 0.
    pub(crate) fn log(name: &str, low: f64, high: f64) -> Axis {
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let every = ((last - first) as f64 / N_TICKS).ceil().max(1.0) as usize;
        // Between few powers of ten, twice and five times as much is named too.
        let multiples = if high / low < 200.0 { &[1.0, 2.0, 5.0][..] } else { &[1.0] };
        let powers = (first..=last).step_by(every).map(|power| 10f64.powi(power));
        let (low, high) = (low / 1.15, high * 1.15);
        let values = powers.flat_map(|power| multiples.iter().map(move |multiple| multiple * power));
        let ticks =
            values.filter(|value| (low..=high).contains(value)).map(|value| (value, power(value))).collect();
        Axis { name: name.to_owned(), low, high, log: true, ticks }
    }

    /// An axis of places with names, one after another.
    pub(crate) fn names(name: &str, names: &[String]) -> Axis {
        let ticks = names.iter().enumerate().map(|(i, name)| (i as f64, name.clone())).collect();
        Axis { name: name.to_owned(), low: -0.5, high: names.len() as f64 - 0.5, log: false, ticks }
    }

    /// The axis that suits values: logarithmic where they span more than a factor of 30.
    pub(crate) fn suiting(name: &str, values: &[f64]) -> Axis {
        let (low, high) = range(values.iter().copied());
        if low > 0.0 && high / low > 30.0 {
            Axis::log(name, low, high)
        } else {
            Axis::around(name, [low, high])
        }
    }

    /// An axis on which these values in rising order are named, with some room on both sides.
    pub(crate) fn of(name: &str, values: &[f64]) -> Axis {
        let (low, high) = range(values.iter().copied());
        let room = 0.08 * (high - low);
        let mut axis = Axis::linear(name, low - room, high + room);
        axis.ticks.clear();
        for &value in values {
            // Names that would run into each other are left out.
            let last = axis.ticks.last().map(|(last, _)| axis.place(*last));
            if last.is_none_or(|last| axis.place(value) - last > 0.07) {
                axis.ticks.push((value, figures(value)));
            }
        }
        axis
    }

    /// The position of a value: 0 at the low end, 1 at the high one.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let place = match self.log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The least and the greatest of the finite values; 0 and 1 of none.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite.fold(none, |(low, high), value| (low.min(value), high.max(value)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.max(1e-12).log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

fn power(value: f64) -> String {
    if (1e-3..1e5).contains(&value) { figures(value) } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn round_values_are_named() {
        assert_eq!(ticks(&Axis::linear("", 0.0, 1.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let axis = Axis::around("", [0.613, 0.647]);
        assert_eq!(ticks(&axis), ["0.61", "0.62", "0.63", "0.64", "0.65"]);
        assert!((axis.place(0.63) - 0.5).abs() < 1e-9);
        assert_eq!(ticks(&Axis::log("", 1e-4, 1e-1)), ["1e-4", "0.001", "0.01", "0.1"]);
        assert_eq!(ticks(&Axis::log("", 18.0, 731.0)), ["20", "50", "100", "200", "500"]);
        assert!((Axis::log("", 1.0, 100.0).place(10.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn nothing_and_one_value_have_an_axis() {
        assert!(ticks(&Axis::around("", [])).len() > 1);
        let axis = Axis::around("", [0.5]);
        assert!(axis.place(0.5) > 0.2 && axis.place(0.5) < 0.8 && ticks(&axis).len() > 1);
        assert_eq!(Axis::around("", [0.5, f64::NAN]).place(f64::NAN), 0.0);
    }
}
