//! `headsmith predict`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ArgMatches;
use headsmith::data::predictions::WriteOptions;
use headsmith::{PredictOptions, model_file, outputs};

use crate::flags::common::{self, path_of, table_of};
use crate::{commands, view};

/// Labels a table with a model.
pub(crate) fn predict(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches);
    let model_path = path_of(matches, "model");
    let (data, csv) = (table_of(matches, "data"), path_of(matches, "out"));
    let options = PredictOptions {
        zip: matches.get_flag("zip").then(|| csv.with_extension("zip")),
        csv,
        columns: WriteOptions { columns: commands::columns(matches), proba: matches.get_flag("proba") },
    };
    let written: Vec<&Path> =
        std::iter::once(&options.csv).chain(&options.zip).map(PathBuf::as_path).collect();
    let read = data.all();
    let inputs: Vec<&Path> = std::iter::once(&model_path).chain(&read).map(PathBuf::as_path).collect();
    outputs::refuse_overwriting(&inputs, &written)?;
    let model = model_file::load(&model_path)?;
    let predicted = commands::with_context(&common, |context| {
        headsmith::predict(&model, &data, &common.read, &options, context)
    })?;
    if common.json { view::print_json(&predicted) } else { view::print(&view::text::predicted(&predicted)) }
}
