//! Spaces in TOML, as users write them: one table for each parameter.
//!
//! ```toml
//! [neurons0]
//! type = "int"                         # or "float", or "categorical"
//! low = 16
//! high = 2048
//! log = true                           # or step = 16
//!
//! [activation]
//! type = "categorical"
//! choices = ["relu", "gelu"]
//!
//! [neurons1]
//! when = { layers1 = [1, 2, 3] }       # only where the other parameter has one of these values
//!
//! [batch_size]
//! value = 963                          # fixed; `batch_size = 963` above all tables is the same
//! ```
//!
//! [`overlay_toml`] changes a given space: keys that the text leaves out keep their values, unless `type` changes the
//! kind of the parameter. `when = {}` removes a condition. `{}` among choices is Python's `None`. [`to_toml`] writes a
//! space so that it reads back equal.

use std::fmt::Write;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::distribution::{Choice, Distribution};
use crate::error::{Error, Kind, Result};
use crate::nearest::did_you_mean;
use crate::space::{Condition, Space, SpaceParam};

/// The keys of a parameter's table.
const KEYS: [&str; 8] = ["type", "low", "high", "log", "step", "choices", "value", "when"];

/// The space `given` with the changes of `text`; `place` is the file's name, for messages. A parameter that `given`
/// does not have is an error, unless `given` is empty: then `text` is the whole space, in its own order.
///
/// # Errors
/// Invalid text; the message names the file, the line, the key, the fault and the fix.
pub fn overlay_toml(given: &Space, text: &str, place: &str) -> Result<Space> {
    let source = SourceText { text, place };
    let document = DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        source.error(at, &format!("this is not TOML: {}", e.message()))
    })?;
    let mut entries: Vec<ParamEntry<'_>> =
        document.get_ref().iter().map(|(name, value)| ParamEntry { name, value }).collect();
    entries.sort_by_key(|entry| entry.name.span().start);
    let names: Vec<&str> = given.params.iter().map(|param| param.name.as_str()).collect();
    let is_whole = names.is_empty();
    if let Some(unknown) = entries.iter().find(|entry| !is_whole && !names.contains(&entry.name())) {
        let near = did_you_mean(unknown.name(), names.iter().copied());
        let what = format!("there is no such parameter{near}; there are {}", names.join(", "));
        return Err(source.error(unknown.at(), &format!("{}: {what}", unknown.name())));
    }
    let mut space = Space::default();
    let count = if is_whole { entries.len() } else { names.len() };
    for i in 0..count {
        let param = given.params.get(i);
        let entry =
            if is_whole { entries.get(i) } else { entries.iter().find(|t| Some(&t.name()) == names.get(i)) };
        let at = entry.map_or(0, ParamEntry::at);
        let param = match (entry, param) {
            (Some(entry), param) => entry.param(&source, param)?,
            (None, Some(param)) => param.clone(),
            (None, None) => continue,
        };
        let mut params = space.params;
        params.push(param);
        // Checked one by one, so that the message can give the line.
        space = Space::new(params).map_err(|e| match entry {
            Some(_) => source.error(at, &e.to_string()),
            None => Error::new(Kind::Configuration, format!("{place}: {e}")),
        })?;
    }
    Ok(space)
}

/// The text and its file name, for messages.
struct SourceText<'s> {
    text: &'s str,
    place: &'s str,
}

impl SourceText<'_> {
    fn error(&self, at: usize, what: &str) -> Error {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::new(Kind::Configuration, format!("{}:{line}: {what}", self.place))
    }
}

