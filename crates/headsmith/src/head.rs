//! A head with its parameters, as it is asked for.

use headsmith_heads::Head;
use headsmith_heads::head::find;
use headsmith_heads::params::{Params, STANDARD, Table, Value};

use crate::error::Result;

/// A head with all its parameters.
#[derive(Debug, Clone)]
pub struct HeadConfig {
    head: &'static dyn Head,
    params: Params,
}

impl HeadConfig {
    /// The head `name` with the parameters `given`, and defaults for the others.
    ///
    /// # Errors
    /// When there is no such head, or a parameter is unknown or its value out of range.
    pub fn new<N: AsRef<str>>(name: &str, given: impl IntoIterator<Item = (N, Value)>) -> Result<HeadConfig> {
        HeadConfig::with_preset(name, STANDARD, given)
    }

    /// The head `name` with the parameters `given`, and those of its preset for the others.
    ///
    /// # Errors
    /// When there is no such head or preset, or a parameter is unknown or its value out of range.
    pub fn with_preset<N: AsRef<str>>(
        name: &str,
        preset: &str,
        given: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<HeadConfig> {
        let head = find(name)?;
        let mut params = head
            .table()
            .preset(preset)?
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.value()))
            .collect::<Vec<_>>();
        params.extend(given.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value)));
        Ok(HeadConfig { head, params: head.table().resolve(params)? })
    }

    /// The same head with the parameters `given` in place of its own.
    ///
    /// # Errors
    /// When a parameter is unknown or its value out of range.
    pub fn with<N: AsRef<str>>(&self, given: impl IntoIterator<Item = (N, Value)>) -> Result<HeadConfig> {
        let own = self.params.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let given = given.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value));
        Ok(HeadConfig { head: self.head, params: self.head.table().resolve(own.chain(given))? })
    }

    /// The head.
    pub fn head(&self) -> &'static dyn Head {
        self.head
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.head.name()
    }

    /// Its table of parameters.
    pub fn table(&self) -> &'static Table {
        self.head.table()
    }

    /// Whether validation rows choose anything during its fits.
    pub fn uses_val(&self) -> bool {
        !self.head.chosen_on_val(&self.params).is_empty()
    }

    /// Every parameter of its table.
    pub fn params(&self) -> &Params {
        &self.params
    }
}

impl PartialEq for HeadConfig {
    fn eq(&self, other: &HeadConfig) -> bool {
        self.params == other.params
    }
}
