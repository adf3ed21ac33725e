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

/// The newest version of the model file that this program writes; it reads all from 1. Version 2 adds the decision:
/// models without one are written as version 1, which older programs read.
pub const FORMAT_VERSION: u32 = 2;

/// The version of the file of a model without a decision.
const WITHOUT_DECISION: u32 = 1;

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
        let (classes, node) = (self.classes(), tree::describe(self.node())?);
        // The order of the keys is part of the bytes.
        let description = match self.decision() {
            [] => json!({
                "format": FORMAT, "version": WITHOUT_DECISION, "classes": classes, "node": node, "record": record,
            }),
            decision => json!({
                "format": FORMAT, "version": FORMAT_VERSION, "classes": classes, "decision": decision, "node": node,
                "record": record,
            }),
        };
        let text = description.to_string();
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
    /// When the bytes are not a model file of a known version, or a damaged one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let container = Container::read(bytes)?;
        let text = container.metadata.get(KEY).ok_or_else(|| {
            Error::damaged(format!(
                "the file is a safetensors file, but not a model: its metadata has no `{KEY}`"
            ))
        })?;
        let damaged = |error| Error::damaged(format!("the metadata `{KEY}` is damaged: {error}"));
        let description = json::parse(text).map_err(damaged)?;
        let version = checked_version(&description)?;
        let (description, decision) = match version {
            WITHOUT_DECISION => (description, None),
            _ => take_decision(description)?,
        };
        let [_, _, classes, node, record] =
            tree::fields(description, "the metadata", ["format", "version", "classes", "node", "record"])?;
        let classes = serde_json::from_value(classes)
            .map_err(|error| Error::damaged(format!("`classes` of the metadata: {error}")))?;
        let record: Record = serde_json::from_value(record)
            .map_err(|error| Error::damaged(format!("`record` of the metadata: {error}")))?;
        let node = Restorer::restore(&container, node)?;
        let model = Model::new(classes, node, record).map_err(Error::into_damaged)?;
        match decision {
            None => Ok(model),
            Some(offsets) => model.with_decision(offsets).map_err(Error::into_damaged),
        }
    }
}

/// The metadata without the offsets of the decision, and these.
fn take_decision(mut description: Value) -> Result<(Value, Option<Vec<f64>>)> {
    let decision = description.as_object_mut().and_then(|object| object.remove("decision"));
    let decision = decision.ok_or_else(|| {
        Error::damaged("the metadata has no `decision`, which it must have from version 2 on")
    })?;
    let offsets = serde_json::from_value(decision)
        .map_err(|error| Error::damaged(format!("`decision` of the metadata: {error}")))?;
    Ok((description, Some(offsets)))
}

/// The version of the metadata, if they are ours, and of one that is read here.
fn checked_version(description: &Value) -> Result<u32> {
    if description.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(Error::damaged(format!("`format` of the metadata is not \"{FORMAT}\"")));
    }
    match description.get("version").and_then(Value::as_u64) {
        Some(version) => match u32::try_from(version) {
            Ok(version) if (WITHOUT_DECISION..=FORMAT_VERSION).contains(&version) => Ok(version),
            _ => Err(Error::unsupported(format!(
                "the model file is of version {version}, and this program reads versions {WITHOUT_DECISION} to \
                 {FORMAT_VERSION}: use the Headsmith that wrote it, or a newer one"
            ))),
        },
        None => Err(Error::damaged("`version` of the metadata is not a whole number")),
    }
}
