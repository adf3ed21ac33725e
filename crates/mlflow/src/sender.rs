//! The sending thread.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::api::{self, MAX_METRICS, MAX_PARAMS, MAX_RECORDS, Run};
use crate::artifacts::ArtifactStore;
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::message::{Key, Message, Metric, NewRun};
use crate::queue::Queue;
use crate::tracker::Tracker;

/// The number of attempts for a file that an available server rejects.
const FILE_ATTEMPTS: u32 = 3;
/// The number of rejected parts of a request after which the rest is not split any more.
const MAX_INVALID: u32 = 64;

/// The records that the server did not get, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The number of lost records.
    pub n_lost: u64,
    /// The number of all records.
    pub n_records: u64,
    /// The reason for the first loss.
    pub why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} records were lost: {}", self.n_lost, self.n_records, self.why)
    }
}

/// The state of the sending thread.
pub(crate) struct Sender {
    client: Client,
    queue: Arc<Queue>,
    experiment: String,
    parent: Run,
    store: ArtifactStore,
    /// The IDs on the server of the open runs.
    runs: BTreeMap<Key, String>,
    /// The records of each run that will be sent together.
    batches: BTreeMap<Key, Batch>,
    n_records: u64,
    n_lost: u64,
    why: Option<Error>,
    /// The time of the last successful request.
    last_taken: Instant,
    gave_up: bool,
}

/// Metrics, parameters and tags of a run.
#[derive(Debug, Default)]
struct Batch {
    metrics: Vec<Metric>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

impl Batch {
    fn len(&self) -> usize {
        self.metrics.len() + self.params.len() + self.tags.len()
    }

    /// Splits the batch by kind, or the only kind into halves.
    fn halves(mut self) -> (Batch, Batch) {
        let whole = self.len();
        let mut half = Batch { metrics: std::mem::take(&mut self.metrics), ..Batch::default() };
        if half.len() == 0 {
            half.params = std::mem::take(&mut self.params);
        }
        if half.len() == 0 {
            half.tags = std::mem::take(&mut self.tags);
        }
        if half.len() == whole {
            self.metrics = half.metrics.split_off(half.metrics.len() / 2);
            self.params = half.params.split_off(half.params.len() / 2);
            self.tags = half.tags.split_off(half.tags.len() / 2);
        }
        (half, self)
    }
}

impl Sender {
    pub(crate) fn new(
        client: Client,
        queue: Arc<Queue>,
        experiment: String,
        parent: (Key, Run),
        store: ArtifactStore,
    ) -> Sender {
        let (key, parent) = parent;
        Sender {
            runs: [(key, parent.id.clone())].into(),
            client,
            queue,
            experiment,
            parent,
            store,
            batches: BTreeMap::new(),
            n_records: 0,
            n_lost: 0,
            why: None,
            last_taken: Instant::now(),
            gave_up: false,
        }
    }

    /// Sends until the queue is closed and empty; returns the losses.
    pub(crate) fn run(mut self) -> Option<Lost> {
        let pause = self.client.limits().pause;
        while let Some(messages) = self.queue.take(pause) {
            messages.into_iter().for_each(|message| self.send(message));
            let keys: Vec<Key> = self.batches.keys().copied().collect();
            keys.into_iter().for_each(|key| self.flush(key));
        }
        let n_refused = self.queue.n_refused();
        let n_lost = self.n_lost + n_refused;
        let too_slow = || "the server accepts them too slowly".to_owned();
        (n_lost > 0).then(|| Lost {
            n_lost,
            n_records: self.n_records + n_refused,
            why: self.why.map_or_else(too_slow, |why| why.to_string()),
        })
    }

    fn send(&mut self, message: Message) {
        self.n_records += message.n_records() as u64;
        match message {
            Message::Begin { run, new } => {
                if let Some(id) = self.begin(&new) {
                    self.runs.insert(run, id);
                }
            }
            Message::Log { run, metrics, params, tags } => {
                let batch = self.batches.entry(run).or_default();
                batch.metrics.extend(metrics);
                batch.params.extend(params);
                batch.tags.extend(tags);
            }
            Message::End { run, status, time } => {
                self.flush(run);
                match self.runs.remove(&run) {
                    Some(id) => drop(self.attempt(1, |client, _| api::end(client, &id, status, time))),
                    None => self.n_lost += 1,
                }
            }
            Message::File { path } => {
                // Earlier records do not wait for a file.
                self.flush(Tracker::PARENT);
                self.put(&path);
            }
        }
    }

    /// Creates a run. On a retry the run may already exist, because only the response was lost: it is looked up first.
    fn begin(&mut self, new: &NewRun) -> Option<String> {
        let (experiment, parent) = (self.experiment.clone(), self.parent.id.clone());
        let begun = self.attempt(1, |client, again| {
            let there = if again { api::find(client, &experiment, &parent, new)? } else { None };
            there.map_or_else(|| api::create(client, &experiment, Some(&parent), new), Ok)
        });
        begun.map(|run| run.id)
    }

