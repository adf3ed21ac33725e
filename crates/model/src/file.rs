//! The model's file; `docs/formats/model.md` is its page.

mod container;
mod json;
pub mod state;
mod tree;

use std::collections::BTreeMap;

use headsmith_heads::tensors::Tensors;
use serde_json::{Value, json};

use self::container::Container;
use self::tree::Restorer;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::record::Record;

/// The version of the model file that this program writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;

/// The key of our text in the metadata of a safetensors file.
const KEY: &str = "headsmith";
/// The value of the text's `format`.
const FORMAT: &str = "headsmith-model";

impl Model {
    /// The model as a file: the same bytes for the same model.
    ///
    /// # Errors
    /// When the file could not be read again: the record holds too much (262,144 JSON values) or is nested too deep
    /// (64), or a tensor holds a number that is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let record = serde_json::to_value(self.record())
            .map_err(|error| Error::invalid(format!("the record cannot be written: {error}")))?;
        let text = json!({
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "classes": self.classes(),
            "node": tree::describe(self.node())?,
            "record": record,
        })
        .to_string();
        json::parse(&text).map_err(|error| {
            Error::invalid(format!("the model's metadata could not be read again: {error}"))
        })?;
        let mut tensors = Tensors::new();
        tree::collect(self.node(), tree::ROOT, &mut tensors);
        container::write(&BTreeMap::from([(KEY, text)]), &tensors)
    }

    /// Reads a model from the bytes of a file. No input causes a panic, and sizes in the file are checked before
    /// anything is allocated.
    ///
    /// # Errors
    /// When the bytes are not a model file of this version, or a damaged one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let container = Container::read(bytes)?;
        let text = container.metadata.get(KEY).ok_or_else(|| {
            Error::damaged(format!(
                "the file is a safetensors file, but not a model: its metadata has no `{KEY}`"
            ))
        })?;
        let damaged = |error| Error::damaged(format!("the metadata `{KEY}` is damaged: {error}"));
        let description = json::parse(text).map_err(damaged)?;
        check_version(&description)?;
        let [_, _, classes, node, record] =
            tree::fields(description, "the metadata", ["format", "version", "classes", "node", "record"])?;
        let classes = serde_json::from_value(classes)
            .map_err(|error| Error::damaged(format!("`classes` of the metadata: {error}")))?;
        let record: Record = serde_json::from_value(record)
            .map_err(|error| Error::damaged(format!("`record` of the metadata: {error}")))?;
        let node = Restorer::restore(&container, node)?;
        Model::new(classes, node, record).map_err(Error::into_damaged)
    }
}

/// Whether the metadata are ours, and of the version that is read here.
fn check_version(description: &Value) -> Result<()> {
    if description.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(Error::damaged(format!("`format` of the metadata is not \"{FORMAT}\"")));
    }
    match description.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(FORMAT_VERSION) => Ok(()),
        Some(version) => Err(Error::unsupported(format!(
            "the model file is of version {version}, and this program reads version {FORMAT_VERSION}: use the Headsmith \
             that wrote it, or a newer one"
        ))),
        None => Err(Error::damaged("`version` of the metadata is not a whole number")),
    }
}
