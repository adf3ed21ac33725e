//! Waits until a submission is graded.
//!
//! `aicrowd-cli` cannot do that. The package `aicrowd-api` (0.1.25) requests the state from `/api/submissions/{id}` of
//! the website with the token of a challenge's organiser; it is unknown whether the service accepts a participant's
//! key.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::error::{Cause, Error, Result, plain};

/// The interval and the time limit for polling.
#[derive(Debug, Clone)]
pub struct WaitOptions {
    /// The time between the first two requests; it grows by half each time, up to a minute.
    pub poll_every: Duration,
    /// The total time.
    pub at_most: Duration,
}

impl Default for WaitOptions {
    fn default() -> WaitOptions {
        WaitOptions { poll_every: Duration::from_secs(5), at_most: Duration::from_secs(30 * 60) }
    }
}

/// The state of a submission.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct State {
    /// `submitted`, `initiated`, `graded` or `failed`.
    pub grading_status: String,
    /// Its score, as the service writes it.
    pub score: Value,
    /// The second score.
    pub score_secondary: Value,
    /// The grader's message.
    pub message: String,
}

impl State {
    /// Whether the state will not change any more.
    pub fn is_final(&self) -> bool {
        matches!(self.grading_status.as_str(), "graded" | "failed")
    }
}

/// Polls the state of the submission `id` until it is graded or has failed; `observer` is called with each new state.
///
/// # Errors
/// [`Cause::Timeout`] if it takes too long; [`Cause::Refused`] if the service does not show it to a participant.
pub fn wait(
    client: &Client,
    id: u64,
    options: &WaitOptions,
    mut observer: impl FnMut(&State),
) -> Result<State> {
    let (start, mut pause) = (Instant::now(), options.poll_every);
    let mut last = None;
    loop {
        match state(client, id) {
            Ok(state) => {
                if last.as_ref() != Some(&state) {
                    observer(&state);
                }
                if state.is_final() {
                    return Ok(state);
                }
                last = Some(state);
            }
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error),
        }
        if start.elapsed() + pause > options.at_most {
            let what = format!("submission {id} was not graded within {} s", options.at_most.as_secs());
            return Err(Error::new(Cause::Timeout, what).with_hint("it stays submitted; see its page"));
        }
        thread::sleep(pause);
        pause = pause.mul_f64(1.5).min(Duration::from_secs(60));
    }
}

fn state(client: &Client, id: u64) -> Result<State> {
    let answer = client.get(&format!("{}/api/submissions/{id}", client.hosts().rails), &[])?;
    if matches!(answer.status, 300..=399 | 401 | 403 | 404) {
        let what =
            format!("the service does not report the state of submission {id} (HTTP {})", answer.status);
        return Err(Error::new(Cause::Refused, what).with_hint("it stays submitted; see its page"));
    }
    let value = answer.ok(client)?.json()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(plain);
    let given = |name: &str| value.get(name).cloned().unwrap_or_default();
    Ok(State {
        grading_status: text("grading_status_cd")
            .ok_or_else(|| answer.not_understood("no `grading_status_cd`"))?,
        score: given("score"),
        score_secondary: given("score_secondary"),
        message: text("grading_message").unwrap_or_default(),
    })
}
