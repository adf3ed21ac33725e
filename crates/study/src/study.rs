//! A study, and how a worker that asks for work decides what to do.
//!
//! The suggestion and the pruning of trial `n` see the results of exactly the trials `0 ..= n - lag`, however many
//! workers there are and however fast. So a worker may not start trial `n` before those are finished; of later trials
//! it knows only the parameters. Any number of workers up to `lag` then produces the same study, bit for bit. Trials
//! of other programs are an exception: they are seen as soon as they are finished.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::identity::{Identity, NOBODY};
use crate::pruners::Pruner;
use crate::relative::running;
use crate::samplers::{History, Sampler, draws};
use crate::space::Space;
use crate::storages::{Claim, Queue, StudyRecord};
use crate::trial::{Attributes, Params, State, Trial};

/// The system attribute with the token of a trial's worker.
pub(crate) const WORKER: &str = "headsmith:worker";
/// The system attribute that counts how often a trial was started without new reports.
const ATTEMPTS: &str = "headsmith:attempts";
/// The system attribute with the highest number of reports that a resumed trial has made.
const REACHED: &str = "headsmith:reached";
/// The system attribute with the reason why a trial failed or was pruned.
pub const REASON: &str = "headsmith:reason";
/// Optuna's system attribute of enqueued trials: values by parameter.
const FIXED: &str = "fixed_params";

/// A study's configuration, the same for all workers.
#[derive(Debug)]
pub struct Study {
    /// Its record in the storage.
    pub record: StudyRecord,
    /// The search space.
    pub space: Space,
    /// Chooses parameters.
    pub sampler: Box<dyn Sampler>,
    /// Ends unpromising trials.
    pub pruner: Box<dyn Pruner>,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Trial `n` sees the results of trials `0 ..= n - lag`; at least 1.
    pub lag: u64,
    /// The total number of trials; `None` for no limit.
    pub n_trials: Option<u64>,
    /// How often a trial whose worker died is started without new reports before it fails. A worker may die for other
    /// reasons; a trial that kills its workers stops at the same report each time.
    pub max_attempts: u64,
}

impl Study {
    /// Decides what a worker does, given this queue.
    pub(crate) fn next(&self, queue: Queue<'_>, me: &Identity) -> Result<Claim> {
        let trials = queue.trials;
        for trial in trials {
            let abandoned = || queue.stale.contains(&trial.id) || is_interrupted(trial);
            match trial.state {
                State::Waiting if self.may_begin(trials, trial.number) => {
                    return self.begin_waiting(trials, trial, me);
                }
                State::Waiting => return Ok(Claim::Wait),
                State::Running if abandoned() => return Ok(self.resume(trial, me)),
                _ => (),
            }
        }
        let number = trials.len() as u64;
        let n_trials = match (self.n_trials, self.sampler.n_trials(&self.space)) {
            (Some(asked), Some(all)) => Some(asked.min(all)),
            (asked, all) => asked.or(all),
        };
        if n_trials.is_some_and(|n_trials| number >= n_trials) {
            let open = trials.iter().any(|trial| is_ours(trial) && !trial.state.is_finished());
            return Ok(if open { Claim::Wait } else { Claim::Done });
        }
        if !self.may_begin(trials, number) {
            return Ok(Claim::Wait);
        }
        let params = self.suggest(trials, number, &Params::new());
        Ok(Claim::Begin { params, system_attrs: attempt(me, 1) })
    }

    /// The finished trials that trial `number` may see.
    pub(crate) fn visible(&self, trials: &[Arc<Trial>], number: u64) -> Vec<Arc<Trial>> {
        let sees = |trial: &&Arc<Trial>| {
            trial.state.is_finished() && (trial.number + self.lag <= number || !is_ours(trial))
        };
        trials.iter().filter(sees).cloned().collect()
    }

    /// Whether all trials that trial `number` sees are finished.
    fn may_begin(&self, trials: &[Arc<Trial>], number: u64) -> bool {
        let seen = (number + 1).saturating_sub(self.lag) as usize;
        trials.iter().take(seen).all(|trial| match trial.state {
            State::Running => !is_ours(trial),
            State::Waiting => false,
            _ => true,
        })
    }

