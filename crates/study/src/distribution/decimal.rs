//! Decimal arithmetic on floats as they are printed, in which 0.3 is a multiple of 0.1.

/// A float in its shortest decimal form: `digits * 10^exponent`.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

fn decimal(x: f64) -> Option<Decimal> {
    let text = format!("{x:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let fraction = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
    let digits = mantissa.replace('.', "").parse().ok()?;
    let exponent = exponent.parse::<i32>().ok()? - i32::try_from(fraction).ok()?;
    Some(Decimal { digits, exponent })
}

/// The numbers as multiples of one power of ten, with its exponent; `None` if that needs more than 38 digits.
fn aligned<const N: usize>(numbers: [f64; N]) -> Option<([i128; N], i32)> {
    let mut decimals = [Decimal { digits: 0, exponent: 0 }; N];
    for (decimal_, x) in decimals.iter_mut().zip(numbers) {
        *decimal_ = decimal(x)?;
    }
    let exponent = decimals.iter().filter(|d| d.digits != 0).map(|d| d.exponent).min().unwrap_or(0);
    let mut multiples = [0; N];
    for (multiple, d) in multiples.iter_mut().zip(decimals).filter(|(_, d)| d.digits != 0) {
        *multiple = d.digits.checked_mul(10i128.checked_pow(u32::try_from(d.exponent - exponent).ok()?)?)?;
    }
    Some((multiples, exponent))
}

/// The largest `low + k * step` that is not above `high`, and its `k`. All are finite, `low <= high`, `step > 0`.
/// Optuna's `_adjust_discrete_uniform_high`.
pub(super) fn last_of_grid(low: f64, high: f64, step: f64) -> (f64, u64) {
    last_exactly(low, high, step).unwrap_or_else(|| {
        let k = ((high - low) / step).floor();
        ((low + k * step).min(high), k as u64)
    })
}

fn last_exactly(low: f64, high: f64, step: f64) -> Option<(f64, u64)> {
    let ([low, top, step], exponent) = aligned([low, high, step])?;
    let range = top.checked_sub(low)?;
    let k = range / step;
    let last =
        if range % step == 0 { high } else { format!("{}e{exponent}", low + k * step).parse().ok()? };
    Some((last, u64::try_from(k).ok()?))
}

#[cfg(test)]
mod tests {
    use super::last_of_grid;

    #[test]
    fn grids_end_where_they_are_written_to_end() {
        assert_eq!(last_of_grid(0.0, 1.0, 0.1), (1.0, 10));
        assert_eq!(last_of_grid(0.0, 0.35, 0.1), (0.3, 3));
        assert_eq!(last_of_grid(-0.3, 0.31, 0.2), (0.3, 3));
        assert_eq!(last_of_grid(1e-7, 1.0, 0.25), (0.7500001, 3));
        assert_eq!(last_of_grid(5.0, 5.5, 3.0), (5.0, 0));
        assert_eq!(last_of_grid(0.0, 1e300, 1e299), (1e300, 10));
        assert_eq!(last_of_grid(0.0, 1e-300, 1e300), (0.0, 0));
    }
}
