//! Messages of workers and of the storage to the thread that owns the view.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use headsmith_study::StudyEvent;
use headsmith_study::storages::{self, Options, Outage, Retry, Storage};

use super::by_hand::ByHand;
use super::watch::Watch;
use crate::context::Context;
use crate::error::Result;
use crate::progress::{Progress, TrialEpoch, UserRequest};

/// One message.
pub(super) enum Message {
    /// An event of a trial.
    Trial(StudyEvent),
    /// A trial's network was trained for an epoch.
    Epoch(Box<TrialEpoch>),
    /// The storage cannot be reached just now.
    Outage(String),
    /// The workers have ended.
    End,
}

/// Both ends of the line.
pub(super) struct Channel {
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    /// Epochs that the view has not seen yet.
    waiting: Arc<AtomicUsize>,
    /// Whether the work was asked to stop: a storage that is out of reach is then waited for no longer.
    stop: Arc<AtomicBool>,
}

impl Channel {
    pub(super) fn new() -> Channel {
        let (sender, receiver) = mpsc::channel();
        Channel { sender, receiver, waiting: Arc::default(), stop: Arc::default() }
    }

    /// Opens a storage that waits out outages and reports them.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn connect(&self, url: &str, options: Options, limit: Duration) -> Result<Box<dyn Storage>> {
        let options = Options { lock_wait: options.lock_wait.min(limit), ..options };
        let storage = storages::open(url, &options)?;
        let (sender, stop) = (self.sender.clone(), self.stop.clone());
        let notice = move |outage: &Outage<'_>| {
            let text = format!(
                "the storage cannot be reached, for {} s now: {}; trying again",
                outage.lasting.as_secs(),
                outage.error
            );
            // The receiver is gone only if the view has ended.
            let _ = sender.send(Message::Outage(text));
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        Ok(Box::new(Retry::new(storage, limit, notice)))
    }

    pub(super) fn sender(&self) -> Sender<Message> {
        self.sender.clone()
    }

    /// The trials' sender to a view that wants histograms of every `every` epochs.
    pub(super) fn watch(&self, every: usize) -> Watch {
        Watch::new(self.sender.clone(), every, self.waiting.clone())
    }

    /// Hands messages to the view, and its wishes to the trials, until the workers have ended.
    pub(super) fn listen(&self, context: &mut Context<'_>, by_hand: &ByHand) {
        const A_MOMENT: Duration = Duration::from_millis(100);
        loop {
            match self.receiver.recv_timeout(A_MOMENT) {
                Ok(Message::Trial(event)) => context.emit(&Progress::Trial(&event)),
                Ok(Message::Epoch(epoch)) => {
                    context.emit(&Progress::TrialEpoch(&epoch));
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(Message::Outage(text)) => context.warn(&text),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => (),
            }
            while let Some(UserRequest::Prune { trial }) = context.view.request() {
                by_hand.prune(trial);
            }
            self.stop.store(context.stopping(), Ordering::Relaxed);
        }
    }
}
