//! The options of a training that are no layers: how the learning rate runs, what becomes of targets and inputs, and which
//! weights count.

use super::params::{COSINE, TABLE};
use crate::error::Result;
use crate::optim::Schedule;
use crate::params::{AUTO, Params};

/// The options of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recipe {
    pub(super) weight_decay: f64,
    pub(super) schedule: Schedule,
    pub(super) label_smoothing: f64,
    /// The parameter of mixup's distribution; 0: rows are not mixed.
    pub(super) mixup: f64,
    /// The momentum of the average of the weights; 0: the weights themselves count.
    pub(super) ema_momentum: f64,
}

impl Recipe {
    /// The options of `params`, of a training on `n_samples` rows of `n_features`.
    ///
    /// # Errors
    /// When `params` are of another table.
    pub(super) fn new(params: &Params, n_samples: usize, n_features: usize) -> Result<Recipe> {
        let params = params.of(&TABLE)?;
        Ok(Recipe {
            weight_decay: params.number("weight_decay")?,
            schedule: schedule(params, n_samples)?,
            label_smoothing: number_or_auto(params, ("label_smoothing", SMOOTHING_OF_MANY), n_features)?,
            mixup: params.number("mixup")?,
            ema_momentum: params.number("ema_momentum")?,
        })
    }

    /// Whether targets are more than classes.
    pub(super) fn is_soft(&self) -> bool {
        self.label_smoothing > 0.0 || self.mixup > 0.0
    }
}

/// Features from which a table counts as one of embeddings, which are learnt by heart sooner than measured quantities.
const MANY_FEATURES: usize = 100;
const SMOOTHING_OF_MANY: f64 = 0.1;
const NOISE_OF_MANY: f64 = 0.5;

/// The standard deviation of the noise on rows of `n_features`.
///
/// # Errors
/// When `params` have no such parameter.
pub(super) fn input_noise(params: &Params, n_features: usize) -> Result<f64> {
    number_or_auto(params, ("input_noise", NOISE_OF_MANY), n_features)
}

fn number_or_auto(params: &Params, (name, of_many): (&str, f64), n_features: usize) -> Result<f64> {
    match params.text(name) {
        Some(AUTO) if n_features >= MANY_FEATURES => Ok(of_many),
        Some(AUTO) => Ok(0.0),
        _ => params.number(name),
    }
}

/// Whether the learning rate follows a schedule, so that nothing else changes it.
pub(super) fn is_scheduled(params: &Params) -> bool {
    params.text("lr_schedule") == Some(COSINE)
}

fn schedule(params: &Params, n_samples: usize) -> Result<Schedule> {
    if !is_scheduled(params) {
        return Ok(Schedule::Constant);
    }
    let n_batches = n_samples.div_ceil(params.count("batch_size")?) as u64;
    let n_warmup = (params.number("warmup_epochs")? * n_batches as f64).round() as u64;
    Ok(Schedule::cosine((params.count("epochs")? as u64).saturating_mul(n_batches), n_warmup))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Value;

    #[test]
    fn noise_and_smoothing_are_for_many_features() {
        let of = |params: &Params, n_features| {
            let smoothing = Recipe::new(params, 10, n_features).unwrap().label_smoothing;
            (input_noise(params, n_features).unwrap(), smoothing)
        };
        let auto = TABLE.defaults();
        assert_eq!((of(&auto, 99), of(&auto, 100)), ((0.0, 0.0), (0.5, 0.1)));
        let given = [("input_noise", Value::Float(0.25)), ("label_smoothing", Value::Float(0.0))];
        let given = TABLE.resolve(given).unwrap();
        assert_eq!((of(&given, 99), of(&given, 100)), ((0.25, 0.0), (0.25, 0.0)));
    }

    #[test]
    fn the_cosine_ends_with_the_last_step() {
        let params = |epochs, warmup| {
            let given = [
                ("lr_schedule", Value::from(COSINE)),
                ("epochs", epochs),
                ("batch_size", 30.into()),
                ("warmup_epochs", warmup),
            ];
            Recipe::new(&TABLE.resolve(given).unwrap(), 100, 4).unwrap().schedule
        };
        assert_eq!(params(5.into(), 0.0.into()), Schedule::Cosine { n_warmup: 0, n_decay: 20 });
        assert_eq!(params(5.into(), 1.5.into()), Schedule::Cosine { n_warmup: 6, n_decay: 14 });
        let constant = TABLE.resolve([("lr_schedule", Value::from("constant"))]).unwrap();
        assert_eq!(Recipe::new(&constant, 100, 4).unwrap().schedule, Schedule::Constant);
    }
}
