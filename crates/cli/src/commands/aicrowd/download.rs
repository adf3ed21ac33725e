//! `headsmith aicrowd datasets` and `headsmith aicrowd download`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ArgMatches;
use comfy_table::{CellAlignment, Table, presets};
use headsmith_aicrowd::{
    Challenge, Client, Dataset, DownloadOptions, Error, Fetched, Limits, Outcome, UnpackLimits, plan, select,
};
use indicatif::DecimalBytes;
use serde_json::{Value, json};

use super::{challenge_of, client, client_with_key, env, print_plan};
use crate::flags::common::path_of;
use crate::view;
use crate::view::transfer::TransferView;

pub(super) fn datasets(matches: &ArgMatches) -> Result<()> {
    if matches.get_flag("dry-run") {
        return print_plan(&plan::datasets(&client(matches)?, challenge_of(matches)), matches);
    }
    let client = client_with_key(matches)?;
    let (challenge, datasets) = listed(&client, challenge_of(matches))?;
    if matches.get_flag("json") {
        let value =
            json!({ "challenge": { "id": challenge.id, "slug": challenge.slug }, "datasets": datasets });
        return view::print_json(&value);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["#", "title", "size", "description"]);
    for (i, dataset) in datasets.iter().enumerate() {
        let size = dataset.n_bytes().map(|n| DecimalBytes(n).to_string()).or_else(|| dataset.size.clone());
        table.add_row([
            i.to_string(),
            dataset.title.clone(),
            size.unwrap_or_default(),
            dataset.description.clone(),
        ]);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    view::print(&format!("{table}\n"))
}

pub(super) fn download(matches: &ArgMatches) -> Result<()> {
    if matches.get_flag("dry-run") {
        return print_plan(&plan::download(&client(matches)?, challenge_of(matches)), matches);
    }
    let client = client_with_key(matches)?;
    let (_, datasets) = listed(&client, challenge_of(matches))?;
    let patterns: Vec<String> = matches.get_many("patterns").unwrap_or_default().cloned().collect();
    let chosen: Vec<&Dataset> = select(&datasets, &patterns)?.into_iter().map(|i| &datasets[i]).collect();
    let options = DownloadOptions {
        n_jobs: usize::from(matches.get_one("parallel").copied().unwrap_or(4u16)),
        force: matches.get_flag("force"),
        ..DownloadOptions::default()
    };
    let view = TransferView::new(matches.get_flag("quiet"));
    let folder = path_of(matches, "output-dir");
    let done = fetch_all(&client, &chosen, &folder, &options, matches.get_flag("unpack"), &view)?;
    if matches.get_flag("json") {
        return view::print_json(&json!({ "files": done }));
    }
    let line = |file: &Value| {
        let text = |name: &str| file[name].as_str().unwrap_or_default().replace('_', " ");
        format!("{} ({})\n", file["path"].as_str().unwrap_or_default(), text("outcome"))
    };
    view::print(&done.iter().map(line).collect::<String>())
}

/// Fetches all files of a challenge for a run, archives unpacked.
pub(crate) fn for_run(
    named: &str,
    folder: &Path,
    quiet: bool,
    registered: bool,
) -> Result<(Client, Challenge)> {
    let path = headsmith_aicrowd::ConfigFile::default_path(env)?;
    let key = headsmith_aicrowd::ConfigFile::read(&path)?.key(env)?;
    let client = Client::from_env(env, Limits::default())?.with_key(key);
    let user = client.user()?;
    let challenge = client.challenge(named)?;
    if registered {
        // Report it before the work, not after it.
        client.require_registration(&challenge, user)?;
    }
    let datasets = client.datasets(&challenge)?;
    let chosen: Vec<&Dataset> = select(&datasets, &[])?.into_iter().map(|i| &datasets[i]).collect();
    fetch_all(&client, &chosen, folder, &DownloadOptions::default(), true, &TransferView::new(quiet))?;
    Ok((client, challenge))
}

fn listed(client: &Client, named: &str) -> Result<(Challenge, Vec<Dataset>)> {
    client.user()?;
    let challenge = client.challenge(named)?;
    let datasets = client.datasets(&challenge)?;
    Ok((challenge, datasets))
}

/// Downloads files and unpacks them; returns the resulting files. The first failure is the error, the others are
/// warnings.
fn fetch_all(
    client: &Client,
    chosen: &[&Dataset],
    folder: &Path,
    options: &DownloadOptions,
    unpacked: bool,
    view: &TransferView,
) -> Result<Vec<Value>> {
    let results = headsmith_aicrowd::download(client, chosen, folder, options, &|event| view.update(&event))?;
    let (mut done, mut failed): (Vec<Value>, Option<Error>) = (Vec::new(), None);
    for result in results {
        match result.and_then(|fetched| with_content(fetched, unpacked)) {
            Ok(value) => done.push(value),
            Err(error) if failed.is_none() => failed = Some(error),
            Err(error) => eprintln!("error: {error}"),
        }
    }
    failed.map_or(Ok(done), |error| Err(error.into()))
}

fn with_content(fetched: Fetched, unpacked: bool) -> headsmith_aicrowd::Result<Value> {
    let mut value = json!({ "path": fetched.path, "n_bytes": fetched.n_bytes, "outcome": fetched.outcome });
    let is_zip = fetched.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if unpacked && is_zip {
        let to: PathBuf = fetched.path.with_extension("");
        // The same archive was unpacked before.
        if fetched.outcome == Outcome::Fetched || !to.is_dir() {
            headsmith_aicrowd::unpack(&fetched.path, &to, &UnpackLimits::default())?;
        }
        value["unpacked_to"] = json!(to);
    }
    Ok(value)
}
