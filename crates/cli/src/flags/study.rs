//! Flags of the commands around studies: tune, worker, study, and those of run about its study.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use headsmith::HeadConfig;
use headsmith::folder::STUDY;
use headsmith::heads::head::find;
use headsmith::heads::{HEADS, Head};
use headsmith::params::Value;
use headsmith::run::{self, RunHead};
use headsmith::study::storages::check_url;
use headsmith::tune::StudyConfig;
use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;

use super::common::{self, Common, file, optional_path_of, switch, table};
use super::heads;

/// Where studies are remembered, unless asked otherwise.
pub(crate) const STORAGE: &str = "sqlite:///headsmith.db";
const HEADING: &str = "Study";
/// Flags of `run` and `auto` about the study of the head that they tune, not about those around kernels.
pub(crate) const OF_TUNED: [&str; 5] = ["trials", "study", "space", "pruner", "random-start"];

/// `headsmith tune`
pub(crate) fn tune(tuned: &dyn Head) -> Command {
    let command = Command::new("tune")
        .about("Search for the parameters of a head that do best on the validation rows")
        .long_about(
            "Searches for the parameters of a head that score best on the validation rows. A sampler proposes trials and a \
             pruner ends bad ones early; a database that Optuna and its dashboard can read stores them. The same command \
             resumes a study that was stopped or killed. A parameter given as a flag is fixed.",
        )
        .args([
            table("train", "Training table").required(true),
            table("val", "Validation table, which scores the trials [default: a part of the training rows]"),
            super::split::share_arg(),
            super::split::groups_arg(),
            super::split::weights_arg(),
            common::metric(),
            head(),
            heads::set(),
            common::events(),
            common::live(),
            heads::preset(),
        ])
        .args(common::labels())
        .args(common::tensorboard())
        .args(super::mlflow::args());
    heads::add_tuned(common::add(command.args(of_study(storage().default_value(STORAGE)))), tuned)
}

/// `headsmith worker`
pub(crate) fn worker() -> Command {
    let command = Command::new("worker")
        .about("Join a study that another process began, on this machine or another")
        .args([
            storage().required(true),
            study_name("Name of the study").required(true),
            table("train", "Training table, if it has moved"),
            table("val", "Validation table, if it has moved"),
            trials().help("Total number of trials [default: as the study was begun]"),
            wait_for_storage(),
            timeout(),
            common::live(),
        ])
        .args(common::labels())
        .args(common::tensorboard());
    common::add(command)
}

/// `headsmith study`
pub(crate) fn study() -> Command {
    let one = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).args([
            storage().default_value(STORAGE),
            study_name("Name of the study; optional if the storage has only one"),
            switch("json", "Print the result as one JSON object"),
            switch("quiet", "No progress on standard error").short('q'),
        ])
    };
    let fit = one("best", "Show the best trial, or fit its parameters to the end (--fit)").args([
        switch("fit", "Fit the best trial's parameters to the end, with early stopping"),
        table("train", "Training table, if it has moved"),
        table("val", "Validation table, if it has moved"),
        common::labels_of("labels", "Labels of --train, one a row, if they are in a file of their own"),
        common::labels_of("val_labels", "Labels of --val, if they are in a file of their own"),
        common::cache(),
        Arg::new("model")
            .long("model")
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(value_parser!(std::path::PathBuf))
            .default_value("model.safetensors")
            .requires("fit")
            .help("Where --fit writes the model"),
        Arg::new("jobs")
            .long("jobs")
            .short('j')
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=1024))
            .requires("fit")
            .help("Threads of --fit [default: all cores]"),
    ]);
    let trials = one("trials", "List the trials").args([
        Arg::new("state")
            .long("state")
            .value_name("STATE")
            .action(ArgAction::Append)
            .value_parser(["complete", "pruned", "failed", "running", "interrupted", "waiting"])
            .help("Only trials in this state; repeatable"),
        Arg::new("sort")
            .long("sort")
            .value_name("COLUMN")
            .default_value("number")
            .allow_hyphen_values(true)
            .help("Sort by number, value, epochs, seconds or a parameter; -COLUMN sorts in descending order"),
        Arg::new("top").long("top").value_name("N").value_parser(value_parser!(u32)).help("Only the first N"),
    ]);
    let export = one("export", "Export all trials to a file").args([Arg::new("out")
        .long("out")
        .short('o')
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .value_parser(value_parser!(std::path::PathBuf))
        .required(true)
        .help("File to write: .csv, or .json with every report")]);
    let enqueue = one("enqueue", "Enqueue a trial with these values").arg(
        Arg::new("values")
            .value_name("NAME=VALUE")
            .required(true)
            .action(ArgAction::Append)
            .help("Parameter values; the sampler chooses the others"),
    );
    let delete = one("delete", "Delete a study and its trials").arg(switch("yes", "Do not ask"));
    let rename = one("rename", "Rename a study")
        .arg(Arg::new("to").long("to").value_name("NAME").required(true).help("The new name"));
    Command::new("study")
        .about("Inspect and change studies")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            one("list", "List the studies of a storage"),
            one("show", "Counts, best trial, importance of parameters, history, and where the time went"),
            fit,
            trials,
            export,
            enqueue,
            delete,
            rename,
        ])
}

