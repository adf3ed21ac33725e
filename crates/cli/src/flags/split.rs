//! The flags for splitting validation rows off the training table.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, value_parser};
use headsmith::folds::MAX_FOLDS;
use headsmith::split::VAL_SHARE;

use super::common;

/// The flag that takes the share, for commands that train.
pub(crate) fn share_arg() -> Arg {
    Arg::new("val_share")
        .long("val-share")
        .value_name("SHARE")
        .value_parser(value_parser!(f64))
        .default_value(VAL_SHARE.to_string())
        .help("Without --val: share of the training rows to validate on, stratified by class; 0: none (fit, run, and tune for heads with closed-form out-of-fold predictions)")
}

/// The flag that takes the column of the groups.
pub(crate) fn groups_arg() -> Arg {
    Arg::new("group_column").long("group-column").value_name("NAME").help(
        "Column whose values group the rows (a patient, a speaker, a site): no group is split between training and validation; not a feature",
    )
}

/// The flag that takes the column of the sample weights.
pub(crate) fn weights_arg() -> Arg {
    Arg::new("weight_column").long("weight-column").value_name("NAME").help(
        "Column of sample weights in the training table (numbers of at least 0): a row of weight 2 counts as two in the fit; not a feature",
    )
}

/// The flags of a cross-validation.
pub(crate) fn folds_args() -> [Arg; 2] {
    [
        Arg::new("folds")
            .long("folds")
            .value_name("K")
            .value_parser(value_parser!(u64).range(2..=MAX_FOLDS as u64))
            .help("Cross-validate in K stratified folds first: fit the head once for each fold on the others and score that fold"),
        common::file("folds_out", "Write the out-of-fold prediction of each training row, with probabilities and its fold, in a format of predict --out")
            .long("folds-out")
            .requires("folds"),
    ]
}

/// The share it was given.
///
/// # Errors
/// When it was given on the command line beside a table of validation rows, and no fold needs it.
pub(crate) fn share(matches: &ArgMatches) -> headsmith::Result<f64> {
    let is_given = |id: &str| matches.try_contains_id(id).unwrap_or(false);
    let is_typed = matches.value_source("val_share") == Some(ValueSource::CommandLine);
    if is_typed && is_given("val") && !is_given("folds") {
        let why =
            "--val-share splits validation rows off --train, and --val gives them: leave one of the two out";
        return Err(headsmith::Error::usage(why));
    }
    Ok(matches.get_one("val_share").copied().unwrap_or(VAL_SHARE))
}
