//! Flags of a head's parameters, made from its parameter table.

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser};
use headsmith::heads::head::find;
use headsmith::heads::{HEADS, Head};
use headsmith::params::{Kind, Param, STANDARD, Table, Value};
use headsmith::run::RECIPE;

use super::auto::NOTEBOOK;
use crate::commands::is_given;

const HEADING: &str = "Parameters of";

/// Adds one flag per parameter of `table`, with the `prefix` before each name, for command lines with two heads.
pub(crate) fn add(command: Command, table: &'static Table, prefix: &str) -> Command {
    table.params.iter().fold(command, |command, param| command.arg(flag(table, param, prefix)))
}

fn flag(table: &'static Table, param: &'static Param, prefix: &str) -> Arg {
    let name = id(param.name, prefix);
    let long = |name: &str| id(name, prefix).replace('_', "-");
    // A parameter with a clearer name than that of files is shown by it, and keeps the other.
    let arg = match param.alias() {
        Some(alias) => Arg::new(name).long(long(alias)).visible_alias(long(param.name)),
        None => Arg::new(name).long(long(param.name)),
    };
    arg.value_name(value_name(&param.kind))
        .help(format!("{} [{}; default: {}]", param.help, param.kind, param.default.value()))
        .help_heading(format!("{HEADING} {}", table.head))
        .allow_negative_numbers(true)
        .value_parser(ValueParser::from(move |text: &str| param.parse(text)))
}

/// The parameters of `table` that were given, by flag or configuration file, and nothing for the others.
pub(crate) fn given(matches: &ArgMatches, table: &'static Table, prefix: &str) -> Vec<(&'static str, Value)> {
    // A command that is about another head has no such flag.
    let value = |param: &Param| matches.try_get_one::<Value>(&id(param.name, prefix)).ok().flatten().cloned();
    table.params.iter().filter_map(|param| Some((param.name, value(param)?))).collect()
}

/// The same on the command line of `run`.
pub(crate) fn given_in_run(matches: &ArgMatches, table: &'static Table) -> Vec<(&'static str, Value)> {
    match RECIPE.contains(&table.head) {
        true => given(matches, table, prefix_in_run(table.head)),
        false => Vec::new(),
    }
}

/// The flag of a parameter of `head`, under this prefix, that was given on the command line.
pub(crate) fn flag_given(matches: &ArgMatches, head: &dyn Head, prefix: &str) -> Option<String> {
    let params = head.table().params.iter();
    let mut flags = params.map(|param| flag(head.table(), param, prefix));
    flags
        .find(|flag| is_given(matches, flag.get_id().as_str()))
        .and_then(|flag| flag.get_long().map(str::to_owned))
}

/// Whether a flag is a head's parameter.
pub(crate) fn is_parameter(arg: &Arg) -> bool {
    arg.get_help_heading().is_some_and(|heading| heading.starts_with(HEADING))
}

/// Whether a flag is the parameter `name` of `head`.
pub(crate) fn is_parameter_of(arg: &Arg, head: &str, name: &str) -> bool {
    let is_of_head = arg.get_help_heading() == Some(&format!("{HEADING} {head}"));
    is_of_head && ["", head].into_iter().any(|prefix| arg.get_id().as_str() == id(name, prefix))
}

/// The name in files of the parameter of `head` that has this name in files or in flags; `name` itself if there is none.
pub(crate) fn parameter_name(head: &str, name: &str) -> String {
    let param = find(head).ok().and_then(|head| head.table().find(name));
    param.map_or(name, |param| param.name).to_owned()
}

/// The name of the head that `name` means with `_` for `-`; `name` itself if there is none.
pub(crate) fn with_name_like(name: &str) -> String {
    let dashed = name.replace('_', "-");
    find(&dashed).map_or_else(|_| name.to_owned(), |head| head.name().to_owned())
}

/// The prefix of the flags of `head` on a command line that is about several heads: none of the last of [`RECIPE`].
pub(crate) fn prefix_in_run(head: &str) -> &str {
    if head == RECIPE[1] { "" } else { head }
}

/// Adds the flags of the heads that `run` fits unless others are named.
pub(crate) fn add_recipe(command: Command) -> Command {
    recipe().fold(command, |command, head| add(command, head.table(), prefix_in_run(head.name())))
}

/// Adds the flags of `tune --head HEAD`: those of `head` under their own names, and those of the other heads of the recipe
/// under a prefix.
pub(crate) fn add_tuned(command: Command, head: &dyn Head) -> Command {
    let others = recipe().filter(|other| !prefix_in_run(other.name()).is_empty());
    let command = others.fold(command, |command, other| add(command, other.table(), other.name()));
    add(command, head.table(), "")
}

