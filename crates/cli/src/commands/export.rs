//! `headsmith export`

use std::path::Path;

use anyhow::Result;
use clap::ArgMatches;
use headsmith::data::output::is_standard_output;
use headsmith::export::{self, Export, Exported, MlOpset, Options};
use headsmith::{Pool, model_file, outputs};

use crate::flags::common::path_of;
use crate::view;

/// Writes a model for other runtimes.
pub(crate) fn export(matches: &ArgMatches) -> Result<()> {
    let (from, out) = (path_of(matches, "model"), path_of(matches, "out"));
    outputs::refuse_overwriting(&[&from], &[&out])?;
    let ml_opset = matches.get_one::<String>("opset-ml").and_then(|text| MlOpset::named(text));
    let options = Options { ml_opset: ml_opset.unwrap_or_default(), force: matches.get_flag("force") };
    let model = model_file::load(&from)?;
    outputs::prepare(&out)?;
    let export = export::onnx(&model, options)?;
    if !matches.get_flag("quiet") {
        view::print_message(&announced(&export, &out));
    }
    let exported = export::write(&export, &model, &out, &Pool::inline())?;
    match matches.get_flag("json") {
        true => view::print_json(&exported),
        false if matches.get_flag("quiet") || is_standard_output(&out) => Ok(()),
        false => view::print(&written(&exported)),
    }
}

/// A count of bytes in MB.
fn megabytes(n_bytes: usize) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}

/// The size, before anything is written.
fn announced(export: &Export, out: &Path) -> String {
    let mut text = format!("{} will have {}", out.display(), megabytes(export.bytes.len()));
    match (export.n_training_bytes(), export.n_tree_nodes()) {
        (0, 0) => {}
        (0, n_nodes) => text += &format!(", with trees of {n_nodes} nodes"),
        (n_bytes, _) => {
            text += &format!(", of which {} are rows that the model was trained on", megabytes(n_bytes));
        }
    }
    if export.compares_rounded() {
        text += "\nnote: its trees follow a transform that mixes features, which other runtimes round otherwise: about one row in 1,000 may get another label";
    }
    text
}

fn written(exported: &Exported) -> String {
    let Exported { file, n_compared, largest_difference, n_beyond, .. } = exported;
    let Some(most) = largest_difference else {
        return format!("wrote {file}; not run here: tract has no trees of ai.onnx.ml 5\n");
    };
    let beyond = match n_beyond {
        0 => String::new(),
        n => format!(
            ", in {n} of them by more than rounding, where a rounded value is on the other side of a cut"
        ),
    };
    format!(
        "wrote {file}; run on {n_compared} rows: probabilities differ from the model's by at most {most:.1e}{beyond}\n"
    )
}
