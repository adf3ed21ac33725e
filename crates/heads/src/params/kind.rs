//! The kinds of parameters.

use std::fmt;

/// The values that a parameter accepts.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An integer in `low ..= high`.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
        /// Words accepted instead of a number.
        words: &'static [&'static str],
    },
    /// A float in `low ..= high`.
    Float {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// Words accepted instead of a number.
        words: &'static [&'static str],
    },
    /// A count (an integer of at least 1) or a fraction (a float in `(0, 1]`, written with a point).
    CountOrFraction {
        /// Words accepted instead of a number.
        words: &'static [&'static str],
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Bool,
    /// Text with a syntax of its own.
    Text {
        /// The syntax, for help and messages.
        syntax: &'static str,
        /// Whether a text follows it.
        check: fn(&str) -> bool,
    },
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |words: &[&str]| match words {
            [] => String::new(),
            [word] => format!(" or {word}"),
            [first @ .., last] => format!(", {} or {last}", first.join(", ")),
        };
        match self {
            Kind::Int { low, high: i64::MAX, words } => {
                write!(f, "an integer of at least {low}{}", or(words))
            }
            Kind::Int { low, high, words } => write!(f, "an integer in {low}..{high}{}", or(words)),
            Kind::Float { low, high, words } if *high == f64::INFINITY => {
                write!(f, "a number of at least {low}{}", or(words))
            }
            Kind::Float { low, high, words } => write!(f, "a number in {low}..{high}{}", or(words)),
            Kind::CountOrFraction { words } => {
                write!(f, "a count or a fraction with a decimal point{}", or(words))
            }
            Kind::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Kind::Bool => write!(f, "true or false"),
            Kind::Text { syntax, .. } => write!(f, "{syntax}"),
        }
    }
}
