//! The state of a fit in the live view: its curves and its progress.

use std::time::Duration;

use headsmith::heads::{EpochRecord, Event};
use headsmith::metrics::Metric;

use super::curve::Curve;

/// A fit.
#[derive(Debug, Default)]
pub(super) struct Fit {
    /// The head's name.
    pub(super) head: String,
    /// The purpose of the fit, or empty.
    pub(super) purpose: String,
    /// Whether it is one of a candidate of a search over heads.
    pub(super) is_of_candidate: bool,
    /// The name of a step.
    pub(super) unit: &'static str,
    /// The number of finished steps.
    pub(super) done: usize,
    /// The maximum number of steps.
    pub(super) total: usize,
    /// The time at which the first step began.
    pub(super) started: Duration,
    /// Losses of the training rows and of the validation rows.
    pub(super) losses: [Curve; 2],
    /// The metric that chooses the epoch.
    pub(super) metric: Metric,
    /// The metric's curves of both; those of weighted F1 if the metric is the loss.
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

    /// Applies an event.
    pub(super) fn apply(&mut self, event: &Event, now: Duration) {
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
