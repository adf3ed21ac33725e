//! The whole job: read, check, fit the baseline, tune and fit the other heads, compare, predict, write.

mod tuned;

use std::path::{Path, PathBuf};
use std::time::Instant;

use headsmith_data::predictions::{self, Columns, WriteOptions};
use headsmith_data::{Files, Finding, ReadOptions, output, storage};
use headsmith_metrics::Metric;

use crate::auto::{self, Distilled, Search, ValUse};
use crate::checked;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::events::{Begin, EventLog};
use crate::fit::{self, FitData, FitOptions, FittedHead};
use crate::folder;
use crate::folder_lock::FolderLock;
use crate::head::HeadConfig;
use crate::hold_back;
use crate::judge;
use crate::model_file;
use crate::outputs;
use crate::plan::StudyTables;
use crate::predict::{self, PredictOptions};
use crate::progress::Progress;
use crate::report::{
    self, AutoReport, Comparison, DistilledReport, Machine, REPORT_FORMAT, REPORT_VERSION, Report,
    StudyReport, TableReport,
};
use crate::select;
use crate::split::{VAL_SHARE, units};
use crate::tables::{self, RoleTable};
use crate::tune::StudyConfig;

pub use self::tuned::{N_TRIALS, of_trials};

/// The configuration of a run.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// The table to learn from.
    pub train: Files,
    /// The table that chooses the epoch and the head; `None`: a part of the training rows does.
    pub val: Option<Files>,
    /// The share of the training rows that validates where there is no `val`.
    pub val_share: f64,
    /// The table to predict.
    pub test: Option<Files>,
    /// The folder to write to; made if it is not there.
    pub out: PathBuf,
    /// How tables are read.
    pub read: ReadOptions,
    /// The heads to fit; at least one without a search. The first of several is the baseline, to which the others are compared.
    pub heads: Vec<RunHead>,
    /// The search for the best model, after these heads; its answer predicts.
    pub search: Option<Search>,
    /// The share of the validation rows that nothing is chosen by; the selected head is judged on it.
    pub hold_back: f64,
    /// The name of the file of predictions, without its ending: [`SUBMISSION`], which is also zipped, or [`PREDICTIONS`].
    pub predictions: String,
    /// The columns of the predictions.
    pub columns: Columns,
    /// The command and its arguments, for the report; empty: unknown.
    pub command: Vec<String>,
}

impl RunConfig {
    /// A run of `heads` on the table `train`, of whose rows a part validates, into the folder `out`.
    pub fn new(train: impl Into<Files>, out: impl Into<PathBuf>, heads: Vec<RunHead>) -> RunConfig {
        RunConfig {
            train: train.into(),
            val: None,
            val_share: VAL_SHARE,
            test: None,
            out: out.into(),
            read: ReadOptions::default(),
            heads,
            search: None,
            predictions: SUBMISSION.to_owned(),
            hold_back: 0.0,
            columns: Columns::default(),
            command: Vec::new(),
        }
    }

    /// Whether the model will have prediction sets.
    fn has_sets(&self) -> bool {
        self.search.as_ref().is_some_and(|search| search.conformal.is_some())
    }

    /// The training table, and the validation table unless its rows are training rows.
    fn tables(&self) -> (Files, Option<&Files>) {
        let is_train = self.search.as_ref().is_some_and(|search| search.val_use == ValUse::Train);
        match &self.val {
            Some(val) if is_train => (self.train.clone().followed_by(val), None),
            val => (self.train.clone(), val.as_ref()),
        }
    }
}

/// A head of a run.
#[derive(Debug, Clone)]
pub struct RunHead {
    /// The head with its parameters.
    pub head: HeadConfig,
    /// The study that looks for better parameters first.
    pub study: Option<StudyConfig>,
}

/// The heads of a run unless others are named, those of the notebook: the baseline, and the head that is to beat it.
pub const RECIPE: [&str; 2] = ["forest", "mlp"];

/// The file of predictions of a challenge.
pub const SUBMISSION: &str = "submission";
/// The file of predictions otherwise.
pub const PREDICTIONS: &str = "predictions";

/// Tables of a run, looked through and ready to learn from.
struct Prepared {
    data: FitData,
    test: Option<RoleTable>,
    tables: Vec<TableReport>,
    findings: Vec<Finding>,
}

