//! Fitting one head: scaling, training, judging.

mod scaled;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headsmith_data::Dataset;
use headsmith_heads::head::Folds;
use headsmith_heads::network::NetworkWeights;
use headsmith_heads::params::{AUTO, Value};
use headsmith_heads::training::{self, Checkpoint, Training};
use headsmith_heads::{Control, Description, Event, Fitted, Fitting, Job, Observer};
use headsmith_kernels::Matrix;
use headsmith_metrics::Predictions;
use headsmith_model::{Model, Node, Record};

use crate::conformal::{self, Calibrated, ConformalOptions, Source};
use crate::context::Context;
use crate::error::Result;
use crate::evidence;
use crate::fit_data::record_of;
use crate::head::HeadConfig;
use crate::judge::{self, CrossValidated, LabelledRows};
use crate::progress::{Judged, Progress};
use crate::report::FitReport;
use crate::rows::FitRows;
use crate::{memory, model_file};

pub use crate::fit_data::FitData;
pub(crate) use scaled::Scaled;

/// How a fit is done, beside the head's own parameters.
#[derive(Debug, Clone, Default)]
pub struct FitOptions {
    /// The purpose of the fit, where a run has several.
    pub purpose: String,
    /// File of the best model so far during the fit, so that a killed process leaves it.
    pub checkpoint: Option<PathBuf>,
    /// The choices of the validation rows before this fit: a trial's parameters.
    pub chosen_on_val: Vec<&'static str>,
    /// Whether the validation rows will choose among heads.
    pub chooses_head: bool,
    /// The cross-validation of the same head on the same rows, for its report.
    pub folds: Option<CrossValidated>,
    /// The prediction sets of the model, if it is to have them.
    pub conformal: Option<ConformalOptions>,
    /// The trial of a study whose random numbers the fit has, so that it goes through the trial's very epochs; 0 without
    /// a study.
    pub trial: u32,
}

/// A fitted head with its report.
#[derive(Debug)]
pub struct FittedHead {
    /// Scaling and head, ready to predict.
    pub model: Model,
    /// The model's predictions of the validation rows.
    pub val: Option<judge::Judged>,
    /// Its report.
    pub report: FitReport,
}

