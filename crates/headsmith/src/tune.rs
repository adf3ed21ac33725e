//! The study: trials of a head's parameters, kept in a storage, and their results.

mod by_hand;
mod honest;
mod messages;
mod portfolio;
mod predictions;
mod space;
mod task;
mod trial;
mod trials;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use headsmith_data::{Files, ReadOptions};
use headsmith_study::samplers::Sampler;
use headsmith_study::storages::{self, Durability, Options, Retry, Storage, StudyRecord};
use headsmith_study::{Space, Study, Work, pruners, samplers};

use crate::checked;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::FitData;
use crate::head::HeadConfig;
use crate::hold_back;
use crate::plan::{self, Plan, PlanTable, Search, StudyTables, find, plan_of};
use crate::progress::Progress;
use crate::report::{StudyReport, TableReport};
use crate::snapshot::{HEARTBEAT, StudySnapshot};
use crate::split::VAL_SHARE;
use crate::tables;
use messages::Channel;
use task::Task;

pub use crate::plan::direction_of;
pub use crate::snapshot::MIN_FOR_IMPORTANCE;
pub(crate) use space::has_neighbours;
pub(crate) use task::{final_head, with_best, with_chosen};

/// How long to wait for an unreachable storage by default.
pub const OUTAGE: Duration = Retry::LIMIT;
/// How often a trial whose worker died is begun without coming further.
const MAX_ATTEMPTS: u64 = 10;
/// The lag unless asked otherwise; see [`StudyConfig::lag`].
pub const LAG: u64 = 8;

/// The study's system attribute with the last requested number of trials.
const N_TRIALS: &str = "headsmith:trials";
/// The choice that validation rows make in a study.
pub(crate) const TRIAL: &str = "trial";
/// The samplers there are.
pub const SAMPLERS: [&str; 4] = ["tpe", "random", "grid", "qmc"];
/// The pruner unless asked otherwise.
pub const PRUNER: &str = "asha";

/// The configuration of a study.
#[derive(Debug, Clone)]
pub struct StudyConfig {
    /// The head with the parameters that are not searched.
    pub head: HeadConfig,
    /// Parameters of the head that keep their value in `head`, although the default space has them.
    pub fixed: Vec<String>,
    /// Whether the default space is narrowed to values near those of `head`; its words are fixed.
    pub is_around: bool,
    /// A space file: its name and its text. It overrides the default space.
    pub space: Option<(PathBuf, String)>,
    /// The study's trials in all; `None`: no end.
    pub n_trials: Option<u64>,
    /// How long to work on it; `None`: no end.
    pub timeout: Option<Duration>,
    /// How many trials to run at once.
    pub n_jobs: usize,
    /// Its storage: `sqlite:///FILE` or `postgresql://..`.
    pub storage: String,
    /// Whether SQLite waits until reports have reached the disk.
    pub full_sync: bool,
    /// How long to wait for a storage that is unreachable or locked.
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

impl StudyConfig {
    /// A study of `head` in `storage` (`sqlite:///FILE` or `postgresql://..`), with the defaults of the command and no end. The
    /// parameters that the head's trials have less of ([`Table::trial`](headsmith_heads::params::Table::trial)) are the caller's
    /// to set.
    pub fn new(head: HeadConfig, storage: impl Into<String>) -> StudyConfig {
        StudyConfig {
            head,
            fixed: Vec::new(),
            is_around: false,
            space: None,
            n_trials: None,
            timeout: None,
            n_jobs: 1,
            storage: storage.into(),
            full_sync: false,
            outage: OUTAGE,
            name: None,
            sampler: SAMPLERS[0].to_owned(),
            pruner: PRUNER.to_owned(),
            listed: true,
            lag: None,
        }
    }
}

impl TuneConfig {
    /// A study on the table `train`, of whose rows a part validates.
    pub fn new(train: impl Into<Files>, study: StudyConfig) -> TuneConfig {
        let (val, read) = Default::default();
        TuneConfig { train: train.into(), val, val_share: VAL_SHARE, read, hold_back: 0.0, study }
    }
}

/// The options of `tune`.
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

/// The options of a worker that joins a study.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// The study's storage.
    pub storage: String,
    /// Its name.
    pub name: String,
    /// The tables, if they have moved since the study began.
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

/// Reads the tables and runs the study.
///
/// # Errors
/// When a table cannot be read or learnt from, the storage has another study of this name, or it fails.
pub fn tune(config: &TuneConfig, context: &mut Context<'_>) -> Result<StudyReport> {
    let train = tables::read("train", &config.train, &config.read, context)?;
    let beside = tables::beside(&train, &config.read);
    let val = config.val.as_ref().map(|files| tables::read("val", files, &beside, context)).transpose()?;
    let reports: Vec<TableReport> =
        std::iter::once(&train).chain(&val).map(|table| table.report.clone()).collect();
    let (mut data, _) = checked::prepare(train, val, config.val_share, &[], &config.read, context)?;
    hold_back::take(&mut data, config.hold_back, context.seed, context.pool)?;
    context.check_stop()?;
    let mut report = study(&config.study, &data, &StudyTables::of(&reports), &config.read, context)?;
    honest::judge_held_back(&mut report, &config.study.head, &data, context)?;
    context.emit(&Progress::Studied(&report));
    context.emit(&Progress::Ended { interrupted: context.stopping() });
    Ok(report)
}

/// Begins the study, or resumes it, and reports its results.
///
/// # Errors
/// When the storage has another study of this name, or it fails.
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
        design: data.design(),
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
    let line = Channel::new();
    let mut storage = line.connect(&config.storage, options, config.outage)?;
    let (record, plan) = plan::open(storage.as_mut(), &name, plan)?;
    if config.n_trials.is_some() || record.system_attrs.contains_key(N_TRIALS) {
        storage.set_study_attr(record.id, storages::Scope::System, N_TRIALS, &config.n_trials.into())?;
    }
    let share = Share { n_trials: config.n_trials, timeout: config.timeout, n_jobs: config.n_jobs };
    let open = Open { record, plan, url: &config.storage, line };
    work(open, storage.as_mut(), data, &share, context)
}

