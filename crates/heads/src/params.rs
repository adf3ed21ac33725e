//! A head's parameters as data: declared once in a [`Table`], from which come validation, command-line flags, the
//! default search space, the JSON schema and the reference page.

mod kind;
mod value;
mod values;

pub use kind::Kind;
pub use value::{Default, Value};
pub use values::Params;

use crate::error::{Error, Result};
use crate::transform;

/// Where a study looks for good values of a parameter, by default.
#[derive(Debug, Clone, Copy)]
pub enum Search {
    /// Integers in `low ..= high`.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
        /// Whether steps are even on a logarithmic scale.
        log: bool,
    },
    /// Floats in `low ..= high`.
    Float {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// Whether steps are even on a logarithmic scale.
        log: bool,
    },
}

/// One parameter of a head.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name, in snake case; on the command line with dashes.
    pub name: &'static str,
    /// The values that it accepts.
    pub kind: Kind,
    /// Its value when it is not given.
    pub default: Default,
    /// Where a study looks for it; `None`: it does not.
    pub search: Option<Search>,
    /// One line of help.
    pub help: &'static str,
}

/// Everything that is declared of a head beside its code.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The head's name, as in commands and files: `forest`, `mlp`.
    pub head: &'static str,
    /// Its name in prose: `random forest`.
    pub title: &'static str,
    /// One line about the head.
    pub about: &'static str,
    /// Its parameters, in the order in which they are shown.
    pub params: &'static [Param],
    /// Named sets of defaults.
    pub presets: &'static [Preset],
    /// Values of a study's trials that differ from the defaults: a trial needs not be as long as a last fit.
    pub trial: &'static [(&'static str, Default)],
    /// Configurations that did well on other tables, which a study tries first.
    pub portfolio: &'static [&'static [(&'static str, Default)]],
    /// Parameters that were added after files and studies had been written with the others. Where they do what was done before,
    /// these leave them out, so that the bytes stay and an earlier study is found again.
    pub added: &'static [Added],
}

/// Defaults that differ from those of the table, under a name.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// The values that differ; a later list overrides an earlier one.
    pub values: &'static [&'static [(&'static str, Default)]],
    /// The space, trial settings and list of its studies, in place of the table's.
    pub study: Option<&'static PresetStudy>,
}

/// The studies of a preset.
#[derive(Debug, Clone, Copy)]
pub struct PresetStudy {
    /// The default space, in the order of the table's parameters.
    pub space: &'static [(&'static str, Search)],
    /// See [`Table::trial`].
    pub trial: &'static [(&'static str, Default)],
    /// See [`Table::portfolio`].
    pub portfolio: &'static [&'static [(&'static str, Default)]],
}

/// A parameter that is younger than the files that list the parameters of its head.
#[derive(Debug, Clone, Copy)]
pub struct Added {
    /// Its name.
    pub name: &'static str,
    /// The value that does what was done before there was the parameter.
    pub before: Default,
    /// Whether model files leave it out at this value, too, as plans of studies do.
    pub in_models: bool,
}

/// The name of the preset that is the table's own defaults.
pub const STANDARD: &str = "standard";

/// The name of the parameter that every head has: the transform of the features before it.
pub const TRANSFORM: &str = "scale";

/// The word by which a head chooses a value itself.
pub const AUTO: &str = "auto";

/// Other names of parameters, by which users may call them, and by which help shows them.
const ALIASES: [(&str, &str); 1] = [(TRANSFORM, "transform")];

impl Table {
    /// A table of a head that has no presets, no portfolio, and the same parameters in all files.
    pub const fn new(
        head: &'static str,
        title: &'static str,
        about: &'static str,
        params: &'static [Param],
    ) -> Table {
        Table { head, title, about, params, presets: &[], trial: &[], portfolio: &[], added: &[] }
    }

    /// The parameter `name`; dashes count as underscores.
    pub fn find(&self, name: &str) -> Option<&'static Param> {
        let name = name.replace('-', "_");
        self.params.iter().find(|p| p.name == name || p.alias() == Some(&name))
    }

    /// The parameter `name`.
    ///
    /// # Errors
    /// When the head has none of that name: those that it has.
    pub fn param(&self, name: &str) -> Result<&'static Param> {
        self.find(name).ok_or_else(|| self.unknown(name))
    }

    /// The defaults of all parameters.
    pub fn defaults(&'static self) -> Params {
        Params::new(self, self.params.iter().map(|p| (p.name, p.default.value())).collect())
    }

    /// The defaults with `given` in their places.
    ///
    /// # Errors
    /// When a name is not in the table or a value not of its parameter's kind and range.
    pub fn resolve<N: AsRef<str>>(
        &'static self,
        given: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Params> {
        let mut params = self.defaults();
        for (name, value) in given {
            let param = self.param(name.as_ref())?;
            params.set(param.name, param.check(value)?);
        }
        Ok(params)
    }

    /// The same with the values of the preset `preset` in place of the defaults.
    ///
    /// # Errors
    /// When the head has no such preset, a name is not in the table, or a value not of its parameter's kind and range.
    pub fn resolve_from<N: AsRef<str>>(
        &'static self,
        preset: &str,
        given: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Params> {
        let values = self.preset(preset)?.into_iter().flat_map(Preset::values);
        let values = values.map(|(name, value)| (name.to_owned(), value));
        self.resolve(values.chain(given.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value))))
    }

    /// The preset `name`; `None` of [`STANDARD`], which is the table itself.
    ///
    /// # Errors
    /// When the head has no such preset.
    pub fn preset(&self, name: &str) -> Result<Option<&'static Preset>> {
        if name == STANDARD {
            return Ok(None);
        }
        self.presets.iter().find(|preset| preset.name == name).map(Some).ok_or_else(|| {
            let known: Vec<&str> =
                std::iter::once(STANDARD).chain(self.presets.iter().map(|p| p.name)).collect();
            Error::parameter(format!("{} has no preset `{name}`; it has {}", self.head, known.join(", ")))
        })
    }

    /// The default space of studies, by the names of the parameters.
    pub fn space(&self) -> Vec<(&'static str, Search)> {
        self.params.iter().filter_map(|param| Some((param.name, param.search?))).collect()
    }

    /// Whether plans of studies leave out `name`, whose value is `value`.
    pub fn plans_omit(&self, name: &str, value: &Value) -> bool {
        self.added.iter().any(|added| added.name == name && added.before.value() == *value)
    }

    /// Whether model files leave out `name`, whose value is `value`.
    pub fn models_omit(&self, name: &str, value: &Value) -> bool {
        self.plans_omit(name, value) && self.added.iter().any(|added| added.name == name && added.in_models)
    }

    pub(crate) fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.params.iter().map(|p| p.name).collect();
        Error::parameter(format!("{} has no parameter `{name}`; it has {}", self.head, known.join(", ")))
    }
}

