//! `headsmith predict`

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use headsmith::data::output::is_standard_output;
use headsmith::data::predictions::{OutputFormat, WriteOptions};
use headsmith::data::storage::is_url;
use headsmith::data::{ReadOptions, Shard};
use headsmith::{PredictOptions, model_file, outputs};

use crate::flags::common::{self, Common, path_of, table_of};
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
    let read_options = ReadOptions { shard: matches.get_one("shard").copied(), ..common.read.clone() };
    refuse_contradictions(&options, read_options.shard, common.json).map_err(headsmith::Error::usage)?;
    let on_standard_output = is_standard_output(&options.out);
    let out = read_options.shard.map_or_else(|| options.out.clone(), |shard| shard.file_of(&options.out));
    if let Some(shard) = read_options.shard.filter(|_| data.would_read(&out)) {
        let why = format!(
            "--out: {} would lie among the files of --data, and the shards after {shard} would read it; name another folder",
            out.display()
        );
        return Err(headsmith::Error::usage(why).into());
    }
    let files = std::iter::once(&out).filter(|_| !on_standard_output).chain(&options.zip);
    let written: Vec<&Path> = files.map(PathBuf::as_path).collect();
    let read = data.all();
    let inputs: Vec<&Path> = std::iter::once(&model_path).chain(&read).map(PathBuf::as_path).collect();
    outputs::refuse_overwriting(&inputs, &written)?;
    if let Some(shard) = read_options.shard.filter(|_| headsmith::is_finished(&out, &inputs)) {
        return finished(shard, &out, &common);
    }
    written.iter().try_for_each(|path| outputs::prepare(path))?;
    let model = model_file::load(&model_path)?;
    let predicted = commands::with_context(&common, |context| {
        headsmith::predict(&model, &data, &read_options, &options, context)
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

/// Says that a shard is skipped, because its output is there.
fn finished(shard: Shard, out: &Path, common: &Common) -> anyhow::Result<()> {
    if common.json {
        return view::print_json(
            &serde_json::json!({ "skipped": true, "shard": shard.to_string(), "files": [out] }),
        );
    }
    if !common.quiet {
        let out = out.display();
        view::print_message(&format!(
            "shard {shard} is finished and skipped: {out} is newer than its inputs"
        ));
    }
    Ok(())
}

/// Ends with an error where the output cannot be what the flags ask for together.
fn refuse_contradictions(options: &PredictOptions, shard: Option<Shard>, json: bool) -> Result<(), String> {
    let format = OutputFormat::of(&options.out)?;
    format.check(&options.columns)?;
    let on_standard_output = is_standard_output(&options.out);
    if options.zip.is_some() && (on_standard_output || !format.is_plain_csv()) {
        return Err("--zip writes an archive of a CSV file: name one with --out, such as p.csv".to_owned());
    }
    if options.zip.is_some() && is_url(&options.out) {
        return Err(
            "--zip writes an archive of a file: name one with --out, not an object of a store".to_owned()
        );
    }
    if shard.is_some() && on_standard_output {
        return Err("--shard writes a file of its own for each part: name one with --out".to_owned());
    }
    if json && on_standard_output {
        return Err("the predictions and --json cannot both go to standard output: name a file with --out, \
                    or leave out --json"
            .to_owned());
    }
    Ok(())
}
