//! Order statistics of a column: its quantiles, interpolated as NumPy's `percentile` does by default.

/// Sorts a column by rising values.
pub(super) fn sort(column: &mut [f32]) {
    column.sort_unstable_by(f32::total_cmp);
}

/// The value below which a share of `a / b` of a sorted column lies: between the two values beside the place `a / b (n - 1)`, in
/// proportion.
///
/// # Panics
/// When there are no values, or `a` is above `b`.
pub(super) fn quantile(sorted: &[f32], a: usize, b: usize) -> f64 {
    let (last, b) = (sorted.len() - 1, b.max(1));
    // In whole numbers: rounding would mix two values where the place is exactly that of one, and tear ties apart.
    let (below, share) = (a * last / b, (a * last % b) as f64 / b as f64);
    let [low, high] = [below, below + 1].map(|i| f64::from(sorted[i.min(last)]));
    // From the nearer side, so that equal values give their value.
    if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values_beside_them() {
        let mut column = [3.0, -1.0, 7.0, 0.0];
        sort(&mut column);
        for (a, b, expected) in [
            (0, 7, -1.0),
            (1, 4, -0.25),
            (1, 2, 1.5),
            (3, 4, 4.0),
            (9, 10, 5.8),
            (33, 33, 7.0),
            (11, 33, 0.0),
        ] {
            assert!((quantile(&column, a, b) - expected).abs() < 1e-15, "{a} / {b}");
        }
        assert_eq!(quantile(&[2.5], 3, 10), 2.5);
        assert_eq!(quantile(&[2.5], 0, 0), 2.5);
        assert_eq!(quantile(&[f32::MIN, f32::MAX], 1, 2), 0.0);
    }
}
