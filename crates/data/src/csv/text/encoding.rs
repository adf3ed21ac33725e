//! The encoding of a text: UTF-8, UTF-16 or Windows-1252, which includes Latin-1.
//!
//! UTF-16 is detected at once. UTF-8 and Windows-1252 are distinguished at the first byte that is not ASCII: text in
//! one is very rarely valid in the other.

use crate::{Error, Result};

/// The encoding of a text, as far as it is known.
#[derive(Debug, Default)]
pub(super) enum Encoding {
    /// Nothing was read yet.
    #[default]
    Unknown,
    /// All bytes so far are ASCII.
    Ascii,
    Utf8,
    Windows1252,
    /// With the bytes of an incomplete character.
    Utf16 {
        big_endian: bool,
        rest: Vec<u8>,
    },
}

impl Encoding {
    /// The name of the encoding for messages, if it is not UTF-8.
    pub(super) fn name(&self) -> Option<String> {
        let name = match self {
            Encoding::Unknown | Encoding::Ascii | Encoding::Utf8 => return None,
            Encoding::Windows1252 => "Windows-1252 (Latin-1)",
            Encoding::Utf16 { big_endian: false, .. } => "UTF-16 (little-endian)",
            Encoding::Utf16 { big_endian: true, .. } => "UTF-16 (big-endian)",
        };
        Some(format!("the text is not UTF-8 and is read as {name}; what is written is UTF-8"))
    }

    /// Converts the bytes of `buffer` from `start` on to UTF-8.
    ///
    /// # Errors
    /// If UTF-16 text is damaged. Damaged UTF-8 is left for the reader of the cell.
    pub(super) fn decode(&mut self, buffer: &mut Vec<u8>, start: usize, at_end: bool) -> Result<()> {
        if matches!(self, Encoding::Unknown) {
            *self = begins(&buffer[start..]);
        }
        if matches!(self, Encoding::Ascii) && !buffer[start..].is_ascii() {
            let is_1252 = is_windows_1252(&buffer[start..]);
            *self = if is_1252 { Encoding::Windows1252 } else { Encoding::Utf8 };
        }
        match self {
            Encoding::Unknown | Encoding::Ascii | Encoding::Utf8 => Ok(()),
            Encoding::Windows1252 => {
                let bytes = buffer.split_off(start);
                let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
                text.extend(bytes.into_iter().map(windows_1252));
                buffer.append(&mut text.into_bytes());
                Ok(())
            }
            Encoding::Utf16 { big_endian, rest } => {
                rest.extend(buffer.split_off(start));
                utf16(rest, buffer, *big_endian, at_end)
            }
        }
    }
}

fn begins(head: &[u8]) -> Encoding {
    // ASCII text in UTF-16 has a zero in every other byte.
    let zero = |i: usize| {
        head.len() >= 4 && head.chunks_exact(2).take(16).all(|pair| pair[i] == 0 && pair[1 - i] != 0)
    };
    let utf16 = |big_endian| Encoding::Utf16 { big_endian, rest: Vec::new() };
    match head {
        [0xFF, 0xFE, ..] => utf16(false),
        [0xFE, 0xFF, ..] => utf16(true),
        _ if zero(1) => utf16(false),
        _ if zero(0) => utf16(true),
        _ => Encoding::Ascii,
    }
}

/// Whether non-ASCII text is Windows-1252: no character is valid UTF-8, and no byte is one that text does not have.
/// The last two codes, which hardly any word contains, are typical of damaged files.
fn is_windows_1252(text: &[u8]) -> bool {
    let Err(error) = std::str::from_utf8(text) else { return false };
    let is_cut = error.error_len().is_none();
    let is_text =
        |&byte: &u8| !matches!(byte, 0..=8 | 14..=31 | 0x81 | 0x8D | 0x8F | 0x90 | 0x9D | 0xFE | 0xFF);
    !is_cut && text[..error.valid_up_to()].is_ascii() && text.iter().all(is_text)
}

/// The characters 0x80 to 0x9F of Windows-1252; the others are the same as in Latin-1.
const CHARACTERS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9F => CHARACTERS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Moves the complete characters of `bytes` to `out`.
fn utf16(bytes: &mut Vec<u8>, out: &mut Vec<u8>, big_endian: bool, at_end: bool) -> Result<()> {
    let damaged = || {
        Error::format("the text is UTF-16 and damaged: half a character")
            .with_hint("write it again, best as UTF-8")
    };
    let units = bytes.chunks_exact(2).map(|pair| {
        if big_endian {
            u16::from_be_bytes([pair[0], pair[1]])
        } else {
            u16::from_le_bytes([pair[0], pair[1]])
        }
    });
    let mut units: Vec<u16> = units.collect();
    if !at_end && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
        units.pop();
    }
    let used = units.len() * 2;
    if at_end && used < bytes.len() {
        return Err(damaged());
    }
    let text: String =
        char::decode_utf16(units).collect::<std::result::Result<_, _>>().map_err(|_| damaged())?;
    out.extend_from_slice(text.as_bytes());
    bytes.drain(..used);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], window: usize) -> Option<(String, Option<String>)> {
        let (mut encoding, mut out) = (Encoding::default(), Vec::new());
        let n = bytes.len().div_ceil(window);
        for (i, part) in bytes.chunks(window).enumerate() {
            let start = out.len();
            out.extend_from_slice(part);
            encoding.decode(&mut out, start, i + 1 == n).ok()?;
        }
        Some((String::from_utf8_lossy(&out).into_owned(), encoding.name()))
    }

    #[test]
    fn any_windows_give_the_same_text() {
        let text = "\u{feff}name;Größe\n€ 5;😀\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for window in 4..le.len() {
            assert_eq!(decoded(&le, window).unwrap().0, text, "{window}");
            assert_eq!(decoded(&be, window).unwrap().0, text, "{window}");
        }
        assert!(decoded(&le[..le.len() - 1], 64).is_none() && decoded(&le[..le.len() - 4], 64).is_none());
        let (found, name) = decoded(b"\x80 5 \x93gro\xDF\x94", 3).unwrap();
        assert_eq!(found, "€ 5 “groß”");
        assert!(name.unwrap().contains("Windows-1252"));
    }

    #[test]
    fn utf_8_and_damaged_text_are_left_as_they_are() {
        for bytes in ["Größe".as_bytes(), b"plain", b"\xFFx", b"gr\xC3\xB6\xDFe", b"\xE4\x00"] {
            let (_, name) = decoded(bytes, 64).unwrap();
            assert_eq!(name, None, "{bytes:?}");
        }
    }
}
