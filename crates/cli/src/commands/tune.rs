//! `headsmith tune` and `headsmith worker`

use anyhow::Result;
use clap::ArgMatches;
use headsmith::heads::{HEADS, Head};
use headsmith::report::StudyReport;
use headsmith::tune::{self, TuneConfig, WorkerConfig};

use crate::flags::common::{self, labelled};
use crate::flags::{heads, split, study};
use crate::{commands, interrupt, view};

/// Starts a study, or resumes it.
pub(crate) fn tune(matches: &ArgMatches) -> Result<()> {
    let head = study::head_of(matches);
    let common = common::given(matches).named("tune", Some(head.name()));
    refuse_flags_of_others(matches, head)?;
    let config = TuneConfig {
        train: labelled(matches, "train", "labels")?.unwrap_or_default(),
        val: labelled(matches, "val", "val_labels")?,
        val_share: split::share(matches)?,
        read: common.read.clone(),
        hold_back: study::held_back(matches),
        study: study::given(matches, &common, head)?,
    };
    end_with_ctrl_c(matches);
    let report = commands::with_context(&common, |context| tune::tune(&config, context))?;
    show(&report, common.json)
}

/// Refuses parameters of heads that are not tuned. A configuration file may have them, for other commands.
fn refuse_flags_of_others(matches: &ArgMatches, head: &dyn Head) -> Result<()> {
    let others = HEADS.iter().filter(|other| other.name() != head.name());
    let given =
        others.filter_map(|other| Some((heads::flag_given(matches, *other, other.name())?, other.name())));
    match given.into_iter().next() {
        None => Ok(()),
        Some((flag, other)) => Err(headsmith::Error::usage(format!(
            "--{flag} has no effect: it is a parameter of {other}, and {} is tuned; leave it out, or give --head {other}",
            head.name()
        ))
        .into()),
    }
}

/// Joins a study.
pub(crate) fn worker(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches);
    let text = |id: &str| matches.get_one::<String>(id).cloned().unwrap_or_default();
    let config = WorkerConfig {
        storage: text("storage"),
        name: text("study"),
        train: labelled(matches, "train", "labels")?,
        val: labelled(matches, "val", "val_labels")?,
        cache: common.read.cache.clone(),
        outage: study::outage(matches),
        n_trials: matches.get_one("trials").copied(),
        timeout: matches.get_one("timeout").copied(),
        n_jobs: common.n_threads,
    };
    end_with_ctrl_c(matches);
    let report = commands::with_context(&common, |context| tune::join(&config, context))?;
    show(&report, common.json)
}

/// Work without an end is to go on until Ctrl-C.
fn end_with_ctrl_c(matches: &ArgMatches) {
    if !matches.contains_id("trials") && !matches.contains_id("timeout") {
        interrupt::is_the_end();
    }
}

fn show(report: &StudyReport, json: bool) -> Result<()> {
    if json { view::print_json(report) } else { view::print(&view::study::summary(report)) }
}
