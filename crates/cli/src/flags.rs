//! The command line: subcommands, their flags, and what they were given.

pub(crate) mod aicrowd;
pub(crate) mod auto;
pub(crate) mod common;
pub(crate) mod config;
pub(crate) mod conformal;
pub(crate) mod heads;
pub(crate) mod mlflow;
pub(crate) mod serve;
pub(crate) mod split;
pub(crate) mod study;

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use headsmith::data::Shard;
use headsmith::data::predictions::Columns;
use headsmith::heads::{HEADS, Head};

use crate::view;
use common::{switch, table};

/// The whole command line, without a configuration file.
pub(crate) fn command() -> Command {
    command_about(heads::tuned_by_default())
}

/// The same where `tune` is about `head`.
fn command_about(head: &dyn Head) -> Command {
    Command::new("headsmith")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Turns a table of embeddings and labels into the best small classifier.")
        .after_help(
            "Start with:\n  headsmith inspect train.csv\n  headsmith run --train train.csv\n  headsmith run --train train.csv --val val.csv \
             --test test.csv --out out/\n\nExit status: 0 success, 1 bad data or failure, 2 wrong usage, 130 interrupted by Ctrl-C (the results so far are written); aicrowd has its own.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(false)
        .subcommands([run(), auto::auto(), inspect(), fit(), study::tune(head), study::worker(), study::study(), report(), evaluate(), predict(), export(), serve::serve(), aicrowd::aicrowd(), completions(), reference()])
}

/// Reads the command line `args`, over the configuration file that it names. Wrong flags, and a call for help, end
/// the process here.
///
/// # Errors
/// When the configuration file cannot be read or has unknown keys.
pub(crate) fn parse(args: Vec<OsString>) -> anyhow::Result<ArgMatches> {
    let command = command_about(heads::named(&args));
    let Some(path) = config::named(&args) else {
        return Ok(complete(command.try_get_matches_from(args).unwrap_or_else(|error| exit(&error))));
    };
    let config = config::ConfigFile::read(&path, &command)?;
    let matches = config.as_defaults(command).try_get_matches_from(args);
    matches.map(complete).or_else(|error| match config.blame(&error) {
        Some(wrong) => Err(wrong),
        None => exit(&error),
    })
}

/// Ends the process when `run` lacks a flag that it needs only without another one. clap's own rules for that do not
/// count what a configuration file gives.
fn complete(matches: ArgMatches) -> ArgMatches {
    if let Some(("run", run)) = matches.subcommand() {
        let given = |id: &str| run.try_contains_id(id).unwrap_or(false);
        let lacking: &[&str] = match given("challenge") {
            true => &[],
            false if run.get_flag("submit") => &["challenge"],
            false => &["train"],
        };
        let lacking: Vec<String> = lacking
            .iter()
            .filter(|id| !given(id))
            .map(|id| format!("\n  --{id} <{}>", if *id == "challenge" { "CHALLENGE" } else { "FILE" }))
            .collect();
        if !lacking.is_empty() {
            let text = format!("the following required arguments were not provided:{}", lacking.concat());
            let mut command = command();
            command.build();
            let run = command.find_subcommand_mut("run");
            exit(&run.map_or_else(
                || clap::Error::raw(clap::error::ErrorKind::MissingRequiredArgument, &text),
                |run| run.error(clap::error::ErrorKind::MissingRequiredArgument, &text),
            ));
        }
    }
    matches
}

/// Ends the process with clap's message: help, or wrong usage, which is also printed as JSON if that is requested.
fn exit(error: &clap::Error) -> ! {
    if error.use_stderr() && names_json() {
        let text = error.to_string();
        let message = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        view::error::print_json(message, &[], error.exit_code() as u8);
    }
    error.exit()
}

/// Whether the command is to print JSON.
pub(crate) fn asks_for_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, matches)) => asks_for_json(matches),
        None => matches.try_get_one("json").ok().flatten().copied().unwrap_or(false),
    }
}

/// Whether the command line has the word, whatever else is wrong with it.
pub(crate) fn names_json() -> bool {
    crate::args().iter().any(|arg| arg == "--json")
}