impl Preset {
    /// Names and values; a later one overrides an earlier one.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.values.iter().copied().flatten().map(|(name, value)| (*name, value.value()))
    }
}

impl Param {
    /// The parameter [`TRANSFORM`], whose default is `default`.
    pub const fn transform(default: &'static str) -> Param {
        Param {
            name: TRANSFORM,
            kind: Kind::Text { syntax: transform::SYNTAX, check: transform::is_spec },
            default: Default::Text(default),
            search: None,
            help: "Transform of the features",
        }
    }

    /// The parameter [`TRANSFORM`] of a head that chooses the transform itself by default.
    pub const fn transform_or_auto() -> Param {
        Param {
            kind: Kind::Text { syntax: "auto, or a transform", check: is_spec_or_auto },
            help: "Transform of the features; auto: the head chooses",
            ..Param::transform(AUTO)
        }
    }

    /// The other name of the parameter, if it has one.
    pub fn alias(&self) -> Option<&'static str> {
        ALIASES.iter().find(|(name, _)| *name == self.name).map(|(_, alias)| *alias)
    }

    /// Reads a value as it is typed.
    ///
    /// # Errors
    /// When it is not of the parameter's kind and range.
    pub fn parse(&self, text: &str) -> Result<Value> {
        let value = if let Ok(int) = text.parse() {
            Value::Int(int)
        } else if let Ok(float) = text.parse::<f64>() {
            Value::Float(float)
        } else if let Ok(flag) = text.parse() {
            Value::Bool(flag)
        } else {
            Value::Text(text.to_owned())
        };
        self.check(value)
    }

    /// Gives back `value` in the parameter's own type.
    ///
    /// # Errors
    /// When it is not of the parameter's kind and range.
    pub fn check(&self, value: Value) -> Result<Value> {
        let fits = match (&self.kind, &value) {
            (Kind::Int { low, high, .. }, Value::Int(v)) => (low..=high).contains(&v),
            (Kind::Float { low, high, .. }, Value::Float(v)) => v.is_finite() && *low <= *v && *v <= *high,
            (Kind::Float { .. }, Value::Int(v)) => return self.check(Value::Float(*v as f64)),
            (Kind::CountOrFraction { .. }, Value::Int(v)) => *v >= 1,
            (Kind::CountOrFraction { .. }, Value::Float(v)) => 0.0 < *v && *v <= 1.0,
            (Kind::Bool, Value::Bool(_)) => true,
            (Kind::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Kind::Text { check, .. }, Value::Text(text)) => check(text),
            (
                Kind::Int { words, .. } | Kind::Float { words, .. } | Kind::CountOrFraction { words },
                Value::Text(text),
            ) => words.contains(&text.as_str()),
            _ => false,
        };
        if fits { Ok(value) } else { Err(self.misfit(&value)) }
    }

    fn misfit(&self, value: &Value) -> Error {
        Error::parameter(format!("{} is {value}, expected {}", self.name, self.kind))
    }
}

