//! Optimizers: they turn gradients into steps.

pub mod adam;
pub(crate) mod descent;
pub(crate) mod lbfgs;
mod line_search;
pub(crate) mod newton;
mod schedule;
mod vectors;

pub use adam::Adam;
pub use schedule::Schedule;