fn run() -> Command {
    let command = Command::new("run")
        .about("The whole job: inspect the tables, fit the forest, search for the best model, evaluate both, predict")
        .long_about(
            "The whole job: inspects the tables, fits the forest baseline, searches for the best model as headsmith auto does, with studies \
             around the best kernels and of the MLP as stages, evaluates both on the validation rows, fits the best again on all rows, predicts the test table with it, and \
             writes report.html, report.json, model-card.md, events.jsonl, model.safetensors, submission.csv and submission.zip to the output folder. \
             With --recipe notebook, it searches for the MLP's parameters alone, and predicts with the better of forest and MLP on the validation \
             rows. A parameter given as a flag is not searched; --trials 0 skips the study of the MLP.",
        )
        .args([
            table("train", "Training table; required without --challenge"),
            table("val", "Validation table: scores the result (see --val-is); with --recipe notebook or --head it chooses epoch, trial and head [default: a part of the training rows]"),
            split::share_arg(),
            split::groups_arg(),
            split::weights_arg(),
            common::metric(),
            table("test", "Table to predict; labels in it are ignored"),
            common::folder("out", "Output folder for the report, the model and the predictions; created if missing [default: NAME-headsmith, after the training table]"),
            common::live(),
            auto::recipe(),
            run_heads(),
            heads::set(),
            heads::preset(),
            columns(),
        ])
        .args(common::labels())
        .args(common::tensorboard())
        .args(mlflow::args())
        .args(auto::search())
        .args(study::of_run())
        .args(aicrowd::of_run());
    heads::add_recipe(common::add(command))
}

/// `--head A,B` of `run`.
fn run_heads() -> Arg {
    let names: Vec<&str> = HEADS.iter().map(|head| head.name()).collect();
    Arg::new("head")
        .long("head")
        .value_name("HEADS")
        .value_delimiter(',')
        .action(ArgAction::Append)
        .value_parser(names)
        .default_value(headsmith::run::RECIPE.join(","))
        .help("Heads to fit, separated by commas; the first of several is the baseline, the others are tuned by a study each")
}

fn inspect() -> Command {
    let command = Command::new("inspect")
        .about("Show what tables contain and what is wrong with them")
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .required(true)
                .action(ArgAction::Append)
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("CSV, JSON, Parquet, Arrow, npy, npz or safetensors, also gzip or zstd; the others must match the classes and width of the first"),
        )
        .arg(common::labels_of("labels", "Labels of the first table, one a row, if they are in a file of their own"))
        .arg(split::weights_arg());
    common::add(command)
}

fn fit() -> Command {
    let head = |head: &&dyn Head| {
        let command = Command::new(head.name()).about(head.table().about).args([
            table("train", "Training table").required(true),
            table("val", "Validation table, which also chooses the epoch where there are epochs [default: a part of the training rows]"),
            split::share_arg(),
            split::groups_arg(),
            split::weights_arg(),
            common::metric(),
            common::model("Where to write the fitted model"),
            common::events(),
            common::live(),
        ]);
        let command = command.args(common::labels()).args(split::folds_args()).args(conformal::args());
        let command = command.args(common::tensorboard()).args(mlflow::args());
        let command = if head.table().presets.is_empty() { command } else { command.arg(heads::preset()) };
        heads::add(common::add(command), head.table(), "")
    };
    Command::new("fit")
        .about("Fit one head and write the model")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(HEADS.iter().map(head))
}

fn report() -> Command {
    Command::new("report")
        .about("Draw the report page or the model card of a run again")
        .long_about(
            "Draws the report page of a run again from report.json, events.jsonl and the study's database in its output \
             folder; or that of a fit or a study from its --events file. For a command that was killed it shows what is there.",
        )
        .args([
            Arg::new("folder")
                .value_name("OUT")
                .required(true)
                .value_hint(ValueHint::AnyPath)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("Output folder of headsmith run, or the events file of fit or tune"),
            Arg::new("out")
                .long("out")
                .short('o')
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("File to write [default: report.html, or model-card.md with --card, in OUT; for an events file: beside it, .html or .md]"),
            switch("card", "Write the model card (Markdown) instead of the page"),
            Arg::new("pdf")
                .long("pdf")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(std::path::PathBuf))
                .conflicts_with("card")
                .help("Also print the page to this PDF file; needs Chromium or Chrome"),
            switch("json", "Print the names of the files as one JSON object"),
            switch("quiet", "Print nothing").short('q'),
        ])
}

