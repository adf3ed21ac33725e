//! `headsmith fit`

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::ArgMatches;
use headsmith::data::Files;
use headsmith::fit::{FitOptions, FittedHead};
use headsmith::{Context, HeadConfig, HeadKind, Progress, fit, model_file, outputs, run, tables};

use crate::flags::common::{self, Common, labelled, path_of};
use crate::flags::{heads, split};
use crate::{commands, view};

/// Fits one head and writes the model.
pub(crate) fn fit(matches: &ArgMatches) -> Result<()> {
    let (name, matches) = matches.subcommand().ok_or_else(|| anyhow!("no head was named"))?;
    let kind = HeadKind::ALL.into_iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| anyhow!("there is no head `{name}`"))?;
    let given = heads::given(matches, kind.table(), "");
    let head = match kind {
        HeadKind::Mlp => HeadConfig::mlp(commands::preset(matches), &given)?,
        _ => HeadConfig::new(kind, &given)?,
    };
    let common = common::given(matches).named(&format!("fit {name}"), None);
    let train = labelled(matches, "train", "labels")?.unwrap_or_default();
    let val = labelled(matches, "val", "val_labels")?;
    let model = path_of(matches, "model");
    let fitted = commands::with_context(&common, |context| {
        fit_and_save(&head, &train, (val.as_ref(), split::share(matches)), &model, &common, context)
    })?;
    if common.json {
        return view::print_json(&fitted.report);
    }
    view::print(&view::text::fit(&fitted.report, fitted.model.classes()))
}

fn fit_and_save(
    head: &HeadConfig,
    train: &Files,
    (val, val_share): (Option<&Files>, f64),
    model: &Path,
    common: &Common,
    context: &mut Context<'_>,
) -> headsmith::Result<FittedHead> {
    let inputs: Vec<PathBuf> = std::iter::once(train).chain(val).flat_map(Files::all).collect();
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let outputs: Vec<&Path> = std::iter::once(model).chain(common.events.as_deref()).collect();
    outputs::refuse_overwriting(&inputs, &outputs)?;
    outputs::prepare(model)?;
    let train = tables::read("train", train, &common.read, context)?;
    let beside = tables::beside(&train, &common.read);
    let val = val.map(|val| tables::read("val", val, &beside, context)).transpose()?;
    let (data, _) = run::prepare_fit(train, val, val_share, &[], &common.read, context)?;
    let options =
        FitOptions { checkpoint: Some(model_file::checkpoint_beside(model)), ..FitOptions::default() };
    let mut fitted = fit::fit(head, &data, &options, context)?;
    model_file::save_final(&fitted.model, model, context)?;
    fitted.report.model = Some(model.display().to_string());
    context.view.see(&Progress::Ended { interrupted: context.stopping() });
    Ok(fitted)
}