/// The flags that configure a study.
fn of_study(storage: Arg) -> Vec<Arg> {
    let mut args = vec![
        trials(),
        timeout(),
        storage,
        study_name("Name of the study [default: derived from its content]"),
        file("space", "TOML file with the search space; overrides the default space"),
        text("sampler", "NAME", "Sampler: tpe, random, grid or qmc").default_value("tpe"),
        text("pruner", "NAME", "Pruner: asha, hyperband, patient-hyperband (patient- works before any), halving, median, percentile, threshold, wilcoxon, one-epoch or none; options as in median:n_warmup_steps=5")
            .default_value(headsmith::tune::PRUNER),
        Arg::new("lag")
            .long("lag")
            .value_name("L")
            .value_parser(value_parser!(u64).range(1..=1024))
            .help("Suggest and prune trial n by the results of trials 0 .. n - L: the same study for any number of jobs up to L [default: 8, or --jobs if more]"),
        Arg::new("hold-back")
            .long("hold-back")
            .value_name("SHARE")
            .value_parser(share)
            .default_value("0")
            .help("Share of the validation rows to hold back from every choice: the selected head's score on them needs no correction"),
        switch("random-start", "Start with random trials instead of configurations that did well on other tables"),
        wait_for_storage(),
        switch("full-sync", "SQLite: sync to disk at every report, so that a power cut loses nothing"),
    ];
    args.iter_mut().for_each(|arg| *arg = std::mem::take(arg).help_heading(HEADING));
    args
}

/// The same for `run`, whose study is limited, and stored in the output folder.
pub(crate) fn of_run() -> Vec<Arg> {
    let help = "Storage of the study [default: study.db in the output folder]";
    let mut args = of_study(storage().help(help));
    for arg in args.iter_mut().filter(|arg| arg.get_id() == "trials") {
        let help = "Total number of trials of the study, including those of earlier runs into the folder; 0: no study (those around kernels have 24 each)";
        *arg = std::mem::take(arg).default_value(run::N_TRIALS.to_string()).help(help);
    }
    args
}

/// `--trials` of `auto`.
pub(crate) fn trials_of_auto() -> Arg {
    let help = "Trials of the MLP's study; 0: none (studies around kernels have 24 each)";
    trials().default_value(run::N_TRIALS.to_string()).help(help)
}

