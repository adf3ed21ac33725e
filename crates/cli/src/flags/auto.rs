//! The flags of a search for the best model: those of `auto`, which `run` has, too.

use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use headsmith::auto::{self, Bounds, Limits, N_FOLDS, Search, ValUse};
use headsmith::folds::MAX_FOLDS;
use headsmith::heads::HEADS;
use headsmith::run::RunHead;

use super::common::{self, table};
use super::{columns, conformal, mlflow, split, study};

/// The recipe of `run` that searches for the best model.
pub(crate) const AUTO: &str = "auto";
/// The recipe of `run` that fits the heads of the notebook.
pub(crate) const NOTEBOOK: &str = "notebook";
/// The time of a search, unless time or steps are given.
const TIME: &str = "60s";
const HEADING: &str = "Search";

/// `headsmith auto`
pub(crate) fn auto() -> Command {
    let command = Command::new("auto")
        .about("Search for the best model: heads one after another, those that gain most for their time first, then a pool of the best")
        .long_about(
            "Searches for the best model. Heads are tried one after another, those that gain most for their time first, until the time is over. Each is scored by \
             predictions of rows that its fit did not see; the best are pooled, calibrated and fitted again on all rows. Writes model.safetensors, \
             report.json, report.html, model-card.md, events.jsonl and, with --test, predictions.csv to the output folder.",
        )
        .args([
            table("train", "Training table").required(true),
            table("val", "Validation table; --val-is says what for"),
            table("test", "Table to predict; labels in it are ignored"),
            common::folder("out", "Output folder; created if missing [default: NAME-headsmith, after the training table]"),
            split::groups_arg(),
            split::weights_arg(),
            common::metric().help("Metric that class decisions maximise and that compares models"),
            common::live(),
            columns(),
            study::trials_of_auto().help_heading(HEADING),
        ])
        .args(search())
        .args(common::labels())
        .args(common::tensorboard())
        .args(mlflow::args());
    common::add(command)
}

/// The flags of the search.
pub(crate) fn search() -> Vec<Arg> {
    let names: Vec<&str> = HEADS.iter().map(|head| head.name()).collect();
    let mut args = vec![
        Arg::new("time")
            .long("time")
            .value_name("TIME")
            .value_parser(study::duration)
            .help(format!("Time from the start of the command to its last file: 10s, 5m; the report says which --steps repeat it [default: {TIME}, or none with --steps]")),
        Arg::new("steps")
            .long("steps")
            .value_name("N")
            .value_parser(value_parser!(u64))
            .help("Steps of the search: the same bytes for any number of threads and any machine of the same instruction set"),
        Arg::new("heads")
            .long("heads")
            .value_name("HEADS")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(names)
            .help("Only these heads, separated by commas [default: those of the portfolio]"),
        Arg::new("reduced")
            .long("reduced")
            .value_name("HEADS")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(auto::reducible().into_iter().collect::<Vec<_>>())
            .help("Try these heads in their reduced form at once (kernel: 2000 landmarks), as the search does when time or memory is short"),
        Arg::new("val_is")
            .long("val-is")
            .value_name("USE")
            .value_parser(ValUse::ALL.map(ValUse::name))
            .default_value(ValUse::default().name())
            .help("How --val is used: judge (score the search's answer), train (more training rows) or choose (choose members and decision); the final model also learns from its rows"),
        Arg::new("prefer")
            .long("prefer")
            .value_name("WHAT")
            .value_parser(["best", "simple"])
            .default_value("best")
            .help("Which model to write: best, or simple (a simpler model, if it is not significantly worse)"),
        Arg::new("max_model_size")
            .long("max-model-size")
            .value_name("SIZE")
            .value_parser(bytes)
            .help("Largest model file: 500k, 20M, 1G"),
        Arg::new("max_predict_time")
            .long("max-predict-time")
            .value_name("TIME")
            .value_parser(study::duration)
            .help("Longest prediction of one row, among many at once on this machine: 50us, 2ms"),
        Arg::new("memory")
            .long("memory")
            .value_name("SIZE")
            .value_parser(bytes)
            .help("Memory that a fit may need beside the rows: 500M, 4G; heads that need more are left out [default: what is free]"),
    ];
    args.push(
        Arg::new("folds")
            .long("folds")
            .value_name("K")
            .value_parser(value_parser!(u64).range(2..=MAX_FOLDS as u64))
            .default_value(N_FOLDS.to_string())
            .help("Folds for heads without closed-form out-of-fold predictions"),
    );
    args.push(
        common::switch(
            "no_refit",
            "Keep the model of the search: do not fit it again on the rows of --train and --val",
        )
        .long("no-refit"),
    );
    args.push(
        Arg::new("distil")
            .long("distil")
            .value_name("HEAD")
            .value_parser(HEADS.iter().map(|head| head.name()).collect::<Vec<_>>())
            .help("Also distil the model into one small head, such as linear or mlp (distilled.safetensors); the same head trained on the labels is written instead if it is better"),
    );
    args.extend(conformal::args());
    args.into_iter().map(|arg| arg.help_heading(HEADING)).collect()
}

