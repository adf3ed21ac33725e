//! The client and a server on this machine: what it is sent, and whatever goes wrong on the way.

// A test may end at the first thing that is not as it must be, in the code it shares too.
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
