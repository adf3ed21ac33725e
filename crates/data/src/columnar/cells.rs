//! The cells of a column, decoded.

use parquet::data_type::ByteArray;

/// The kind of the values of a column, and the type in which they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredType {
    Float,
    Half,
    Bool,
    Signed,
    Unsigned,
    Text,
    /// Whole multiples of a power of ten, with this number of decimals.
    Decimal(u32),
    /// Bytes of fixed length and unknown meaning.
    Bytes,
    /// Neither numbers nor text: dates, identifiers.
    Other,
}

/// The maximum number of digits of a decimal that fits in 128 bits.
pub(crate) const MAX_PRECISION: i32 = 38;

/// The values of a column, without its nulls.
#[derive(Debug)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Integers(Vec<i128>),
    Bools(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::Integers(values) => values.len(),
            Values::Bools(values) => values.len(),
            Values::Texts(values) => values.len(),
        }
    }

    /// Value `i` as an `f32`, and whether it underflowed to zero. An infinite result of a finite value is an overflow.
    #[inline]
    pub(crate) fn number(&self, i: usize) -> (f32, bool) {
        match self {
            Values::F32(values) => (values[i], false),
            Values::F64(values) => {
                let value = values[i] as f32;
                (value, value == 0.0 && values[i] != 0.0)
            }
            Values::Integers(values) => (values[i] as f32, false),
            Values::Bools(values) => (f32::from(u8::from(values[i])), false),
            Values::Texts(_) => (f32::NAN, false),
        }
    }

    /// Value `i` in double precision; NaN if it is no number.
    pub(crate) fn wide(&self, i: usize) -> f64 {
        match self {
            Values::F64(values) => values[i],
            Values::Texts(_) => f64::NAN,
            _ => f64::from(self.number(i).0),
        }
    }

    /// The values, if they are text.
    pub(crate) fn texts(&self) -> &[ByteArray] {
        if let Values::Texts(texts) = self { texts } else { &[] }
    }

    /// Value `i` as pandas would write it to a CSV; `None` if it is not UTF-8.
    pub(crate) fn text(&self, i: usize) -> Option<String> {
        match self {
            Values::F32(values) => Some(format!("{:?}", values[i])),
            Values::F64(values) => Some(format!("{:?}", values[i])),
            Values::Integers(values) => Some(values[i].to_string()),
            Values::Bools(values) => Some(if values[i] { "True" } else { "False" }.to_owned()),
            Values::Texts(values) => std::str::from_utf8(values[i].data()).ok().map(str::to_owned),
        }
    }
}

/// Rows of one column: levels (empty if the column cannot be null or repeated) and values.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) n_rows: usize,
    pub(crate) definitions: Vec<i16>,
    pub(crate) repetitions: Vec<i16>,
    pub(crate) values: Values,
}

impl Cells {
    /// Whether the levels and the number of values agree, and no level is above that of a value.
    pub(crate) fn fit(&self, value_level: i16) -> bool {
        let n_values = self.definitions.iter().filter(|&&level| level == value_level).count();
        let expected = if self.definitions.is_empty() { self.n_rows } else { n_values };
        self.values.len() == expected && self.definitions.iter().all(|&level| level <= value_level)
    }

    /// Whether each row is a list of `width` values, none of them null.
    pub(crate) fn are_lists_of(&self, width: usize, value_level: i16) -> bool {
        let n_values = self.n_rows * width;
        // Without an early end, the comparisons are vectorised.
        let all = |levels: &[i16], level: i16| levels.iter().fold(true, |all, &other| all & (other == level));
        let is_row = |levels: &[i16]| levels[0] == 0 && all(&levels[1..], 1);
        width > 0
            && [self.definitions.len(), self.repetitions.len(), self.values.len()] == [n_values; 3]
            && all(&self.definitions, value_level)
            && self.repetitions.chunks_exact(width).all(is_row)
    }
}

/// Decimals from their digits: integers if they have no decimals.
pub(crate) fn decimals(digits: impl Iterator<Item = i128>, scale: u32) -> Values {
    if scale == 0 {
        return Values::Integers(digits.collect());
    }
    // Via text, which rounds only once however many digits there are.
    Values::F64(digits.map(|digits| format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN)).collect())
}

/// The levels of each row of a column of lists.
pub(crate) fn lists(cells: &Cells) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= cells.repetitions.len() {
            return None;
        }
        let rest = &cells.repetitions[start + 1..];
        let end =
            rest.iter().position(|&level| level == 0).map_or(cells.repetitions.len(), |len| start + 1 + len);
        let list = start..end;
        start = end;
        Some(list)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_their_digits_over_a_power_of_ten() {
        let Values::F64(values) = decimals([150, -5, 0].into_iter(), 2) else {
            panic!("numbers with a fraction")
        };
        assert_eq!(values, [1.5, -0.05, 0.0]);
        assert!(matches!(decimals([7].into_iter(), 0), Values::Integers(values) if values == [7]));
    }
}