/// Tables in memory, to run on instead of files.
#[derive(Debug)]
pub struct InMemory {
    /// The rows to learn from, with their labels.
    pub train: RoleTable,
    /// The rows that judge, or choose.
    pub val: Option<RoleTable>,
    /// The weight of each training row.
    pub weights: Option<Vec<f32>>,
    /// The group of each training row: rows of one group are never parted.
    pub groups: Option<Vec<u32>>,
}

/// The heads that were fitted, and the studies before their fits.
#[derive(Default)]
struct Fits {
    heads: Vec<FittedHead>,
    studies: Vec<StudyReport>,
}

/// Does the whole job, and writes `report.json`, `report.html`, `model-card.md`, `events.jsonl`, `model.safetensors`,
/// `submission.csv` and `submission.zip`.
///
/// When it is asked to stop, the current fit ends with its best so far, fits that have not begun are skipped,
/// and the rest is done with what there is.
///
/// # Errors
/// When a table cannot be read or learnt from, a fit diverges, or a file cannot be written.
pub fn run(config: &RunConfig, context: &mut Context<'_>) -> Result<Report> {
    refuse_overwriting(config)?;
    run_on(config, None, context)
}

/// Does the same with tables in memory, whatever files `config` names: the output folder gets the same files.
///
/// # Errors
/// Those of [`run`], or when there is not a weight or a group for each row.
pub fn run_in_memory(config: &RunConfig, tables: InMemory, context: &mut Context<'_>) -> Result<Report> {
    run_on(config, Some(tables), context)
}

fn run_on(config: &RunConfig, tables: Option<InMemory>, context: &mut Context<'_>) -> Result<Report> {
    // Held until all is written, the report too.
    let mut lock = FolderLock::take_again(&config.out)?;
    let begin = Begin::now(config.command.clone(), context);
    let started = begin.started.clone();
    let log = EventLog::append(config.out.join(folder::EVENTS), &begin)?;
    context.recorded(log, |context| {
        let report = do_all(config, (started, tables), &mut lock, context)?;
        write_report(&report, &config.out, context)?;
        context.emit(&Progress::Ended { interrupted: report.interrupted });
        Ok(report)
    })
}

/// All but the report. `lock` is the output folder's: taken already where a run has been in it before.
fn do_all(
    config: &RunConfig,
    (started, tables): (String, Option<InMemory>),
    lock: &mut Option<FolderLock>,
    context: &mut Context<'_>,
) -> Result<Report> {
    let start = Instant::now();
    let Prepared { data, test, tables, findings } = match tables {
        None => prepare(config, context)?,
        Some(tables) => prepare_in_memory(config, tables, context)?,
    };
    context.check_stop()?;
    make_folder(&config.out)?;
    if lock.is_none() {
        *lock = Some(FolderLock::take(&config.out)?);
    }
    let Fits { mut heads, mut studies } = fit_heads(config, &data, &tables, context)?;
    let auto = match &config.search {
        None => None,
        Some(search) => {
            let found = auto::find(search, &data, (&tables, &config.read), &config.out, context)?;
            heads.push(found.fitted);
            studies.extend(found.study);
            Some(with_distilled(config, found.auto, found.distilled, context)?)
        }
    };
    if let [only] = &mut heads[..] {
        only.not_chosen();
    }
    let mut comparisons = compare(&heads, &data, context)?;
    let best = match &auto {
        Some(_) => heads.len() - 1,
        None => better(&heads, context.metric),
    };
    let model_path = model_path(config);
    model_file::save_final(&heads[best].model, &model_path, context)?;
    heads[best].report.held_back = hold_back::judge(&heads[best].model, &data, context)?;
    heads[best].report.model = Some(model_path.display().to_string());
    let predictions = match &test {
        Some(test) => {
            Some(predict::predict_table(&heads[best].model, test, &predict_options(config), context)?)
        }
        None => {
            warn_of_earlier_predictions(config, context);
            None
        }
    };
    Ok(Report {
        format: REPORT_FORMAT.to_owned(),
        version: REPORT_VERSION,
        headsmith_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        command: config.command.clone(),
        machine: Machine::this(),
        seed: context.seed,
        jobs: context.pool.n_threads(),
        metric: context.metric,
        interrupted: context.stopping(),
        tables,
        split: data.split.clone(),
        findings: findings.iter().map(report::finding).collect(),
        classes: data.train.classes.names().to_vec(),
        auto,
        chosen: heads[best].report.head.clone(),
        heads: heads.into_iter().map(|head| head.report).collect(),
        study: if studies.len() > 1 { None } else { studies.pop() },
        studies,
        comparison: if comparisons.len() > 1 { None } else { comparisons.pop() },
        comparisons,
        predictions,
        seconds: Some(start.elapsed().as_secs_f64()),
    })
}

