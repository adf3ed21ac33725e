//! The workers of this process, and the view that sees what they do.

use std::thread;
use std::time::Instant;

use headsmith_study::storages::Storage;
use headsmith_study::{Study, StudyEvent, Work, work};

use super::messages::{Channel, Message};
use super::task::Task;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::progress::Progress;

/// Runs trials until there are enough, or the work is asked to stop. Workers send their events to this thread, which owns
/// the view, so that a slow view delays no trial.
pub(super) fn run(
    study: &Study,
    plan: &Plan,
    storage: &mut dyn Storage,
    how: &Work<'_>,
    task: &Task<'_>,
    line: &Channel,
    context: &mut Context<'_>,
) -> Result<()> {
    let trials = storage.trials(study.record.id)?;
    let n_finished = trials.iter().filter(|trial| trial.state.is_finished()).count();
    context.emit(&Progress::Searching {
        study: &study.record.name,
        space: &study.space,
        n_trials: study.n_trials,
        timeout: how.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
        n_finished,
        trials: &trials,
        n_jobs: how.n_jobs,
        n_steps: plan.epochs().and_then(|epochs| u64::try_from(epochs).ok()),
        pruner: &plan.pruner,
        metric: plan.metric,
    });
    drop(trials);
    let (events, end) = (line.sender(), line.sender());
    let done = thread::scope(|scope| {
        let workers = thread::Builder::new().spawn_scoped(scope, move || {
            // The receiver is gone only if the view has panicked.
            let observer = |event: &_| drop(events.send(Message::Trial(StudyEvent::clone(event))));
            let done = work(study, storage, how, &|trial| task.run(trial), &observer);
            let _ = end.send(Message::End);
            done
        });
        let workers = workers.map_err(|cause| Error::failure(format!("cannot start a thread: {cause}")))?;
        line.listen(context, &task.by_hand);
        Ok::<_, Error>(workers.join())
    })?;
    if let Some(text) = task.watch.missed() {
        context.warn(&text);
    }
    context.emit(&Progress::Searched);
    match done {
        Ok(result) => Ok(result?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
