//! Mixup (Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018): each row of a batch becomes
//! `share x + (1 - share) other` with the row after it, the first after the last, and its target likewise. An epoch puts rows
//! into a random order, so that the other row is a random one. A share is the larger part of a draw from Beta(alpha, alpha), so
//! that a row keeps most of itself.

use headsmith_kernels::Sequence;

/// The share that each row keeps, 0.5 to 1.
pub(super) fn draw_shares(shares: &mut [f32], alpha: f64, mut draws: Sequence) {
    for share in shares {
        let [a, b] = [(); 2].map(|()| gamma(alpha, &mut draws));
        let drawn = a / (a + b);
        // Both may be too small for a double.
        let drawn = if drawn.is_finite() { drawn } else { 1.0 };
        *share = drawn.max(1.0 - drawn) as f32;
    }
}

/// Mixes the rows of `width` values by their shares; `first` has room for a row.
pub(super) fn mix(rows: &mut [f32], width: usize, shares: &[f32], first: &mut [f32]) {
    let Some(last) = shares.len().checked_sub(1) else { return };
    first.copy_from_slice(&rows[..width]);
    for (i, &share) in shares.iter().enumerate() {
        let (row, after) = rows[i * width..].split_at_mut(width);
        let other = if i == last { &*first } else { &after[..width] };
        row.iter_mut().zip(other).for_each(|(value, other)| *value = other + share * (*value - other));
    }
}

/// A draw from Gamma(shape, 1) (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
fn gamma(shape: f64, draws: &mut Sequence) -> f64 {
    if shape < 1.0 {
        let boost = (1.0 - draws.uniform()).powf(1.0 / shape);
        return gamma(shape + 1.0, draws) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = draws.normal();
        let v = (1.0 + c * normal).powi(3);
        let uniform = 1.0 - draws.uniform();
        if v > 0.0 && uniform.ln() < 0.5 * normal * normal + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Philox;

    use super::*;

    /// The moments of Beta(a, a) around a half: variance `1 / (4 (2a + 1))`, fourth `3 / (16 (2a + 1) (2a + 3))`.
    #[test]
    fn shares_are_the_larger_parts_of_draws_from_beta() {
        let n = 40_000;
        for alpha in [0.1, 0.4, 1.0, 3.0] {
            let mut shares = vec![0.0; n];
            draw_shares(&mut shares, alpha, Philox::new(1, 0, 0).sequence(0, 0));
            assert!(shares.iter().all(|share| (0.5..=1.0).contains(share)));
            let moment =
                |power| shares.iter().map(|s| (f64::from(*s) - 0.5).powi(power)).sum::<f64>() / n as f64;
            let variance = 0.25 / (2.0 * alpha + 1.0);
            let fourth = 3.0 / (16.0 * (2.0 * alpha + 1.0) * (2.0 * alpha + 3.0));
            let error = ((fourth - variance * variance) / n as f64).sqrt();
            assert!((moment(2) - variance).abs() < 5.0 * error, "{alpha}: {}, {variance}", moment(2));
            assert!((moment(4) / fourth - 1.0).abs() < 0.03, "{alpha}: {}, {fourth}", moment(4));
        }
    }

    #[test]
    fn rows_are_mixed_with_the_next() {
        let mut rows = [0.0, 8.0, 2.0, 4.0, 10.0, 0.0];
        mix(&mut rows, 2, &[1.0, 0.5, 0.75], &mut [0.0; 2]);
        assert_eq!(rows, [0.0, 8.0, 6.0, 2.0, 7.5, 2.0]);
        let mut alone = [3.0, 4.0];
        mix(&mut alone, 2, &[0.5], &mut [0.0; 2]);
        assert_eq!(alone, [3.0, 4.0]);
    }
}
