//! A fit as the live view knows it: its curves and how far it is.

use std::time::Duration;

use headsmith::heads::{EpochRecord, Event};
use headsmith::metrics::Metric;

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
    /// The metric that chooses the epoch.
    pub(super) metric: Metric,
    /// Its curves, likewise; weighted F1's where it is the loss itself.
    pub(super) scores: [Curve; 2],
    /// The last epoch.
    pub(super) last: Option<EpochRecord>,
    /// The best value of the metric on the validation rows, and its epoch from 0.
    pub(super) best: Option<(usize, f64)>,
}

impl Fit {
    pub(super) fn new(head: &str, purpose: &str, metric: Metric) -> Fit {
        Fit { head: head.to_owned(), purpose: purpose.to_owned(), metric, ..Fit::default() }
    }

    /// The metric that is drawn beside the loss.
    pub(super) fn shown(&self) -> Metric {
        if self.metric == Metric::LogLoss { Metric::default() } else { self.metric }
    }

    /// Sees an event.
    pub(super) fn see(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { total, unit } => (self.total, self.unit, self.started) = (*total, unit, now),
            Event::Steps { done, .. } => self.done = *done,
            Event::Epoch(record) => self.epoch(record),
            _ => (),
        }
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.done = record.epoch + 1;
        let shown = self.shown();
        let sides = [Some(record.train), record.val];
        for (side, scores) in sides.iter().enumerate() {
            if let Some(scores) = scores {
                self.losses[side].push(self.done as f64, scores.loss);
                self.scores[side].push(self.done as f64, scores.get(shown));
            }
        }
        if let Some(value) = record.val.map(|val| val.get(self.metric))
            && self.best.is_none_or(|(_, best)| self.metric.is_better(value, best))
        {
            self.best = Some((record.epoch, value));
        }
        self.last = Some(record.clone());
    }
}
