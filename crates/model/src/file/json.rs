//! JSON from a file that may be damaged or hostile: with limits of depth and size, and without duplicate keys.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep arrays and objects may nest: room for the deepest tree of nodes.
const MAX_DEPTH: usize = 64;
/// How many values there may be: a value of two bytes costs its reader some seventy.
const MAX_VALUES: usize = 1 << 18;

/// Reads `text`.
pub(super) fn parse(text: &str) -> serde_json::Result<Value> {
    let left = Cell::new(MAX_VALUES);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Bounded { depth: 0, left: &left }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads one value at a depth, with so many values left to read.
#[derive(Clone, Copy)]
struct Bounded<'c> {
    depth: usize,
    left: &'c Cell<usize>,
}

impl Bounded<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(Bounded { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom(format_args!("more than {MAX_VALUES} values"))),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(element)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(element)?;
            if values.contains_key(&key) {
                return Err(A::Error::custom(format_args!("key `{key}` occurs twice")));
            }
            values.insert(key, value);
        }
        Ok(values.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_text_is_read_as_serde_json_reads_it() {
        let text = r#"{"b": [1, -2, 0.1, 1e+300, 18446744073709551615, null, true, "é\n", {}], "a": []}"#;
        let value = parse(text).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(serde_json::to_string(&value).unwrap(), text.replace(": ", ":").replace(", ", ","));
    }

    #[test]
    fn bounds_hold() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        let nested = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(64)).is_ok());
        assert!(message(&nested(65)).starts_with("nested deeper than 64"));
        assert!(message(&"[".repeat(1 << 20)).starts_with("nested deeper than 64"));
        assert!(message(&r#"{"a":"#.repeat(1 << 20)).starts_with("nested deeper than 64"));
        let flat = |n: usize| format!("[{}0]", "0,".repeat(n - 2));
        assert!(parse(&flat(MAX_VALUES)).is_ok());
        assert!(message(&flat(MAX_VALUES + 1)).starts_with("more than 262144 values"));
        assert!(message(r#"{"a":{"b":1,"c":2,"b":3}}"#).starts_with("key `b` occurs twice"));
        assert!(message("1 2").starts_with("trailing characters"));
    }
}