fn is_spec_or_auto(text: &str) -> bool {
    text == AUTO || transform::is_spec(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Table = Table::new(
        "toy",
        "toy",
        "a table for tests",
        &[
            Param {
                name: "max_depth",
                kind: Kind::Int { low: 1, high: i64::MAX, words: &["none"] },
                default: Default::Text("none"),
                search: None,
                help: "",
            },
            Param {
                name: "lr",
                kind: Kind::Float { low: 0.0, high: 1.0, words: &[] },
                default: Default::Float(0.1),
                search: None,
                help: "",
            },
            Param {
                name: "max_features",
                kind: Kind::CountOrFraction { words: &["sqrt"] },
                default: Default::Text("sqrt"),
                search: None,
                help: "",
            },
        ],
    );

    #[test]
    fn defaults_fit_their_own_kinds() {
        for param in TABLE.params {
            param.check(param.default.value()).unwrap();
        }
    }

    #[test]
    fn given_values_replace_defaults_and_take_the_declared_type() {
        let params = TABLE.resolve([("max-depth", Value::Int(3)), ("lr", Value::Int(1))]).unwrap();
        assert_eq!(params.int("max_depth"), Some(3));
        assert_eq!(params.float("lr"), Some(1.0));
        assert_eq!(params.text("max_features"), Some("sqrt"));
        assert_eq!(
            serde_json::to_string(&params).unwrap(),
            r#"{"lr":1.0,"max_depth":3,"max_features":"sqrt"}"#
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_sides() {
        let message = |name, text| TABLE.find(name).unwrap().parse(text).unwrap_err().to_string();
        assert_eq!(message("lr", "2"), "lr is 2.0, expected a number in 0..1");
        assert_eq!(message("lr", "nan"), "lr is NaN, expected a number in 0..1");
        assert_eq!(message("max_depth", "0"), "max_depth is 0, expected an integer of at least 1 or none");
        assert_eq!(
            message("max_features", "1.5"),
            "max_features is 1.5, expected a count or a fraction with a decimal point or sqrt"
        );
        assert_eq!(
            TABLE.resolve([("depth", Value::Int(3))]).unwrap_err().to_string(),
            "toy has no parameter `depth`; it has max_depth, lr, max_features"
        );
    }
}