/// The study of `head` in `run` with the parameters `given`, unless there is to be none.
pub(crate) fn of_run_given(
    matches: &ArgMatches,
    common: &Common,
    out: &Path,
    head: &dyn Head,
    given: Vec<(&'static str, Value)>,
) -> Result<Option<StudyConfig>> {
    let is_searched = head.table().params.iter().any(|param| param.search.is_some());
    if matches.get_one("trials") == Some(&0u64) || !is_searched {
        return Ok(None);
    }
    let mut study = study_of(matches, common, head, given)?;
    study.head = run::of_trials(study.head)?;
    if study.storage.is_empty() {
        study.storage = out.join(STUDY).display().to_string();
    }
    Ok(Some(study))
}

/// The head that a study of `auto` tunes, with the defaults of `run`.
pub(crate) fn of_auto(matches: &ArgMatches, common: &Common, out: &Path) -> Result<RunHead> {
    Ok(RunHead::tuned_in_search(out, common.n_threads, matches.get_one("trials").copied())?)
}

/// The study of `tune`.
pub(crate) fn given(matches: &ArgMatches, common: &Common, head: &dyn Head) -> Result<StudyConfig> {
    let mut values = heads::given(matches, head.table(), "");
    values.extend(heads::given(matches, head.table(), head.name()));
    values.extend(heads::set_of(matches, head.name(), &[head.name()])?);
    study_of(matches, common, head, values)
}

/// The study of `head` with the parameters `values`, which are fixed.
fn study_of(
    matches: &ArgMatches,
    common: &Common,
    head: &dyn Head,
    values: Vec<(&'static str, Value)>,
) -> Result<StudyConfig> {
    let fixed: Vec<String> = values.iter().map(|(name, _)| (*name).to_owned()).collect();
    let head = HeadConfig::with_preset(head.name(), &heads::preset_for(matches, head), values)?;
    let trial = head.trial().iter().filter(|(name, _)| !fixed.iter().any(|given| given == name));
    let head = head.with(trial.map(|(name, value)| (*name, value.value())))?;
    let text = |id: &str| matches.get_one::<String>(id).cloned().unwrap_or_default();
    let space = optional_path_of(matches, "space").map(|path| {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the space file {}", path.display()))?;
        anyhow::Ok((path, text))
    });
    let storage = text("storage");
    if !storage.is_empty() {
        // Before the tables are read, which may take minutes.
        check_url(&storage).map_err(headsmith::Error::from)?;
    }
    Ok(StudyConfig {
        is_around: false,
        head,
        fixed,
        space: space.transpose()?,
        n_trials: matches.get_one("trials").copied(),
        timeout: matches.get_one("timeout").copied(),
        n_jobs: common.n_threads,
        storage,
        full_sync: matches.get_flag("full-sync"),
        outage: outage(matches),
        name: matches.get_one("study").cloned(),
        sampler: text("sampler"),
        pruner: text("pruner"),
        listed: !matches.get_flag("random-start"),
        lag: matches.get_one("lag").copied(),
    })
}

fn head() -> Arg {
    let names: Vec<&str> = HEADS.iter().map(|head| head.name()).collect();
    Arg::new("head")
        .long("head")
        .value_name("HEAD")
        .value_parser(names)
        .default_value(heads::tuned_by_default().name())
        .help(
            "Head to search parameters for; its parameters are flags here, so --head HEAD --help lists them",
        )
}

/// The head that was asked for.
pub(crate) fn head_of(matches: &ArgMatches) -> &'static dyn Head {
    let named = matches.get_one::<String>("head").and_then(|name| find(name).ok());
    named.unwrap_or_else(heads::tuned_by_default)
}

fn storage() -> Arg {
    text("storage", "URL", "Storage of the study: sqlite:///FILE or postgresql://USER@HOST/DATABASE")
}

fn study_name(help: &'static str) -> Arg {
    text("study", "NAME", help)
}

fn trials() -> Arg {
    Arg::new("trials")
        .long("trials")
        .value_name("N")
        .value_parser(value_parser!(u64))
        .help("Total number of trials, including those of earlier commands")
}

fn timeout() -> Arg {
    Arg::new("timeout")
        .long("timeout")
        .value_name("TIME")
        .value_parser(duration)
        .help("Stop after this time: 90s, 15m, 2h; the next command resumes running trials")
}

fn wait_for_storage() -> Arg {
    Arg::new("wait-for-storage")
        .long("wait-for-storage")
        .value_name("TIME")
        .value_parser(duration)
        .help("How long to wait for a storage that is unreachable or locked [default: 5m]")
}

/// How long an outage of the storage is waited for.
pub(crate) fn outage(matches: &ArgMatches) -> Duration {
    matches.get_one("wait-for-storage").copied().unwrap_or(headsmith::tune::OUTAGE)
}

fn text(id: &'static str, value_name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).value_name(value_name).help(help)
}

/// The share of the validation rows that is held back.
pub(crate) fn held_back(matches: &ArgMatches) -> f64 {
    matches.get_one("hold-back").copied().unwrap_or_default()
}

/// At least 0, and less than 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "expected a share of at least 0 and less than 1: 0.2".to_owned())
}

/// `90` (seconds), `90s`, `15m`, `1h30m`, `1.5h`, `2d`, `1.5d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let read =
        |number: &str, unit: f64| Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * unit).ok();
    // A friendly duration has a unit, and fractions of hours and what is shorter.
    let friendly = || {
        let span = SpanParser::new().parse_span(text).ok()?;
        span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
    };
    read(text, 1.0)
        .or_else(|| read(text.strip_suffix('d')?, 86_400.0))
        .or_else(friendly)
        .ok_or_else(|| "expected a time of at least 0: 90s, 15m, 1h30m or 2d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("1h30min"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(duration("1.5d"), Ok(Duration::from_secs(129_600)));
        for wrong in ["", "m", "d", "-1", "-1s", "-1d", "3x", "3 years", "2m ago", "nan", "1e400", "1e400d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
