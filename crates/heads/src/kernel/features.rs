//! The changes of the features among which the head chooses.

use headsmith_kernels::{MatRef, Pool};

use crate::linalg::{means, squares};
use crate::transform::NONE;

/// A transform that the head chose, and the power of its principal axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Features {
    /// The text of a transform.
    pub(super) base: &'static str,
    /// `None`: the axes stay as they are.
    pub(super) power: Option<f64>,
}

/// The transforms that are screened, and the powers with each: after `standardise` the variances say less.
const BASES: [(&str, &[f64]); 4] =
    [(NONE, POWERS), ("sqrt", POWERS), ("standardise", FEW_POWERS), ("sqrt+standardise", FEW_POWERS)];
const POWERS: &[f64] = &[-0.5, -0.25, 0.0, 0.3, 0.6, 1.0];
const FEW_POWERS: &[f64] = &[-0.3, 0.0, 0.4];

/// The wish for the power of the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spectrum {
    Auto,
    None,
    Power(f64),
}

impl Features {
    /// All choices: of the transform if the head chooses it, of the power as `spectrum` says.
    pub(super) fn choices(chooses_transform: bool, spectrum: Spectrum) -> Vec<Features> {
        let bases = if chooses_transform { &BASES[..] } else { &BASES[..1] };
        let of_base = |(base, powers): &(&'static str, &'static [f64])| -> Vec<Features> {
            let of = |power| Features { base, power };
            match spectrum {
                Spectrum::None => vec![of(None)],
                Spectrum::Power(power) => vec![of(Some(power))],
                Spectrum::Auto => powers.iter().map(|power| of(Some(*power))).collect(),
            }
        };
        bases.iter().flat_map(of_base).collect()
    }

    /// As the text of a transform.
    pub(super) fn spec(self) -> String {
        match (self.base, self.power) {
            (base, None) => base.to_owned(),
            (NONE, Some(power)) => format!("spectrum:{power}"),
            (base, Some(power)) => format!("{base}+spectrum:{power}"),
        }
    }
}

/// The sum of the variances of all features.
pub(super) fn total_variance(rows: MatRef<'_>, pool: &Pool) -> f64 {
    let (mean, weight) = means(&rows, pool);
    squares(&rows, &mean, pool).iter().sum::<f64>() / weight
}
