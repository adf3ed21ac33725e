//! The study: trials of a head's parameters, remembered in a storage, and what they come to.

mod by_hand;
mod checkpoint;
mod forest;
mod honest;
mod memory;
mod mlp;
mod news;
mod plan;
mod portfolio;
mod predictions;
mod space;
mod study_report;
mod task;
mod trials;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use headsmith_data::{Files, ReadOptions};
use headsmith_study::samplers::Sampler;
use headsmith_study::storages::{self, Durability, Options, Retry, Storage, StudyRecord};
use headsmith_study::{Direction, Space, Study, Work, pruners, samplers};

pub use study_report::{Importance, StudyReport};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::FitData;
use crate::head::HeadConfig;
use crate::hold_back;
use crate::progress::Progress;
use crate::report::TableReport;
use crate::run;
use crate::studies::Look;
use crate::tables;
use news::Line;
pub(crate) use plan::StudyTables;
use plan::{Plan, PlanTable, Search};
use task::Task;
pub(crate) use task::{final_head, with_chosen};

/// How long an outage is waited for unless asked otherwise.
pub const OUTAGE: Duration = Retry::LIMIT;
/// How often trials under way say that they are alive.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often a trial whose worker died is begun without coming further.
const MAX_ATTEMPTS: u64 = 10;
/// The lag unless asked otherwise; see [`StudyConfig::lag`].
pub const LAG: u64 = 8;

/// The study's system attribute that says how many trials it was last asked to have.
const N_TRIALS: &str = "headsmith:trials";
/// The study's system attribute in which Optuna keeps the names of its values.
const METRIC_NAMES: &str = "study:metric_names";
/// What the validation rows chose by a study.
pub(crate) const TRIAL: &str = "trial";
/// The samplers there are.
pub const SAMPLERS: [&str; 4] = ["tpe", "random", "grid", "qmc"];
/// The pruner unless asked otherwise.
pub const PRUNER: &str = "asha";

/// What a study is to search, and how.
#[derive(Debug, Clone)]
pub struct StudyConfig {
    /// The head with the parameters that are not searched.
    pub head: HeadConfig,
    /// Parameters of the head that are fixed to what `head` says, though the default space has them.
    pub fixed: Vec<&'static str>,
    /// A space file: its name and its text. It stands over the default space.
    pub space: Option<(PathBuf, String)>,
    /// The study's trials in all; `None`: no end.
    pub n_trials: Option<u64>,
    /// How long to work on it; `None`: no end.
    pub timeout: Option<Duration>,
    /// How many trials to run at once.
    pub n_jobs: usize,
    /// Where it is remembered: `sqlite:///FILE` or `postgresql://..`.
    pub storage: String,
    /// Whether SQLite waits until reports have reached the disk.
    pub full_sync: bool,
    /// How long an outage of the storage, or another's lock on it, is waited for.
    pub outage: Duration,
    /// Its name; `None`: made of its content.
    pub name: Option<String>,
    /// The sampler: `tpe`, `random`, `grid` or `qmc`.
    pub sampler: String,
    /// The pruner, as [`pruners::parse`] reads it.
    pub pruner: String,
    /// Whether the first trials are a list of configurations that did well elsewhere.
    pub listed: bool,
    /// Suggestion and pruning of trial `n` see trials `0 ..= n - lag`. `None`: [`LAG`], or `n_jobs` if that is more.
    pub lag: Option<u64>,
}

/// What `tune` is to do.
#[derive(Debug, Clone)]
pub struct TuneConfig {
    /// The table to learn from.
    pub train: Files,
    /// The table that scores the trials; `None`: a part of the training rows does.
    pub val: Option<Files>,
    /// The share of the training rows that validates where there is no `val`.
    pub val_share: f64,
    /// How tables are read.
    pub read: ReadOptions,
    /// The share of the validation rows that no trial sees; the best trial is judged on it.
    pub hold_back: f64,
    /// The study.
    pub study: StudyConfig,
}