    fn suggest(&self, trials: &[Arc<Trial>], number: u64, fixed: &Params) -> Params {
        let finished = self.visible(trials, number);
        let between = |trial: &&Arc<Trial>| {
            let ours = is_ours(trial) && trial.number < number && trial.number + self.lag > number;
            ours || trial.state == State::Running
        };
        let running = running(trials.iter().filter(between), &self.space, &finished);
        let history = History { direction: self.record.direction, finished: &finished, running: &running };
        self.sampler.suggest(&self.space, history, number, fixed, &mut draws(self.seed, number))
    }

    fn begin_waiting(&self, trials: &[Arc<Trial>], trial: &Trial, me: &Identity) -> Result<Claim> {
        let fixed = self.fixed(trial)?;
        let params = self.suggest(trials, trial.number, &fixed);
        Ok(Claim::Take { trial_id: trial.id, params, system_attrs: attempt(me, 1) })
    }

    /// The fixed values of a waiting trial, for parameters of the space.
    fn fixed(&self, trial: &Trial) -> Result<Params> {
        let Some(Value::Object(given)) = trial.system_attrs.get(FIXED) else { return Ok(Params::new()) };
        let mut fixed = Params::new();
        for param in &self.space.params {
            let Some(value) = given.get(&param.name) else { continue };
            let inside = serde_json::from_value(value.clone())
                .ok()
                .and_then(|choice| param.distribution.internal(&param.name, &choice).ok());
            let inside = inside.ok_or_else(|| {
                Error::new(
                    Kind::Configuration,
                    format!(
                        "trial {} was enqueued with {} = {value}, which is not in the study's space",
                        trial.number, param.name
                    ),
                )
            })?;
            fixed.insert(param.name.clone(), (param.distribution.clone(), inside));
        }
        Ok(fixed)
    }

    /// Decides about a trial whose worker died: one of ours is resumed while attempts are left, one of another program
    /// fails.
    fn resume(&self, trial: &Trial, me: &Identity) -> Claim {
        let count = |key| trial.system_attrs.get(key).and_then(Value::as_u64).unwrap_or(0);
        let (attempts, reached) = (count(ATTEMPTS), trial.intermediate.len() as u64);
        let progressed = reached > count(REACHED);
        let fail = |reason: String| Claim::Fail {
            trial_id: trial.id,
            system_attrs: [(REASON.to_owned(), Value::from(reason))].into(),
        };
        if !is_ours(trial) {
            return fail("its worker, another program, sent no heartbeat".to_owned());
        }
        if !progressed && attempts >= self.max_attempts {
            return fail(format!("its worker died {attempts} times"));
        }
        let mut system_attrs = attempt(me, if progressed { 1 } else { attempts + 1 });
        system_attrs.insert(REACHED.to_owned(), json!(reached.max(count(REACHED))));
        Claim::Take { trial_id: trial.id, params: trial.params.clone(), system_attrs }
    }
}

/// Whether one of our workers started the trial.
pub(crate) fn is_ours(trial: &Trial) -> bool {
    trial.system_attrs.contains_key(WORKER)
}

/// Whether the trial is running without a worker, as far as this machine can know: its worker released it, or died.
/// The next worker that asks for work resumes it; the storage, and Optuna, list it as running.
pub fn is_interrupted(trial: &Trial) -> bool {
    let worker = trial.system_attrs.get(WORKER).and_then(Value::as_str);
    trial.state == State::Running && worker.is_some_and(Identity::is_gone)
}

fn attempt(me: &Identity, attempts: u64) -> Attributes {
    [(WORKER.to_owned(), Value::from(me.token())), (ATTEMPTS.to_owned(), json!(attempts))].into()
}

/// The attributes of a trial that its worker releases unfinished on purpose: the next attempt is the first.
pub(crate) fn release_attrs() -> [(&'static str, Value); 2] {
    [(ATTEMPTS, json!(0)), (WORKER, Value::from(NOBODY))]
}
