//! Records the progress of a run on an MLflow tracking server.
//!
//! | run | its contents |
//! |---|---|
//! | the command's own | parameters of its heads, metrics of each epoch, final scores with intervals, hashes of the
//! tables, files |
//! |  | of a search over heads: scores and seconds of each candidate at the step of its number, and its members |
//! | `trial-0007` below it | a trial's parameters, its curve, its final status |
//!
//! A separate thread sends the messages: a slow or unavailable server delays and changes nothing.

mod numbers;
mod search;
mod trials;

use std::path::{Path, PathBuf};

use headsmith_heads::{EpochRecord, Event};
pub use headsmith_mlflow::Status;
use headsmith_mlflow::{Address, Client, Message, Metric, NewRun, Tracker};

use crate::curves;
use crate::error::{Error, Result};
use crate::folder;
use crate::progress::Progress;
use crate::record::{Recorder, now};
use crate::report::{FitReport, Report, StudyReport, TableReport};
use crate::tensorboard::{folder_of, is_of_candidate};
use search::Search;
use trials::Trials;

/// The server of a command's run, and the run's initial data.
#[derive(Clone, Default)]
pub struct MlflowConfig {
    /// The server's address, which may contain a user and a password.
    pub url: String,
    /// The experiment's name.
    pub experiment: String,
    /// The run's name.
    pub name: String,
    /// The command and its arguments, without passwords.
    pub command: Vec<String>,
    /// Parameters of the command, by name.
    pub params: Vec<(String, String)>,
}

/// The address may contain a password, so it is left out.
impl std::fmt::Debug for MlflowConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MlflowConfig").field("experiment", &self.experiment).finish_non_exhaustive()
    }
}

/// Records the progress of a run on an MLflow server.
pub struct Mlflow {
    tracker: Tracker,
    shown: String,
    warnings: Vec<String>,
    trials: Trials,
    search: Search,
    /// Whether the current fit is one of a candidate: the candidate has its numbers.
    is_of_candidate: bool,
    /// Prefix of the names of the current fit.
    prefix: String,
    /// The metric that chooses the epoch of the fit.
    metric: headsmith_metrics::Metric,
    /// The folder of a run's report.
    out: Option<PathBuf>,
}

