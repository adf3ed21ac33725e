//! The state of a half-done trial as bytes. The page of the format is `docs/formats/study.md`.

use headsmith_heads::mlp::{Mlp, State, Trainer};
use headsmith_heads::tensors::Tensors;
use headsmith_model::state;
use serde::{Deserialize, Serialize};

use super::mlp::{Best, Training};
use crate::error::{Error, Result};

/// What stands beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Text {
    version: u32,
    epoch: usize,
    step: u64,
    learning_rate: f64,
    best: Option<BestText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BestText {
    epoch: usize,
    value: f64,
}

const VERSION: u32 = 1;
const TRAINER: &str = "trainer/";
const BEST: &str = "best/";

/// The bytes from which the training can go on; `None` when it cannot: weights that are not finite.
pub(super) fn to_bytes(training: &Training<'_>) -> Option<Vec<u8>> {
    let now = training.trainer.state();
    let mut tensors = Tensors::new();
    tensors.extend_with_prefix(TRAINER, now.tensors);
    if let Some(best) = &training.best {
        tensors.extend_with_prefix(BEST, best.network.tensors());
    }
    let best = training.best.as_ref().map(|best| BestText { epoch: best.epoch, value: best.value });
    let text =
        Text { version: VERSION, epoch: now.epoch, step: now.step, learning_rate: now.learning_rate, best };
    state::to_bytes(&serde_json::to_string(&text).ok()?, &tensors).ok()
}

/// Takes up a training from its bytes; `resume` makes the trainer of the state.
///
/// # Errors
/// When the bytes are damaged or of another network.
pub(super) fn from_bytes<'a>(
    bytes: &[u8],
    resume: impl FnOnce(State) -> headsmith_heads::error::Result<Trainer<'a>>,
) -> Result<Training<'a>> {
    let (text, mut tensors) = state::from_bytes(bytes)?;
    let text: Text = serde_json::from_str(&text)
        .map_err(|error| Error::data(format!("the checkpoint of the trial is damaged: {error}")))?;
    let state = State {
        tensors: tensors.take_prefix(TRAINER),
        epoch: text.epoch,
        step: text.step,
        learning_rate: text.learning_rate,
    };
    let trainer = resume(state)?;
    let best = match text.best {
        Some(best) => {
            let network = Mlp::from_tensors(trainer.architecture(), tensors.take_prefix(BEST))?;
            Some(Best { epoch: best.epoch, value: best.value, network })
        }
        None => None,
    };
    Ok(Training { trainer, best })
}
