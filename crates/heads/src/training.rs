//! The loop around a [`Fitting`]: events, the observer's controls, and checkpoints. Every fit outside a study runs in it.

use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::event::{Control, EpochRecord, Event, Observer, StopReason};
use crate::head::{Fitted, Fitting, Step};

/// Saves a head after an epoch that improved; gets the epoch, from 0, and the head.
pub type Checkpoint<'c> = &'c mut dyn FnMut(usize, Arc<dyn Fitted>);

/// How a fit went.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Training {
    /// Every epoch's figures; none of a head without epochs.
    pub history: Vec<EpochRecord>,
    /// The epoch, from 0, whose weights the head has; `None` of a head without epochs.
    pub best_epoch: Option<usize>,
    /// Why the fit ended before its last step.
    pub stopped: Option<StopReason>,
    /// Steps done.
    pub n_steps: usize,
}

/// Runs `fitting` to its last step, until it ends by itself, or until the observer stops it. A fit that is stopped before it
/// has anything that predicts takes the steps that it needs for that.
///
/// `checkpoint` is called after each epoch that improved on the validation rows.
///
/// # Errors
/// When the loss is not finite before any epoch was validated.
pub fn run(
    fitting: &mut dyn Fitting,
    observer: &mut dyn Observer,
    checkpoint: Option<Checkpoint<'_>>,
) -> Result<Training> {
    let mut run = Run { fitting, observer, checkpoint, asked: false, diverged: false };
    let (total, unit) = (run.fitting.total(), run.fitting.unit());
    run.notify(&Event::Started { total, unit });
    let history = run.steps()?;
    let n_steps = run.fitting.done();
    let stopped = match run.fitting.stopped() {
        _ if run.asked && n_steps < total => Some(StopReason::Asked),
        _ if run.diverged => Some(StopReason::Diverged),
        reason => reason,
    };
    if let Some(reason) = stopped {
        // The control that is returned changes nothing any more.
        run.observer.on_event(&Event::Stopped { step: n_steps.saturating_sub(1), reason });
    }
    let last = (!history.is_empty()).then(|| n_steps.saturating_sub(1));
    let best_epoch = run.fitting.best_epoch().map(|(epoch, _)| epoch).or(last);
    Ok(Training { history, best_epoch, stopped, n_steps })
}

/// The continuation of a fit.
#[derive(Debug)]
pub enum Next {
    /// A step was done.
    Step(Step),
    /// All steps are done, or the fit has ended by itself.
    End,
    /// The loss left the finite numbers; the best epoch before is still there.
    Diverged(Error),
}

/// Does the next step of `fitting`, if there is one.
///
/// # Errors
/// When the fit cannot continue and no epoch was validated before.
pub fn next(fitting: &mut dyn Fitting) -> Result<Next> {
    if fitting.done() >= fitting.total() || fitting.stopped().is_some() {
        return Ok(Next::End);
    }
    match fitting.step() {
        Ok(step) => Ok(Next::Step(step)),
        Err(error) if error.kind() == Kind::Diverged && fitting.best_epoch().is_some() => {
            Ok(Next::Diverged(error))
        }
        Err(error) => Err(error),
    }
}

/// Whether a fit predicts if it ends here: after a step it always does.
fn can_end(fitting: &dyn Fitting) -> bool {
    fitting.done() > 0 || fitting.best().is_some()
}

/// A fit under way.
struct Run<'r, 'c> {
    fitting: &'r mut dyn Fitting,
    observer: &'r mut dyn Observer,
    checkpoint: Option<Checkpoint<'c>>,
    /// Whether the observer asked for the end.
    asked: bool,
    diverged: bool,
}

impl Run<'_, '_> {
    fn steps(&mut self) -> Result<Vec<EpochRecord>> {
        let mut history = Vec::new();
        // Whoever asks for the end before there is anything that predicts gets the steps that it needs.
        while !(self.asked && can_end(self.fitting)) {
            if self.fitting.calibrates() {
                self.observer.on_calibration();
            }
            match next(self.fitting)? {
                Next::Step(step) => history.extend(self.publish(step)),
                Next::End => break,
                Next::Diverged(_) => {
                    self.diverged = true;
                    break;
                }
            }
        }
        Ok(history)
    }

    /// Passes on the result of a step.
    fn publish(&mut self, step: Step) -> Option<EpochRecord> {
        let Some(record) = step.epoch else {
            let (done, total, unit) = (self.fitting.done(), self.fitting.total(), self.fitting.unit());
            self.notify(&Event::Steps { done, total, unit });
            return None;
        };
        if record.improved
            && let Some(checkpoint) = &mut self.checkpoint
            && let Some(best) = self.fitting.best()
        {
            checkpoint(record.epoch, best);
        }
        if let Some(network) = self.fitting.network() {
            self.observer.on_weights(record.epoch, network.as_ref());
        }
        self.notify(&Event::Epoch(record.clone()));
        if let (false, Some(learning_rate)) = (self.asked, step.reduced) {
            self.notify(&Event::LearningRateReduced { epoch: record.epoch, learning_rate });
        }
        Some(record)
    }

    fn notify(&mut self, event: &Event) {
        match self.observer.on_event(event) {
            Control::Continue => (),
            Control::Stop => self.asked = true,
            Control::SetLearningRate(learning_rate) => self.fitting.set_learning_rate(learning_rate),
        }
    }
}
