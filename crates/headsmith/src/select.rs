//! What the final fit is told: the parameters of its head, and what the validation rows had to do with them.
//!
//! This is the seam between baseline and final fit. Today the parameters are those asked for; a study that looks for
//! better ones takes the same rows and gives the same answer, with `trial` among what the rows chose.

use crate::context::Context;
use crate::error::Result;
use crate::fit::FitData;
use crate::head::HeadConfig;

/// A head to fit, and what choosing it used the validation rows for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selected {
    /// The head with its parameters.
    pub(crate) head: HeadConfig,
    /// What the validation rows chose on the way.
    pub(crate) chosen_on_val: Vec<&'static str>,
}

/// Takes the head as it was asked for.
pub(crate) fn as_asked(asked: &HeadConfig, _data: &FitData, _context: &mut Context<'_>) -> Result<Selected> {
    Ok(Selected { head: asked.clone(), chosen_on_val: Vec::new() })
}
