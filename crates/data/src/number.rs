//! Parses decimal text to the nearest `f32`, with exactly the rounding of `str::parse`.
//!
//! Up to 19 digits are collected eight at a time (SWAR, as in simdjson) into an integer `m`, and `m * 10^e` is
//! computed in `f64` with a relative error below `2^-50`. Rounding that to `f32` is correct unless the `f64` is so
//! close to the middle between two neighbours that its error matters. Only then, and beyond 19 digits or the normal
//! range, does `fast-float2` decide exactly. Numbers printed from `f32` values are close to an `f32`, never to a
//! middle, so the slow path is rare.

/// A number at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    /// The nearest `f32`; infinite if the number is out of range.
    pub(crate) value: f32,
    /// Its length in bytes.
    pub(crate) len: usize,
    /// Whether the number is not zero but its nearest `f32` is.
    pub(crate) underflow: bool,
}

/// The maximum length of a number: far more than the 112 significant digits that can affect the rounding to an `f32`,
/// far less than what an attack needs.
pub(crate) const MAX_NUMBER_LEN: usize = 400;

/// Parses the number at the start of `text`: `-0.5`, `+1.`, `.5`, `12`, `3e-07`; no white space, no names.
pub(crate) fn parse(text: &[u8]) -> Option<Number> {
    match parse_short(text) {
        Some(number) => Some(number),
        None => parse_long(text),
    }
}

/// Powers of ten, correctly rounded; exact to `1e22`.
const POWERS: [f64; 46] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35,
    1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42, 1e43, 1e44, 1e45,
];

const INTEGER_POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// The fast path: at most 19 digits, a result in the normal range, not close to a middle. `None` means only that the
/// fast path does not apply.
///
/// The start of the next number depends on the end of this one, so speed depends on how soon the end is known.
/// Branches that are predicted well (a sign, a single digit before the point) shorten the way to it.
#[inline]
fn parse_short(text: &[u8]) -> Option<Number> {
    match text.first()? {
        b'-' => parse_unsigned(&text[1..]).map(|n| Number { value: -n.value, len: n.len + 1, ..n }),
        b'+' => parse_unsigned(&text[1..]).map(|n| Number { len: n.len + 1, ..n }),
        _ => parse_unsigned(text),
    }
}

#[inline(always)]
fn parse_unsigned(text: &[u8]) -> Option<Number> {
    let (mut mantissa, mut n_digits) = match text {
        [digit @ b'0'..=b'9', b'.', ..] => (u64::from(digit - b'0'), 1),
        _ => digits(text, 0)?,
    };
    let (mut at, mut exponent) = (n_digits, 0);
    if text.get(at) == Some(&b'.') {
        let n_decimals;
        (mantissa, n_decimals) = digits(&text[at + 1..], mantissa)?;
        n_digits += n_decimals;
        at += 1 + n_decimals;
        exponent = -(n_decimals as i32);
    }
    if n_digits == 0 {
        return None;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let (value, len) = short_exponent(&text[at..])?;
        exponent += value;
        at += len;
    }
    Some(Number { value: scaled(mantissa, exponent)?, len: at, underflow: false })
}

/// `mantissa * 10^exponent` rounded to the nearest `f32`, if the rounding is certain.
#[inline]
fn scaled(mantissa: u64, exponent: i32) -> Option<f32> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let power = POWERS.get(exponent.unsigned_abs() as usize)?;
    let value = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
    if !(1.2e-38..=3.4e38).contains(&value) {
        return None;
    }
    // An f64 has 29 more bits than an f32; its error is below 2 units, and values within 16 units of a middle are
    // excluded.
    let beyond = value.to_bits() & ((1 << 29) - 1);
    if beyond.abs_diff(1 << 28) <= 16 {
        return None;
    }
    Some(value as f32)
}

/// Appends the digits at the start of `text` to `mantissa`, and returns their number as well. `None` if the mantissa
/// would have more than 19 digits, or the text ends within the next 8 bytes.
#[inline(always)]
fn digits(text: &[u8], mut mantissa: u64) -> Option<(u64, usize)> {
    let mut at = 0;
    loop {
        let word = u64::from_le_bytes(*text.get(at..)?.first_chunk()?) ^ 0x3030_3030_3030_3030;
        // The lowest byte above 9 gets its top bit set (carries affect only bytes above it).
        let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
        let n = (others.trailing_zeros() / 8) as usize;
        if mantissa >= INTEGER_POWERS[19 - n] {
            return None;
        }
        if n < 8 {
            // After the shift, the digits fill the top bytes, and the zeros below them act as leading zeros.
            let value = if n == 0 { 0 } else { eight_digits(word << (64 - 8 * n)) };
            return Some((mantissa * INTEGER_POWERS[n] + value, at + n));
        }
        mantissa = mantissa * INTEGER_POWERS[8] + eight_digits(word);
        at += 8;
    }
}

