//! A reader of JSON that goes once over the bytes of a request and builds nothing but what is asked for: numbers become f32 where they stand,
//! and no value of the client's choosing is kept in memory as a tree.

use fast_float2::FastFloat;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::aside;
use crate::failure::{Failure, Result, shown};
use crate::limits::MAX_DEPTH;

/// The numbers after which others have their turn: as many take a tenth of a millisecond.
const PAUSE: usize = 4096;

/// A position in the bytes of a request.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
    depth: usize,
    n_numbers: usize,
}

impl<'b> Cursor<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Cursor<'b> {
        Cursor { bytes, at: 0, depth: 0, n_numbers: 0 }
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.at..)?;
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        self.bytes.get(self.at).copied()
    }

    /// A failure that says where the reader is.
    pub(crate) fn fault(&self, expected: &str) -> Failure {
        let found = match self.bytes.get(self.at) {
            None => "the end".to_owned(),
            Some(byte) if byte.is_ascii_graphic() => format!("`{}`", char::from(*byte)),
            Some(byte) => format!("the byte {byte}"),
        };
        let hint = match self.bytes.get(self.at..).unwrap_or_default() {
            [b'N', b'a', ..] | [b'I', b'n', ..] => "; JSON has no NaN and no Infinity: leave such rows out",
            _ => "",
        };
        Failure::bad(format!(
            "the JSON is wrong at byte {}: expected {expected}, found {found}{hint}",
            self.at
        ))
    }

    fn expect(&mut self, byte: u8, expected: &str) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(too_deep()),
            false => Ok(()),
        }
    }

    /// Calls `item` at each item of an array or an object, between its brackets.
    fn items(
        &mut self,
        (open, close): (u8, u8),
        expected: &str,
        mut item: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.expect(open, expected)?;
        self.enter()?;
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(byte) if byte == close => break self.at += 1,
                    _ => return Err(self.fault(&format!("`,` or `{}`", char::from(close)))),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Calls `element` at each element of an array, with its index.
    pub(crate) fn array(&mut self, mut element: impl FnMut(usize, &mut Self) -> Result<()>) -> Result<()> {
        let mut i = 0;
        self.items((b'[', b']'), "an array", |cursor| {
            element(i, cursor)?;
            i += 1;
            Ok(())
        })
    }

    /// Goes to the first element of an array, to look at it: its first byte.
    pub(crate) fn step_into_array(&mut self) -> Option<u8> {
        (self.peek()? == b'[').then_some(())?;
        self.at += 1;
        self.peek()
    }

    /// Calls `member` at the value of each member of an object, with its key.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Result<()>) -> Result<()> {
        self.items((b'{', b'}'), "an object", |cursor| {
            let key = cursor.string()?;
            cursor.expect(b':', "`:`")?;
            member(&key, cursor)
        })
    }

    /// A string.
    pub(crate) fn string(&mut self) -> Result<String> {
        match self.peek() {
            Some(b'"') => self.value("a string"),
            _ => Err(self.fault("a string")),
        }
    }

    /// A string, or the text of another value.
    pub(crate) fn name(&mut self) -> Result<String> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let start = self.at;
        self.skip()?;
        Ok(String::from_utf8_lossy(&self.bytes[start..self.at]).trim().to_owned())
    }

    /// Passes over `null`, if it is next: an optional key with it is one that is not there.
    pub(crate) fn null(&mut self) -> bool {
        self.peek();
        let is_null = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"null"));
        self.at += if is_null { 4 } else { 0 };
        is_null
    }

    /// A number, which must be finite.
    pub(crate) fn number<T: FastFloat + Into<f64> + Copy>(&mut self) -> Result<T> {
        self.number_if("a number that 32 bits can hold", |_| true)
    }

    /// A number, which must be finite and whose text must be right; `expected` says in words which numbers are.
    pub(crate) fn number_if<T: FastFloat + Into<f64> + Copy>(
        &mut self,
        expected: &str,
        is_right: impl Fn(&[u8]) -> bool,
    ) -> Result<T> {
        self.peek();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = number_length(rest).ok_or_else(|| self.fault("a number"))?;
        let text = &rest[..length];
        let number: T = fast_float2::parse(text).map_err(|_| self.fault("a number"))?;
        if !number.into().is_finite() || !is_right(text) {
            return Err(Failure::bad(format!(
                "the JSON is wrong at byte {}: expected {expected}, found {}",
                self.at,
                shown(&String::from_utf8_lossy(text))
            )));
        }
        self.at += length;
        self.n_numbers += 1;
        if self.n_numbers.is_multiple_of(PAUSE) {
            aside::pause();
        }
        Ok(number)
    }

    /// Any value as a `T`; `expected` says in words which values are right.
    pub(crate) fn value<T: DeserializeOwned>(&mut self, expected: &str) -> Result<T> {
        self.peek();
        let start = self.at;
        let end = start + self.extent(start)?;
        let value = serde_json::from_slice(&self.bytes[start..end]).map_err(|_| self.fault(expected))?;
        self.at = end;
        Ok(value)
    }

    /// Passes over a value of any kind.
    pub(crate) fn skip(&mut self) -> Result<()> {
        self.value::<IgnoredAny>("a value").map(|_| ())
    }

    /// The number of bytes of the value at `start`, if it is sound.
    fn extent(&self, start: usize) -> Result<usize> {
        let (mut depth, mut quoted, mut escaped) = (0, false, false);
        let rest = self.bytes.get(start..).unwrap_or_default();
        for (i, byte) in rest.iter().enumerate() {
            match (quoted, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (_, b'"') => quoted = !quoted,
                (false, b'[' | b'{') => depth += 1,
                (false, b']' | b'}') if depth == 0 => return Ok(i),
                (false, b']' | b'}') => depth -= 1,
                (false, b',' | b':' | b' ' | b'\t' | b'\n' | b'\r') if depth == 0 => return Ok(i),
                _ => continue,
            }
            if self.depth + depth > MAX_DEPTH {
                return Err(too_deep());
            }
            if depth == 0 && !quoted && matches!(byte, b'"' | b']' | b'}') {
                return Ok(i + 1);
            }
        }
        Ok(rest.len())
    }

    /// Refuses bytes after the value.
    pub(crate) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("the end")),
        }
    }
}

