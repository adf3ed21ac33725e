//! Tensors with a text beside them: the state of a training that is to go on, in the container of the model file.

use headsmith_heads::tensors::Tensors;

use super::container::{self, Container};
use crate::error::{Error, Result};

/// The key of the text in the metadata.
const KEY: &str = "headsmith-state";

/// The bytes of `tensors`, with `text` beside them.
///
/// # Errors
/// When a tensor holds a number that is not finite.
pub fn to_bytes(text: &str, tensors: &Tensors) -> Result<Vec<u8>> {
    container::write((KEY, text.to_owned()), tensors)
}

/// Reads the result of [`to_bytes`]. Whatever the bytes are, there is no panic, and nothing is allocated by a size that they
/// merely claim.
///
/// # Errors
/// When the bytes are no such state, or a damaged one.
pub fn from_bytes(bytes: &[u8]) -> Result<(String, Tensors)> {
    let mut container = Container::read(bytes)?;
    let text = container
        .metadata
        .remove(KEY)
        .ok_or_else(|| Error::damaged(format!("no state of a training: the metadata have no `{KEY}`")))?;
    let tensors = container.tensors("", |_| true)?;
    container.verify(&text)?;
    Ok((text, tensors))
}

#[cfg(test)]
mod tests {
    use headsmith_heads::tensors::Values;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_refused() {
        let mut tensors = Tensors::new();
        tensors.insert("a/weights", &[2, 2], Values::F32(vec![1.0, -0.0, 3.5, 1e-30]));
        tensors.insert("b", &[1], Values::F64(vec![0.1]));
        let bytes = to_bytes("epoch 3", &tensors).unwrap();
        assert_eq!(from_bytes(&bytes).unwrap(), ("epoch 3".to_owned(), tensors));
        for length in 0..bytes.len() {
            assert!(from_bytes(&bytes[..length]).is_err());
        }
        let mut changed = bytes.clone();
        changed[bytes.len() - 1] ^= 1;
        assert!(from_bytes(&changed).unwrap_err().to_string().contains("checksum"));
    }
}