/// Joins a study that another command began.
///
/// # Errors
/// When there is no such study, the tables are not its own, or the storage fails.
pub fn join(config: &WorkerConfig, context: &mut Context<'_>) -> Result<StudyReport> {
    let line = Channel::new();
    let mut storage =
        line.connect(&config.storage, Options { must_exist: true, ..Options::default() }, config.outage)?;
    let record = find(storage.as_mut(), &config.name, &config.storage)?;
    let plan = plan_of(&record)?;
    plan::must_optimise(&record, &plan)?;
    let own = [config.train.as_ref(), config.val.as_ref()];
    let data = tables_of(&plan, &record.name, own, config.cache.clone(), context)?;
    context.check_stop()?;
    (context.seed, context.metric) = (plan.seed, plan.metric);
    let asked_for = record.system_attrs.get(N_TRIALS).and_then(serde_json::Value::as_u64);
    let share =
        Share { n_trials: config.n_trials.or(asked_for), timeout: config.timeout, n_jobs: config.n_jobs };
    let open = Open { record, plan, url: &config.storage, line };
    let report = work(open, storage.as_mut(), &data, &share, context)?;
    context.emit(&Progress::Studied(&report));
    context.emit(&Progress::Ended { interrupted: context.stopping() });
    Ok(report)
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
    let (mut data, _) = checked::prepare(train, val, plan.val_share, &[], &read, context)?;
    hold_back::take(&mut data, plan.hold_back, plan.seed, context.pool)?;
    plan.must_have_design(data.design(), name)?;
    Ok(data)
}

/// A study of an open storage.
struct Open<'u> {
    record: StudyRecord,
    plan: Plan,
    url: &'u str,
    line: Channel,
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
    // One that the clock cannot show is none.
    let deadline = share.timeout.and_then(|timeout| start.checked_add(timeout));
    let work = Work { n_jobs, stop: context.stop, deadline, heartbeat: HEARTBEAT };
    trials::run(&study, &plan, storage, &work, &task, &line, context)?;
    let snapshot = StudySnapshot::at(storage, study.record)?;
    let mut report = snapshot.report(url);
    report.seconds = start.elapsed().as_secs_f64();
    honest::judge(&mut report, &snapshot.trials, data, context)?;
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
            true => Box::new(samplers::Listed::new(space, &portfolio::of(&self.base()?, space), sampler)?),
            false => sampler,
        };
        Ok((sampler, pruners::parse(&self.pruner, self.epochs())?))
    }

    /// A trial's epochs at most, if it has epochs.
    fn epochs(&self) -> Option<i64> {
        self.params.get("epochs").and_then(serde_json::Value::as_i64)
    }
}