/// A head that was trained and not judged yet.
#[derive(Debug)]
pub struct TrainedHead {
    /// Scaling and head, ready to predict.
    pub model: Model,
    /// How the training went.
    pub training: Training,
    /// The parameters that the fit chose by itself.
    pub chosen: Vec<(&'static str, Value)>,
    /// The head's structure.
    pub description: Description,
    /// How features are scaled before the head sees them.
    pub scaling: String,
    epoch_seconds: Vec<f64>,
    /// The seconds of scaling and training.
    pub seconds: f64,
    /// The seconds of steps that changed probabilities alone, where the head has such steps.
    pub(crate) calibration_seconds: Option<f64>,
    /// The predictions of the training rows, each without its unit, where they were asked for and the head has them.
    left_out: Option<LeftOut>,
}

/// Predictions of training rows, each by the fit without its unit.
#[derive(Debug)]
struct LeftOut {
    /// The probabilities, `n_samples x n_classes`.
    proba: Matrix,
    /// The unit of each row.
    units: Vec<u32>,
}

/// The choice of parameters.
const PARAMETERS: &str = "parameters";
/// The choice of validation rows on which heads were compared.
const HEAD: &str = "head";

/// How often the best model so far is written at most: a killed fit loses no more than this.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

/// Fits `head` and judges it on the training and validation rows.
///
/// # Errors
/// When the rows cannot be learnt from, training diverges before any epoch was finite, or no rows are left to calibrate the prediction sets that are asked for.
pub fn fit(
    head: &HeadConfig,
    data: &FitData,
    options: &FitOptions,
    context: &mut Context<'_>,
) -> Result<FittedHead> {
    let metric = context.metric;
    let conformal = match options.conformal {
        Some(asked) => Some((asked, Source::of(head, data, options)?)),
        None => None,
    };
    context.emit(&Progress::Fitting { head: head.name(), purpose: &options.purpose, metric });
    context.emit(&Progress::Parameters(head.params()));
    let trained = train(head, (data, true), options, context)?;
    let calibration_seconds = trained.calibration_seconds;
    let TrainedHead { model, training, description, scaling, epoch_seconds, seconds, left_out, .. } = trained;
    let left_out = left_out.map(|left_out| (model.decide(left_out.proba.view()), left_out));
    let out_of_fold = left_out
        .as_ref()
        .map(|(decided, left_out)| {
            let rows = LabelledRows::of(&data.train, &left_out.units);
            let predictions = Predictions::decided(left_out.proba.view(), decided);
            judge::of_refits(rows, predictions, chosen_by_itself(head), context)
        })
        .transpose()?;
    let train = judge::judge(&model, &data.train, vec![judge::WEIGHTS.to_owned()], context)?;
    let used_for = used_for(head, options);
    let val =
        data.val.as_ref().map(|val| judge::judge(&model, val, used_for.clone(), context)).transpose()?;
    let (rows, predictions, is_unseen) = shown((data, options), (&train, val.as_ref()), left_out.as_ref());
    let sources = (context.seed, context.pool);
    let evidence = evidence::of(rows, predictions, &data.places, is_unseen, sources)?;
    let mut fitted = FittedHead {
        report: FitReport {
            head: head.name().to_owned(),
            title: Some(head.table().title.to_owned()),
            params: head.params().iter().filter_map(as_json).collect(),
            metric,
            scaling,
            fit_seconds: seconds,
            calibration_seconds,
            epochs: training.history.len(),
            epoch_seconds,
            best_epoch: training.best_epoch,
            stopped: training.stopped,
            structure: description,
            history: training.history,
            examples: judge::examples(rows, predictions.proba(), &data.places),
            evidence,
            train: Some(train.judgement),
            val: val.as_ref().map(|val| val.judgement.clone()),
            out_of_fold,
            folds: options.folds.as_ref().map(|folds| folds.report.clone()),
            held_back: None,
            conformal: None,
            model: None,
        },
        val,
        model,
    };
    remember_scores(&mut fitted, used_for);
    if let Some(asked) = conformal {
        let of_rows = left_out.as_ref().map(|(_, left_out)| &left_out.proba);
        let proba = (fitted.val.as_ref().map(|val| &val.proba), of_rows);
        let calibrated = conformal::of_fit(asked, (data, options), &fitted.model, proba, context)?;
        fitted = fitted.with_sets(calibrated)?;
    }
    emit_judged(&fitted, data, context);
    context.emit(&Progress::Fitted(&fitted.report));
    Ok(fitted)
}

/// The rows that the report shows, their predictions, and whether the head did not learn from them: such rows, if there are any.
fn shown<'a>(
    (data, options): (&'a FitData, &'a FitOptions),
    (train, val): (&'a judge::Judged, Option<&'a judge::Judged>),
    left_out: Option<&'a (Vec<u32>, LeftOut)>,
) -> (&'a Dataset, Predictions<'a>, bool) {
    match (val, &data.val, options.folds.as_ref(), left_out) {
        (Some(judged), Some(val), ..) => (val, judged.predictions(), true),
        (_, _, Some(folds), _) => (&data.train, folds.predictions(), true),
        (.., Some((decided, left_out))) => {
            (&data.train, Predictions::decided(left_out.proba.view(), decided), true)
        }
        _ => (&data.train, train.predictions(), false),
    }
}

/// Passes on the predictions of the validation rows, if there are any.
fn emit_judged(fitted: &FittedHead, data: &FitData, context: &mut Context<'_>) {
    if let (Some(val), Some(judged), Some(judgement)) = (&data.val, &fitted.val, &fitted.report.val) {
        let (classes, epoch) = (fitted.model.classes(), fitted.report.best_epoch);
        let sets = fitted.report.conformal.as_ref().map(|conformal| conformal.shown().0);
        let proba = judged.proba.view();
        context.emit(&Progress::Judged(Judged { classes, y: &val.y, proba, judgement, sets, epoch }));
    }
}

/// The choices that out-of-fold predictions made before they are scored: the parameters that were left to the head.
fn chosen_by_itself(head: &HeadConfig) -> Vec<String> {
    let is_auto = head.params().iter().any(|(_, value)| *value == Value::Text(AUTO.to_owned()));
    if is_auto { vec![PARAMETERS.to_owned()] } else { Vec::new() }
}

