//! The flags of MLflow.

use clap::{Arg, ArgMatches};
use headsmith::MlflowConfig;

use crate::flags::common;

/// The experiment unless asked otherwise.
const EXPERIMENT: &str = "headsmith";

/// The flags of commands that an MLflow server can keep.
pub(crate) fn args() -> [Arg; 2] {
    [
        Arg::new("mlflow")
            .long("mlflow")
            .value_name("URL")
            // From a configuration file it may be a password.
            .hide_default_value(true)
            .help("MLflow tracking server to log parameters, metrics per epoch, trials and files to: http(s)://[USER:PASSWORD@]HOST[:PORT]"),
        Arg::new("mlflow_experiment")
            .long("mlflow-experiment")
            .value_name("NAME")
            .default_value(EXPERIMENT)
            .requires("mlflow")
            .help("MLflow experiment; created if missing"),
    ]
}

/// Their values; `None` without a server, and of commands that have no such flags.
pub(crate) fn given(matches: &ArgMatches) -> Option<MlflowConfig> {
    let text = |id| matches.try_get_one::<String>(id).ok().flatten().cloned();
    let seed = matches.get_one::<u64>("seed").map(u64::to_string);
    let params = [("seed", seed), ("preset", text("preset"))];
    let params = params.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Some(MlflowConfig {
        url: text("mlflow")?,
        experiment: text("mlflow_experiment").unwrap_or_else(|| EXPERIMENT.to_owned()),
        name: String::new(),
        command: common::typed(),
        params: params.collect(),
    })
}
