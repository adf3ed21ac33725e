//! The types of numbers that an input may have. All become f32, as the rows that the model was fitted on.

use half::f16;

use crate::aside;
use crate::failure::{Failure, Result};
use crate::json::Cursor;
use crate::rows::Shape;

/// The numbers after which others have their turn.
const PIECE: usize = 1 << 14;

/// A type of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datatype {
    Fp16,
    Fp32,
    Fp64,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
}

/// All types, by name.
const NAMES: [(&str, Datatype); 11] = [
    ("FP16", Datatype::Fp16),
    ("FP32", Datatype::Fp32),
    ("FP64", Datatype::Fp64),
    ("INT8", Datatype::Int8),
    ("INT16", Datatype::Int16),
    ("INT32", Datatype::Int32),
    ("INT64", Datatype::Int64),
    ("UINT8", Datatype::Uint8),
    ("UINT16", Datatype::Uint16),
    ("UINT32", Datatype::Uint32),
    ("UINT64", Datatype::Uint64),
];

impl Datatype {
    pub(crate) fn named(name: &str) -> Result<Datatype> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, datatype)| *datatype).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Failure::bad(format!(
                "the datatype of `embeddings` is unknown, expected one of {}",
                names.join(", ")
            ))
        })
    }

    /// The bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Datatype::Int8 | Datatype::Uint8 => 1,
            Datatype::Fp16 | Datatype::Int16 | Datatype::Uint16 => 2,
            Datatype::Fp32 | Datatype::Int32 | Datatype::Uint32 => 4,
            Datatype::Fp64 | Datatype::Int64 | Datatype::Uint64 => 8,
        }
    }

    /// The least and the greatest number of a type of whole numbers.
    fn range(self) -> Option<(i128, i128)> {
        match self {
            Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => None,
            Datatype::Int8 => Some((i8::MIN.into(), i8::MAX.into())),
            Datatype::Int16 => Some((i16::MIN.into(), i16::MAX.into())),
            Datatype::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
            Datatype::Int64 => Some((i64::MIN.into(), i64::MAX.into())),
            Datatype::Uint8 => Some((0, u8::MAX.into())),
            Datatype::Uint16 => Some((0, u16::MAX.into())),
            Datatype::Uint32 => Some((0, u32::MAX.into())),
            Datatype::Uint64 => Some((0, u64::MAX.into())),
        }
    }

    /// The numbers in little-endian `bytes`.
    pub(crate) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Datatype::Fp16 => numbers(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Datatype::Fp32 => numbers(bytes, f32::from_le_bytes),
            Datatype::Fp64 => numbers(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Datatype::Int8 => numbers(bytes, |bytes| f32::from(i8::from_le_bytes(bytes))),
            Datatype::Int16 => numbers(bytes, |bytes| f32::from(i16::from_le_bytes(bytes))),
            Datatype::Int32 => numbers(bytes, |bytes| i32::from_le_bytes(bytes) as f32),
            Datatype::Int64 => numbers(bytes, |bytes| i64::from_le_bytes(bytes) as f32),
            Datatype::Uint8 => numbers(bytes, |bytes| f32::from(u8::from_le_bytes(bytes))),
            Datatype::Uint16 => numbers(bytes, |bytes| f32::from(u16::from_le_bytes(bytes))),
            Datatype::Uint32 => numbers(bytes, |bytes| u32::from_le_bytes(bytes) as f32),
            Datatype::Uint64 => numbers(bytes, |bytes| u64::from_le_bytes(bytes) as f32),
        }
    }

    /// Reads the numbers of JSON, nested or flat: those that the type has not are refused before they are rounded to f32.
    pub(crate) fn read_json(
        self,
        cursor: &mut Cursor<'_>,
        shape: Shape,
    ) -> Result<(Vec<f32>, Option<usize>)> {
        let Some((least, greatest)) = self.range() else {
            return match self {
                Datatype::Fp16 => {
                    Err(Failure::bad("JSON has no FP16: send the tensor as binary data, or as FP32"))
                }
                _ => shape.numbers(cursor, Cursor::number),
            };
        };
        let expected = format!("a whole number from {least} to {greatest}");
        let is_right = |text: &[u8]| whole(text).is_some_and(|number| (least..=greatest).contains(&number));
        shape.numbers(cursor, |cursor| cursor.number_if(&expected, is_right))
    }
}

