//! `headsmith auto`

use anyhow::Result;
use clap::ArgMatches;
use headsmith::run::{PREDICTIONS, RunConfig};

use crate::flags::common::{self, labelled, optional_path_of, optional_table_of};
use crate::flags::{auto, study};
use crate::{commands, view};

/// Searches for the best model.
pub(crate) fn auto(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches).named("auto", None);
    let train = labelled(matches, "train", "labels")?.unwrap_or_default();
    let out = optional_path_of(matches, "out").unwrap_or_else(|| commands::out_after(&train));
    let search = auto::given(matches, Some(study::of_auto(matches, &common, &out)?), crate::started());
    search.check()?;
    commands::refuse_flags_of_study(matches, &search.heads)?;
    let no_effect = [
        ("val", "val_is", "--val-is says what the rows of --val are for: give --val FILE, or leave it out"),
        ("test", "columns", commands::COLUMNS_WITHOUT_TEST),
    ];
    for (of, flag, why) in no_effect {
        if commands::is_given(matches, flag) && !matches.contains_id(of) {
            return Err(headsmith::Error::usage(why).into());
        }
    }
    let config = RunConfig {
        val: labelled(matches, "val", "val_labels")?,
        val_share: 0.0,
        test: optional_table_of(matches, "test"),
        read: common.read.clone(),
        search: Some(search),
        predictions: PREDICTIONS.to_owned(),
        columns: commands::columns(matches),
        command: common::typed(),
        ..RunConfig::new(train, out, Vec::new())
    };
    let report = commands::with_context(&common, |context| headsmith::run::run(&config, context))?;
    if common.json {
        return view::print_json(&report);
    }
    view::print(&view::auto::auto(&report))
}
