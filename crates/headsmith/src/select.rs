//! Selects the head of the final fit: its parameters, and what the validation rows were used for.

use headsmith_data::ReadOptions;

use crate::context::Context;
use crate::error::Result;
use crate::fit::FitData;
use crate::head::HeadConfig;
use crate::plan::StudyTables;
use crate::progress::Progress;
use crate::report::StudyReport;
use crate::tune::{self, StudyConfig};

/// A head to fit, and the choices that used the validation rows.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The head with its parameters.
    pub(crate) head: HeadConfig,
    /// The choices that were made by the validation rows.
    pub(crate) chosen_on_val: Vec<&'static str>,
    /// The trial whose random numbers the fit uses.
    pub(crate) trial: u32,
    /// The study that selected the parameters.
    pub(crate) study: Option<StudyReport>,
}

/// Returns the head as requested or, with a study, with the parameters of its best trial. If the study was stopped
/// before any trial was complete, the head is as requested.
///
/// # Errors
/// Those of the study.
pub(crate) fn select(
    asked: &HeadConfig,
    study: Option<&StudyConfig>,
    data: &FitData,
    tables: &StudyTables<'_>,
    read: &ReadOptions,
    context: &mut Context<'_>,
) -> Result<Selected> {
    let asked = asked.clone();
    let Some(study) = study else {
        return Ok(Selected { head: asked, chosen_on_val: Vec::new(), trial: 0, study: None });
    };
    let report = tune::study(study, data, tables, read, context)?;
    context.emit(&Progress::Studied(&report));
    let Some(best) = &report.best else {
        context.warn("the study has no complete trial: the final fit has the parameters that were asked for");
        return Ok(Selected { head: asked, chosen_on_val: Vec::new(), trial: 0, study: Some(report) });
    };
    let head = tune::with_best(&asked, best)?;
    Ok(Selected { head, chosen_on_val: vec![tune::TRIAL], trial: best.number as u32, study: Some(report) })
}
