//! Losses with their gradients.

pub mod categorical_crossentropy;