fn recipe() -> impl Iterator<Item = &'static dyn Head> {
    RECIPE.into_iter().filter_map(|name| find(name).ok())
}

/// The head that `tune` is about by its arguments, before they are parsed; the default one if they name none.
pub(crate) fn named(args: &[OsString]) -> &'static dyn Head {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let is_tune = args.iter().skip(1).find(|arg| !arg.starts_with('-')) == Some(&"tune");
    let value = args.iter().enumerate().rev().find_map(|(i, arg)| match arg.strip_prefix("--head") {
        Some("") => args.get(i + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    let named = value.filter(|_| is_tune).and_then(|name| find(name).ok());
    named.unwrap_or_else(tuned_by_default)
}

/// The head that `tune` is about unless another is named.
pub(crate) fn tuned_by_default() -> &'static dyn Head {
    find(RECIPE[1]).unwrap_or(HEADS[0])
}

/// `--set HEAD.NAME=VALUE`
pub(crate) fn set() -> Arg {
    Arg::new("set")
        .long("set")
        .value_name("HEAD.NAME=VALUE")
        .action(ArgAction::Append)
        .value_parser(|text: &str| Setting::parse(text))
        .help("Parameter of a head that has no flag of its own here; repeatable")
}

/// A parameter of a head that `--set` gives.
#[derive(Debug, Clone)]
struct Setting {
    head: &'static str,
    name: &'static str,
    value: Value,
}

impl Setting {
    fn parse(text: &str) -> std::result::Result<Setting, String> {
        let form = || format!("expected HEAD.NAME=VALUE, found {text}");
        let (key, value) = text.split_once('=').ok_or_else(form)?;
        let (head, name) = key.split_once('.').ok_or_else(form)?;
        let head = find(head).map_err(|error| error.to_string())?;
        let param = head.table().param(name).map_err(|error| error.to_string())?;
        let value = param.parse(value).map_err(|error| error.to_string())?;
        Ok(Setting { head: head.name(), name: param.name, value })
    }
}

/// The parameters of `head` that `--set` gives.
///
/// # Errors
/// When it gives one of a head that is not among `heads`: it would have no effect.
pub(crate) fn set_of(matches: &ArgMatches, head: &str, heads: &[&str]) -> Result<Vec<(&'static str, Value)>> {
    let settings = matches.get_many::<Setting>("set").into_iter().flatten();
    let mut values = Vec::new();
    for setting in settings {
        if !heads.contains(&setting.head) {
            bail!(
                "--set {}.{} has no effect: {} is not among the heads that are fitted by themselves, {}; name it with --head",
                setting.head,
                setting.name,
                setting.head,
                heads.join(" and ")
            );
        }
        if setting.head == head {
            values.push((setting.name, setting.value.clone()));
        }
    }
    Ok(values)
}

/// `--preset NAME`, of all presets there are.
pub(crate) fn preset() -> Arg {
    let names = HEADS.iter().flat_map(|head| head.table().presets).map(|preset| preset.name);
    let mut names: Vec<&str> = std::iter::once(STANDARD).chain(names).collect();
    names.dedup();
    Arg::new("preset")
        .long("preset")
        .value_name("NAME")
        .value_parser(names)
        .default_value(STANDARD)
        .help("Parameter defaults: standard, classic (those of the first version; --recipe notebook uses them unless a preset is named) or notebook (for heads the notebook had)")
}

/// The preset for `head`: the one that was asked for, if the head has it. The notebook's recipe asks for the first.
pub(crate) fn preset_for(matches: &ArgMatches, head: &dyn Head) -> String {
    let given = |id: &str| matches.try_get_one::<String>(id).ok().flatten();
    let asked = given("preset");
    if let (true, Some(first)) =
        (given("recipe").is_some_and(|recipe| recipe == NOTEBOOK), head.table().presets.first())
        && asked.is_some()
        && matches.value_source("preset") == Some(ValueSource::DefaultValue)
    {
        return first.name.to_owned();
    }
    asked.filter(|name| head.table().preset(name).is_ok()).cloned().unwrap_or_else(|| STANDARD.to_owned())
}

fn id(name: &str, prefix: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}_{name}") }
}

fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Int { .. } => "INT",
        Kind::Float { .. } => "NUMBER",
        Kind::CountOrFraction { .. } => "COUNT|FRACTION",
        Kind::Choice(_) => "WORD",
        Kind::Bool => "BOOL",
        Kind::Text { .. } => "TEXT",
    }
}