/// The value of eight digits, one per byte, the first in the lowest byte.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// An exponent of at most two digits, such as `e-05`, and its length.
fn short_exponent(text: &[u8]) -> Option<(i32, usize)> {
    let negative = *text.get(1)? == b'-';
    let start = if negative || text[1] == b'+' { 2 } else { 1 };
    let n = text[start..].iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if n == 0 || n == 3 {
        return None;
    }
    let value = text[start..start + n].iter().fold(0, |value, byte| value * 10 + i32::from(byte - b'0'));
    Some((if negative { -value } else { value }, start + n))
}

/// Any number with at most [`MAX_NUMBER_LEN`] bytes.
#[cold]
fn parse_long(text: &[u8]) -> Option<Number> {
    let text = &text[..text.len().min(MAX_NUMBER_LEN + 1)];
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    // Excludes the names that `fast-float2` accepts (inf, nan).
    if !matches!(text.get(sign), Some(b'0'..=b'9' | b'.')) {
        return None;
    }
    let (magnitude, len) = fast_float2::parse_partial::<f32, _>(&text[sign..]).ok()?;
    let len = sign + len;
    if len > MAX_NUMBER_LEN {
        return None;
    }
    let mantissa = text[sign..len].iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let underflow = magnitude == 0.0 && mantissa.into_iter().any(|byte| matches!(byte, b'1'..=b'9'));
    let value = if text[0] == b'-' { -magnitude } else { magnitude };
    Some(Number { value, len, underflow })
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Philox;

    fn check(text: &str) {
        let expected: f32 = text.parse().unwrap();
        for tail in ["", ", 0.25, 1.5]"] {
            let padded = format!("{text}{tail}");
            let number = parse(padded.as_bytes()).unwrap_or_else(|| panic!("{padded} is a number"));
            assert_eq!(number.value.to_bits(), expected.to_bits(), "{padded}");
            assert_eq!(number.len, text.len(), "{padded}");
        }
    }

    #[test]
    fn forms_of_numbers() {
        for text in [
            "0",
            "-0",
            "-0.0",
            "+1",
            "1.",
            ".5",
            "-.5",
            "12345678",
            "123456789",
            "1e5",
            "1E+5",
            "3e-07",
            "1e38",
            "9e-46",
            "1e-400",
            "1e999",
            "3.4028235e38",
            "3.4028236e38",
            "1.1754944e-38",
            "1e-45",
            "0.00000000000000000000001",
            "18446744073709551616",
            "99999999999999999999",
            "0.16534554958343506",
            "16777217",
            "16777217.0000000001",
            "33554434.999999999",
            "1000000000000000000000000000000000000000",
        ] {
            check(text);
        }
    }

    #[test]
    fn text_that_is_no_number() {
        for text in
            ["", "-", "+", ".", "e5", "nan", "inf", "-inf", "Infinity", "abc", "--1", "\u{2212}1", "+-1"]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
            assert_eq!(parse(format!("{text}, 1.0, 2.0]").as_bytes()), None, "{text}");
        }
        assert_eq!(parse("1".repeat(5000).as_bytes()), None);
        assert_eq!(parse(b"1_000,       ").unwrap().len, 1);
        assert_eq!(parse(b"1e,       ").unwrap().len, 1);
    }

    #[test]
    fn underflow_is_distinguished_from_zero() {
        assert!(parse(b"1e-60").unwrap().underflow);
        assert!(parse(b"-0.0000000000000000000000000000000000000000000000000000001").unwrap().underflow);
        assert!(!parse(b"0e-60").unwrap().underflow);
        assert!(!parse(b"0.0000000000000000000000000000000000000000000000000000000").unwrap().underflow);
        assert!(!parse(b"1e-45").unwrap().underflow);
    }

    /// Compares with the standard library: any f32 printed briefly, as f64 and truncated to random precision, and
    /// random decimal text.
    #[test]
    fn rounds_as_the_standard_library_does() {
        let mut random = Philox::new(1, 0, 0).sequence(0, 0);
        for _ in 0..200_000 {
            let value = f32::from_bits(random.next_u32());
            if !value.is_finite() {
                continue;
            }
            check(&format!("{value:?}"));
            check(&format!("{:?}", f64::from(value)));
            let precision = (random.next_u32() % 20) as usize;
            check(&format!("{value:.precision$e}"));
            // The middle between two neighbours, and values next to it.
            let next = f32::from_bits(value.to_bits() ^ 1);
            let middle = (f64::from(value) + f64::from(next)) / 2.0;
            check(&format!("{middle:?}"));
            check(&format!("{:?}", f64::from_bits(middle.to_bits() + 1)));
            let (a, b, c) = (random.next_u32(), random.next_u32() % 100_000, random.next_u32() % 60);
            check(&format!("{b}.{a:010}{b}e{}", c as i32 - 40));
            check(&format!("0.{b:0>12}{a}"));
        }
    }
}
