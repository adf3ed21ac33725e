//! Tests of the crate's public functions, by behaviour.

// Clippy lets tests unwrap, but not the functions they call.
#![allow(clippy::unwrap_used)]

mod bootstrap;
mod conformal;
mod curves;
mod naive;
mod predictions;
mod recorded;
