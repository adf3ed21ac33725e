//! Optimizers: they turn gradients into steps.

mod adam;

pub use adam::Adam;