    /// Sends the waiting records of a run, in as few requests as the API allows.
    fn flush(&mut self, key: Key) {
        let Some(mut batch) = self.batches.remove(&key) else { return };
        let Some(id) = self.runs.get(&key).cloned() else {
            self.lose(batch.len(), None);
            return;
        };
        while batch.len() > 0 {
            let params = first(&mut batch.params, MAX_PARAMS);
            let tags = first(&mut batch.tags, MAX_PARAMS);
            let room = MAX_METRICS.min(MAX_RECORDS - params.len() - tags.len());
            let metrics = first(&mut batch.metrics, room);
            self.log(&id, Batch { metrics, params, tags });
        }
    }

    /// Sends one request. If the server rejects it, its halves are sent, so that only the invalid part is lost.
    fn log(&mut self, id: &str, batch: Batch) {
        let mut n_invalid = 0;
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            let Batch { metrics, params, tags } = &batch;
            match self.with_retries(|client, _| api::log(client, id, metrics, params, tags)) {
                Ok(()) => (),
                Err(Some(error))
                    if error.kind() == Kind::Invalid && batch.len() > 1 && n_invalid < MAX_INVALID =>
                {
                    n_invalid += 1;
                    let (first, second) = batch.halves();
                    waiting.extend([second, first]);
                }
                Err(error) => self.lose(batch.len(), error),
            }
        }
    }

    /// Sends a file, with a few attempts. A server that rejects files may accept everything else, so another request
    /// decides whether it is unavailable.
    fn put(&mut self, path: &Path) {
        let store = self.store.clone();
        for attempt in 1.. {
            if self.gave_up {
                return self.lose(1, None);
            }
            let Err(error) = store.put(&self.client, path) else {
                self.last_taken = Instant::now();
                return;
            };
            let may_be_away = error.kind() == Kind::Away;
            let goes_on = (may_be_away || error.kind() == Kind::Failed) && attempt < FILE_ATTEMPTS;
            let again = goes_on && !self.is_over();
            if !again {
                self.lose(1, Some(error));
            }
            if may_be_away {
                // The time spent on the file does not count as unavailability.
                self.last_taken = Instant::now();
                let parent = self.parent.id.clone();
                self.attempt(0, |client, _| api::log(client, &parent, &[], &[], &[]));
            }
            if !again {
                return;
            }
            self.pause_for(attempt);
        }
    }

    /// Sends `n_records` with `call`, whose argument says whether it is a retry; counts them if they are lost.
    fn attempt<T>(&mut self, n_records: usize, call: impl Fn(&Client, bool) -> Result<T>) -> Option<T> {
        self.with_retries(call).map_err(|error| self.lose(n_records, error)).ok()
    }

    /// Retries temporary failures as long as there is work; after that, as long as the server is not unavailable for
    /// too long. Returns the error of the last attempt, if there was one.
    fn with_retries<T>(
        &mut self,
        call: impl Fn(&Client, bool) -> Result<T>,
    ) -> std::result::Result<T, Option<Error>> {
        let mut attempt = 1;
        while !self.gave_up {
            let error = match call(&self.client, attempt > 1) {
                Ok(done) => {
                    self.last_taken = Instant::now();
                    return Ok(done);
                }
                Err(error) => error,
            };
            let lasting = match error.kind() {
                Kind::Away => false,
                Kind::Failed => attempt >= self.client.limits().attempts,
                Kind::Usage | Kind::Invalid | Kind::Refused => true,
            };
            let is_over = self.is_over();
            // A server that fails at one request may accept the next.
            self.gave_up = is_over && error.kind() == Kind::Away;
            if lasting || is_over {
                return Err(Some(error));
            }
            self.pause_for(attempt);
            attempt += 1;
        }
        Err(None)
    }

    fn lose(&mut self, n_records: usize, error: Option<Error>) {
        self.n_lost += n_records as u64;
        self.why = self.why.take().or(error);
    }

    /// The time since which the queue is closed and nothing was sent.
    fn waited_since(&self) -> Option<Instant> {
        self.queue.closed().map(|closed| closed.max(self.last_taken))
    }

    fn is_over(&self) -> bool {
        self.waited_since().is_some_and(|since| since.elapsed() >= self.client.limits().grace)
    }

    /// Waits after the failure of attempt `attempt`.
    fn pause_for(&self, attempt: u32) {
        let limits = self.client.limits();
        let wait = limits.wait(attempt);
        match self.waited_since() {
            None => self.queue.pause_for(wait),
            Some(since) => thread::sleep(wait.min(limits.grace.saturating_sub(since.elapsed()))),
        }
    }
}

/// Removes and returns the first `n` items, or all if there are fewer.
fn first<T>(of: &mut Vec<T>, n: usize) -> Vec<T> {
    let rest = of.split_off(n.min(of.len()));
    std::mem::replace(of, rest)
}
