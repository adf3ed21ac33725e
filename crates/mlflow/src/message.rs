//! What is sent to a server.

use std::path::PathBuf;

/// Names a run before the server has given it a name of its own.
pub type Key = u64;

/// A run that is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its name, unique among the runs below one.
    pub name: String,
    /// Its tags from the beginning.
    pub tags: Vec<(String, String)>,
    /// When it began: milliseconds since 1970, UTC.
    pub started: i64,
}

/// A number of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// Its value, which need not be finite.
    pub value: f64,
    /// The step, from 0.
    pub step: i64,
    /// When: milliseconds since 1970, UTC.
    pub time: i64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did all that it was to do.
    Finished,
    /// It could not go on.
    Failed,
    /// It was ended before its end.
    Killed,
}

impl Status {
    /// MLflow's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Finished => "FINISHED",
            Status::Failed => "FAILED",
            Status::Killed => "KILLED",
        }
    }
}

/// One thing to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A run begins below the tracker's own.
    Begin {
        /// What later messages call it: a key used once.
        run: Key,
        /// The run.
        new: NewRun,
    },
    /// Numbers, parameters and tags of a run. A parameter has one value for good.
    Log {
        /// The run.
        run: Key,
        /// The numbers.
        metrics: Vec<Metric>,
        /// Parameters by name.
        params: Vec<(String, String)>,
        /// Tags by name.
        tags: Vec<(String, String)>,
    },
    /// A run ended; nothing follows of it.
    End {
        /// The run.
        run: Key,
        /// How.
        status: Status,
        /// When: milliseconds since 1970, UTC.
        time: i64,
    },
    /// A file for the tracker's own run, under its name. It must not change until it is sent.
    File {
        /// The file.
        path: PathBuf,
    },
}

impl Message {
    /// Numbers alone.
    pub fn metrics(run: Key, metrics: Vec<Metric>) -> Message {
        Message::Log { run, metrics, params: Vec::new(), tags: Vec::new() }
    }

    /// Parameters alone.
    pub fn params(run: Key, params: Vec<(String, String)>) -> Message {
        Message::Log { run, metrics: Vec::new(), params, tags: Vec::new() }
    }

    /// Tags alone.
    pub fn tags(run: Key, tags: Vec<(String, String)>) -> Message {
        Message::Log { run, metrics: Vec::new(), params: Vec::new(), tags }
    }

    /// How many records it is: numbers, parameters and tags each; a beginning, an end and a file are one.
    pub fn n_records(&self) -> usize {
        match self {
            Message::Log { metrics, params, tags, .. } => metrics.len() + params.len() + tags.len(),
            Message::Begin { .. } | Message::End { .. } | Message::File { .. } => 1,
        }
    }

    /// Whether it is numbers alone: a run is whole without some of them.
    pub(crate) fn is_numbers(&self) -> bool {
        matches!(self, Message::Log { params, tags, .. } if params.is_empty() && tags.is_empty())
    }
}
