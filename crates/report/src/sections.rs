//! The parts of the page, one file a part, in the order of the page.

pub(crate) mod answer;
pub(crate) mod calibration;
pub(crate) mod classes;
pub(crate) mod confusion;
pub(crate) mod curves;
pub(crate) mod data;
pub(crate) mod folds;
pub(crate) mod learning;
pub(crate) mod mistakes;
pub(crate) mod model;
pub(crate) mod reproduce;
pub(crate) mod scores;
pub(crate) mod search;
pub(crate) mod sets;
pub(crate) mod study;