/// What a worker that joins a study is to do.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Where the study is remembered.
    pub storage: String,
    /// Its name.
    pub name: String,
    /// The tables, where they stand elsewhere than the study says.
    pub train: Option<Files>,
    /// See `train`.
    pub val: Option<Files>,
    /// The folder for cache files of the tables.
    pub cache: Option<PathBuf>,
    /// See [`StudyConfig::outage`].
    pub outage: Duration,
    /// The study's trials in all; `None`: as many as it was last begun with.
    pub n_trials: Option<u64>,
    /// How long to work; `None`: no end.
    pub timeout: Option<Duration>,
    /// How many trials to run at once.
    pub n_jobs: usize,
}

/// How one process works on an open study.
struct Share {
    n_trials: Option<u64>,
    timeout: Option<Duration>,
    n_jobs: usize,
}

/// Reads the tables and does the study.
///
/// # Errors
/// When a table cannot be read or learnt from, the study is another one than asked for, or the storage fails.
pub fn tune(config: &TuneConfig, context: &mut Context<'_>) -> Result<StudyReport> {
    let train = tables::read("train", &config.train, &config.read, context)?;
    let beside = tables::beside(&train, &config.read);
    let val = config.val.as_ref().map(|files| tables::read("val", files, &beside, context)).transpose()?;
    let reports: Vec<TableReport> =
        std::iter::once(&train).chain(&val).map(|table| table.report.clone()).collect();
    let (mut data, _) = run::prepare_fit(train, val, config.val_share, &[], &config.read, context)?;
    hold_back::take(&mut data, config.hold_back, context.seed)?;
    context.go_on()?;
    let mut report = study(&config.study, &data, &StudyTables::of(&reports), &config.read, context)?;
    honest::judge_held_back(&mut report, &config.study.head, &data, context)?;
    context.tell(&Progress::Studied(&report));
    context.tell(&Progress::Ended { interrupted: context.stopping() });
    Ok(report)
}

/// Begins the study, or goes on with it, and says what its trials come to.
///
/// # Errors
/// When the study is another one than asked for, or the storage fails.
pub(crate) fn study(
    config: &StudyConfig,
    data: &FitData,
    tables: &StudyTables<'_>,
    read: &ReadOptions,
    context: &mut Context<'_>,
) -> Result<StudyReport> {
    let space = space::of(config)?;
    let search = Search {
        sampler: config.sampler.clone(),
        pruner: config.pruner.clone(),
        listed: config.listed,
        seed: context.seed,
        lag: config.lag.unwrap_or(LAG.max(config.n_jobs as u64)),
        hold_back: data.held_back.as_ref().map_or(0.0, |(share, _)| *share),
        val_share: data.split.as_ref().map_or(0.0, |split| split.share),
        metric: context.metric,
    };
    if config.lag.is_none() && search.lag > LAG {
        context.warn(&format!(
            "the lag is {} because of --jobs: another machine needs --lag {} for the same study",
            search.lag, search.lag
        ));
    }
    let plan = Plan::new(&config.head, &space, search, tables, read);
    // Before anything is written, everything that is asked for must make sense.
    plan.searcher(&space)?;
    let name = config.name.clone().unwrap_or_else(|| plan.name());
    let durability = if config.full_sync { Durability::Power } else { Durability::Process };
    let options = Options { durability, ..Options::default() };
    let line = Line::new();
    let mut storage = line.connect(&config.storage, options, config.outage)?;
    let (record, plan) = open(storage.as_mut(), &name, plan)?;
    if config.n_trials.is_some() || record.system_attrs.contains_key(N_TRIALS) {
        storage.set_study_attr(record.id, storages::Scope::System, N_TRIALS, &config.n_trials.into())?;
    }
    let share = Share { n_trials: config.n_trials, timeout: config.timeout, n_jobs: config.n_jobs };
    let open = Open { record, plan, url: &config.storage, line };
    work(open, storage.as_mut(), data, &share, context)
}

