//! The client with a server on this machine: its requests, and failures.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

mod faults;
mod losses;
#[allow(dead_code)]
#[path = "../../cli/tests/cli/patience.rs"]
mod patience;
mod sending;
#[allow(dead_code)]
#[path = "../../aicrowd/tests/server.rs"]
mod server;
mod service;
