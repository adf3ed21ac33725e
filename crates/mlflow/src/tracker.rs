//! A run on a server, and the messages to it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::api;
use crate::artifacts::ArtifactStore;
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::message::{Key, Message, NewRun};
use crate::queue::Queue;
use crate::sender::{Lost, Sender};

/// A run on a server. Messages to it are sent in the background.
#[derive(Debug)]
pub struct Tracker {
    queue: Arc<Queue>,
    sender: Option<JoinHandle<Option<Lost>>>,
    /// The reason why artifacts cannot be stored.
    no_artifacts: Option<String>,
}

impl Tracker {
    /// The key of the tracker's own run.
    pub const PARENT: Key = 0;

    /// Creates a run in an experiment, which is created if necessary, and waits for the server's responses.
    ///
    /// # Errors
    /// If the server cannot be reached, or does not create the run.
    pub fn begin(client: Client, experiment: &str, new: NewRun) -> Result<Tracker> {
        let experiment = api::experiment(&client, experiment)?;
        let run = api::create(&client, &experiment, None, &new)?;
        let store = ArtifactStore::of(&run.artifacts, &client);
        let no_artifacts = match &store {
            ArtifactStore::None(why) => Some(why.clone()),
            ArtifactStore::Server(_) | ArtifactStore::Folder(_) => None,
        };
        let queue = Arc::new(Queue::new(client.limits().n_waiting));
        let sender = Sender::new(client, Arc::clone(&queue), experiment, (Tracker::PARENT, run), store);
        let sender = thread::Builder::new().name("mlflow".to_owned()).spawn(move || sender.run());
        let sender = sender.map_err(|error| {
            Error::new(Kind::Refused, format!("cannot start the sender thread: {error}")).caused_by(error)
        })?;
        Ok(Tracker { queue, sender: Some(sender), no_artifacts })
    }

    /// The reason why files cannot be stored, if so: the server keeps artifacts where this machine has no access.
    pub fn no_artifacts(&self) -> Option<&str> {
        self.no_artifacts.as_deref()
    }

    /// Queues `message` without waiting.
    pub fn send(&self, message: Message) {
        if !(matches!(message, Message::File { .. }) && self.no_artifacts.is_some()) {
            self.queue.put(message);
        }
    }

    /// Waits until everything is sent, or the server is unavailable for too long; returns the losses.
    pub fn finish(mut self) -> Option<Lost> {
        self.queue.close();
        self.sender.take()?.join().unwrap_or_else(|_| {
            let why = "the sender thread panicked; please report it".to_owned();
            Some(Lost { n_lost: 1, n_records: 1, why })
        })
    }
}

/// The remaining messages are still sent, but `drop` does not wait for it.
impl Drop for Tracker {
    fn drop(&mut self) {
        self.queue.close();
    }
}