/// The value of a JSON number, if it is whole, such as `25`, `25.0` or `2.5e1`, and not beyond 128 bits.
fn whole(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{before}{after}");
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() || kept == "-" {
        return Some(0);
    }
    // The value is `kept * 10^zeros`, and whole unless digits are behind the point.
    let n_removed = i64::try_from(digits.len() - kept.len()).ok()?;
    let n_after = i64::try_from(after.len()).ok()?;
    let zeros = exponent.parse::<i64>().ok()?.checked_add(n_removed)?.checked_sub(n_after)?;
    kept.parse::<i128>().ok()?.checked_mul(10i128.checked_pow(u32::try_from(zeros).ok()?)?)
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let all = bytes.as_chunks::<N>().0;
    let mut numbers = Vec::with_capacity(all.len());
    for some in all.chunks(PIECE) {
        numbers.extend(some.iter().map(|bytes| number(*bytes)));
        aside::pause();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_known_by_their_text() {
        for (text, value) in [
            ("-5", Some(-5)),
            ("25.0", Some(25)),
            ("2.50e1", Some(25)),
            ("1200E-2", Some(12)),
            ("-0.0", Some(0)),
            ("0e99999999999999999999", Some(0)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("2.5", None),
            ("1e-1", None),
            ("9007199254740993.5", None),
            ("1e39", None),
            ("1e99999999999999999999", None),
        ] {
            assert_eq!(whole(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn numbers_of_json_are_those_of_their_type() {
        let shape = Shape { n_features: 1, max_rows: 9 };
        let read = |name: &str, text: &str| {
            let read = Datatype::named(name).unwrap().read_json(&mut Cursor::new(text.as_bytes()), shape);
            read.map(|(values, _)| values).map_err(|failure| failure.message)
        };
        assert_eq!(read("UINT8", "[0, 255, 3.0]"), Ok(vec![0.0, 255.0, 3.0]));
        assert_eq!(read("INT8", "[[-128], [127]]"), Ok(vec![-128.0, 127.0]));
        assert_eq!(read("INT64", "[9223372036854775807]"), Ok(vec![i64::MAX as f32]));
        for (name, text) in [
            ("UINT8", "[-5]"),
            ("UINT8", "[256]"),
            ("INT8", "[1e9]"),
            ("INT64", "[16777217.5]"),
            ("INT64", "[9223372036854775808]"),
            ("UINT64", "[18446744073709551616]"),
            ("INT32", "[[1], [-2147483649]]"),
        ] {
            assert!(read(name, text).unwrap_err().contains("a whole number from "), "{name} {text}");
        }
    }

    #[test]
    fn numbers_of_all_types_become_f32() {
        let decode = |name: &str, bytes: &[u8]| {
            let datatype = Datatype::named(name).unwrap();
            assert_eq!(datatype.size() * 2, bytes.len(), "{name}");
            datatype.decode(bytes)
        };
        let pair = |a: &[u8], b: &[u8]| [a, b].concat();
        assert_eq!(decode("FP16", &[0x00, 0x3c, 0x00, 0xc0]), [1.0, -2.0]);
        assert_eq!(decode("FP32", &pair(&1.5f32.to_le_bytes(), &(-0.1f32).to_le_bytes())), [1.5, -0.1]);
        assert_eq!(
            decode("FP64", &pair(&0.1f64.to_le_bytes(), &1e300f64.to_le_bytes())),
            [0.1, f32::INFINITY]
        );
        assert_eq!(decode("INT8", &[0xff, 3]), [-1.0, 3.0]);
        assert_eq!(decode("UINT8", &[0xff, 3]), [255.0, 3.0]);
        assert_eq!(decode("INT16", &pair(&(-300i16).to_le_bytes(), &7i16.to_le_bytes())), [-300.0, 7.0]);
        assert_eq!(decode("UINT16", &pair(&65535u16.to_le_bytes(), &7u16.to_le_bytes())), [65535.0, 7.0]);
        assert_eq!(decode("INT32", &pair(&(-70000i32).to_le_bytes(), &7i32.to_le_bytes())), [-70000.0, 7.0]);
        assert_eq!(decode("UINT32", &pair(&70000u32.to_le_bytes(), &7u32.to_le_bytes())), [70000.0, 7.0]);
        assert_eq!(decode("INT64", &pair(&(-5i64).to_le_bytes(), &7i64.to_le_bytes())), [-5.0, 7.0]);
        assert_eq!(decode("UINT64", &pair(&5u64.to_le_bytes(), &7u64.to_le_bytes())), [5.0, 7.0]);
        assert!(Datatype::named("BYTES").is_err() && Datatype::named("fp32").is_err());
    }
}
