//! `headsmith fit`

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::ArgMatches;
use headsmith::checked::Checked;
use headsmith::conformal::HELD_BACK_SHARE;
use headsmith::data::Files;
use headsmith::data::output::is_standard_output;
use headsmith::fit::{FitOptions, FittedHead};
use headsmith::folds::Folds;
use headsmith::heads::head::find;
use headsmith::judge::CrossValidated;
use headsmith::{
    ConformalOptions, Context, HeadConfig, Progress, fit, folds, hold_back, model_file, outputs, tables,
};

use crate::flags::common::{self, Common, labelled, optional_path_of, path_of};
use crate::flags::{conformal, heads, split};
use crate::{commands, view};

/// Fits one head and writes the model.
pub(crate) fn fit(matches: &ArgMatches) -> Result<()> {
    let (name, matches) = matches.subcommand().ok_or_else(|| anyhow!("no head was named"))?;
    let head = find(name).map_err(headsmith::Error::from)?;
    let given = heads::given(matches, head.table(), "");
    let head = HeadConfig::with_preset(name, &heads::preset_for(matches, head), given)?;
    let common = common::given(matches).named(&format!("fit {name}"), None);
    let train = labelled(matches, "train", "labels")?.unwrap_or_default();
    let val = labelled(matches, "val", "val_labels")?;
    let job = Job {
        head,
        train,
        val,
        val_share: split::share(matches)?,
        n_folds: matches.get_one::<u64>("folds").map(|&n| n as usize),
        folds_out: optional_path_of(matches, "folds_out"),
        model: path_of(matches, "model"),
        conformal: conformal::given(matches),
        common: &common,
    };
    let fitted = commands::with_context(&common, |context| job.fit_and_save(context))?;
    if common.json {
        return view::print_json(&fitted.report);
    }
    view::print(&view::text::fit(&fitted.report, fitted.model.classes()))
}

/// The configuration of `fit`.
struct Job<'c> {
    head: HeadConfig,
    train: Files,
    val: Option<Files>,
    val_share: f64,
    n_folds: Option<usize>,
    folds_out: Option<PathBuf>,
    model: PathBuf,
    conformal: Option<ConformalOptions>,
    common: &'c Common,
}

impl Job<'_> {
    fn fit_and_save(&self, context: &mut Context<'_>) -> headsmith::Result<FittedHead> {
        self.check_outputs()?;
        let read = &self.common.read;
        let train = tables::read("train", &self.train, read, context)?;
        let beside = tables::beside(&train, read);
        let val = self.val.as_ref().map(|val| tables::read("val", val, &beside, context)).transpose()?;
        let checked = Checked::new(train, val, &[], read, context)?;
        let folds = self.cross_validate(&checked, context)?;
        // A head without epochs needs no rows for selecting one, and the folds have already scored it.
        let needs_val = folds.is_none() || self.head.uses_val();
        let mut data = checked.into_data(if needs_val { self.val_share } else { 0.0 }, context)?;
        if self.conformal.is_some() && folds.is_none() && self.head.uses_val() {
            // The validation rows choose the epoch, so that some must be left for the thresholds.
            hold_back::take(&mut data, HELD_BACK_SHARE, context.seed, context.pool)?;
        }
        let checkpoint = Some(model_file::checkpoint_beside(&self.model));
        let options = FitOptions { checkpoint, folds, conformal: self.conformal, ..FitOptions::default() };
        let mut fitted = fit::fit(&self.head, &data, &options, context)?;
        model_file::save_final(&fitted.model, &self.model, context)?;
        fitted.report.model = Some(self.model.display().to_string());
        context.view.see(&Progress::Ended { interrupted: context.stopping() });
        Ok(fitted)
    }

    fn check_outputs(&self) -> headsmith::Result<()> {
        let inputs: Vec<PathBuf> =
            std::iter::once(&self.train).chain(&self.val).flat_map(Files::all).collect();
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        let others = [self.folds_out.as_deref(), self.common.events.as_deref()];
        let outputs: Vec<&Path> =
            std::iter::once(self.model.as_path()).chain(others.into_iter().flatten()).collect();
        outputs::refuse_overwriting(&inputs, &outputs)?;
        if self.folds_out.as_deref().is_some_and(is_standard_output) {
            let why = "--folds-out needs a file: standard output has the scores";
            return Err(headsmith::Error::usage(why));
        }
        self.folds_out.as_deref().map_or(Ok(()), outputs::prepare)?;
        outputs::prepare(&self.model)
    }

    fn cross_validate(
        &self,
        checked: &Checked,
        context: &mut Context<'_>,
    ) -> headsmith::Result<Option<CrossValidated>> {
        let Some(n_folds) = self.n_folds else { return Ok(None) };
        let folds = Folds { n_folds, val_share: self.val_share, out: self.folds_out.as_deref() };
        folds::cross_validate(&self.head, checked, &folds, context).map(Some)
    }
}
