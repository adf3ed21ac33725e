//! `headsmith aicrowd submit`

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::ArgMatches;
use headsmith_aicrowd::{
    Cause, Challenge, Client, Error, State, Submission, Submitted, WaitOptions, check, plan, wait,
};
use serde_json::json;

use super::{challenge_of, client, client_with_key, print_plan};
use crate::flags::common::{optional_path_of, path_of};
use crate::view::transfer::TransferView;
use crate::{exit, view};

pub(super) fn submit(matches: &ArgMatches) -> Result<()> {
    let sample = match optional_path_of(matches, "sample") {
        Some(sample) => Some(sample),
        None => check::find_sample(&path_of(matches, "data-dir"))?,
    };
    let quiet = matches.get_flag("quiet");
    match &sample {
        Some(sample) if !quiet => eprintln!("compared with the sample {}", sample.display()),
        None => eprintln!("warning: no sample of the challenge to compare with: name one with --sample"),
        Some(_) => {}
    }
    let description = matches.get_one::<String>("description").map(String::as_str).unwrap_or_default();
    let mut submission = Submission::prepare(&path_of(matches, "file"), sample.as_deref(), description)?;
    if matches.get_flag("dry-run") {
        return print_plan(&plan::submit(&client(matches)?, challenge_of(matches), &submission), matches);
    }
    let client = client_with_key(matches)?;
    let user = client.user()?;
    let challenge = client.challenge(challenge_of(matches))?;
    client.require_registration(&challenge, user)?;
    let submitted = send(&client, &challenge, &mut submission, quiet)?;
    // The number must not be lost, however the wait ends.
    let is_awaited = matches.get_flag("wait");
    if is_awaited {
        eprint!("{}", text(&submitted));
    }
    let graded = if is_awaited { graded(&client, &submitted, matches) } else { Ok(None) };
    let state = graded.as_ref().ok().cloned().flatten();
    let ended = graded.and_then(|state| state.as_ref().map_or(Ok(()), refuse_failed));
    if matches.get_flag("json") {
        let mut printed = json!({
            "submission_id": submitted.submission_id, "url": submitted.url, "sample": sample, "state": state,
        });
        if let Err(error) = &ended {
            printed["error"] = view::error::object(error, exit::status(error));
        }
        view::print_json(&printed)?;
    } else {
        let submitted = if is_awaited { String::new() } else { text(&submitted) };
        view::print(&(submitted + &state.as_ref().map_or_else(String::new, outcome)))?;
    }
    ended
}

/// A submission whose grading failed has no score.
fn refuse_failed(state: &State) -> Result<()> {
    let why = if state.message.is_empty() { "the grader gives no reason" } else { &state.message };
    match state.grading_status == "failed" {
        true => {
            Err(Error::new(Cause::Mismatch, format!("the grading of the submission failed: {why}")).into())
        }
        false => Ok(()),
    }
}

/// Submits what a run wrote.
pub(crate) fn for_run(
    client: &Client,
    challenge: &Challenge,
    file: &Path,
    sample: Option<&Path>,
    quiet: bool,
) -> Result<Submitted> {
    let mut submission = Submission::prepare(file, sample, "headsmith run")?;
    send(client, challenge, &mut submission, quiet)
}

fn send(
    client: &Client,
    challenge: &Challenge,
    submission: &mut Submission,
    quiet: bool,
) -> Result<Submitted> {
    let view = TransferView::new(quiet);
    Ok(headsmith_aicrowd::submit(client, challenge, submission, &|event| view.update(&event))?)
}

/// Waits for the grade. If the service does not show it, the submission was successful all the same.
fn graded(client: &Client, submitted: &Submitted, matches: &ArgMatches) -> Result<Option<State>> {
    let Some(id) = submitted.submission_id else {
        eprintln!("warning: the service returned no submission number to wait for");
        return Ok(None);
    };
    let minutes = matches.get_one("wait-minutes").copied().unwrap_or(30u64);
    let options = WaitOptions { at_most: Duration::from_secs(60 * minutes), ..WaitOptions::default() };
    let quiet = matches.get_flag("quiet");
    let see = |state: &State| {
        if !quiet {
            eprintln!("submission {id}: {}", state.grading_status);
        }
    };
    match wait(client, id, &options, see) {
        Err(error) if error.cause() == Cause::Refused => {
            eprintln!("warning: {error}");
            Ok(None)
        }
        done => Ok(Some(done?)),
    }
}

fn text(submitted: &Submitted) -> String {
    let number = submitted.submission_id.map_or(String::new(), |id| format!(" as {id}"));
    format!("submitted{number}: {}\n", submitted.url)
}

fn outcome(state: &State) -> String {
    let score = if state.score.is_null() { String::new() } else { format!(": score {}", state.score) };
    let message = if state.message.is_empty() { String::new() } else { format!(" {}", state.message) };
    format!("{}{score}{message}\n", state.grading_status)
}
