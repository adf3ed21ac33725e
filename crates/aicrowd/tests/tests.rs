//! The client against a stand-in of the service on this machine.

// A test may end at the first thing that is not as it must be, in the code it shares too.
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
