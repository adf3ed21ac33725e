//! Search for good hyperparameters.
//!
//! A *study* has a [`Space`] of parameters and runs *trials*: each gets parameters from a sampler, reports a value
//! after each step (an epoch), may be pruned, and ends with a value. The crate does not depend on heads: an objective
//! is a closure. The storage has the schema of Optuna 5, so Optuna, its dashboard and its workers can read and
//! continue a study of this crate, and this crate theirs.

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
pub use nearest::did_you_mean;
pub use objective::{METRIC_NAMES, Objective, best_trial, pareto_front};
pub use relative::running;
pub use running::{NextAction, Outcome, Running};
pub use space::{Condition, Space, SpaceParam};
pub use space_toml::{overlay_toml, to_toml};
pub use study::{REASON, Study, is_interrupted};
pub use summary::{STATES, StateTotals, Summary, summary};
pub use trial::{Attributes, Direction, Params, State, Trial};
pub use worker::{StudyEvent, Work, work};
