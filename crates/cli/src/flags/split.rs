//! The flag that splits validation rows off the training table.

use clap::{Arg, ArgMatches, value_parser};
use headsmith::split::VAL_SHARE;

/// The flag, for commands that train.
pub(crate) fn arg() -> Arg {
    Arg::new("val_share")
        .long("val-share")
        .value_name("SHARE")
        .value_parser(value_parser!(f64))
        .default_value(VAL_SHARE.to_string())
        .help("Without --val: share of the training rows to validate on, stratified by class; fit also takes 0 (none)")
}

/// The share it was given.
pub(crate) fn share(matches: &ArgMatches) -> f64 {
    matches.get_one("val_share").copied().unwrap_or(VAL_SHARE)
}