/// Joins a study that was begun elsewhere.
///
/// # Errors
/// When there is no such study, the tables are not its own, or the storage fails.
pub fn join(config: &WorkerConfig, context: &mut Context<'_>) -> Result<StudyReport> {
    let line = Line::new();
    let mut storage =
        line.connect(&config.storage, Options { must_exist: true, ..Options::default() }, config.outage)?;
    let record = find(storage.as_mut(), &config.name, &config.storage)?;
    let plan = plan_of(&record)?;
    let own = [config.train.as_ref(), config.val.as_ref()];
    let data = tables_of(&plan, &record.name, own, config.cache.clone(), context)?;
    context.go_on()?;
    (context.seed, context.metric) = (plan.seed, plan.metric);
    let asked_for = record.system_attrs.get(N_TRIALS).and_then(serde_json::Value::as_u64);
    let share =
        Share { n_trials: config.n_trials.or(asked_for), timeout: config.timeout, n_jobs: config.n_jobs };
    let open = Open { record, plan, url: &config.storage, line };
    let report = work(open, storage.as_mut(), &data, &share, context)?;
    context.tell(&Progress::Studied(&report));
    context.tell(&Progress::Ended { interrupted: context.stopping() });
    Ok(report)
}

/// The study of this name in the storage at `url`.
///
/// # Errors
/// When there is none: the names that there are.
pub(crate) fn find(storage: &mut dyn Storage, name: &str, url: &str) -> Result<StudyRecord> {
    if let Some(record) = storage.study(name)? {
        return Ok(record);
    }
    let there = names(&storage.studies()?);
    Err(Error::usage(format!("no study {name} in {url}; it has {there}")))
}

