//! Search for good hyperparameters.
//!
//! A *study* has a [`Space`] of parameters and runs *trials*: each gets parameters from a sampler, reports a value
//! after each step (an epoch), may be pruned, and ends with a value. The study knows nothing of what is tuned: an
//! objective is a closure. Everything is in a storage with the schema of Optuna 5, so that Optuna, its dashboard and its
//! workers read and continue a study that began here, and the other way round.

mod distribution;
mod error;
mod identity;
mod importance;
mod nearest;
mod objective;
mod relative;
mod running;
mod space;
mod space_toml;
mod study;
mod summary;
mod trial;
mod worker;

pub mod pruners;
pub mod samplers;
pub mod storages;

pub use distribution::{Choice, Distribution};
pub use error::{Error, Kind, Result};
pub use identity::Identity;
pub use importance::importance;
pub use objective::{METRIC_NAMES, Objective, best_trial, pareto_front};
pub use running::{GoOn, Outcome, Running};
pub use space::{Condition, Space, SpaceParam};
pub use space_toml::{overlay_toml, to_toml};
pub use study::{REASON, Study, is_interrupted};
pub use summary::{STATES, Spent, Summary, summary};
pub use trial::{Attributes, Direction, Params, State, Trial};
pub use worker::{StudyEvent, Work, work};
