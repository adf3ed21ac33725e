//! Samplers beside Optuna's and scipy's recorded numbers.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod draws;
mod history;
mod memory;
mod problems;
mod qmc;
mod quality;
mod scores;