/// The names of studies, in words.
pub(crate) fn names(studies: &[StudyRecord]) -> String {
    if studies.is_empty() {
        return "no study".to_owned();
    }
    studies.iter().map(|study| study.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The plan of a study.
///
/// # Errors
/// When it was not begun by `tune` or `run`.
pub(crate) fn plan_of(record: &StudyRecord) -> Result<Plan> {
    let name = &record.name;
    let plan = record.system_attrs.get(plan::KEY).ok_or_else(|| {
        Error::usage(format!(
            "study {name} has no plan (its attribute {}): it was begun by another program; headsmith tune --study {name} \
             goes on with it and gives it one",
            plan::KEY
        ))
    })?;
    Plan::read(name, plan)
}

/// Reads the tables of the study `name`: those that it remembers, or `own` training and validation tables with the
/// same content.
///
/// # Errors
/// When they cannot be read, or are not the study's.
pub(crate) fn tables_of(
    plan: &Plan,
    name: &str,
    own: [Option<&Files>; 2],
    cache: Option<PathBuf>,
    context: &mut Context<'_>,
) -> Result<FitData> {
    let read = ReadOptions { cache, ..plan.read_options() };
    let [train, val] = own;
    let train = tables::read("train", train.cloned().unwrap_or(plan.train.files()), &read, context)?;
    let beside = tables::beside(&train, &read);
    let val = val.cloned().or_else(|| plan.val.as_ref().map(PlanTable::files));
    let val = val.map(|files| tables::read("val", files, &beside, context)).transpose()?;
    let reports = StudyTables { train: &train.report, val: val.as_ref().map(|val| &val.report) };
    plan.must_have(&reports, name)?;
    let (mut data, _) = run::prepare_fit(train, val, plan.val_share, &[], &read, context)?;
    hold_back::take(&mut data, plan.hold_back, plan.seed)?;
    Ok(data)
}

/// Makes the study, or finds it and sees that it is the one asked for. One that another program began gets our plan.
fn open(storage: &mut dyn Storage, name: &str, asked: Plan) -> Result<(StudyRecord, Plan)> {
    let mut record = match storage.study(name)? {
        Some(record) => record,
        // Two workers may begin at once: who comes second finds the study.
        None => match storage.create_study(name, asked.direction()) {
            Err(error) if error.kind() == headsmith_study::Kind::Conflict => {
                storage.study(name)?.ok_or(error)?
            }
            made => made?,
        },
    };
    if let Some(there) = record.system_attrs.get(plan::KEY) {
        Plan::read(name, there)?.must_be(&asked, name)?;
    }
    if record.direction != asked.direction() {
        let verb = |direction| if direction == Direction::Maximize { "maximises" } else { "minimises" };
        return Err(Error::usage(format!(
            "study {name} {} its value, and one by {} {} it: choose another --study, or another --metric",
            verb(record.direction),
            asked.metric,
            verb(asked.direction())
        )));
    }
    if !record.system_attrs.contains_key(plan::KEY) {
        let names = serde_json::json!([asked.metric.name()]);
        let new = [(METRIC_NAMES, names), (plan::KEY, asked.to_json()?)];
        for (key, value) in
            new.into_iter().filter(|(key, _)| !record.system_attrs.contains_key(*key)).collect::<Vec<_>>()
        {
            storage.set_study_attr(record.id, storages::Scope::System, key, &value)?;
            record.system_attrs.insert(key.to_owned(), value);
        }
    }
    Ok((record, asked))
}

/// A study that is found or made.
struct Open<'u> {
    record: StudyRecord,
    plan: Plan,
    url: &'u str,
    line: Line,
}

fn work(
    Open { record, plan, url, line }: Open<'_>,
    storage: &mut dyn Storage,
    data: &FitData,
    share: &Share,
    context: &mut Context<'_>,
) -> Result<StudyReport> {
    let start = Instant::now();
    let base = plan.base()?;
    let space = plan.space()?;
    let (sampler, pruner) = plan.searcher(&space)?;
    let scalings = space::scalings(&base, &space);
    let task = Task::new(
        base,
        scalings,
        data,
        (plan.seed, plan.metric),
        line.watch(context.view.histograms()),
        context.pool,
    )?;
    let n_jobs = share.n_jobs.min(plan.lag as usize);
    if n_jobs < share.n_jobs {
        context.warn(&format!(
            "{n_jobs} trials at once, not {}: the lag of the study allows no more",
            share.n_jobs
        ));
    }
    let study = Study {
        record,
        space,
        sampler,
        pruner,
        seed: plan.seed,
        lag: plan.lag,
        n_trials: share.n_trials,
        max_attempts: MAX_ATTEMPTS,
    };
    let deadline = share.timeout.map(|timeout| start + timeout);
    let work = Work { n_jobs, stop: context.stop, deadline, heartbeat: HEARTBEAT };
    trials::run(&study, &plan, storage, &work, &task, &line, context)?;
    let look = Look::at(storage, study.record)?;
    let mut report = look.report(url);
    report.seconds = start.elapsed().as_secs_f64();
    honest::judge(&mut report, &look.trials, data, context)?;
    Ok(report)
}

impl Plan {
    /// The sampler and the pruner.
    fn searcher(&self, space: &Space) -> Result<(Box<dyn Sampler>, Box<dyn pruners::Pruner>)> {
        let sampler: Box<dyn Sampler> = match self.sampler.as_str() {
            "tpe" => Box::new(samplers::Tpe::default()),
            "random" => Box::new(samplers::Random),
            "qmc" => Box::new(samplers::Qmc { scramble: Some(self.seed) }),
            "grid" => Box::new(samplers::Grid::new(space, &BTreeMap::new(), Some(self.seed))?),
            other => {
                return Err(Error::usage(format!(
                    "there is no sampler {other}; there are {}",
                    SAMPLERS.join(", ")
                )));
            }
        };
        // A grid is all its points and no others.
        let sampler = match self.listed && self.sampler != "grid" {
            true => Box::new(samplers::Listed::new(space, &portfolio::of(&self.head, space), sampler)?),
            false => sampler,
        };
        Ok((sampler, pruners::parse(&self.pruner, self.epochs())?))
    }

    /// A trial's epochs at most, if it has epochs.
    fn epochs(&self) -> Option<i64> {
        self.params.get("epochs").and_then(serde_json::Value::as_i64)
    }
}
