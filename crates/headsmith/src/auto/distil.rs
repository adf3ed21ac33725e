//! Distillation: the answer of a search, usually a pool of heads that keep the training rows, distilled to one small head.
//!
//! The student learns the teacher's out-of-fold probabilities of the training rows in place of their labels. On rows that neither has seen it is compared
//! with the same head trained plainly: validation rows if they judge the search, else a part of the training rows, for which the members are fitted and pooled again without it.
//! The better of the two by log loss is then fitted on all rows.

mod soft;

use std::time::Instant;

use headsmith_data::Dataset;
use headsmith_heads::params::Value;
use headsmith_kernels::{MatRef, Matrix};
use headsmith_metrics::{Metric, Predictions, decision};
use headsmith_model::{Model, Record};

use self::soft::soften;
use super::Bounds;
use super::answer::{self, Answer};
use super::budget::{Budget, Limits};
use super::cost::Cost;
use super::fitted::members;
use super::rows::{SearchRows, VAL_SHARE, train_only};
use super::search::{self, Candidate};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitData, FitOptions};
use crate::fit_data::part;
use crate::head::HeadConfig;
use crate::judge::{self, LabelledRows};
use crate::progress::Progress;
use crate::report::{DistilledReport, DistilledScore};
use crate::split::{self, units};

/// Of the training rows, those that judge where there are no validation rows to do so.
const JUDGING_SHARE: f64 = 0.2;

/// A head that learnt from the search.
pub(crate) struct Distilled {
    /// Fitted on all rows.
    pub(crate) model: Model,
    pub(crate) report: DistilledReport,
}

/// Rows to learn from, with a teacher's probabilities of them by fits without each, `n_samples x n_classes`.
struct DistillationData {
    rows: Dataset,
    targets: Matrix,
}

/// The search whose answer is distilled.
pub(super) struct Teacher<'s, 'd> {
    pub(super) rows: &'s SearchRows<'d>,
    pub(super) candidates: &'s [Candidate],
    pub(super) answer: &'s Answer,
}

/// Whether a search with these validation rows can be distilled to the head called `name`.
///
/// # Errors
/// When there is no such head, or training rows have no out-of-fold predictions.
pub(super) fn check(name: &str, is_chosen_on_val: bool) -> Result<()> {
    defaults(name)?;
    match is_chosen_on_val {
        true => Err(Error::usage(
            "--distil learns from out-of-fold predictions of the training rows, which --val-is choose does without: expected judge or train",
        )),
        false => Ok(()),
    }
}

/// Distils the answer to the head called `name`. `of_val` has validation rows that the final model has learnt from, with the predictions of them by the model of the search.
///
/// # Errors
/// When a fit fails or is stopped.
pub(super) fn distil(
    name: &str,
    teacher: &Teacher<'_, '_>,
    of_val: Option<(&Dataset, MatRef<'_>)>,
    context: &mut Context<'_>,
) -> Result<Distilled> {
    let start = Instant::now();
    let head = defaults(name)?;
    context.emit(&Progress::Fitting { head: head.name(), purpose: "distillation", metric: context.metric });
    let judged = judged(&head, teacher, context)?;
    let train = &teacher.rows.data.train;
    let data = match of_val {
        None => teacher.training_data(),
        Some((val, proba)) => DistillationData {
            rows: super::rows::joined(train, val),
            targets: stacked(teacher.answer.proba.view(), proba),
        },
    };
    let fitted = match judged.is_student {
        true => data.student(&head, context)?,
        false => data.plain(&head, context)?,
    };
    let record = Record { head: None, ..teacher.rows.data.record_of(context.seed) };
    let model = Model::new(fitted.classes().to_vec(), fitted.node().clone(), record)?
        .with_decision(judged.decision)?;
    let cost = Cost::of(&model, train, context.pool)?;
    let report = DistilledReport {
        head: name.to_owned(),
        title: head.table().title.to_owned(),
        is_student: judged.is_student,
        n_judged: judged.n_rows,
        is_judged_on_val: teacher.rows.judges().is_some(),
        n_fitted: data.rows.y.len(),
        teacher: judged.teacher,
        student: judged.student,
        plain: judged.plain,
        against_plain: Some(judged.difference),
        n_bytes: cost.n_bytes,
        predict_seconds: cost.predict.as_secs_f64(),
        seconds: start.elapsed().as_secs_f64(),
        file: String::new(),
    };
    Ok(Distilled { model, report })
}

fn defaults(name: &str) -> Result<HeadConfig> {
    HeadConfig::new(name, std::iter::empty::<(&str, Value)>())
}

/// The scores of the teacher, the student and the plain head on rows that none has seen.
struct Judged {
    n_rows: usize,
    teacher: DistilledScore,
    student: DistilledScore,
    plain: DistilledScore,
    /// Whether the student has the lower log loss of the two.
    is_student: bool,
    /// The student's scores less the plain head's.
    difference: headsmith_metrics::bootstrap::PairedDifference,
    /// The decision for the metric by the probabilities of the better one.
    decision: Vec<f64>,
}

fn judged(head: &HeadConfig, teacher: &Teacher<'_, '_>, context: &mut Context<'_>) -> Result<Judged> {
    if let Some(judges) = teacher.rows.judges() {
        let model = teacher.model(context)?;
        return teacher.training_data().judged(head, (&model, judges), context);
    }
    let split = train_only(teacher.rows.data).split(JUDGING_SHARE, context)?;
    let (data, model, judges) = again(teacher, &split, context)?;
    data.judged(head, (&model, judges), context)
}

/// The data and the model of the members, fitted and pooled again on the training rows of `data`, and the rows that are left to judge.
fn again<'a>(
    teacher: &Teacher<'_, '_>,
    data: &'a FitData,
    context: &mut Context<'_>,
) -> Result<(DistillationData, Model, &'a Dataset)> {
    let Some(judges) = &data.val else {
        return Err(Error::failure("no rows are left to judge a distillation"));
    };
    let rows = teacher.rows.of_part(data, context);
    let mut budget = Budget::new(Instant::now(), Limits::default(), || 0.0);
    let mut candidates = Vec::new();
    for &member in &teacher.answer.members {
        candidates.push(search::fitted_again(&teacher.candidates[member], &rows, &mut budget, context)?);
    }
    let answer = answer::answer(&rows, &candidates, &Bounds::default(), context)?;
    let teacher = Teacher { rows: &rows, candidates: &candidates, answer: &answer };
    Ok((teacher.training_data(), teacher.model(context)?, judges))
}