/// Scales the rows, which are used where they are, and trains `head`, without judging it.
///
/// # Errors
/// When the rows cannot be learnt from, or training diverges before any epoch was finite.
pub fn fit_rows(head: &HeadConfig, rows: &FitRows<'_>, context: &mut Context<'_>) -> Result<TrainedHead> {
    rows.check()?;
    train_rows(head, (rows, false), &FitOptions::default(), context)
}

/// Scales the rows and trains `head`; if `is_left_out`, also predicts each training row without its unit, where the head has a closed form of that.
///
/// # Errors
/// When the rows cannot be learnt from, or training diverges before any epoch was finite.
pub(crate) fn train(
    head: &HeadConfig,
    (data, is_left_out): (&FitData, bool),
    options: &FitOptions,
    context: &mut Context<'_>,
) -> Result<TrainedHead> {
    train_rows(head, (&FitRows::from(data), is_left_out), options, context)
}

fn train_rows(
    head: &HeadConfig,
    (rows, is_left_out): (&FitRows<'_>, bool),
    options: &FitOptions,
    context: &mut Context<'_>,
) -> Result<TrainedHead> {
    let start = Instant::now();
    let scaling = head.params().transform();
    let scaled = Scaled::new(scaling, head.head(), rows, context.pool)?;
    let checkpoint = Checkpointer::new(options.checkpoint.as_deref());
    let mut watch =
        Watch { context, last: start, epoch_seconds: Vec::new(), calibrating: None, checkpoint: &checkpoint };
    let (fitting, training) = watch.train(head, rows, &scaled, options)?;
    checkpoint.warn_of_failure(watch.context);
    let epoch_seconds = std::mem::take(&mut watch.epoch_seconds);
    let calibrating = watch.calibrating;
    let trained = Instant::now();
    let calibration = calibrating.map(|start| trained - start);
    let left_out = scaled.units.as_deref().filter(|_| is_left_out).and_then(|units| {
        Some(LeftOut { proba: fitting.out_of_fold(Folds::Of(units))?, units: units.to_vec() })
    });
    let of_left_out = trained.elapsed();
    let fitted = fitting.finish()?;
    let seconds = (start.elapsed() - of_left_out - calibration.unwrap_or_default()).as_secs_f64();
    let calibration_seconds = calibration.map(|seconds| seconds.as_secs_f64());
    let (description, chosen) = (fitted.description(), fitted.chosen());
    let model = scaled.model(Node::Head(fitted), record(head, rows, context.seed))?;
    let scaling = scaled.transform.spec().to_string();
    Ok(TrainedHead {
        model,
        training,
        chosen,
        description,
        scaling,
        epoch_seconds,
        seconds,
        calibration_seconds,
        left_out,
    })
}

impl FittedHead {
    /// The same with prediction sets.
    ///
    /// # Errors
    /// When they are of other classes.
    pub(crate) fn with_sets(self, (sets, conformal): Calibrated) -> Result<FittedHead> {
        let report = FitReport { conformal: Some(conformal), ..self.report };
        Ok(FittedHead { model: self.model.with_sets(sets)?, report, ..self })
    }

    /// Takes back that the validation rows chose among heads: there was but one.
    pub(crate) fn not_chosen(&mut self) {
        if let Some(val) = &mut self.report.val {
            val.used_for.retain(|what| what != HEAD);
        }
        self.model.record_mut().selected_on.retain(|what| what != HEAD);
        self.model.record_mut().metrics = judge::brief(&self.report);
    }
}

/// Passes a fit's events to the view, times its epochs, and passes on the stop request.
struct Watch<'a, 'c> {
    context: &'a mut Context<'c>,
    last: Instant,
    epoch_seconds: Vec<f64>,
    /// When the calibration began, if it has; all steps after this are its.
    calibrating: Option<Instant>,
    checkpoint: &'a Checkpointer<'a>,
}

impl<'c> Watch<'_, 'c> {
    fn train<'s>(
        &mut self,
        head: &'s HeadConfig,
        rows: &FitRows<'_>,
        scaled: &'s Scaled<'_>,
        options: &FitOptions,
    ) -> Result<(Box<dyn Fitting + 's>, Training)>
    where
        'c: 's,
    {
        let (seed, pool, metric) = (self.context.seed, self.context.pool, self.context.metric);
        let (train, val) = scaled.samples()?;
        let checkpoint = self.checkpoint;
        let mut keep = |_epoch, best: Arc<dyn Fitted>| {
            checkpoint.keep(scaled.model(Node::Head(best), record(head, rows, seed)));
        };
        let keep: Option<Checkpoint<'_>> = if options.checkpoint.is_some() { Some(&mut keep) } else { None };
        let job = Job { train, val, params: head.params(), metric, seed, trial: options.trial, pool };
        memory::check_fit(head.head(), &job)?;
        let mut fitting = head.head().begin(job, None)?;
        let training = training::run(fitting.as_mut(), self, keep)?;
        if training.n_steps == 0 {
            self.context.check_stop()?;
        }
        Ok((fitting, training))
    }
}

