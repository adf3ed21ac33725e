//! The flags of every command, and their values.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use headsmith::data::{Dtype, Files, OnBadRow, ReadOptions};
use headsmith::metrics::Metric;
use headsmith::{MlflowConfig, without_password};

use crate::flags::mlflow;
use crate::view::live::Mode;

/// The values of the flags that all commands have.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    /// Where every random number comes from.
    pub(crate) seed: u64,
    /// How many threads work at once.
    pub(crate) n_threads: usize,
    /// Whether the result is one JSON object.
    pub(crate) json: bool,
    /// Whether progress is left out.
    pub(crate) quiet: bool,
    /// The log of events, for commands with an optional log.
    pub(crate) events: Option<PathBuf>,
    /// The folder that TensorBoard reads, of the commands that write to one.
    pub(crate) tensorboard: Option<PathBuf>,
    /// Every how many epochs histograms of the weights go there.
    pub(crate) tensorboard_histograms: usize,
    /// The MLflow server that keeps the command, of the commands that one can keep.
    pub(crate) mlflow: Option<MlflowConfig>,
    /// How progress is shown, of the commands that have a choice.
    pub(crate) live: Option<Mode>,
    /// The metric that chooses, of the commands that choose.
    pub(crate) metric: Metric,
    /// How tables are read.
    pub(crate) read: ReadOptions,
}

/// Adds the flags common to all commands.
pub(crate) fn add(command: Command) -> Command {
    command.next_help_heading("Common flags").args([
        config(),
        Arg::new("seed")
            .long("seed")
            .value_name("N")
            .value_parser(value_parser!(u64))
            .default_value("42")
            .help("Random seed: the same seed gives the same bytes for any --jobs"),
        jobs(),
        text("embeddings_column", "Embeddings column [default: detected]"),
        text("label_column", "Label column [default: detected]"),
        Arg::new("dtype")
            .long("dtype")
            .value_name("TYPE")
            .value_parser(Dtype::ALL.map(Dtype::name))
            .help("Type of the numbers in a column of packed bytes: the embeddings of a database in Parquet"),
        names("drop", "COLUMN", "Columns of the training table to leave out of the features, separated by commas"),
        names("features", "GLOB", "Columns of the training table that are the features, as names or quoted globs (emb_*) separated by commas [default: all columns of numbers]"),
        Arg::new("on_bad_row")
            .long("on-bad-row")
            .value_name("WHAT")
            .value_parser(["error", "skip"])
            .default_value("error")
            .help("What to do with an unreadable row: stop with an error, or skip and report it"),
        cache(),
        switch("json", "Print the result as one JSON object"),
        switch("quiet", "No progress on standard error").short('q'),
    ])
}

/// The flag that takes the configuration file.
pub(crate) fn config() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .help("TOML file with flags by name; the command line overrides it")
}

/// The flag that takes the number of threads.
pub(crate) fn jobs() -> Arg {
    Arg::new("jobs")
        .long("jobs")
        .short('j')
        .value_name("N")
        .value_parser(value_parser!(u16).range(1..=1024))
        .help("Threads [default: all cores]")
}

/// The values of the flags that all commands have.
pub(crate) fn given(matches: &ArgMatches) -> Common {
    let text = |id: &str| matches.get_one::<String>(id).cloned();
    let list = |id: &str| matches.get_many::<String>(id).into_iter().flatten().cloned().collect();
    let skip = text("on_bad_row").as_deref() == Some("skip");
    Common {
        seed: matches.get_one("seed").copied().unwrap_or(42),
        n_threads: threads(matches),
        json: matches.get_flag("json"),
        quiet: matches.get_flag("quiet"),
        events: matches.try_get_one::<PathBuf>("events").ok().flatten().cloned(),
        tensorboard: matches.try_get_one::<PathBuf>("tensorboard").ok().flatten().cloned(),
        tensorboard_histograms: matches
            .try_get_one::<u32>("tensorboard_histograms")
            .ok()
            .flatten()
            .map_or(1, |&every| every as usize),
        mlflow: mlflow::given(matches),
        live: matches.try_get_one("live").ok().flatten().copied(),
        metric: matches
            .try_get_one::<String>("metric")
            .ok()
            .flatten()
            .and_then(|name| name.parse().ok())
            .unwrap_or_default(),
        read: ReadOptions {
            embeddings_column: text("embeddings_column"),
            label_column: text("label_column"),
            dtype: text("dtype").and_then(|name| Dtype::ALL.into_iter().find(|dtype| dtype.name() == name)),
            drop: list("drop"),
            features: list("features"),
            group_column: matches.try_get_one::<String>("group_column").ok().flatten().cloned(),
            weight_column: matches.try_get_one::<String>("weight_column").ok().flatten().cloned(),
            on_bad_row: if skip { OnBadRow::Skip } else { OnBadRow::Error },
            cache: optional_path_of(matches, "cache"),
            ..ReadOptions::default()
        },
    }
}

impl Common {
    /// Sets the names of the command and, unless it is set later, of its head.
    pub(crate) fn named(mut self, name: &str, head: Option<&str>) -> Common {
        if let Some(mlflow) = &mut self.mlflow {
            mlflow.name = name.to_owned();
            mlflow.params.extend(head.map(|head| ("head".to_owned(), head.to_owned())));
        }
        self
    }
}

