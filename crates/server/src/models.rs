//! The models of a server: from the files that the command line named, and no others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use headsmith_model::Model;

use crate::drift::Drift;
use crate::error::{Error, Result};
use crate::failure::{self, Failure};

/// The longest name of a model.
const LONGEST_NAME: usize = 128;

/// A model's file, and the name it is served by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    name: String,
    path: PathBuf,
}

impl ModelFile {
    /// The file at `path`, served as `name`.
    ///
    /// # Errors
    /// When the name has other characters than letters and digits of ASCII, `.`, `-` and `_`.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Result<ModelFile> {
        let (name, path) = (name.into(), path.into());
        let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_dots = name.bytes().all(|byte| byte == b'.');
        if is_dots || name.len() > LONGEST_NAME || !name.bytes().all(is_sound) {
            return Err(Error::usage(format!(
                "`{name}` cannot be the name of a model in an address: give it one of letters, digits, `.`, `-` and `_` with NAME={}",
                path.display()
            )));
        }
        Ok(ModelFile { name, path })
    }

    /// Reads `NAME=FILE`, or `FILE`, which is named as the file without its ending.
    ///
    /// # Errors
    /// Those of [`ModelFile::new`].
    pub fn parse(text: &str) -> Result<ModelFile> {
        match text.split_once('=') {
            Some((name, path)) if !name.contains(['/', '\\']) => ModelFile::new(name, path),
            _ => {
                let stem = Path::new(text).file_stem().unwrap_or_default().to_string_lossy().into_owned();
                ModelFile::new(stem, text)
            }
        }
    }

    fn load(&self) -> Result<Arc<ServedModel>> {
        let bytes =
            std::fs::read(&self.path).map_err(|cause| Error::file("model file", &self.path, cause))?;
        let model =
            Model::from_bytes(&bytes).map_err(|cause| Error::file("model file", &self.path, cause))?;
        Ok(Arc::new(ServedModel::new(self.name.clone(), model)))
    }
}

/// A model with its name and what was counted of it.
#[derive(Debug)]
pub(crate) struct ServedModel {
    pub(crate) name: String,
    pub(crate) model: Model,
    /// Missing for models whose file has no statistics of the training rows.
    pub(crate) drift: Option<Drift>,
    /// How often each class was predicted.
    pub(crate) predicted: Vec<AtomicU64>,
    /// When it was loaded, in seconds since 1970.
    pub(crate) loaded: u64,
}

impl ServedModel {
    pub(crate) fn new(name: String, model: Model) -> ServedModel {
        let loaded = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let predicted = model.classes().iter().map(|_| AtomicU64::new(0)).collect();
        ServedModel { drift: Drift::of(&model), predicted, loaded, name, model }
    }
}

/// All models, by name.
pub(crate) type Models = BTreeMap<String, Arc<ServedModel>>;

/// The files, and the models that were last read from them.
#[derive(Debug)]
pub(crate) struct Registry {
    files: Vec<ModelFile>,
    models: RwLock<Arc<Models>>,
}

impl Registry {
    /// Reads all files.
    pub(crate) fn load(files: Vec<ModelFile>) -> Result<Registry> {
        if files.is_empty() {
            return Err(Error::usage("no model is named: give the file of at least one"));
        }
        let models = load(&files)?;
        Ok(Registry { files, models: RwLock::new(Arc::new(models)) })
    }

    /// Reads all files again. Requests under way end with the models they began with; if a file is wrong, all models stay as they are.
    pub(crate) fn reload(&self) -> Result<()> {
        let models = Arc::new(load(&self.files)?);
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = models;
        Ok(())
    }

    /// The present models.
    pub(crate) fn models(&self) -> Arc<Models> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The model `name`.
    pub(crate) fn named(&self, name: &str) -> failure::Result<Arc<ServedModel>> {
        self.models()
            .get(name)
            .cloned()
            .ok_or_else(|| Failure::not_found("there is no model of this name: see /docs"))
    }

    /// The model `name`, or the only one.
    pub(crate) fn named_or_only(&self, name: Option<&str>) -> failure::Result<Arc<ServedModel>> {
        let models = self.models();
        match (name, models.values().next()) {
            (Some(name), _) => self.named(name),
            (None, Some(only)) if models.len() == 1 => Ok(only.clone()),
            _ => {
                let names: Vec<&str> = models.keys().map(String::as_str).collect();
                Err(Failure::bad(format!(
                    "name the model in the path, such as /predict/{}: {}",
                    names[0],
                    names.join(", ")
                )))
            }
        }
    }
}

fn load(files: &[ModelFile]) -> Result<Models> {
    let mut models = Models::new();
    for file in files {
        let model = file.load()?;
        if models.insert(file.name.clone(), model).is_some() {
            return Err(Error::usage(format!(
                "two models are named `{}`: give one another name with NAME={}",
                file.name,
                file.path.display()
            )));
        }
    }
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_addresses() {
        let file = |text| ModelFile::parse(text).map(|file| (file.name, file.path));
        assert_eq!(
            file("out/model.safetensors").unwrap(),
            ("model".to_owned(), "out/model.safetensors".into())
        );
        assert_eq!(file("a-1=b=c.safetensors").unwrap(), ("a-1".to_owned(), "b=c.safetensors".into()));
        assert_eq!(file("x/a=b/m.safetensors").unwrap().0, "m");
        for wrong in ["a b=m", "=m", "..=m", "ä.safetensors", "a%2f=m", &format!("{}=m", "a".repeat(129))] {
            let error = file(wrong).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("NAME="), "{wrong}");
        }
    }
}
