//! The state of a training between two epochs. The page of the format is `docs/formats/study.md`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::monitor::Callbacks;
use super::training::{Best, Training};
use super::{Mlp, Trainer, TrainerState};
use crate::error::{Error, Result};
use crate::head::{Job, State};
use crate::tensors::Tensors;

/// The numbers beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Text {
    version: u32,
    epoch: usize,
    step: u64,
    learning_rate: f64,
    best: Option<BestText>,
    /// Of a monitor of anything but the metric, whose values the caller remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callbacks: Option<Callbacks>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BestText {
    epoch: usize,
    value: f64,
}

const VERSION: u32 = 1;
const TRAINER: &str = "trainer/";
const BEST: &str = "best/";

/// The contents of a state.
pub(super) struct Restored<'a> {
    pub(super) trainer: Trainer<'a>,
    pub(super) best: Option<Best>,
    pub(super) callbacks: Option<Callbacks>,
}

pub(super) fn save(training: &Training<'_>) -> Option<State> {
    let now = training.trainer.state();
    let mut tensors = Tensors::new();
    tensors.extend_with_prefix(TRAINER, now.tensors);
    if let Some(best) = &training.best {
        tensors.extend_with_prefix(BEST, best.network.tensors());
    }
    let best = training.best.as_ref().map(|best| BestText { epoch: best.epoch, value: best.value });
    let text = Text {
        version: VERSION,
        epoch: now.epoch,
        step: now.step,
        learning_rate: now.learning_rate,
        best,
        callbacks: training.monitor.state(),
    };
    Some(State { text: serde_json::to_string(&text).ok()?, tensors })
}

/// The trainer of `state`, its best epoch, and the memory of its monitor.
///
/// # Errors
/// When the state is damaged or of another network, or the samples cannot be learnt from.
pub(super) fn restore<'a>(job: Job<'a>, mut state: State) -> Result<Restored<'a>> {
    let text: Text = serde_json::from_str(&state.text)
        .map_err(|error| Error::stored(format!("the state of the training is damaged: {error}")))?;
    if text.version != VERSION {
        return Err(Error::stored(format!(
            "the state of the training is of version {}, expected {VERSION}",
            text.version
        )));
    }
    let trainer = Trainer::resume(
        job,
        TrainerState {
            tensors: state.tensors.take_prefix(TRAINER),
            epoch: text.epoch,
            step: text.step,
            learning_rate: text.learning_rate,
        },
    )?;
    let mut best = None;
    if let Some(BestText { epoch, value }) = text.best {
        let network = Mlp::from_tensors(trainer.architecture(), state.tensors.take_prefix(BEST))?;
        best = Some(Best { epoch, value, network: Arc::new(network) });
    }
    Ok(Restored { trainer, best, callbacks: text.callbacks })
}
