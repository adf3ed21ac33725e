//! The model's file; `docs/formats/model.md` is its page.

use crate::error::{Error, Result};
use crate::model::Model;

/// The version of the model file that this program writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;

impl Model {
    /// The model as a file: the same bytes for the same model.
    ///
    /// # Errors
    /// When the record is larger than a file may hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Err(Error::unsupported("model files are not written yet"))
    }

    /// Reads a model from the bytes of a file. Whatever they are, there is no panic, and no more memory is taken than
    /// a few times their number.
    ///
    /// # Errors
    /// When the bytes are no model file of this version, or a damaged one.
    pub fn from_bytes(_bytes: &[u8]) -> Result<Model> {
        Err(Error::unsupported("model files are not read yet"))
    }
}