impl Observer for Watch<'_, '_> {
    fn on_event(&mut self, event: &Event) -> Control {
        let now = Instant::now();
        match event {
            Event::Started { .. } => self.last = now,
            Event::Epoch(_) => {
                self.epoch_seconds.push((now - self.last).as_secs_f64());
                self.last = now;
                self.checkpoint.write_if_due();
            }
            _ => {}
        }
        self.context.emit(&Progress::Fit(event));
        if self.context.stopping() { Control::Stop } else { Control::Continue }
    }

    fn on_calibration(&mut self) {
        self.calibrating.get_or_insert_with(Instant::now);
    }

    fn on_weights(&mut self, epoch: usize, weights: &dyn NetworkWeights) {
        self.context.emit(&Progress::Weights { epoch, weights });
    }
}

/// Keeps the best model so far in a file during a fit. It gets a model at each improvement and writes the last
/// one as soon as the last writing is long enough ago, whether the epoch at hand improved or not.
struct Checkpointer<'p> {
    path: Option<&'p Path>,
    pending: RefCell<Option<Result<Model>>>,
    written: Cell<Instant>,
    failure: RefCell<Option<String>>,
}

impl<'p> Checkpointer<'p> {
    fn new(path: Option<&'p Path>) -> Checkpointer<'p> {
        let now = Cell::new(Instant::now());
        Checkpointer { path, pending: RefCell::new(None), written: now, failure: RefCell::new(None) }
    }

    fn keep(&self, model: Result<Model>) {
        self.pending.replace(Some(model));
    }

    /// A failure does not end the fit: it becomes a warning at the end, and no more is written.
    fn write_if_due(&self) {
        let Some(path) = self.path else { return };
        if self.failure.borrow().is_some() || self.written.get().elapsed() < CHECKPOINT_EVERY {
            return;
        }
        if let Some(model) = self.pending.take() {
            let written = model.and_then(|model| model_file::save(&model, path));
            self.failure.replace(written.err().map(|error| error.to_string()));
            self.written.set(Instant::now());
        }
    }

    fn warn_of_failure(&self, context: &mut Context<'_>) {
        if let Some(error) = &*self.failure.borrow() {
            context.emit(&Progress::Warning(&format!("the fit continues without checkpoints: {error}")));
        }
    }
}

/// The choices of the validation rows, which make a score on them optimistic.
fn used_for(head: &HeadConfig, options: &FitOptions) -> Vec<String> {
    let by_fit = head.chosen_on_val();
    let by_run: &[&str] = if options.chooses_head { &[HEAD] } else { &[] };
    by_fit.iter().chain(&options.chosen_on_val).chain(by_run).map(|what| (*what).to_owned()).collect()
}

/// A parameter as files have it.
pub(crate) fn as_json((name, value): (&str, &Value)) -> Option<(String, serde_json::Value)> {
    Some((name.to_owned(), serde_json::to_value(value).ok()?))
}

fn record(head: &HeadConfig, rows: &FitRows<'_>, seed: u64) -> Record {
    let params = head
        .params()
        .iter()
        .filter(|(name, value)| !head.table().models_omit(name, value))
        .filter_map(as_json);
    Record { head: Some(head.name().to_owned()), params: params.collect(), ..record_of(&rows.record, seed) }
}

/// Writes the scores into the model, so that its users know what to expect of it.
pub(crate) fn remember_scores(fitted: &mut FittedHead, used_for: Vec<String>) {
    let metrics = judge::brief(&fitted.report);
    let record = fitted.model.record_mut();
    record.metrics = metrics;
    record.selected_on = if fitted.report.val.is_some() { used_for } else { Vec::new() };
}