/// A parameter's entry in the text.
struct ParamEntry<'t> {
    name: &'t Spanned<std::borrow::Cow<'t, str>>,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t> ParamEntry<'t> {
    fn name(&self) -> &'t str {
        self.name.get_ref()
    }

    fn at(&self) -> usize {
        self.name.span().start
    }

    /// The parameter, with missing keys taken from `given`.
    fn param(&self, source: &SourceText<'_>, given: Option<&SpaceParam>) -> Result<SpaceParam> {
        let name = self.name().to_owned();
        let given_distribution = given.map(|param| &param.distribution);
        let DeValue::Table(table) = self.value.get_ref() else {
            let distribution = self.fixed(source, self.value, given_distribution, None)?;
            return Ok(SpaceParam { name, distribution, when: given.and_then(|param| param.when.clone()) });
        };
        let keys = ParamTable { source, name: self.name(), at: self.at(), table };
        keys.check()?;
        let kind = keys.kind(given_distribution)?;
        let when = match keys.get("when") {
            Some(when) => keys.condition(when)?,
            None => given.and_then(|param| param.when.clone()),
        };
        let distribution = match (keys.get("value"), kind) {
            (Some(value), kind) => {
                keys.refuse_beside_value()?;
                self.fixed(source, value, given_distribution, kind)?
            }
            (None, Some(kind)) => {
                keys.distribution(kind, given_distribution.filter(|d| kind_of(d) == kind))?
            }
            (None, None) => {
                let what = "there is no `type`; write \"int\", \"float\" or \"categorical\", or a `value`";
                return Err(keys.error(self.at(), what));
            }
        };
        Ok(SpaceParam { name, distribution, when })
    }

    /// The distribution of one value.
    fn fixed(
        &self,
        source: &SourceText<'_>,
        value: &Spanned<DeValue<'_>>,
        given: Option<&Distribution>,
        kind: Option<&str>,
    ) -> Result<Distribution> {
        let wrong = |expected: &str| {
            let found = value.get_ref().type_str();
            source.error(value.span().start, &format!("{}: expected {expected}, found {found}", self.name()))
        };
        let choice = choice(value.get_ref()).ok_or_else(|| wrong("a number, a word, true or false"))?;
        let float = |x: f64| Distribution::Float { low: x, high: x, log: false, step: None };
        match (kind.or(given.map(kind_of)), choice) {
            (Some("int") | None, Choice::Int(n)) => {
                Ok(Distribution::Int { low: n, high: n, log: false, step: 1 })
            }
            (Some("float") | None, Choice::Float(x)) => Ok(float(x)),
            (Some("float"), Choice::Int(n)) => Ok(float(n as f64)),
            (Some("int"), _) => Err(wrong("a whole number")),
            (Some("float"), _) => Err(wrong("a number")),
            (_, choice) => Ok(Distribution::Categorical { choices: vec![choice] }),
        }
    }
}

/// The keys of a parameter's table.
struct ParamTable<'t> {
    source: &'t SourceText<'t>,
    name: &'t str,
    at: usize,
    table: &'t DeTable<'t>,
}

impl<'t> ParamTable<'t> {
    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    fn error(&self, at: usize, what: &str) -> Error {
        self.source.error(at, &format!("{}: {what}", self.name))
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> Error {
        let found = match value.get_ref() {
            DeValue::String(text) => format!("\"{text}\""),
            other => format!("a value of type {}", other.type_str()),
        };
        self.error(value.span().start, &format!("{key}: expected {expected}, found {found}"))
    }

    fn check(&self) -> Result<()> {
        for key in self.table.keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let near = did_you_mean(key.get_ref(), KEYS.into_iter());
                let what =
                    format!("{}: there is no such key{near}; there are {}", key.get_ref(), KEYS.join(", "));
                return Err(self.error(key.span().start, &what));
            }
        }
        Ok(())
    }

    fn refuse_beside_value(&self) -> Result<()> {
        for key in ["low", "high", "log", "step", "choices"] {
            if let Some(value) = self.get(key) {
                let what = format!("{key}: a parameter with a `value` is fixed; leave out one of the two");
                return Err(self.error(value.span().start, &what));
            }
        }
        Ok(())
    }

    fn kind(&self, given: Option<&Distribution>) -> Result<Option<&'static str>> {
        let kinds = ["int", "float", "categorical"];
        let Some(value) = self.get("type") else { return Ok(given.map(kind_of)) };
        let text = value.get_ref().as_str().unwrap_or_default();
        match kinds.into_iter().find(|kind| *kind == text) {
            Some(kind) => Ok(Some(kind)),
            None => Err(self.wrong("type", value, "\"int\", \"float\" or \"categorical\"")),
        }
    }

    fn distribution(&self, kind: &str, given: Option<&Distribution>) -> Result<Distribution> {
        let allowed: &[&str] =
            if kind == "categorical" { &["choices"] } else { &["low", "high", "log", "step"] };
        for key in ["low", "high", "log", "step", "choices"] {
            if let Some(value) = self.get(key).filter(|_| !allowed.contains(&key)) {
                let what =
                    format!("{key}: a parameter of type {kind} has none; it has {}", allowed.join(", "));
                return Err(self.error(value.span().start, &what));
            }
        }
        let log = self.take("log", "true or false", |value| value.as_bool())?;
        match (kind, given) {
            ("int", given) => {
                let (low, high, given_log, given_step) = match given {
                    Some(&Distribution::Int { low, high, log, step }) => (Some(low), Some(high), log, step),
                    _ => (None, None, false, 1),
                };
                let read = |key| self.take(key, "a whole number", whole);
                Ok(Distribution::Int {
                    low: self.need("low", read("low")?.or(low))?,
                    high: self.need("high", read("high")?.or(high))?,
                    log: log.unwrap_or(given_log),
                    step: read("step")?.unwrap_or(given_step),
                })
            }
            ("float", given) => {
                let (low, high, given_log, given_step) = match given {
                    Some(&Distribution::Float { low, high, log, step }) => (Some(low), Some(high), log, step),
                    _ => (None, None, false, None),
                };
                let read = |key| self.take(key, "a number", number);
                Ok(Distribution::Float {
                    low: self.need("low", read("low")?.or(low))?,
                    high: self.need("high", read("high")?.or(high))?,
                    log: log.unwrap_or(given_log),
                    step: read("step")?.or(given_step),
                })
            }
            (_, given) => {
                let given = match given {
                    Some(Distribution::Categorical { choices }) => Some(choices.clone()),
                    _ => None,
                };
                let read = self.take("choices", "a list of numbers, words, true or false", choices)?;
                Ok(Distribution::Categorical { choices: self.need("choices", read.or(given))? })
            }
        }
    }

    fn take<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.wrong(key, value, expected))
    }

    fn need<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.error(self.at, &format!("there is no `{key}`; give one")))
    }

    fn condition(&self, when: &Spanned<DeValue<'_>>) -> Result<Option<Condition>> {
        let expected =
            "one parameter with the values for which this one is there, as in `{ layers = [1, 2] }`";
        let table = when.get_ref().as_table().ok_or_else(|| self.wrong("when", when, expected))?;
        let mut conditions = table.iter();
        let Some((param, values)) = conditions.next() else { return Ok(None) };
        if let Some((second, _)) = conditions.next() {
            let what = format!("when: {} is one parameter too many; expected {expected}", second.get_ref());
            return Err(self.error(second.span().start, &what));
        }
        let one = |value: &DeValue<'_>| choice(value).map(|choice| vec![choice]);
        let is_one_of = choices(values.get_ref())
            .or_else(|| one(values.get_ref()))
            .ok_or_else(|| self.wrong("when", values, expected))?;
        Ok(Some(Condition { param: param.get_ref().to_string(), is_one_of }))
    }
}

