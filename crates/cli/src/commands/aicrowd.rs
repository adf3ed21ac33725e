//! `headsmith aicrowd`, and what of it `headsmith run --challenge` needs.

mod download;
mod login;
mod submit;
mod tables;

use std::time::Duration;

use anyhow::Result;
use clap::ArgMatches;
use headsmith_aicrowd::plan::Planned;
use headsmith_aicrowd::{Client, ConfigFile, Limits};
use serde_json::json;

use crate::flags::common::optional_path_of;
use crate::view;

pub(crate) use download::for_run as fetch;
pub(crate) use submit::for_run as submit;
pub(crate) use tables::Tables;

/// Does what the subcommand asks for.
pub(crate) fn aicrowd(matches: &ArgMatches) -> Result<()> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(()) };
    match name {
        "login" => login::login(matches),
        "datasets" => download::datasets(matches),
        "download" => download::download(matches),
        _ => submit::submit(matches),
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The configuration file that is meant.
fn config(matches: &ArgMatches) -> Result<ConfigFile> {
    let path = optional_path_of(matches, "config-path").map_or_else(|| ConfigFile::default_path(env), Ok)?;
    Ok(ConfigFile::read(&path)?)
}

/// A client without the key.
fn client(matches: &ArgMatches) -> Result<Client> {
    let timeout = Duration::from_secs(matches.get_one("timeout").copied().unwrap_or(60));
    Ok(Client::from_env(env, Limits { silence: timeout, call: timeout, ..Limits::default() })?)
}

/// A client with the key.
fn client_with_key(matches: &ArgMatches) -> Result<Client> {
    Ok(client(matches)?.with_key(config(matches)?.key(env)?))
}

fn challenge_of(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("challenge").map(String::as_str).unwrap_or_default()
}

/// Prints what would be sent.
fn print_plan(planned: &[Planned], matches: &ArgMatches) -> Result<()> {
    if matches.get_flag("json") {
        return view::print_json(&json!({ "would_send": planned }));
    }
    let line = |one: &Planned| {
        let key = if one.with_key { "  with the key" } else { "" };
        let body = one.body.as_ref().map_or(String::new(), |body| format!("\n    {body}"));
        format!("{} {}{key}{body}\n", one.method, one.url)
    };
    view::print(&planned.iter().map(line).collect::<String>())
}
