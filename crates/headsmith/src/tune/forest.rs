//! A trial of the random forest: grown whole, and reported once.

use headsmith_heads::params::Params;
use headsmith_heads::{Control, Event, Samples, forest};
use headsmith_kernels::Pool;
use headsmith_study::{GoOn, Outcome, Running};
use serde_json::json;

use super::predictions;
use super::task::Task;

/// Grows the forest and reports its score on the validation rows. All trials have the same random numbers: trees
/// are then compared on the same draws.
pub(super) fn run(
    trial: &mut Running<'_>,
    train: Samples<'_>,
    val: Samples<'_>,
    params: &Params,
    task: &Task<'_>,
) -> headsmith_study::Result<Outcome> {
    let failed = |reason: String| Ok(Outcome::Failed { reason });
    let pool = Pool::inline();
    let (mut stopped, mut pruned) = (false, None);
    let mut observer = |_: &Event| {
        (stopped, pruned) = (trial.is_stopping(), task.by_hand.reason(trial));
        if stopped || pruned.is_some() { Control::Stop } else { Control::Continue }
    };
    let forest = match forest::fit(train, params, task.seed, &pool, &mut observer) {
        _ if pruned.is_some() => {
            let (user_attrs, system_attrs) = Default::default();
            return Ok(Outcome::Pruned { reason: pruned, user_attrs, system_attrs });
        }
        _ if stopped => return Ok(Outcome::Interrupted),
        Ok(forest) => forest,
        Err(error) => return failed(error.to_string()),
    };
    let proba = val.predict(&pool, |rows| forest.predict_proba(rows, &pool));
    let value = match headsmith_metrics::score(val.y(), proba.view()) {
        Ok(scores) => task.metric.of(&scores),
        Err(error) => return failed(error.to_string()),
    };
    let user_attrs = [("n_nodes".to_owned(), json!(forest.n_nodes()))].into();
    let system_attrs = predictions::attribute(proba.view());
    Ok(match trial.report(0, value, &mut || None)? {
        GoOn::Prune => Outcome::Pruned { reason: None, user_attrs, system_attrs },
        GoOn::Yes | GoOn::Stop => Outcome::Complete { value, user_attrs, system_attrs },
    })
}
