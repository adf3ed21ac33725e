//! A fit as the live view knows it: its curves and how far it is.

use std::time::Duration;

use headsmith::heads::{EpochRecord, Event};

use super::curve::Curve;

/// A fit.
#[derive(Debug, Default)]
pub(super) struct Fit {
    /// The head's name.
    pub(super) head: String,
    /// What it is fitted for, or nothing.
    pub(super) purpose: String,
    /// What a step is called.
    pub(super) unit: &'static str,
    /// The steps done.
    pub(super) done: usize,
    /// The steps in all, at most.
    pub(super) total: usize,
    /// When the first step began.
    pub(super) started: Duration,
    /// Losses of the training rows, and of the validation rows.
    pub(super) losses: [Curve; 2],
    /// The same of weighted F1.
    pub(super) f1: [Curve; 2],
    /// The last epoch.
    pub(super) last: Option<EpochRecord>,
    /// The best validation weighted F1, and its epoch from 0.
    pub(super) best: Option<(usize, f64)>,
}

impl Fit {
    pub(super) fn new(head: &str, purpose: &str) -> Fit {
        Fit { head: head.to_owned(), purpose: purpose.to_owned(), ..Fit::default() }
    }

    /// Sees an event.
    pub(super) fn see(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { total, unit } => (self.total, self.unit, self.started) = (*total, unit, now),
            Event::Trees { done, .. } => self.done = *done,
            Event::Epoch(record) => self.epoch(record),
            _ => (),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.done = record.epoch + 1;
        let sides = [Some(record.train), record.val];
        for (side, scores) in sides.iter().enumerate() {
            if let Some(scores) = scores {
                self.losses[side].push(self.done as f64, scores.loss);
                self.f1[side].push(self.done as f64, scores.weighted_f1);
            }
        }
        if let Some(val) = record.val
            && self.best.is_none_or(|(_, best)| val.weighted_f1 > best)
        {
            self.best = Some((record.epoch, val.weighted_f1));
        }
        self.last = Some(record.clone());
    }
}
