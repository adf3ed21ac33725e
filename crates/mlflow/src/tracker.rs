//! A run on a server, and the messages about it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::api;
use crate::artifacts::Place;
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::message::{Key, Message, NewRun};
use crate::queue::Queue;
use crate::sender::{Lost, Sender};

/// A run on a server, to which messages are sent in the background.
#[derive(Debug)]
pub struct Tracker {
    queue: Arc<Queue>,
    sender: Option<JoinHandle<Option<Lost>>>,
    /// Why artifacts cannot be stored.
    no_artifacts: Option<String>,
}

impl Tracker {
    /// The run that the tracker begins itself.
    pub const PARENT: Key = 0;

    /// Begins a run in an experiment, which is made if it is not there. It waits for the server's answers.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not make the run.
    pub fn begin(client: Client, experiment: &str, new: NewRun) -> Result<Tracker> {
        let experiment = api::experiment(&client, experiment)?;
        let run = api::create(&client, &experiment, None, &new)?;
        let place = Place::of(&run.artifacts, &client);
        let no_artifacts = match &place {
            Place::None(why) => Some(why.clone()),
            Place::Server(_) | Place::Folder(_) => None,
        };
        let queue = Arc::new(Queue::new(client.limits().n_waiting));
        let sender = Sender::new(client, Arc::clone(&queue), experiment, (Tracker::PARENT, run), place);
        let sender = thread::Builder::new().name("mlflow".to_owned()).spawn(move || sender.run());
        let sender = sender.map_err(|error| {
            Error::new(Kind::Refused, format!("cannot start the sender thread: {error}")).caused_by(error)
        })?;
        Ok(Tracker { queue, sender: Some(sender), no_artifacts })
    }

    /// Why files go nowhere, if they do not: the server keeps artifacts where this machine cannot put them.
    pub fn no_artifacts(&self) -> Option<&str> {
        self.no_artifacts.as_deref()
    }

    /// Has `message` sent. It waits for nothing.
    pub fn send(&self, message: Message) {
        if !(matches!(message, Message::File { .. }) && self.no_artifacts.is_some()) {
            self.queue.put(message);
        }
    }

    /// Waits until all is sent, or the server is away for too long: what was lost.
    pub fn finish(mut self) -> Option<Lost> {
        self.queue.close();
        self.sender.take()?.join().unwrap_or_else(|_| {
            let why = "the sender thread panicked; please report it".to_owned();
            Some(Lost { n_lost: 1, n_records: 1, why })
        })
    }
}

/// The remaining messages are still sent, but `drop` does not wait for that.
impl Drop for Tracker {
    fn drop(&mut self) {
        self.queue.close();
    }
}
