//! The client with a simulated service on this machine.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

mod archives;
mod certificates;
mod configuration;
mod downloads;
mod faults;
mod logins;
#[allow(dead_code)]
#[path = "../../cli/tests/cli/patience.rs"]
mod patience;
mod server;
mod service;
mod submissions;
