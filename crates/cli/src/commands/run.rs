//! `headsmith run`

use anyhow::Result;
use clap::ArgMatches;
use headsmith::run::RunConfig;
use headsmith::{HeadConfig, HeadKind};

use crate::flags::common::{self, optional_path_of, path_of};
use crate::flags::heads;
use crate::{commands, view};

/// The whole job.
pub(crate) fn run(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches);
    let given = |kind: HeadKind| heads::given(matches, kind.table(), heads::prefix_in_run(kind.name()));
    let config = RunConfig {
        train: path_of(matches, "train"),
        val: path_of(matches, "val"),
        test: optional_path_of(matches, "test"),
        out: path_of(matches, "out"),
        read: common.read.clone(),
        baseline: HeadConfig::new(HeadKind::Forest, &given(HeadKind::Forest))?,
        candidate: HeadConfig::mlp(commands::preset(matches), &given(HeadKind::Mlp))?,
        columns: commands::columns(matches),
    };
    let report = commands::with_context(&common, |context| headsmith::run::run(&config, context))?;
    if common.json { view::print_json(&report) } else { view::print(&view::text::run(&report)) }
}