impl Teacher<'_, '_> {
    /// The training rows with the answer's predictions of them.
    fn training_data(&self) -> DistillationData {
        DistillationData { rows: self.rows.data.train.clone(), targets: self.answer.proba.clone() }
    }

    /// The answer's model of the training rows.
    fn model(&self, context: &mut Context<'_>) -> Result<Model> {
        let nodes = members(self.answer, self.candidates, self.rows, context)?;
        let classes = self.rows.data.train.classes.names().to_vec();
        self.answer.model(nodes, classes, Record::default())
    }
}

impl DistillationData {
    /// Judges student and plain head on `judges`.
    fn judged(
        &self,
        head: &HeadConfig,
        (teacher, judges): (&Model, &Dataset),
        context: &mut Context<'_>,
    ) -> Result<Judged> {
        let (student, plain) = (self.student(head, context)?, self.plain(head, context)?);
        let x = judges.x.view();
        let of_teacher = teacher.predict_proba(x, context.pool)?;
        let decided_by_teacher = teacher.decide(of_teacher.view());
        let (of_student, of_plain) =
            (student.predict_proba(x, context.pool)?, plain.predict_proba(x, context.pool)?);
        let offsets = |proba: &Matrix| decision::offsets(proba.view(), context.metric);
        let (by_student, by_plain) = (offsets(&of_student), offsets(&of_plain));
        let decided_by_student = decision::decide(of_student.view(), &by_student);
        let decided_by_plain = decision::decide(of_plain.view(), &by_plain);
        let predictions = [
            Predictions::decided(of_teacher.view(), &decided_by_teacher),
            Predictions::decided(of_student.view(), &decided_by_student),
            Predictions::decided(of_plain.view(), &decided_by_plain),
        ];
        let units = units::of_rows(judges, context.pool);
        let difference =
            judge::difference(LabelledRows::of(judges, &units), predictions[1], predictions[2], context)?;
        let score = |predictions| -> Result<DistilledScore> {
            let scores = headsmith_metrics::score(&judges.y, predictions)?;
            Ok(DistilledScore { score: context.metric.of(&scores), log_loss: Metric::LogLoss.of(&scores) })
        };
        let is_student = difference.by_metric.get(Metric::LogLoss).observed <= 0.0;
        Ok(Judged {
            n_rows: judges.y.len(),
            teacher: score(predictions[0])?,
            student: score(predictions[1])?,
            plain: score(predictions[2])?,
            is_student,
            difference,
            decision: if is_student { by_student } else { by_plain },
        })
    }

    /// The head that learns the teacher's probabilities.
    fn student(&self, head: &HeadConfig, context: &mut Context<'_>) -> Result<Model> {
        let (rows, val) = self.parts(head, context)?;
        let (own, targets) = (part(&self.rows, &rows, None)?, self.targets.view().gather(&rows));
        let units = units::of_rows(&own, context.pool);
        fitted(head, FitData::unrecorded(soften(&own, &units, targets.view())), val, "student", context)
    }

    /// The head trained on the labels.
    fn plain(&self, head: &HeadConfig, context: &mut Context<'_>) -> Result<Model> {
        let (rows, val) = self.parts(head, context)?;
        fitted(head, FitData::unrecorded(part(&self.rows, &rows, None)?), val, "without a teacher", context)
    }

    /// The rows to learn from, and those that select the epoch of a head with epochs.
    fn parts(&self, head: &HeadConfig, context: &Context<'_>) -> Result<(Vec<usize>, Option<Dataset>)> {
        let n = self.rows.y.len();
        if !head.uses_val() {
            return Ok(((0..n).collect(), None));
        }
        let units = units::of_rows(&self.rows, context.pool);
        let is_val = split::draw(&units, &self.rows.y, VAL_SHARE, context.seed, self.rows.units.is_some());
        let (val, train): (Vec<usize>, Vec<usize>) = (0..n).partition(|&row| is_val[row]);
        if val.is_empty() || train.is_empty() {
            return Err(split::no_rows(VAL_SHARE, n, val.len()));
        }
        Ok((train, Some(part(&self.rows, &val, None)?)))
    }
}

fn fitted(
    head: &HeadConfig,
    data: FitData,
    val: Option<Dataset>,
    purpose: &str,
    context: &mut Context<'_>,
) -> Result<Model> {
    let data = match val {
        Some(val) => data.with_val(val)?,
        None => data,
    };
    context.emit(&Progress::Fitting { head: head.name(), purpose, metric: context.metric });
    let model = fit::train(head, (&data, false), &FitOptions::default(), context)?.model;
    context.check_stop()?;
    Ok(model)
}

/// The rows of `a`, then those of `b`.
fn stacked(a: MatRef<'_>, b: MatRef<'_>) -> Matrix {
    Matrix::new([a.as_slice(), b.as_slice()].concat(), a.n_rows() + b.n_rows(), a.n_cols())
}