/// The command as it was typed, by the name of the program, without passwords.
pub(crate) fn typed() -> Vec<String> {
    let words = crate::args().iter().skip(1).map(|word| without_password(&word.to_string_lossy()));
    std::iter::once("headsmith".to_owned()).chain(words).collect()
}

/// How many threads work at once.
pub(crate) fn threads(matches: &ArgMatches) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    matches.get_one::<u16>("jobs").map_or_else(cores, |&n| usize::from(n))
}

/// A flag that takes a file to read.
pub(crate) fn file(name: &'static str, help: &'static str) -> Arg {
    path(name, help).value_name("FILE")
}

/// A flag that takes the files of a table.
pub(crate) fn table(name: &'static str, help: &str) -> Arg {
    path(name, "")
        .value_name("FILE")
        .action(ArgAction::Append)
        .help(format!("{help}; a file, a folder or a quoted glob; repeat for more files of the same table"))
}

/// The flags that take the labels of the training and the validation table.
pub(crate) fn labels() -> [Arg; 2] {
    [
        labels_of("labels", "Labels of --train, one a row, if they are in a file of their own"),
        labels_of("val_labels", "Labels of --val, if they are in a file of their own"),
    ]
}

/// A flag that takes the files of a table's labels.
pub(crate) fn labels_of(name: &'static str, help: &str) -> Arg {
    table(
        name,
        &format!("{help}: npy, npz, safetensors, text with a label per line, or a table with a label column"),
    )
}

/// A flag that takes a folder.
pub(crate) fn folder(name: &'static str, help: &'static str) -> Arg {
    path(name, help).value_name("FOLDER").value_hint(ValueHint::DirPath)
}

/// The flag that takes the folder for cache files.
pub(crate) fn cache() -> Arg {
    folder("cache", "Cache folder for parsed tables: they are memory-mapped from there and not parsed again")
}

/// The flag that takes the file for events.
pub(crate) fn events() -> Arg {
    file("events", "Append progress events to FILE (JSON Lines); headsmith report reads it")
}

/// The flags of what is written for TensorBoard.
pub(crate) fn tensorboard() -> [Arg; 2] {
    [
        folder(
            "tensorboard",
            "Write TensorBoard event files to FOLDER: curves, weights and graph of fits and trials, validation scores",
        ),
        Arg::new("tensorboard_histograms")
            .long("tensorboard-histograms")
            .value_name("N")
            .value_parser(value_parser!(u32))
            .default_value("1")
            .requires("tensorboard")
            .help("Write histograms of the weights to TensorBoard every N epochs; 0: none"),
    ]
}

/// The flag that names the metric that chooses.
pub(crate) fn metric() -> Arg {
    Arg::new("metric")
        .long("metric")
        .value_name("METRIC")
        .value_parser(Metric::ALL.map(Metric::name))
        .default_value(Metric::default().name())
        .help("Metric on the validation rows that chooses the epoch, the trial and the head")
}

/// The flag for the display of progress.
pub(crate) fn live() -> Arg {
    Arg::new("live")
        .long("live")
        .value_name("HOW")
        .value_parser(value_parser!(Mode))
        .default_value("auto")
        .help("How to show progress: full screen (full), lines (plain) or none (off); auto is full if the terminal supports it")
}

/// The flag that takes a model file.
pub(crate) fn model(help: &'static str) -> Arg {
    path("model", help).value_name("FILE").required(true)
}

/// A flag that is there or not.
pub(crate) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The path that the required flag `id` was given.
pub(crate) fn path_of(matches: &ArgMatches, id: &str) -> PathBuf {
    optional_path_of(matches, id).unwrap_or_default()
}

/// The path that the flag `id` was given.
pub(crate) fn optional_path_of(matches: &ArgMatches, id: &str) -> Option<PathBuf> {
    matches.get_one::<PathBuf>(id).cloned()
}

/// The table that the required flag `id` was given.
pub(crate) fn table_of(matches: &ArgMatches, id: &str) -> Files {
    optional_table_of(matches, id).unwrap_or_default()
}

/// The table that the flag `id` was given.
pub(crate) fn optional_table_of(matches: &ArgMatches, id: &str) -> Option<Files> {
    Some(Files::new(matches.get_many::<PathBuf>(id)?.cloned().collect()))
}

/// The table that the flag `id` was given, with the labels that the flag `labels` was given.
///
/// # Errors
/// When there are labels and no table.
pub(crate) fn labelled(matches: &ArgMatches, id: &str, labels: &str) -> headsmith::Result<Option<Files>> {
    with_labels(matches, optional_table_of(matches, id), id, labels)
}

/// Adds the labels of the flag `labels` to `files`, which are those of the flag `id` or replace them.
///
/// # Errors
/// When there are labels and no table.
pub(crate) fn with_labels(
    matches: &ArgMatches,
    files: Option<Files>,
    id: &str,
    labels: &str,
) -> headsmith::Result<Option<Files>> {
    match (files, optional_table_of(matches, labels)) {
        (None, Some(_)) => {
            let flag = labels.replace('_', "-");
            Err(headsmith::Error::usage(format!("--{flag} gives the labels of --{id}, which is missing")))
        }
        (files, labels) => Ok(files.map(|files| files.with_labels(labels))),
    }
}

fn path(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name.replace('_', "-"))
        .value_hint(ValueHint::FilePath)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

/// A flag that takes names, separated by commas or given more than once.
fn names(id: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).value_name(value).action(ArgAction::Append).value_delimiter(',').help(help)
}

fn text(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id.replace('_', "-")).value_name("NAME").help(help)
}
