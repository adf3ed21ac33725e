//! The forest, through its public functions.
#![allow(clippy::unwrap_used)]

#[path = "forest/edges.rs"]
mod edges;
#[path = "forest/extra.rs"]
mod extra;
#[path = "forest/parameters.rs"]
mod parameters;
#[path = "forest/statistics.rs"]
mod statistics;
#[path = "forest/stored.rs"]
mod stored;
#[path = "forest/threads.rs"]
mod threads;
#[path = "forest/weights.rs"]
mod weights;

mod tables;

use headsmith_heads::forest;
use headsmith_heads::params::Value;
use headsmith_kernels::Pool;

use tables::{Table, go_on, samples, text};

impl Table {
    fn fit(&self, given: &[(&str, Value)], seed: u64) -> forest::Forest {
        let params = forest::TABLE.resolve(given.iter().cloned()).unwrap();
        forest::fit(self.samples(), &params, seed, &Pool::inline(), &mut go_on).unwrap()
    }
}
