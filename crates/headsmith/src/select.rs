//! The head of the final fit: its parameters, and what the validation rows chose of them.

use crate::context::Context;
use crate::error::Result;
use crate::fit::FitData;
use crate::head::HeadConfig;
use crate::progress::Progress;
use crate::report::TableReport;
use crate::run::RunConfig;
use crate::tune::{self, StudyReport, StudyTables};

/// A head to fit, and what choosing it used the validation rows for.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The head with its parameters.
    pub(crate) head: HeadConfig,
    /// What the validation rows chose on the way.
    pub(crate) chosen_on_val: Vec<&'static str>,
    /// The trial whose random numbers the fit has.
    pub(crate) trial: u32,
    /// The study that chose.
    pub(crate) study: Option<StudyReport>,
}

/// Takes the head as it was asked for, or, when there is to be a study, with the parameters of the study's best trial.
/// A study without a complete trial, stopped before it had one, leaves the head as it was asked for.
///
/// # Errors
/// Those of the study.
pub(crate) fn select(
    config: &RunConfig,
    data: &FitData,
    tables: &[TableReport],
    context: &mut Context<'_>,
) -> Result<Selected> {
    let asked = config.candidate.clone();
    let Some(study) = &config.study else {
        return Ok(Selected { head: asked, chosen_on_val: Vec::new(), trial: 0, study: None });
    };
    let report = tune::study(study, data, &StudyTables::of(tables), &config.read, context)?;
    context.tell(&Progress::Studied(&report));
    let Some(best) = &report.best else {
        context.warn("the study has no complete trial: the final fit has the parameters that were asked for");
        return Ok(Selected { head: asked, chosen_on_val: Vec::new(), trial: 0, study: Some(report) });
    };
    let params = tune::with_chosen(&asked, best.params.iter().map(|(name, choice)| (name.as_str(), choice)))?;
    Ok(Selected {
        head: HeadConfig { params, ..asked },
        chosen_on_val: vec![tune::TRIAL],
        trial: best.number as u32,
        study: Some(report),
    })
}
