//! Compares samplers with recorded numbers of Optuna and scipy.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod asked;
mod draws;
mod history;
mod memory;
mod problems;
mod qmc;
mod quality;
mod scores;
