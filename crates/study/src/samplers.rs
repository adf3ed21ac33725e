//! Samplers: which parameters to try next.

mod grid;
mod listed;
mod qmc;
mod qmc_directions;
mod random;
pub mod tpe;

use std::sync::Arc;

use headsmith_kernels::philox::{Philox, Sequence};

use crate::space::Space;
use crate::trial::{Direction, Params, Trial};

pub use grid::Grid;
pub use listed::Listed;
pub use qmc::Qmc;
pub use random::Random;
pub use tpe::{Tpe, TpeOptions};

/// The stream of random numbers for samplers.
const STREAM: u32 = 0x7374_7564;

/// The random numbers of the suggestion for trial `number`.
pub fn draws(seed: u64, number: u64) -> Sequence {
    Philox::new(seed, number as u32, STREAM).sequence(0, 0)
}

/// The study as a sampler sees it.
#[derive(Debug, Clone, Copy)]
pub struct History<'h> {
    /// Whether smaller or larger values are better.
    pub direction: Direction,
    /// Finished trials, in the order of their numbers.
    pub finished: &'h [Arc<Trial>],
    /// Numbers and parameters of running trials, in the order of their numbers. Nothing else is known of them.
    pub running: &'h [(u64, Params)],
}

/// Chooses the parameters of the next trial: a function of its arguments alone.
pub trait Sampler: std::fmt::Debug + Send + Sync {
    /// The parameters of trial `number`: one value for each active parameter of `space`. `fixed` values are already
    /// set. All randomness comes from `draws`, which belongs to the trial.
    fn suggest(
        &self,
        space: &Space,
        history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params;

    /// The number of distinct trials in `space`; `None` if there is no limit.
    fn n_trials(&self, space: &Space) -> Option<u64> {
        let _ = space;
        None
    }
}
