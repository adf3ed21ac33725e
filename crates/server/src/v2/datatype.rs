//! The types of numbers that an input may have. All become f32, as the rows that the model was fitted on.

use half::f16;

use crate::aside;
use crate::failure::{Failure, Result};

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

    fn is_whole(self) -> bool {
        !matches!(self, Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64)
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

    /// Refuses numbers of JSON that the type has not.
    pub(crate) fn check_json(self, values: &[f32]) -> Result<()> {
        if self == Datatype::Fp16 {
            return Err(Failure::bad("JSON has no FP16: send the tensor as binary data, or as FP32"));
        }
        match values.iter().find(|value| self.is_whole() && value.fract() != 0.0) {
            Some(value) => Err(Failure::bad(format!("`embeddings` has {value:?}, expected whole numbers"))),
            None => Ok(()),
        }
    }
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
