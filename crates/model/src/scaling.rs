//! How features are scaled, as it is written in a configuration and in a model file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A way to scale features, before it has seen any. [`Scaling::fit`] makes a [`Transform`](crate::Transform) of it.
///
/// Its text, which [`Display`](fmt::Display) writes and [`FromStr`] reads, is [`Scaling::SYNTAX`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Scaling {
    /// `none`: the features as they are.
    None,
    /// `divide:K`: every feature divided by K, which is finite and above zero.
    Divide(f64),
    /// `standardise`: every feature with mean 0 and standard deviation 1 over the training rows, as scikit-learn's
    /// `StandardScaler`.
    Standardise,
    /// `l2`: every row divided by its Euclidean norm, as scikit-learn's `Normalizer`; a row of zeros stays as it is.
    L2,
    /// `l2+standardise`: `l2`, then `standardise`.
    L2Standardise,
}

impl Scaling {
    /// The texts that name a scaling, for help and messages.
    pub const SYNTAX: &str = "none, divide:K (K above zero), standardise, l2 or l2+standardise";

    /// Whether rows are divided by their norms first.
    pub(crate) fn has_l2(self) -> bool {
        matches!(self, Scaling::L2 | Scaling::L2Standardise)
    }

    /// Whether means and standard deviations are learnt.
    pub(crate) fn has_moments(self) -> bool {
        matches!(self, Scaling::Standardise | Scaling::L2Standardise)
    }
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scaling::None => f.write_str("none"),
            Scaling::Divide(k) => write!(f, "divide:{k}"),
            Scaling::Standardise => f.write_str("standardise"),
            Scaling::L2 => f.write_str("l2"),
            Scaling::L2Standardise => f.write_str("l2+standardise"),
        }
    }
}

impl FromStr for Scaling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Scaling, Error> {
        match text {
            "none" => Ok(Scaling::None),
            "standardise" => Ok(Scaling::Standardise),
            "l2" => Ok(Scaling::L2),
            "l2+standardise" => Ok(Scaling::L2Standardise),
            _ => text
                .strip_prefix("divide:")
                .and_then(|k| k.parse().ok())
                .filter(|k: &f64| k.is_finite() && *k > 0.0)
                .map(Scaling::Divide)
                .ok_or_else(|| {
                    Error::scaling(format!("`{text}` is not a scaling, expected {}", Scaling::SYNTAX))
                }),
        }
    }
}

impl From<Scaling> for String {
    fn from(scaling: Scaling) -> String {
        scaling.to_string()
    }
}

impl TryFrom<String> for Scaling {
    type Error = Error;

    fn try_from(text: String) -> Result<Scaling, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for text in ["none", "divide:10", "divide:0.1", "standardise", "l2", "l2+standardise"] {
            let scaling: Scaling = text.parse().unwrap();
            assert_eq!(scaling.to_string(), text);
            let json = serde_json::to_string(&scaling).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Scaling>(&json).unwrap(), scaling);
        }
        for k in [f64::MIN_POSITIVE, 1.0 / 3.0, 1e300] {
            assert_eq!(Scaling::Divide(k).to_string().parse(), Ok(Scaling::Divide(k)));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "None", "divide", "divide:", "divide:0", "divide:-1", "divide:inf", "divide:nan", "l1"]
        {
            let error = text.parse::<Scaling>().unwrap_err();
            assert!(error.is_scaling(), "{text}");
            assert_eq!(error.to_string(), format!("`{text}` is not a scaling, expected {}", Scaling::SYNTAX));
        }
    }
}