impl Mlflow {
    /// Creates a run on the server. Credentials are those in the address, or in MLflow's own environment variables.
    ///
    /// # Errors
    /// If the address is invalid, the server cannot be reached, or does not create the run.
    pub fn begin(config: &MlflowConfig, env: impl Fn(&str) -> Option<String>) -> Result<Mlflow> {
        let user = ["USER", "USERNAME"].into_iter().find_map(&env);
        let address = Address::parse(&config.url, &env).map_err(|error| begin_error(&error))?;
        let shown = address.shown().to_owned();
        let mut warnings = Vec::new();
        if address.is_exposed() {
            warnings.push(format!("{shown} is not an https:// address: the traffic can be read on the way"));
        }
        let mut tags = vec![
            ("mlflow.source.type".to_owned(), "LOCAL".to_owned()),
            ("mlflow.source.name".to_owned(), config.command.join(" ")),
            ("headsmith.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ];
        tags.extend(user.map(|user| ("mlflow.user".to_owned(), user)));
        let new = NewRun { name: config.name.clone(), tags, started: millis() };
        let client = Client::from_env(address, &env);
        let tracker = client
            .and_then(|client| Tracker::begin(client, &config.experiment, new))
            .map_err(|error| begin_error(&error))?;
        warnings.extend(tracker.no_artifacts().map(|why| format!("files are not logged to MLflow: {why}")));
        tracker.send(Message::params(Tracker::PARENT, config.params.clone()));
        let trials = Trials::default();
        let metric = headsmith_metrics::Metric::default();
        let (search, prefix) = (Search::default(), String::new());
        let is_of_candidate = false;
        Ok(Mlflow { tracker, shown, warnings, trials, search, is_of_candidate, prefix, metric, out: None })
    }

    /// Warnings that the user should see.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Ends the run, and waits until the server has everything or is unavailable for too long. Returns a warning if
    /// something was lost.
    pub fn finish(mut self, status: Status) -> Option<String> {
        self.trials.end_all(&self.tracker);
        if let Some(log) = self.out.take().map(|out| out.join(folder::EVENTS)).filter(|log| log.is_file()) {
            self.tracker.send(Message::File { path: log });
        }
        self.tracker.send(Message::End { run: Tracker::PARENT, status, time: millis() });
        let lost = self.tracker.finish()?;
        let whole = "models, reports and studies are whole";
        Some(format!("MLflow at {} did not get everything, {whole}: {lost}", self.shown))
    }

    fn numbers(&self, numbers: Vec<(String, f64)>, step: usize) {
        let (step, time) = (step as i64, millis());
        let metrics = numbers.into_iter().map(|(key, value)| Metric { key, value, step, time });
        self.tracker.send(Message::metrics(Tracker::PARENT, metrics.collect()));
    }

    fn params(&self, params: Vec<(String, String)>) {
        self.tracker.send(Message::params(Tracker::PARENT, params));
    }

    fn tags(&self, tags: Vec<(String, String)>) {
        self.tracker.send(Message::tags(Tracker::PARENT, tags));
    }

    fn read(&self, table: &TableReport) {
        let key = format!("headsmith.data.{}", table.role);
        self.tags(vec![(format!("{key}.path"), table.path.clone()), (key, table.fingerprint.clone())]);
    }

    fn epoch(&self, record: &EpochRecord) {
        let prefix = &self.prefix;
        let of = |side: &str, scores| {
            let named = curves::of(scores, self.metric).into_iter();
            named.map(|(name, value)| (format!("{prefix}{side}/{name}"), value)).collect::<Vec<_>>()
        };
        let mut numbers = of("train", &record.train);
        numbers.push((format!("{prefix}train/{}", curves::LEARNING_RATE), record.learning_rate));
        numbers.extend(record.val.iter().flat_map(|val| of("validation", val)));
        self.numbers(numbers, record.epoch);
    }

    fn fitted(&self, report: &FitReport) {
        let name = |name: &str| format!("{}{name}", self.prefix);
        let train = report.train.iter().flat_map(|train| numbers::of(&name("train"), train));
        let mut numbers: Vec<_> = train.collect();
        numbers.extend(report.val.iter().flat_map(|val| numbers::of(&name("validation"), val)));
        let out_of_fold = report.folds.as_ref().map(|folds| &folds.out_of_fold);
        let out_of_fold = out_of_fold.or(report.out_of_fold.as_ref()).into_iter();
        numbers.extend(out_of_fold.flat_map(|judgement| numbers::of(&name("out_of_fold"), judgement)));
        numbers.extend(report.conformal.iter().flat_map(|sets| numbers::of(&name("conformal"), sets)));
        numbers.push((name("fit_seconds"), report.fit_seconds));
        numbers.extend(report.best_epoch.map(|epoch| (name("best_epoch"), epoch as f64)));
        if report.best_epoch.is_some() {
            numbers.push((name(curves::EPOCHS), report.epochs as f64));
        }
        self.numbers(numbers, report.best_epoch.unwrap_or(0));
    }

    fn studied(&self, report: &StudyReport) {
        self.numbers(numbers::of("study", report), 0);
        let best = report.best.as_ref();
        self.tags(
            best.map(|best| ("headsmith.best_trial".to_owned(), best.number.to_string()))
                .into_iter()
                .collect(),
        );
    }

    /// Handles a completely written file.
    fn wrote(&mut self, path: &Path) {
        self.tracker.send(Message::File { path: path.to_owned() });
        if path.file_name().is_some_and(|name| name == folder::REPORT) {
            self.out = path.parent().map(Path::to_owned);
        }
    }

    /// Adds the parts of a run's report that its heads do not have.
    fn reported(&self, report: &Report) {
        let held_back = report.heads.iter().flat_map(|head| numbers::of("held_back", &head.held_back));
        self.numbers(numbers::of("comparison", &report.comparison).into_iter().chain(held_back).collect(), 0);
        self.tags(vec![("headsmith.chosen".to_owned(), report.chosen.to_owned())]);
        if let Some(auto) = &report.auto {
            self.numbers(numbers::of("search", auto), 0);
            self.params(search::params(auto));
            self.tags(search::tags(auto));
        }
    }
}

/// The purpose of the final fits of a search's members.
const ALL_ROWS: &str = "all rows";

/// Lost messages are reported once, at the end.
impl Recorder for &mut Mlflow {
    fn record(&mut self, progress: &Progress<'_>) -> std::result::Result<(), String> {
        match progress {
            Progress::Read(table) => self.read(table),
            Progress::Fitting { head, purpose, metric } => {
                self.metric = *metric;
                // A parameter of a run is set once: candidates, and members fitted again, have the same names.
                self.is_of_candidate =
                    is_of_candidate(purpose, self.search.has_candidates()) || *purpose == ALL_ROWS;
                if self.is_of_candidate {
                    return Ok(());
                }
                let folder = folder_of(purpose);
                self.prefix = if folder.is_empty() { folder } else { folder + "/" };
                self.params(vec![(format!("{}head", self.prefix), (*head).to_owned())]);
            }
            Progress::Candidate(candidate) => {
                let step = self.search.n_candidates();
                let metric = self.metric;
                let numbers = self.search.candidate(candidate, metric);
                self.numbers(numbers, step);
            }
            Progress::Parameters(_) | Progress::Fit(_) if self.is_of_candidate => (),
            Progress::Parameters(params) => {
                let name = |name: &str| format!("{}{name}", self.prefix);
                self.params(params.iter().map(|(key, value)| (name(key), value.to_string())).collect());
            }
            Progress::Fit(Event::Epoch(record)) => self.epoch(record),
            Progress::Fitted(report) => {
                if self.search.has_candidates() {
                    // The answer: the run's own model.
                    self.prefix.clear();
                }
                self.fitted(report);
            }
            Progress::Searching { study, space, trials, pruner, n_trials, metric, .. } => {
                self.trials = Trials::begin(study, *metric, trials);
                self.tags(vec![("headsmith.study".to_owned(), (*study).to_owned())]);
                let n_trials = n_trials.map(|n| ("study/trials".to_owned(), n.to_string()));
                let space = space.params.iter();
                let space =
                    space.map(|param| (format!("space/{}", param.name), param.distribution.to_string()));
                let pruner = ("study/pruner".to_owned(), (*pruner).to_owned());
                self.params(space.chain([pruner]).chain(n_trials).collect());
            }
            Progress::Trial(event) => self.trials.record(event, &self.tracker),
            Progress::Searched => self.trials.end_all(&self.tracker),
            Progress::Studied(report) => self.studied(report),
            Progress::Wrote(path) => self.wrote(path),
            Progress::Reported(report) => self.reported(report),
            _ => (),
        }
        Ok(())
    }
}

/// The error before the work starts.
fn begin_error(error: &headsmith_mlflow::Error) -> Error {
    let hint = error.hint().unwrap_or("is the server up? Without --mlflow the command does the same");
    let text = format!("cannot log to MLflow: {error}\nhint: {hint}");
    if error.is_usage() { Error::usage(text) } else { Error::data(text) }
}

/// Milliseconds since 1970, UTC.
fn millis() -> i64 {
    (now() * 1e3) as i64
}
