//! A trial of the multilayer perceptron: epochs that are reported, with the learning rate lowered on plateaus.

use headsmith_heads::callbacks::{EarlyStopping, Patience, ReduceLrOnPlateau};
use headsmith_heads::mlp::{Mlp, Trainer, plateau};
use headsmith_heads::params::Params;
use headsmith_heads::{EpochRecord, Samples};
use headsmith_kernels::Pool;
use headsmith_metrics::Metric;
use headsmith_study::{Attributes, GoOn, Outcome, Running};
use serde_json::json;

use super::task::Task;
use super::{checkpoint, memory, predictions};

/// The best epoch so far.
pub(super) struct Best {
    pub(super) epoch: usize,
    pub(super) value: f64,
    pub(super) network: Mlp,
}

/// A trial's training: it can be interrupted after any epoch and resumed by [`checkpoint`].
pub(super) struct Training<'a> {
    pub(super) trainer: Trainer<'a>,
    pub(super) best: Option<Best>,
}

/// How an epoch went.
enum Step {
    Done(EpochRecord),
    /// The loss left the finite numbers.
    Diverged(String),
}

/// Monitors the metric of the validation rows, as in a fit.
struct Monitor {
    plateau: Option<ReduceLrOnPlateau>,
    early_stopping: EarlyStopping,
    exhausted: bool,
}

/// Trains to the last epoch or until patience is exhausted, unless the trial is not worth it, is stopped or diverges. Its
/// value is that of its best epoch; the random numbers are those of its number.
pub(super) fn run(
    trial: &mut Running<'_>,
    train: Samples<'_>,
    val: Samples<'_>,
    params: &Params,
    task: &Task<'_>,
) -> headsmith_study::Result<Outcome> {
    let failed = |reason: String| Ok(Outcome::Failed { reason });
    if let Some(reason) = memory::too_much(train, params) {
        return failed(reason);
    }
    let pool = Pool::inline();
    let mut training = match begin(trial, train, val, params, task.seed, &pool) {
        Ok(training) => training,
        Err(error) => return failed(error.to_string()),
    };
    let mut monitor = Monitor::new(params, task.metric);
    // What is reported already tells how long the value has stood still.
    for (step, value) in trial.reports() {
        monitor.see(*step as usize, *value, training.trainer.learning_rate());
    }
    let n_epochs = params.int("epochs").unwrap_or(0) as usize;
    while training.trainer.epoch() < n_epochs && !monitor.exhausted {
        let record = match training.step(task.metric) {
            Step::Done(record) => record,
            Step::Diverged(reason) if training.best.is_none() => return failed(reason),
            Step::Diverged(reason) => return Ok(training.pruned(val, Some(reason), &pool)),
        };
        task.watch.epoch(trial.number(), &training.trainer, &record);
        let value = record.val.map_or(f64::NAN, |scores| scores.get(task.metric));
        if let Some(lowered) = monitor.see(record.epoch, value, training.trainer.learning_rate()) {
            training.trainer.set_learning_rate(lowered);
        }
        let go_on = trial.report(record.epoch as i64, value, &mut || checkpoint::to_bytes(&training))?;
        if let Some(reason) = task.by_hand.reason(trial) {
            return Ok(training.pruned(val, Some(reason), &pool));
        }
        match go_on {
            GoOn::Yes => (),
            GoOn::Prune => return Ok(training.pruned(val, None, &pool)),
            GoOn::Stop => return Ok(Outcome::Interrupted),
        }
    }
    Ok(training.complete(val, &pool))
}

/// Takes the training up where its checkpoint left it, or begins it.
fn begin<'a>(
    trial: &mut Running<'_>,
    train: Samples<'a>,
    val: Samples<'a>,
    params: &Params,
    seed: u64,
    pool: &'a Pool,
) -> crate::Result<Training<'a>> {
    let number = trial.number() as u32;
    match trial.take_checkpoint() {
        Some(left) => checkpoint::from_bytes(&left.state, |state| {
            Trainer::from_state(train, Some(val), params, seed, number, pool, state)
        }),
        None => {
            Ok(Training { trainer: Trainer::new(train, Some(val), params, seed, number, pool)?, best: None })
        }
    }
}

impl Monitor {
    fn new(params: &Params, metric: Metric) -> Monitor {
        let patience = params.int("patience").map(|patience| patience as usize);
        let early_stopping = EarlyStopping::new(metric.into(), patience);
        Monitor { plateau: plateau(params, metric), early_stopping, exhausted: false }
    }

    /// Sees an epoch's value; gives the learning rate to go on with, where it is another.
    fn see(&mut self, epoch: usize, value: f64, learning_rate: f64) -> Option<f64> {
        self.exhausted |= self.early_stopping.update(epoch, value) == Patience::Exhausted;
        self.plateau.as_mut().and_then(|plateau| plateau.update(value, learning_rate))
    }
}

impl Training<'_> {
    fn step(&mut self, metric: Metric) -> Step {
        let record = match self.trainer.step_epoch() {
            Ok(record) => record,
            Err(error) => return Step::Diverged(error.to_string()),
        };
        if let Some(value) = record.val.map(|scores| scores.get(metric))
            && self.best.as_ref().is_none_or(|best| metric.is_better(value, best.value))
        {
            let epoch = record.epoch;
            self.best = Some(Best { epoch, value, network: self.trainer.model() });
        }
        Step::Done(record)
    }

    fn complete(self, val: Samples<'_>, pool: &Pool) -> Outcome {
        let (user_attrs, system_attrs) = self.attributes(val, pool);
        match self.best {
            Some(best) => Outcome::Complete { value: best.value, user_attrs, system_attrs },
            None => Outcome::Failed { reason: "it had no epoch".to_owned() },
        }
    }

    fn pruned(self, val: Samples<'_>, reason: Option<String>, pool: &Pool) -> Outcome {
        let (user_attrs, system_attrs) = self.attributes(val, pool);
        Outcome::Pruned { reason, user_attrs, system_attrs }
    }

    /// What is kept of a trial beside its reports: its best epoch, its size, and what it predicted there.
    fn attributes(&self, val: Samples<'_>, pool: &Pool) -> (Attributes, Attributes) {
        let Some(best) = &self.best else { return Default::default() };
        let proba = val.predict(pool, |rows| best.network.predict_proba(rows, pool));
        let user = [
            ("best_epoch".to_owned(), json!(best.epoch)),
            ("epochs".to_owned(), json!(self.trainer.epoch())),
            ("n_params".to_owned(), json!(best.network.n_params())),
        ];
        (user.into(), predictions::attribute(proba.view()))
    }
}