/// `--recipe` of `run`.
pub(crate) fn recipe() -> Arg {
    Arg::new("recipe")
        .long("recipe")
        .value_name("RECIPE")
        .value_parser([AUTO, NOTEBOOK])
        .default_value(AUTO)
        .help("What is fitted after the forest baseline: the best model that a search finds in --time (auto), or the MLP with the best parameters of a study (notebook, also where --head names heads)")
}

/// The search that was asked for, with the head that a study may tune, by a process that started at `started`.
pub(crate) fn given(matches: &ArgMatches, tuned: Option<RunHead>, started: Instant) -> Search {
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str);
    let duration = |id: &str| matches.get_one::<Duration>(id).copied();
    let val_use =
        text("val_is").and_then(|name| ValUse::ALL.into_iter().find(|val_use| val_use.name() == name));
    let steps = matches.get_one::<u64>("steps").map(|&n| n as usize);
    let time = match (duration("time"), steps) {
        (None, None) => study::duration(TIME).ok(),
        (time, _) => time,
    };
    Search {
        limits: Limits { time, steps },
        started,
        n_folds: matches.get_one::<u64>("folds").map_or(N_FOLDS, |&n| n as usize),
        heads: matches.get_many::<String>("heads").into_iter().flatten().cloned().collect(),
        reduced: matches.get_many::<String>("reduced").into_iter().flatten().cloned().collect(),
        val_use: val_use.unwrap_or_default(),
        bounds: Bounds {
            max_model_bytes: matches.get_one("max_model_size").copied(),
            max_predict_time: duration("max_predict_time"),
            max_memory: matches.get_one("memory").copied(),
        },
        tuned,
        refits: !matches.get_flag("no_refit"),
        conformal: conformal::given(matches),
        distil: text("distil").map(str::to_owned),
        prefers_simple: text("prefer") == Some("simple"),
    }
}

/// `500000`, `500k`, `20M`, `1.5G`: bytes.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12)];
    let lower = text.trim().to_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((lower.strip_suffix(name)?, *unit)))
        .unwrap_or((lower, 1.0));
    let n_bytes = number.trim().parse::<f64>().ok().map(|number| number * unit);
    let n_bytes = n_bytes.filter(|n| n.is_finite() && *n >= 1.0);
    n_bytes.map(|n| n as u64).ok_or_else(|| "expected a size of at least a byte: 500k, 20M or 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("500"), Ok(500));
        assert_eq!(bytes("500k"), Ok(500_000));
        assert_eq!(bytes("20MB"), Ok(20_000_000));
        assert_eq!(bytes("1.5 G"), Ok(1_500_000_000));
        for wrong in ["", "M", "-1M", "0", "nan", "infG", "3x"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
