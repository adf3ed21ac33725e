//! Random search: each parameter independently and evenly over its range, or over its logarithm on a logarithmic
//! scale.

use headsmith_kernels::philox::Sequence;

use super::{History, Sampler};
use crate::distribution::Distribution;
use crate::space::Space;
use crate::trial::Params;

/// Random search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Random;

impl Sampler for Random {
    fn suggest(
        &self,
        space: &Space,
        _history: History<'_>,
        _number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        space.complete(fixed, |param| draw(&param.distribution, draws))
    }
}

/// Draws an internal value; a distribution with a single value uses no random numbers.
pub(super) fn draw(distribution: &Distribution, draws: &mut Sequence) -> f64 {
    if distribution.is_single() { distribution.nth(0) } else { at(distribution, draws.uniform()) }
}

/// The internal value at `u` in `[0, 1)` of the way from the smallest to the largest. Values with a step have equal
/// shares of the way; on a logarithmic scale each share extends half a step to both sides.
pub(super) fn at(distribution: &Distribution, u: f64) -> f64 {
    match *distribution {
        Distribution::Float { low, high, log: false, step: None } => {
            (low + u * (high - low)).clamp(low, high)
        }
        Distribution::Float { low, high, .. } if distribution.is_log() => {
            (low.ln() + u * (high.ln() - low.ln())).exp().clamp(low, high)
        }
        Distribution::Int { low, high, log: true, .. } => {
            let (low, high) = (low as f64, high as f64);
            let (a, b) = ((low - 0.5).ln(), (high + 0.5).ln());
            (a + u * (b - a)).exp().round().clamp(low, high)
        }
        _ => {
            let n = distribution.n_values().unwrap_or(1);
            distribution.nth(((u * n as f64) as u64).min(n - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::philox::Philox;

    use super::*;
    use crate::distribution::Choice;

    /// The share of draws at or below a value matches the distribution, within four standard deviations.
    #[test]
    fn draws_are_even() {
        let log2 = |x: f64| x.log2();
        let choices = Distribution::Categorical { choices: (0..4).map(Choice::Int).collect() };
        for (distribution, value, share) in [
            (Distribution::Float { low: -1.0, high: 3.0, log: false, step: None }, 0.0, 0.25),
            (Distribution::Float { low: 1e-4, high: 1.0, log: true, step: None }, 1e-3, 0.25),
            (Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) }, 0.26, 0.4),
            (Distribution::Int { low: 1, high: 9, log: false, step: 2 }, 3.0, 0.4),
            (Distribution::Int { low: 1, high: 64, log: true, step: 1 }, 1.0, log2(3.0) / log2(129.0)),
            (choices, 0.0, 0.25),
        ] {
            let mut draws = Philox::new(3, 0, 0).sequence(0, 0);
            let n = 20_000;
            let values: Vec<f64> = (0..n).map(|_| draw(&distribution, &mut draws)).collect();
            assert!(values.iter().all(|&value| distribution.contains(value)));
            let below = values.iter().filter(|&&v| v <= value).count() as f64 / f64::from(n);
            let deviation = (share * (1.0 - share) / f64::from(n)).sqrt();
            assert!(
                (below - share).abs() < 4.0 * deviation,
                "{distribution}: {below} at most {value}, not {share}"
            );
        }
    }
}
