//! The flags that say how validation rows are split off the training table.

use clap::{Arg, ArgMatches, value_parser};
use headsmith::split::VAL_SHARE;

/// The flag that takes the share, for commands that train.
pub(crate) fn share_arg() -> Arg {
    Arg::new("val_share")
        .long("val-share")
        .value_name("SHARE")
        .value_parser(value_parser!(f64))
        .default_value(VAL_SHARE.to_string())
        .help("Without --val: share of the training rows to validate on, stratified by class; fit also takes 0 (none)")
}

/// The flag that takes the column of the groups.
pub(crate) fn groups_arg() -> Arg {
    Arg::new("group_column").long("group-column").value_name("NAME").help(
        "Column whose values group the rows (a patient, a speaker, a site): no group is split between training and validation; not a feature",
    )
}

/// The share it was given.
pub(crate) fn share(matches: &ArgMatches) -> f64 {
    matches.get_one("val_share").copied().unwrap_or(VAL_SHARE)
}
