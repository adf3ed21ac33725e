//! A head with its parameters, as it is asked for.

use headsmith_heads::Head;
use headsmith_heads::head::find;
use headsmith_heads::params::{Default, Params, Preset, STANDARD, Search, Table, Value};

use crate::error::Result;

/// A head with all its parameters.
#[derive(Debug, Clone)]
pub struct HeadConfig {
    head: &'static dyn Head,
    /// The preset that its studies belong to; `None`: the table itself.
    preset: Option<&'static Preset>,
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
        let table = head.table();
        Ok(HeadConfig { head, preset: table.preset(preset)?, params: table.resolve_from(preset, given)? })
    }

    /// The same head with the parameters `given` in place of its own.
    ///
    /// # Errors
    /// When a parameter is unknown or its value out of range.
    pub fn with<N: AsRef<str>>(&self, given: impl IntoIterator<Item = (N, Value)>) -> Result<HeadConfig> {
        let own = self.params.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let given = given.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value));
        Ok(HeadConfig { params: self.head.table().resolve(own.chain(given))?, ..*self })
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

    /// The name of its preset.
    pub fn preset(&self) -> &'static str {
        self.preset.map_or(STANDARD, |preset| preset.name)
    }

    /// The default of the parameter `name`: the preset's, or the table's.
    pub fn default_of(&self, name: &str) -> Option<Value> {
        let preset = self.preset.into_iter().flat_map(Preset::values).filter(|(own, _)| *own == name).last();
        preset.map(|(_, value)| value).or_else(|| Some(self.table().find(name)?.default.value()))
    }

    /// Whether its studies are those of the head's first preset, or the head has no presets.
    pub(crate) fn studies_as_first_preset(&self) -> bool {
        let Some(first) = self.table().presets.first() else { return true };
        match (self.preset.and_then(|preset| preset.study), first.study) {
            (Some(own), Some(first)) => std::ptr::eq(own, first),
            (own, first) => own.is_none() && first.is_none(),
        }
    }

    /// The default space of its studies.
    pub(crate) fn space(&self) -> Vec<(&'static str, Search)> {
        match self.preset.and_then(|preset| preset.study) {
            Some(study) => study.space.to_vec(),
            None => self.table().space(),
        }
    }

    /// The values of its studies' trials that differ from the defaults ([`Table::trial`]).
    pub fn trial(&self) -> &'static [(&'static str, Default)] {
        self.preset.and_then(|preset| preset.study).map_or(self.table().trial, |study| study.trial)
    }

    /// The configurations that its studies try first ([`Table::portfolio`]).
    pub(crate) fn portfolio(&self) -> &'static [&'static [(&'static str, Default)]] {
        self.preset.and_then(|preset| preset.study).map_or(self.table().portfolio, |study| study.portfolio)
    }

    /// Whether validation rows choose anything during its fits.
    pub fn uses_val(&self) -> bool {
        !self.chosen_on_val().is_empty()
    }

    /// The choices of validation rows during its fits.
    pub fn chosen_on_val(&self) -> Vec<&'static str> {
        self.head.chosen_on_val(&self.params)
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
