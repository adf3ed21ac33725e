//! Flags of a head's parameters, made from its parameter table.

use clap::{Arg, ArgMatches, Command, builder::ValueParser};
use headsmith::params::{Kind, Param, Table, Value};

const HEADING: &str = "Parameters of";

/// Adds one flag per parameter of `table`; with a `prefix`, as where two heads share a command line, it stands
/// before each name.
pub(crate) fn add(command: Command, table: &'static Table, prefix: &str) -> Command {
    table.params.iter().fold(command, |command, param| command.arg(flag(table, param, prefix)))
}

fn flag(table: &'static Table, param: &'static Param, prefix: &str) -> Arg {
    let id = id(param.name, prefix);
    Arg::new(id.clone())
        .long(id.replace('_', "-"))
        .value_name(value_name(&param.kind))
        .help(format!("{} [{}; default: {}]", param.help, param.kind, param.default.value()))
        .help_heading(format!("{HEADING} {}", table.head))
        .allow_negative_numbers(true)
        .value_parser(ValueParser::from(move |text: &str| param.parse(text)))
}

/// The parameters of `table` that were given, by flag or configuration file, and nothing for the others.
pub(crate) fn given(matches: &ArgMatches, table: &'static Table, prefix: &str) -> Vec<(&'static str, Value)> {
    let value = |param: &Param| matches.get_one::<Value>(&id(param.name, prefix)).cloned();
    table.params.iter().filter_map(|param| Some((param.name, value(param)?))).collect()
}

/// Whether a flag is a head's parameter.
pub(crate) fn is_parameter(arg: &Arg) -> bool {
    arg.get_help_heading().is_some_and(|heading| heading.starts_with(HEADING))
}

/// The prefix of the flags of `head` on the command line of `run`, where the forest stands beside the MLP.
pub(crate) fn prefix_in_run(head: &str) -> &str {
    if head == "mlp" { "" } else { head }
}

/// The flag of the parameter `name` of `head` on the command line of `run`.
pub(crate) fn id_in_run(head: &str, name: &str) -> String {
    id(name, prefix_in_run(head))
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
