//! `headsmith completions` and the hidden `headsmith reference`: pages made from the flags themselves.

use std::fmt::Write;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};

use crate::flags::{self, heads};
use crate::view;

/// Prints the completions of one shell.
pub(crate) fn completions(matches: &ArgMatches) -> Result<()> {
    let Some(shell) = matches.get_one::<clap_complete::Shell>("shell") else { return Ok(()) };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut flags::command(), "headsmith", &mut script);
    view::print(&String::from_utf8_lossy(&script))
}

/// Prints the reference page of all commands and parameters, in Markdown.
pub(crate) fn reference() -> Result<()> {
    let mut text = String::from(
        "# Reference\n\nEvery command, flag and parameter. This page is printed by `headsmith reference`; do not edit \
         it.\n",
    );
    let root = flags::command();
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        let heads: Vec<&Command> = command.get_subcommands().collect();
        section(&mut text, &format!("headsmith {}", command.get_name()), command);
        for head in heads {
            section(&mut text, &format!("headsmith {} {}", command.get_name(), head.get_name()), head);
        }
    }
    view::print(&text)
}

fn section(text: &mut String, title: &str, command: &Command) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "\n## {title}\n\n{about}\n");
    let (parameters, flags): (Vec<&Arg>, Vec<&Arg>) = command
        .get_arguments()
        .filter(|arg| arg.get_id() != "help")
        .partition(|arg| heads::is_parameter(arg));
    for (heading, args) in [("flag", flags), ("parameter", parameters)] {
        if !args.is_empty() {
            let _ = write!(text, "\n| {heading} | value | |\n|---|---|---|\n");
            args.iter().for_each(|arg| row(text, arg));
        }
    }
}

fn row(text: &mut String, arg: &Arg) {
    let name = arg.get_long().map_or_else(|| arg.get_id().to_string(), |long| format!("--{long}"));
    let takes_value = arg.get_action().takes_values();
    let value =
        arg.get_value_names().filter(|_| takes_value).map(|names| names.join(" ")).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    let default = if takes_value && !defaults.is_empty() {
        format!(" [default: {}]", defaults.join(" "))
    } else {
        String::new()
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "| `{name}` | {} | {help}{default} |", value.replace('|', " or "));
}
