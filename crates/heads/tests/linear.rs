//! Logistic regression as its users see it.
#![allow(clippy::unwrap_used)]

#[path = "linear/edges.rs"]
mod edges;
#[path = "linear/fit.rs"]
mod fit;
#[path = "linear/path.rs"]
mod path;
#[path = "linear/sklearn.rs"]
mod sklearn;
mod tables;

use headsmith_heads::linear::{self, Linear};
use headsmith_heads::params::Value;
use headsmith_heads::{Error, Samples};
use headsmith_kernels::Pool;

use tables::{Table, go_on, samples, text};

fn fit(samples: Samples<'_>, given: &[(&str, Value)]) -> Result<Linear, Error> {
    let params = linear::TABLE.resolve(given.iter().cloned()).unwrap();
    linear::fit(samples, &params, &Pool::inline(), &mut go_on)
}