/// The report of a search with the small model, if there is one, which is written to the output folder.
fn with_distilled(
    config: &RunConfig,
    auto: AutoReport,
    distilled: Option<Distilled>,
    context: &mut Context<'_>,
) -> Result<AutoReport> {
    let Some(Distilled { model, report }) = distilled else { return Ok(auto) };
    let path = config.out.join(folder::DISTILLED);
    model_file::save_final(&model, &path, context)?;
    let report = DistilledReport { file: path.display().to_string(), ..report };
    Ok(AutoReport { distilled: Some(report), ..auto })
}

fn prepare(config: &RunConfig, context: &mut Context<'_>) -> Result<Prepared> {
    let (train, val) = config.tables();
    let train = tables::read("train", &train, &config.read, context)?;
    let beside = tables::beside(&train, &config.read);
    let val = val.map(|files| tables::read("val", files, &beside, context)).transpose()?;
    let test = config.test.as_ref().map(|test| tables::read("test", test, &beside, context)).transpose()?;
    if let Some(test) = &test {
        // Before hours of work, not after them.
        predictions::check_columns(&test.table, &config.columns, config.has_sets())?;
    }
    let reports =
        [Some(&train), val.as_ref(), test.as_ref()].into_iter().flatten().map(|t| t.report.clone()).collect();
    let others: Vec<&RoleTable> = test.iter().collect();
    let (mut data, findings) =
        checked::prepare(train, val, config.val_share, &others, &config.read, context)?;
    hold_back::take(&mut data, config.hold_back, context.seed, context.pool)?;
    Ok(Prepared { data, test, tables: reports, findings })
}

fn prepare_in_memory(
    config: &RunConfig,
    InMemory { train, val, weights, groups }: InMemory,
    context: &mut Context<'_>,
) -> Result<Prepared> {
    let tables = std::iter::once(&train).chain(&val).map(|table| table.report.clone()).collect();
    // Weights and groups come with the rows: a split off them would leave both behind.
    let (mut data, findings) = checked::prepare(train, val, 0.0, &[], &config.read, context)?;
    if let Some(weights) = weights {
        data.train = data.train.with_weights(weights)?;
    }
    let units = |groups: Vec<u32>| units::of_codes(data.train.x.view(), Some(&groups), context.pool);
    data.train.units = groups.map(units);
    Ok(Prepared { data, test: None, tables, findings })
}

/// Fits the heads, each with the parameters that its study selects; what has not begun when the run is asked to stop is
/// skipped.
fn fit_heads(
    config: &RunConfig,
    data: &FitData,
    tables: &[TableReport],
    context: &mut Context<'_>,
) -> Result<Fits> {
    let mut fits = Fits::default();
    for (i, RunHead { head, study }) in config.heads.iter().enumerate() {
        let purpose = purpose(config, i);
        if i > 0 && context.stopping() {
            context.emit(&Progress::Skipped(&format!("the {purpose}")));
            continue;
        }
        let tables = StudyTables::of(tables);
        let selected = select::select(head, study.as_ref(), data, &tables, &config.read, context)?;
        fits.studies.extend(selected.study);
        if context.stopping() && !fits.heads.is_empty() {
            context.emit(&Progress::Skipped(&format!("the {purpose}")));
            continue;
        }
        let options = FitOptions {
            purpose,
            chooses_head: config.search.is_none(),
            checkpoint: Some(model_file::checkpoint_beside(&model_path(config))),
            chosen_on_val: selected.chosen_on_val,
            trial: selected.trial,
            ..FitOptions::default()
        };
        fits.heads.push(fit::fit(&selected.head, data, &options, context)?);
    }
    Ok(fits)
}

