//! `headsmith aicrowd login`

use std::io::{BufRead, Read};

use anyhow::{Context, Result};
use clap::ArgMatches;
use headsmith_aicrowd::{ApiKey, Login, LoginOptions, login_by_browser, plan};
use serde_json::json;

use super::{client, config, env, print_plan};
use crate::view;

/// Far more than a key has.
const LONGEST_KEY: u64 = 4096;

pub(super) fn login(matches: &ArgMatches) -> Result<()> {
    // An unreadable file is reported before a browser is opened.
    let (client, mut config) = (client(matches)?, config(matches)?);
    let from_stdin = matches.get_flag("api-key-stdin");
    let from_env = env("AICROWD_API_KEY").filter(|key| !key.is_empty());
    if matches.get_flag("dry-run") {
        return print_plan(&plan::login(&client, !from_stdin && from_env.is_none()), matches);
    }
    let login: Login = match from_env {
        _ if from_stdin => key_of_stdin()?.into(),
        Some(key) => ApiKey::new(&key)?.into(),
        // Shown also with --quiet, because the user needs it to continue.
        None => login_by_browser(&client, &LoginOptions::default(), |url| eprintln!("log in here: {url}"))?,
    };
    let user = client.with_key(login.key.clone()).user()?;
    config.set(&login);
    config.write()?;
    let path = config.path().display();
    if matches.get_flag("json") {
        return view::print_json(&json!({ "user": user, "config": path.to_string() }));
    }
    view::print(&format!("logged in as user {user}; the key is kept in {path}\n"))
}

fn key_of_stdin() -> Result<ApiKey> {
    let mut line = String::new();
    let mut stdin = std::io::stdin().lock().take(LONGEST_KEY);
    stdin.read_line(&mut line).context("cannot read the key from standard input")?;
    Ok(ApiKey::new(&line)?)
}
