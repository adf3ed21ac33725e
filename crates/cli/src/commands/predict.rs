//! `headsmith predict`

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use headsmith::data::output::is_standard_output;
use headsmith::data::predictions::{OutputFormat, WriteOptions};
use headsmith::{PredictOptions, model_file, outputs};

use crate::flags::common::{self, path_of, table_of};
use crate::{commands, view};

/// Labels a table with a model.
pub(crate) fn predict(matches: &ArgMatches) -> anyhow::Result<()> {
    let common = common::given(matches);
    let model_path = path_of(matches, "model");
    let (data, out) = (table_of(matches, "data"), path_of(matches, "out"));
    let options = PredictOptions {
        zip: matches.get_flag("zip").then(|| out.with_extension("zip")),
        out,
        columns: WriteOptions { columns: commands::columns(matches), proba: matches.get_flag("proba") },
        adds_sets: true,
    };
    refuse_contradictions(&options, common.json).map_err(headsmith::Error::usage)?;
    let on_standard_output = is_standard_output(&options.out);
    let files = std::iter::once(&options.out).filter(|_| !on_standard_output).chain(&options.zip);
    let written: Vec<&Path> = files.map(PathBuf::as_path).collect();
    let read = data.all();
    let inputs: Vec<&Path> = std::iter::once(&model_path).chain(&read).map(PathBuf::as_path).collect();
    outputs::refuse_overwriting(&inputs, &written)?;
    written.iter().try_for_each(|path| outputs::prepare(path))?;
    let model = model_file::load(&model_path)?;
    let predicted = commands::with_context(&common, |context| {
        headsmith::predict(&model, &data, &common.read, &options, context)
    })?;
    match common.json {
        true => view::print_json(&predicted),
        false if !on_standard_output => view::print(&view::text::predicted(&predicted)),
        false if common.quiet => Ok(()),
        false => {
            view::print_message(view::text::predicted(&predicted).trim_end());
            Ok(())
        }
    }
}

/// Ends with an error where the output cannot be what the flags ask for together.
fn refuse_contradictions(options: &PredictOptions, json: bool) -> Result<(), String> {
    let format = OutputFormat::of(&options.out)?;
    format.check(&options.columns)?;
    let on_standard_output = is_standard_output(&options.out);
    if options.zip.is_some() && (on_standard_output || !format.is_plain_csv()) {
        return Err("--zip writes an archive of a CSV file: name one with --out, such as p.csv".to_owned());
    }
    if json && on_standard_output {
        return Err("the predictions and --json cannot both go to standard output: name a file with --out, \
                    or leave out --json"
            .to_owned());
    }
    Ok(())
}
