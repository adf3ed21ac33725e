//! `headsmith evaluate`

use anyhow::Result;
use clap::ArgMatches;
use headsmith::model_file;

use crate::flags::common::{self, path_of};
use crate::{commands, view};

/// Scores a model on a labelled table.
pub(crate) fn evaluate(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches);
    let model = model_file::load(&path_of(matches, "model"))?;
    let data = common::labelled(matches, "data", "labels")?.unwrap_or_default();
    let evaluation =
        commands::with_context(&common, |context| headsmith::evaluate(&model, &data, &common.read, context))?;
    if common.json {
        view::print_json(&evaluation)
    } else {
        view::print(&view::text::evaluation(&evaluation))
    }
}
