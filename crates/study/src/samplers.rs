//! Samplers: what to try next.

mod grid;
mod listed;
mod qmc;
mod qmc_directions;
mod random;
pub mod tpe;

use std::sync::Arc;

use headsmith_kernels::philox::Sequence;

use crate::space::Space;
use crate::trial::{Direction, Params, Trial};

pub use grid::Grid;
pub use listed::Listed;
pub use qmc::Qmc;
pub use random::Random;
pub use tpe::{Tpe, TpeOptions};

/// What a sampler may look at.
#[derive(Debug, Clone, Copy)]
pub struct History<'h> {
    /// Whether small or large values are good.
    pub direction: Direction,
    /// Finished trials, in the order of their numbers.
    pub finished: &'h [Arc<Trial>],
    /// Numbers and parameters of trials that are under way, in the order of their numbers. Of these nothing else is
    /// known.
    pub running: &'h [(u64, Params)],
}

/// Chooses the parameters of the next trial: a function of its arguments alone.
pub trait Sampler: std::fmt::Debug + Send + Sync {
    /// The parameters of trial `number`: one value for each parameter of `space` whose condition holds. `fixed` are
    /// those that are given already. All chance comes from `draws`, which is the trial's own.
    fn suggest(
        &self,
        space: &Space,
        history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params;

    /// How many trials there are to be drawn from `space` before the sampler repeats itself; `None`: no end.
    fn n_trials(&self, space: &Space) -> Option<u64> {
        let _ = space;
        None
    }
}