fn evaluate() -> Command {
    let command = Command::new("evaluate").about("Score a model on a labelled table").args([
        common::model("Model to score"),
        table("data", "Table to score it on").required(true),
        common::labels_of("labels", "Labels of --data, one a row, if they are in a file of their own"),
        split::groups_arg().help(
            "Column whose values group the rows (a patient, a speaker, a site): intervals count groups, since rows of one are right and wrong together",
        ),
    ]);
    common::add(command)
}

fn predict() -> Command {
    let command = Command::new("predict").about("Label a table with a model").args([
        common::model("Model to predict with"),
        table("data", "Table to predict; labels in it are ignored").required(true),
        Arg::new("out")
            .long("out")
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(value_parser!(std::path::PathBuf))
            .required(true)
            .help("File to write, in the format of its ending: .csv, .tsv, .jsonl (each also with .gz or .zst), .parquet, or .npy (the labels, or the probabilities with --proba); - is CSV on standard output"),
        switch("zip", "Also write a zip archive beside it; for .csv"),
        switch("proba", "Add one probability column per class, named after the class"),
        columns(),
        Arg::new("shard")
            .long("shard")
            .value_name("INDEX/N")
            .value_parser(|text: &str| text.parse::<Shard>())
            .conflicts_with_all(["zip", "cache"])
            .help("Predict only part INDEX of N (counted from 0) and write NAME-INDEX-of-N next to --out; a part that exists and is newer than its inputs is skipped"),
    ]);
    common::add(command)
}

fn export() -> Command {
    Command::new("export")
        .about("Write a model for other runtimes: ONNX")
        .long_about(
            "Writes a model as one ONNX graph: transforms, all members of an ensemble, calibration and decision. Its input is `embeddings`, float [N, n_features]; \
             its outputs are `label`, strings, and `probabilities`, float [N, n_classes]. The export is run first (but for --opset-ml 5): if its predictions \
             differ from the model's, nothing is written.",
        )
        .args([
            Arg::new("model")
                .value_name("MODEL")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("Model file to export"),
            Arg::new("format").long("format").value_name("FORMAT").value_parser(["onnx"]).default_value("onnx").help("The format"),
            Arg::new("out")
                .long("out")
                .short('o')
                .value_name("FILE")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("File to write, such as model.onnx"),
            Arg::new("opset-ml")
                .long("opset-ml")
                .value_name("VERSION")
                .value_parser(["3", "5"])
                .default_value("3")
                .help("Version of the operators of trees (ai.onnx.ml): 3 runs everywhere, 5 computes in double precision and needs a runtime of 2025 or later"),
            switch("force", "Write trees of more than 3 million nodes, too"),
            switch("json", "Print the result as one JSON object"),
            switch("quiet", "Print nothing but errors").short('q'),
        ])
}

fn completions() -> Command {
    Command::new("completions").about("Print completions for a shell").arg(
        Arg::new("shell")
            .value_name("SHELL")
            .required(true)
            .value_parser(value_parser!(clap_complete::Shell))
            .help("The shell; for bash: headsmith completions bash > ~/.local/share/bash-completion/completions/headsmith"),
    )
}

fn reference() -> Command {
    Command::new("reference")
        .hide(true)
        .about("Print the reference page of all commands and parameters (Markdown)")
}

fn columns() -> Arg {
    Arg::new("columns")
        .long("columns")
        .value_name("NAMES")
        .value_parser(|text: &str| text.parse::<Columns>())
        .default_value("all")
        .help("Columns of the predictions, in this order: names of input columns, and label for the prediction, such as id,label; all: every input column with the label filled in")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head's parameter has the name of no other flag, on any command that is about the head.
    #[test]
    fn flags_have_names_of_their_own() {
        for head in HEADS {
            command_about(*head).debug_assert();
        }
    }
}