fn kind_of(distribution: &Distribution) -> &'static str {
    match distribution {
        Distribution::Int { .. } => "int",
        Distribution::Float { .. } => "float",
        Distribution::Categorical { .. } => "categorical",
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        other => whole(other).map(|n| n as f64),
    }
}

fn choice(value: &DeValue<'_>) -> Option<Choice> {
    match value {
        DeValue::String(text) => Some(Choice::Text(text.to_string())),
        DeValue::Boolean(yes) => Some(Choice::Bool(*yes)),
        DeValue::Integer(_) => whole(value).map(Choice::Int),
        DeValue::Float(_) => number(value).map(Choice::Float),
        DeValue::Table(table) if table.is_empty() => Some(Choice::Null),
        _ => None,
    }
}

fn choices(value: &DeValue<'_>) -> Option<Vec<Choice>> {
    value.as_array()?.iter().map(|value| choice(value.get_ref())).collect()
}

/// The space as TOML that [`overlay_toml`] reads back as an equal space.
pub fn to_toml(space: &Space) -> String {
    let mut text = String::new();
    for param in &space.params {
        let kind = kind_of(&param.distribution);
        let mut lines = vec![format!("[{}]", quoted(&param.name)), format!("type = \"{kind}\"")];
        match &param.distribution {
            Distribution::Int { low, high, log, step } => {
                lines.extend([format!("low = {low}"), format!("high = {high}")]);
                lines.extend(log.then(|| "log = true".to_owned()));
                lines.extend((*step != 1).then(|| format!("step = {step}")));
            }
            Distribution::Float { low, high, log, step } => {
                lines.extend([format!("low = {}", float(*low)), format!("high = {}", float(*high))]);
                lines.extend(log.then(|| "log = true".to_owned()));
                lines.extend(step.map(|step| format!("step = {}", float(step))));
            }
            Distribution::Categorical { choices } => lines.push(format!("choices = {}", list(choices))),
        }
        if let Some(when) = &param.when {
            lines.push(format!("when = {{ {} = {} }}", quoted(&when.param), list(&when.is_one_of)));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{}", if text.is_empty() { "" } else { "\n" }, lines.join("\n"));
    }
    text
}

fn list(choices: &[Choice]) -> String {
    let one = |choice: &Choice| match choice {
        Choice::Null => "{}".to_owned(),
        Choice::Text(text) => string(text),
        Choice::Float(x) => float(*x),
        other => other.to_string(),
    };
    format!("[{}]", choices.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn float(x: f64) -> String {
    if x.is_nan() { "nan".to_owned() } else { format!("{x:?}") }
}

/// A key, bare where TOML allows it.
fn quoted(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { string(name) }
}

/// A TOML basic string. JSON's escapes are TOML's, except that TOML also requires DEL to be escaped.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}
