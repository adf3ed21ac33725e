//! `headsmith.toml`: the same names as the flags, underneath them.
//!
//! The file's values become the defaults of the flags, so that they are checked, and shown in messages, in one
//! place: where the flags are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};
use headsmith::study::did_you_mean;

use crate::flags::heads;

/// Keys whose values are files to read: a relative one starts at the configuration file's folder.
const INPUTS: [&str; 6] = ["train", "val", "test", "data", "labels", "val_labels"];

/// Keys whose values may be lists of names, as those of [`INPUTS`] may be lists of files.
const LISTS: [&str; 7] = ["drop", "features", "head", "heads", "reduced", "set", "allowed_host"];

/// The commands whose `out` is a folder: those of others are files, which a file for all commands cannot name.
const WITH_FOLDER: [&str; 2] = ["auto", "run"];

/// A configuration file's values, by flag.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    values: Vec<(String, Vec<String>)>,
}

/// A configuration file that asks for something wrong.
#[derive(Debug)]
pub(crate) struct WrongConfig(String);

impl std::fmt::Display for WrongConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongConfig {}

/// The configuration file that `args` name with `--config`.
pub(crate) fn named(args: &[OsString]) -> Option<PathBuf> {
    let mut args = args.iter().take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

impl ConfigFile {
    /// Reads `path`, whose keys must be flags of one of the subcommands of `command`.
    pub(crate) fn read(path: &Path, command: &Command) -> Result<ConfigFile> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
        let mut config = ConfigFile { path: path.to_owned(), values: Vec::new() };
        let table: toml::Table =
            text.parse().map_err(|error| config.wrong(&format!("not valid TOML: {error}")))?;
        for (key, value) in &table {
            config.add(key, value, command)?;
        }
        Ok(config)
    }

    /// `command` with this file's values as the defaults of its subcommands' flags.
    pub(crate) fn as_defaults(&self, command: Command) -> Command {
        command.mut_subcommands(|subcommand| self.defaults_of(subcommand))
    }

    /// The error that names this file, when it was one of this file's values that the flags did not take.
    pub(crate) fn blame(&self, error: &clap::Error) -> Option<anyhow::Error> {
        let context = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let flag = context(ContextKind::InvalidArg)?
            .split([' ', '='])
            .next()?
            .trim_start_matches("--")
            .replace('-', "_");
        let value = context(ContextKind::InvalidValue)?;
        let is_it = |(key, texts): &&(String, Vec<String>)| {
            texts.iter().any(|text| text == value) && flag.ends_with(key.rsplit('.').next().unwrap_or(key))
        };
        let (key, _) = self.values.iter().find(is_it)?;
        let why = match std::error::Error::source(error) {
            Some(source) => source.to_string(),
            None => format!("`{value}` is not one of its values"),
        };
        Some(self.wrong(&format!("`{key}`: {why}")))
    }

    fn wrong(&self, what: &str) -> anyhow::Error {
        WrongConfig(format!("{}: {what}", self.path.display())).into()
    }

    fn defaults_of(&self, command: Command) -> Command {
        let command = command.mut_subcommands(|subcommand| self.defaults_of(subcommand));
        self.values.iter().fold(command, |command, (key, value)| match flag_of(&command, key) {
            Some(id) => command.mut_arg(id, |arg| arg.default_values(value.clone()).required(false)),
            None => command,
        })
    }

    /// Adds one key; the keys of a table belong to the head with the table's name.
    fn add(&mut self, key: &str, value: &toml::Value, command: &Command) -> Result<()> {
        if let toml::Value::Table(table) = value {
            let head = heads::with_name_like(key);
            return table
                .iter()
                .try_for_each(|(name, value)| self.add(&format!("{head}.{name}"), value, command));
        }
        let key = match key.split_once('.') {
            Some((head, name)) => format!("{head}.{}", heads::parameter_name(head, &underscored(name))),
            None => underscored(key),
        };
        let known = known_keys(command);
        if !known.contains(&key) {
            return Err(self.wrong(&format!("unknown key `{key}`{}", advice(&key, &known))));
        }
        let is_table = INPUTS.contains(&key.as_str());
        let values = match value {
            toml::Value::Array(values) if is_table || LISTS.contains(&key.as_str()) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        let Some(texts) = values.iter().map(plain_text).collect::<Option<Vec<String>>>() else {
            let found = value.type_str();
            return Err(self.wrong(&format!("`{key}` is {found}, expected a string, a number or true/false")));
        };
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let placed = |text: String| match is_table && text != "-" {
            true => folder.join(text).display().to_string(),
            false => text,
        };
        self.values.push((key, texts.into_iter().map(placed).collect()));
        Ok(())
    }
}

/// The flag of `command` that `key` sets, if it has one: `HEAD.NAME` sets the parameter of that head.
fn flag_of(command: &Command, key: &str) -> Option<String> {
    let is_it = |arg: &&Arg| match key.split_once('.') {
        Some((head, name)) => heads::is_parameter_of(arg, head, name),
        None => !heads::is_parameter(arg) && underscored(arg.get_id().as_str()) == key,
    };
    let is_file = key == "out" && !WITH_FOLDER.contains(&command.get_name());
    let found = command.get_arguments().find(is_it).filter(|_| !is_file);
    found.map(|arg| arg.get_id().to_string())
}

/// A key with `_` between its words.
fn underscored(key: &str) -> String {
    key.replace('-', "_")
}

/// Advice on an unknown key: where it belongs, or the nearest known one.
fn advice(key: &str, known: &[String]) -> String {
    let of_head = |known: &&String| known.split_once('.').is_some_and(|(_, name)| name == key);
    match known.iter().find(of_head).and_then(|known| known.split_once('.')) {
        Some((head, _)) => format!("; a parameter belongs into the table of its head: [{head}]"),
        None => did_you_mean(key, known.iter().map(String::as_str)),
    }
}

/// Every key that is a flag of some subcommand; a head's parameters as `head.name`.
fn known_keys(command: &Command) -> Vec<String> {
    let flags = |command: &Command, of_heads: bool| -> Vec<String> {
        let wanted = |arg: &&Arg| heads::is_parameter(arg) == of_heads && arg.get_long().is_some();
        command.get_arguments().filter(wanted).map(|arg| underscored(arg.get_id().as_str())).collect()
    };
    let mut keys = Vec::new();
    for subcommand in command.get_subcommands() {
        keys.extend(flags(subcommand, false));
        for head in subcommand.get_subcommands() {
            keys.extend(flags(head, false));
            keys.extend(flags(head, true).into_iter().map(|flag| format!("{}.{flag}", head.get_name())));
        }
    }
    keys.retain(|key| key != "config" && key != "help");
    keys
}

fn plain_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(int) => Some(int.to_string()),
        toml::Value::Float(float) => Some(format!("{float:?}")),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}