fn too_deep() -> Failure {
    Failure::bad(format!("the JSON nests deeper than {MAX_DEPTH}"))
}

/// The length of the number at the beginning of `bytes`, in JSON's grammar.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || whole > 1 && bytes[at] == b'0' {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        at += (fraction > 0).then_some(fraction + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        at += (exponent > 0).then_some(exponent + 1 + sign)?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Result<Vec<f32>> {
        let mut numbers = Vec::new();
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.array(|_, cursor| cursor.number().map(|number| numbers.push(number)))?;
        cursor.end()?;
        Ok(numbers)
    }

    #[test]
    fn numbers_are_read_as_serde_json_reads_them() {
        for text in ["[]", "[1]", " [ -0.5 , 1e3,2E-2 ,0, 0.1e+1]\n", "[16777217, 0.1, 3.4e38, 1e-46]"] {
            assert_eq!(numbers(text).unwrap(), serde_json::from_str::<Vec<f32>>(text).unwrap(), "{text}");
        }
        for text in [
            "[01]", "[1.]", "[.5]", "[+1]", "[1e]", "[--1]", "[1,]", "[,]", "[1", "1]", "[1]]", "[nan]",
            "[inf]",
        ] {
            assert!(numbers(text).is_err() && serde_json::from_str::<Vec<f32>>(text).is_err(), "{text}");
        }
        assert!(numbers("[1e39]").unwrap_err().message.contains("32 bits"));
        assert!(numbers("[NaN]").unwrap_err().message.contains("JSON has no NaN"));
    }

    #[test]
    fn values_of_any_kind_are_passed_over_if_they_are_sound() {
        for text in [r#"{"a": [1, "]\"}", {"b": null}]}"#, r#""a\\""#, "1.5", "true", "[]"] {
            let padded = format!("[{text} , 7]");
            let mut cursor = Cursor::new(padded.as_bytes());
            let mut last = 0.0f32;
            cursor
                .array(|i, cursor| if i == 0 { cursor.skip() } else { cursor.number().map(|n| last = n) })
                .unwrap();
            assert_eq!(last, 7.0, "{text}");
        }
        for text in ["tru", "[1 2]", "{1: 2}", "\"", "[}", "{\"a\"}", "", "]", "\"\u{1}\""] {
            assert!(Cursor::new(text.as_bytes()).skip().is_err(), "{text}");
        }
    }

    #[test]
    fn null_is_passed_over() {
        let mut cursor = Cursor::new(b"[ null , 7]");
        let mut found = Vec::new();
        cursor
            .array(|_, cursor| {
                found.push(if cursor.null() { None } else { Some(cursor.number::<f32>()?) });
                Ok(())
            })
            .unwrap();
        assert_eq!(found, [None, Some(7.0)]);
        assert!(!Cursor::new(b"nul").null());
    }

    #[test]
    fn depth_is_bounded_however_it_is_reached() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Cursor::new(nested(MAX_DEPTH).as_bytes()).skip().is_ok());
        for text in [nested(MAX_DEPTH + 1), "[".repeat(1 << 20), r#"{"a":"#.repeat(1 << 20)] {
            assert!(Cursor::new(text.as_bytes()).skip().unwrap_err().message.contains("deeper"));
        }
        fn descend(cursor: &mut Cursor<'_>) -> Result<()> {
            cursor.array(|_, cursor| descend(cursor))
        }
        assert!(
            descend(&mut Cursor::new("[".repeat(1 << 20).as_bytes())).unwrap_err().message.contains("deeper")
        );
    }
}
