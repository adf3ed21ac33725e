//! What a model promises: predictions, the bytes of its file, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod fitted;
mod golden;
mod page;
mod predict;
mod refused;
mod samples;
