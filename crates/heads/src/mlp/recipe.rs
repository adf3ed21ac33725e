//! The options of a training that are no layers: how the learning rate runs, what becomes of targets and inputs, and which
//! weights count.

use super::params::{COSINE, TABLE};
use crate::error::Result;
use crate::optim::Schedule;
use crate::params::{AUTO, Params};

/// The options of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recipe {
    pub(super) batch_size: usize,
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
        let batch_size = number(params, "batch_size", n_features)? as usize;
        Ok(Recipe {
            batch_size,
            weight_decay: number(params, "weight_decay", n_features)?,
            schedule: schedule(params, n_samples.div_ceil(batch_size))?,
            label_smoothing: number(params, "label_smoothing", n_features)?,
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
/// The numbers that the word `auto` stands for, with few and with many features. `docs/heads/mlp.md` shows how they were measured.
const AUTOMATIC: [(&str, [f64; 2]); 5] = [
    ("batch_size", [64.0, 256.0]),
    ("dropout", [0.2, 0.5]),
    ("input_noise", [0.0, 0.5]),
    ("label_smoothing", [0.0, 0.1]),
    ("weight_decay", [0.05, 0.5]),
];

/// The number `name` of a training on rows of `n_features`.
///
/// # Errors
/// When `params` have no such number.
pub(super) fn number(params: &Params, name: &str, n_features: usize) -> Result<f64> {
    let automatic = AUTOMATIC.iter().find(|(own, _)| *own == name && params.text(name) == Some(AUTO));
    match automatic {
        Some((_, [few, many])) => Ok(if n_features < MANY_FEATURES { *few } else { *many }),
        None => params.number(name),
    }
}

/// Whether the learning rate follows a schedule, so that nothing else changes it.
pub(super) fn is_scheduled(params: &Params) -> bool {
    params.text("lr_schedule") == Some(COSINE)
}

fn schedule(params: &Params, n_batches: usize) -> Result<Schedule> {
    if !is_scheduled(params) {
        return Ok(Schedule::Constant);
    }
    let n_batches = n_batches as u64;
    let n_warmup = (params.number("warmup_epochs")? * n_batches as f64).round() as u64;
    Ok(Schedule::cosine((params.count("epochs")? as u64).saturating_mul(n_batches), n_warmup))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Value;

    #[test]
    fn auto_depends_on_the_number_of_features() {
        let auto = TABLE.defaults();
        for (name, [few, many]) in AUTOMATIC {
            assert_eq!([99, 100].map(|n_features| number(&auto, name, n_features).unwrap()), [few, many]);
            let given = TABLE.resolve([(name, Value::Int(i64::from(name == "batch_size")))]).unwrap();
            assert_eq!(number(&given, name, 100).ok(), given.float(name));
        }
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
