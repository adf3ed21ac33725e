//! The arithmetic floor of Headsmith: matrix views, matrix products, element-wise kernels, counter-based
//! random numbers and a pool of threads.
//!
//! Nothing here reads a clock, a file or the environment. Every result depends on its arguments alone, never on
//! the number of threads of the [`Pool`] it was computed with.

pub mod matrix;
pub mod philox;
pub mod pool;

pub use matrix::{MatMut, MatRef, Matrix};
pub use philox::Philox;
pub use pool::Pool;
