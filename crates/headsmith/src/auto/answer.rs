//! The answer: a pool of candidates, calibrated, with a decision for the metric.
//!
//! All of it is fitted on predictions of rows that the candidates did not see, and judged by fits on other groups of these rows:
//! the choice of members, their weights, and the calibration are made anew for each group.

use headsmith_heads::calibration::{Chosen, ProbabilityCalibration, ProbabilityForm};
use headsmith_heads::head::Folds;
use headsmith_heads::pool::{self, LogLinear, Selected};
use headsmith_kernels::{MatRef, Matrix};
use headsmith_metrics::{Predictions, decision};
use headsmith_model::{Model, Node, Record};

use super::Bounds;
use super::cost::{self, Cost};
use super::rows::SearchRows;
use super::search::Candidate;
use crate::context::Context;
use crate::error::{Error, Result};

/// Members at most: each is kept, fitted again, and asked for every prediction.
pub(super) const MAX_MEMBERS: usize = 6;

/// The answer of a search.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The candidates that are its members, in the order in which they were added.
    pub(super) members: Vec<usize>,
    /// By how much each lowers the log loss.
    pub(super) gains: Vec<f64>,
    /// How members are mixed; `None` of a single one.
    pub(super) pool: Option<LogLinear>,
    /// The calibration of each member, and the one after they are mixed.
    before: Vec<ProbabilityCalibration>,
    after: ProbabilityCalibration,
    /// The form of the last calibration: that of a single member.
    pub(super) form: ProbabilityForm,
    /// The mean log loss of each form of it.
    pub(super) calibrations: Vec<(ProbabilityForm, f64)>,
    /// An offset for each class.
    pub(super) decision: Vec<f64>,
    /// The probabilities of the rows, `n_samples x n_classes`: of an answer that was made without the row's group.
    pub(super) proba: Matrix,
    /// Their decided classes.
    pub(super) decided: Vec<u32>,
}

/// The answer that `candidates`, of which there is one at least, give within the bounds.
///
/// # Errors
/// When no candidate is within the bounds.
pub(super) fn answer(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    bounds: &Bounds,
    context: &Context<'_>,
) -> Result<Answer> {
    let mut allowed: Vec<usize> =
        (0..candidates.len()).filter(|&i| bounds.allow(&candidates[i].cost, rows)).collect();
    if allowed.is_empty() {
        return Err(bounds.too_narrow(candidates, rows));
    }
    loop {
        if let [only] = allowed[..] {
            return Ok(of_one(candidates, only, context));
        }
        let all: Vec<MatRef<'_>> = allowed.iter().map(|&i| candidates[i].calibrated.proba.view()).collect();
        let folds = Folds::Of(rows.scored_units());
        let selected = pool::select(&all, rows.targets(), folds, MAX_MEMBERS, context.pool);
        let members: Vec<usize> = selected.members.iter().map(|&member| allowed[member]).collect();
        let cost = cost::of_members(candidates, &members);
        match members[..] {
            [only] => return Ok(of_one(candidates, only, context)),
            [.., last] if !bounds.allow(&cost, rows) => allowed.retain(|&i| i != last),
            _ => return Ok(concluded(rows, candidates, Selected { members, ..selected }, context)),
        }
    }
}

/// The answer that candidate `only` alone gives, which is calibrated already.
pub(super) fn of_one(candidates: &[Candidate], only: usize, context: &Context<'_>) -> Answer {
    let calibrated = candidates[only].calibrated.clone();
    let n_classes = calibrated.proba.n_cols();
    let before = vec![calibrated.calibration.clone()];
    let after = ProbabilityCalibration::identity(n_classes);
    let pooled = Selected {
        members: vec![only],
        pool: LogLinear::equal(1, n_classes),
        gains: vec![0.0],
        ..Selected::default()
    };
    decided((before, after), pooled, calibrated, context)
}

/// The answer of a pool: its members by their numbers among all candidates, calibrated once more after they are mixed.
fn concluded(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    pooled: Selected,
    context: &Context<'_>,
) -> Answer {
    let of = |&member: &usize| candidates[member].calibrated.calibration.clone();
    let before = pooled.members.iter().map(of).collect();
    let calibrated = rows.calibrated(pooled.proba.view(), context);
    decided((before, calibrated.calibration.clone()), pooled, calibrated, context)
}

/// The answer with these calibrations before and after mixing, and a decision.
fn decided(
    (before, after): (Vec<ProbabilityCalibration>, ProbabilityCalibration),
    Selected { members, pool, gains, .. }: Selected,
    calibrated: Chosen,
    context: &Context<'_>,
) -> Answer {
    let offsets = decision::offsets(calibrated.proba.view(), context.metric);
    let decided = decision::decide(calibrated.proba.view(), &offsets);
    Answer {
        pool: (members.len() > 1).then_some(pool),
        members,
        gains,
        before,
        after,
        form: calibrated.form,
        calibrations: calibrated.losses,
        decision: offsets,
        proba: calibrated.proba,
        decided,
    }
}

impl Bounds {
    fn allow(&self, cost: &Cost, rows: &SearchRows<'_>) -> bool {
        self.max_model_bytes.is_none_or(|most| rows.final_bytes(cost.n_bytes) <= most)
            && self.max_predict_time.is_none_or(|most| cost.predict <= most)
    }

    fn too_narrow(&self, candidates: &[Candidate], rows: &SearchRows<'_>) -> Error {
        let smallest = candidates.iter().map(|candidate| candidate.cost.n_bytes).min().unwrap_or_default();
        let smallest = rows.final_bytes(smallest);
        let fastest = candidates.iter().map(|candidate| candidate.cost.predict).min().unwrap_or_default();
        Error::failure(format!(
            "no head that was tried is within --max-model-size and --max-predict-time: the smallest model has up to {smallest} bytes, the \
             fastest takes {:.1} microseconds a row",
            1e6 * fastest.as_secs_f64()
        ))
    }
}

impl Answer {
    /// Its predictions of the rows that scored it.
    pub(super) fn predictions(&self) -> Predictions<'_> {
        Predictions::decided(self.proba.view(), &self.decided)
    }

    /// Its name for people.
    pub(super) fn title(&self, candidates: &[Candidate]) -> String {
        match self.members[..] {
            [only] => candidates[only].report.title.clone(),
            _ => format!("pool of {} heads", self.members.len()),
        }
    }

    /// The model of these fits of its members.
    ///
    /// # Errors
    /// When they do not fit together.
    pub(super) fn model(&self, members: Vec<Node>, classes: Vec<String>, record: Record) -> Result<Model> {
        let members = members.into_iter().zip(&self.before);
        let mut members: Vec<Node> =
            members.map(|(node, calibration)| calibrated(node, calibration)).collect();
        let node = match (&self.pool, members.len()) {
            (None, 1) => members.remove(0),
            (pool, n) => {
                let pool = pool.clone().unwrap_or_else(|| LogLinear::equal(n, classes.len()));
                Node::Pool { members, pool }
            }
        };
        let mut node = calibrated(node, &self.after);
        if node.decides() {
            // The answer was scored by the most probable classes, or by its own decision.
            node = Node::Calibrated {
                calibration: ProbabilityCalibration::identity(classes.len()),
                then: Box::new(node),
            };
        }
        Ok(Model::new(classes, node, record)?.with_decision(self.decision.clone())?)
    }
}

/// The node with the calibration after it.
fn calibrated(node: Node, calibration: &ProbabilityCalibration) -> Node {
    match calibration.form() {
        ProbabilityForm::Identity => node,
        _ => Node::Calibrated { calibration: calibration.clone(), then: Box::new(node) },
    }
}
