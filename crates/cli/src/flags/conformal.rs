//! The flags of conformal prediction sets.

use clap::{Arg, ArgMatches};
use headsmith::ConformalOptions;

use super::common;

/// The flags, for commands that write a model.
pub(crate) fn args() -> [Arg; 2] {
    [
        Arg::new("conformal")
            .long("conformal")
            .value_name("LEVEL")
            .value_parser(level)
            .help("Calibrate prediction sets that contain the class of this share of rows, such as 0.9; predict then writes them"),
        common::switch("conformal_by_class", "Calibrate prediction sets separately for each class, so that every class reaches the level")
            .long("conformal-by-class")
            .requires("conformal"),
    ]
}

/// The sets that were asked for.
pub(crate) fn given(matches: &ArgMatches) -> Option<ConformalOptions> {
    let options = matches.get_one::<ConformalOptions>("conformal").copied()?;
    Some(if matches.get_flag("conformal_by_class") { options.by_class() } else { options })
}

fn level(text: &str) -> Result<ConformalOptions, String> {
    let level =
        text.trim().parse().map_err(|_| "expected a number above 0 and below 1, such as 0.9".to_owned())?;
    ConformalOptions::new(level).map_err(|error| error.to_string())
}
