//! A server, as its clients see it.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

mod abuse;
mod batches;
mod life;
mod protocol;
mod safety;
mod tls;
mod world;
