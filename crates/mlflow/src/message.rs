//! The messages to a server.

use std::path::PathBuf;

/// Identifies a run in messages, before the server has assigned its ID.
pub type Key = u64;

/// A run to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its name, unique among its parent's children.
    pub name: String,
    /// Its initial tags.
    pub tags: Vec<(String, String)>,
    /// The start time: milliseconds since 1970, UTC.
    pub started: i64,
}

/// A metric's value at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// Its value, which need not be finite.
    pub value: f64,
    /// The step, from 0.
    pub step: i64,
    /// The time: milliseconds since 1970, UTC.
    pub time: i64,
}

/// The final status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It completed.
    Finished,
    /// It failed.
    Failed,
    /// It was stopped early.
    Killed,
}

impl Status {
    /// MLflow's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Finished => "FINISHED",
            Status::Failed => "FAILED",
            Status::Killed => "KILLED",
        }
    }
}

/// A message to the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Starts a child run of the tracker's own run.
    Begin {
        /// The key for later messages; each key is used once.
        run: Key,
        /// The run.
        new: NewRun,
    },
    /// Metrics, parameters and tags of a run. A parameter's value cannot be changed.
    Log {
        /// The run.
        run: Key,
        /// The metrics.
        metrics: Vec<Metric>,
        /// Parameters by name.
        params: Vec<(String, String)>,
        /// Tags by name.
        tags: Vec<(String, String)>,
    },
    /// Ends a run; no further messages about it may follow.
    End {
        /// The run.
        run: Key,
        /// Its final status.
        status: Status,
        /// The end time: milliseconds since 1970, UTC.
        time: i64,
    },
    /// A file for the tracker's own run, stored under its name. It must not change until it is sent.
    File {
        /// The file.
        path: PathBuf,
    },
}

impl Message {
    /// A message with only metrics.
    pub fn metrics(run: Key, metrics: Vec<Metric>) -> Message {
        Message::Log { run, metrics, params: Vec::new(), tags: Vec::new() }
    }

    /// A message with only parameters.
    pub fn params(run: Key, params: Vec<(String, String)>) -> Message {
        Message::Log { run, metrics: Vec::new(), params, tags: Vec::new() }
    }

    /// A message with only tags.
    pub fn tags(run: Key, tags: Vec<(String, String)>) -> Message {
        Message::Log { run, metrics: Vec::new(), params: Vec::new(), tags }
    }

    /// The number of records: one per metric, parameter and tag; starts, ends and files are one each.
    pub fn n_records(&self) -> usize {
        match self {
            Message::Log { metrics, params, tags, .. } => metrics.len() + params.len() + tags.len(),
            Message::Begin { .. } | Message::End { .. } | Message::File { .. } => 1,
        }
    }

    /// Whether it contains only metrics, which may be dropped without making a run useless.
    pub(crate) fn is_numbers(&self) -> bool {
        matches!(self, Message::Log { params, tags, .. } if params.is_empty() && tags.is_empty())
    }
}
