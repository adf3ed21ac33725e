//! Optimizers: they turn gradients into steps.

pub mod adam;

pub use adam::Adam;