/// The purpose of the fit of head `i`.
fn purpose(config: &RunConfig, i: usize) -> String {
    let n_heads = config.heads.len();
    if i == 0 && (n_heads > 1 || config.search.is_some()) {
        return "baseline".to_owned();
    }
    if n_heads <= 2 {
        "final fit".to_owned()
    } else {
        format!("final fit of {}", config.heads[i].head.name())
    }
}

/// Compares each head with the first on the validation rows.
fn compare(heads: &[FittedHead], data: &FitData, context: &Context<'_>) -> Result<Vec<Comparison>> {
    let (Some(val), Some((first, others))) = (&data.val, heads.split_first()) else { return Ok(Vec::new()) };
    let mut comparisons = Vec::new();
    for other in others {
        if let (Some(a), Some(b)) = (&first.val, &other.val) {
            let (a, b) = (a.predictions(), b.predictions());
            comparisons.push(judge::compare(val, (&first.report, a), (&other.report, b), context)?);
        }
    }
    Ok(comparisons)
}

/// The head that is better on the validation rows; the earlier of equals.
fn better(heads: &[FittedHead], metric: Metric) -> usize {
    let score = |i: usize| heads[i].report.val.as_ref().map_or(metric.worst(), |val| metric.of(&val.scores));
    (1..heads.len()).fold(0, |best, i| if metric.is_better(score(i), score(best)) { i } else { best })
}

fn refuse_overwriting(config: &RunConfig) -> Result<()> {
    let inputs = [Some(&config.train), config.val.as_ref(), config.test.as_ref()];
    let inputs: Vec<PathBuf> = inputs.into_iter().flatten().flat_map(Files::all).collect();
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let PredictOptions { out, zip, .. } = predict_options(config);
    let own = [folder::REPORT, folder::PAGE, folder::CARD, folder::MODEL, folder::DISTILLED]
        .map(|name| config.out.join(name));
    let outputs: Vec<PathBuf> = own.into_iter().chain([out]).chain(zip).collect();
    outputs::refuse_overwriting(&inputs, &outputs.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

fn model_path(config: &RunConfig) -> PathBuf {
    config.out.join(folder::MODEL)
}

fn predict_options(config: &RunConfig) -> PredictOptions {
    PredictOptions {
        out: config.out.join(&config.predictions).with_extension("csv"),
        zip: (config.predictions == SUBMISSION).then(|| config.out.join("submission.zip")),
        columns: WriteOptions { columns: config.columns.clone(), proba: false },
        // A challenge expects the columns of its sample.
        adds_sets: config.predictions != SUBMISSION,
    }
}

/// Warns of predictions in the folder that are not this model's. They stay: nobody asked for others.
fn warn_of_earlier_predictions(config: &RunConfig, context: &mut Context<'_>) {
    let PredictOptions { out, zip, .. } = predict_options(config);
    for path in std::iter::once(out).chain(zip).filter(|path| path.exists()) {
        let path = path.display();
        context.warn(&format!(
            "{path} is from an earlier run, and not of this model: delete it, or predict again with --test"
        ));
    }
}

/// Writes the report, and the page and the card that are drawn from it.
fn write_report(report: &Report, out: &Path, context: &mut Context<'_>) -> Result<()> {
    let [path, page, card] = [folder::REPORT, folder::PAGE, folder::CARD].map(|name| out.join(name));
    let not_json = |error| Error::data(format!("the report is not valid JSON: {error}"));
    let mut bytes = serde_json::to_vec_pretty(report).map_err(not_json)?;
    bytes.push(b'\n');
    output::write_atomically(&path, |file| file.write_all(&bytes))?;
    context.emit(&Progress::Wrote(&path));
    context.emit(&Progress::Reported(report));
    // Of what was written, so that the page is the same when it is drawn again from the file.
    let facts = folder::finished(out, serde_json::from_slice(&bytes).map_err(not_json)?);
    folder::write_page(&facts, &page)?;
    context.emit(&Progress::Wrote(&page));
    folder::write_card(&facts, &card)?;
    context.emit(&Progress::Wrote(&card));
    Ok(())
}

fn make_folder(path: &Path) -> Result<()> {
    if storage::is_url(path) {
        let path = path.display();
        return Err(Error::usage(format!(
            "{path}: the output folder must be one of this machine; only predictions go to stores"
        )));
    }
    std::fs::create_dir_all(path).map_err(|cause| Error::file("make the folder", path, cause))
}
