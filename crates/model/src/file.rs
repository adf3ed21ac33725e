//! The model's file; `docs/formats/model.md` is its page.

mod checksum;
mod container;
mod json;
mod shared;
pub mod state;
mod tree;

use headsmith_heads::tensors::Tensors;
use headsmith_metrics::ConformalSets;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::container::Container;
use self::tree::Restorer;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::record::Record;

pub use self::shared::Part;

/// The newest version of the model file that this program writes; it reads all from 1. A model is written as the oldest version that holds it: older
/// programs read that.
pub const FORMAT_VERSION: u32 = WITH_SETS;

/// The version of the file of a model without a decision, of one with a decision, of one with shared tensors, and of one with prediction sets.
const WITHOUT_DECISION: u32 = 1;
const WITH_DECISION: u32 = 2;
const WITH_SHARED: u32 = 3;
const WITH_SETS: u32 = 4;

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
        let mut tensors = self.tensors();
        let shared = shared::take_out(&mut tensors);
        let version = match (self.sets(), shared.is_empty(), self.decision().is_empty()) {
            (Some(_), ..) => WITH_SETS,
            (None, false, _) => WITH_SHARED,
            (None, true, false) => WITH_DECISION,
            (None, true, true) => WITHOUT_DECISION,
        };
        // The order of the keys is part of the bytes.
        let mut description = json!({ "format": FORMAT, "version": version, "classes": classes });
        if version >= WITH_DECISION {
            description["decision"] = json!(self.decision());
        }
        if version >= WITH_SHARED {
            description["shared"] = json!(shared);
        }
        if let Some(sets) = self.sets() {
            description["sets"] = json!(sets);
        }
        (description["node"], description["record"]) = (node, record);
        let text = description.to_string();
        json::parse(&text).map_err(|error| {
            Error::invalid(format!("the model's metadata could not be read again: {error}"))
        })?;
        container::write((KEY, text), &tensors)
    }

    /// The large tensors of the model: a file holds equal ones once, those of several models that are put together, too.
    pub fn parts(&self) -> Vec<Part> {
        shared::parts(&self.tensors())
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        tree::collect(self.node(), tree::ROOT, &mut tensors);
        tensors
    }

    /// Reads a model from the bytes of a file. No input causes a panic, and sizes in the file are checked before
    /// anything is allocated.
    ///
    /// # Errors
    /// When the bytes are not a model file of a known version, or a damaged one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
        let mut container = Container::read(bytes)?;
        let text = container.metadata.remove(KEY).ok_or_else(|| {
            Error::damaged(format!(
                "the file is a safetensors file, but not a model: its metadata has no `{KEY}`"
            ))
        })?;
        let model = Model::described(&text, &mut container)?;
        // What damages the layout has been named by now, more exactly than a checksum can.
        container.verify(&text)?;
        Ok(model)
    }

    /// The model of a description and the tensors of its file.
    fn described(text: &str, container: &mut Container<'_>) -> Result<Model> {
        let damaged = |error| Error::damaged(format!("the metadata `{KEY}` is damaged: {error}"));
        let mut description = json::parse(text).map_err(damaged)?;
        let version = checked_version(&description)?;
        let decision: Vec<f64> =
            take(&mut description, "decision", (version, WITH_DECISION))?.unwrap_or_default();
        let shared = take(&mut description, "shared", (version, WITH_SHARED))?;
        container.share(shared.unwrap_or_default())?;
        let sets: Option<ConformalSets> = take(&mut description, "sets", (version, WITH_SETS))?;
        let [_, _, classes, node, record] =
            tree::fields(description, "the metadata", ["format", "version", "classes", "node", "record"])?;
        let classes = serde_json::from_value(classes)
            .map_err(|error| Error::damaged(format!("`classes` of the metadata: {error}")))?;
        let record: Record = serde_json::from_value(record)
            .map_err(|error| Error::damaged(format!("`record` of the metadata: {error}")))?;
        let node = Restorer::restore(container, node)?;
        let model = Model::new(classes, node, record).map_err(Error::into_damaged)?;
        let model = match (version, &decision[..]) {
            (WITHOUT_DECISION, _) | (WITH_SHARED.., []) => model,
            _ => model.with_decision(decision).map_err(Error::into_damaged)?,
        };
        match sets {
            None => Ok(model),
            Some(sets) => model.with_sets(sets).map_err(Error::into_damaged),
        }
    }
}

/// Takes the value of `key` out of the metadata of a version, which must have it from version `since` on.
fn take<T: DeserializeOwned>(
    description: &mut Value,
    key: &str,
    (version, since): (u32, u32),
) -> Result<Option<T>> {
    if version < since {
        return Ok(None);
    }
    let value = description.as_object_mut().and_then(|object| object.remove(key)).ok_or_else(|| {
        Error::damaged(format!("the metadata has no `{key}`, which it must have from version {since} on"))
    })?;
    let value = serde_json::from_value(value);
    value.map(Some).map_err(|error| Error::damaged(format!("`{key}` of the metadata: {error}")))
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
