//! The thread that sends.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::api::{self, MAX_METRICS, MAX_PARAMS, MAX_RECORDS, Run};
use crate::artifacts::Place;
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::message::{Key, Message, Metric, NewRun};
use crate::queue::Queue;

/// What a server did not get, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Records that were lost.
    pub n_lost: u64,
    /// Records that there were.
    pub n_records: u64,
    /// Why the first of them was.
    pub why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} records were lost: {}", self.n_lost, self.n_records, self.why)
    }
}

/// The thread's own.
pub(crate) struct Sender {
    client: Client,
    queue: Arc<Queue>,
    experiment: String,
    parent: Run,
    place: Place,
    /// The runs under way, by what messages call them: their names on the server.
    runs: BTreeMap<Key, String>,
    /// What is to go together.
    batches: BTreeMap<Key, Batch>,
    n_records: u64,
    n_lost: u64,
    why: Option<Error>,
    /// When the server last took something.
    last_taken: Instant,
    gave_up: bool,
}

/// Numbers, parameters and tags of a run.
#[derive(Debug, Default)]
struct Batch {
    metrics: Vec<Metric>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

impl Sender {
    pub(crate) fn new(
        client: Client,
        queue: Arc<Queue>,
        experiment: String,
        parent: (Key, Run),
        place: Place,
    ) -> Sender {
        let (key, parent) = parent;
        Sender {
            runs: [(key, parent.id.clone())].into(),
            client,
            queue,
            experiment,
            parent,
            place,
            batches: BTreeMap::new(),
            n_records: 0,
            n_lost: 0,
            why: None,
            last_taken: Instant::now(),
            gave_up: false,
        }
    }

    /// Sends until the queue is closed and empty; gives what was lost.
    pub(crate) fn run(mut self) -> Option<Lost> {
        let pause = self.client.limits().pause;
        while let Some(messages) = self.queue.take(pause) {
            messages.into_iter().for_each(|message| self.send(message));
            let keys: Vec<Key> = self.batches.keys().copied().collect();
            keys.into_iter().for_each(|key| self.flush(key));
        }
        let n_refused = self.queue.n_refused();
        let n_lost = self.n_lost + n_refused;
        let too_slow = || "the server takes them too slowly".to_owned();
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
                let place = self.place.clone();
                self.attempt(1, |client, _| place.put(client, &path));
            }
        }
    }

    /// Begins a run. An answer that was lost may have been that of a run which there is now: it is looked for first.
    fn begin(&mut self, new: &NewRun) -> Option<String> {
        let (experiment, parent) = (self.experiment.clone(), self.parent.id.clone());
        let begun = self.attempt(1, |client, again| {
            let there = if again { api::find(client, &experiment, &parent, new)? } else { None };
            there.map_or_else(|| api::create(client, &experiment, Some(&parent), new), Ok)
        });
        begun.map(|run| run.id)
    }

    /// Sends what is to go together of a run, in as few requests as the API takes.
    fn flush(&mut self, key: Key) {
        let Some(mut batch) = self.batches.remove(&key) else { return };
        let Some(id) = self.runs.get(&key).cloned() else {
            self.n_lost += (batch.metrics.len() + batch.params.len() + batch.tags.len()) as u64;
            return;
        };
        while !(batch.metrics.is_empty() && batch.params.is_empty() && batch.tags.is_empty()) {
            let params = first(&mut batch.params, MAX_PARAMS);
            let tags = first(&mut batch.tags, MAX_PARAMS);
            let room = MAX_METRICS.min(MAX_RECORDS - params.len() - tags.len());
            let metrics = first(&mut batch.metrics, room);
            let n_records = metrics.len() + params.len() + tags.len();
            self.attempt(n_records, |client, _| api::log(client, &id, &metrics, &params, &tags));
        }
    }

    /// Has `n_records` sent by `call`, which is told whether it was tried before. What may work a little later is tried
    /// again, for as long as there is work; after that while the server is not away for too long.
    fn attempt<T>(&mut self, n_records: usize, call: impl Fn(&Client, bool) -> Result<T>) -> Option<T> {
        let mut attempt = 1;
        while !self.gave_up {
            let error = match call(&self.client, attempt > 1) {
                Ok(done) => {
                    self.last_taken = Instant::now();
                    return Some(done);
                }
                Err(error) => error,
            };
            let limits = self.client.limits();
            let lasting = match error.kind() {
                Kind::Away => false,
                Kind::Failed => attempt >= limits.attempts,
                Kind::Usage | Kind::Refused => true,
            };
            let closed = self.queue.closed().map(|closed| closed.max(self.last_taken));
            let is_over = closed.is_some_and(|closed| closed.elapsed() >= limits.grace);
            let wait = limits.wait(attempt);
            self.gave_up = is_over && !lasting;
            if lasting || is_over {
                self.why.get_or_insert(error);
                break;
            }
            match closed {
                None => self.queue.rest(wait),
                Some(closed) => thread::sleep(wait.min(limits.grace.saturating_sub(closed.elapsed()))),
            }
            attempt += 1;
        }
        self.n_lost += n_records as u64;
        None
    }
}

/// Takes the first `n` of them at most.
fn first<T>(of: &mut Vec<T>, n: usize) -> Vec<T> {
    let rest = of.split_off(n.min(of.len()));
    std::mem::replace(of, rest)
}
