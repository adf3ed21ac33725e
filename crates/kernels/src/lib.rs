//! The arithmetic of Headsmith: matrix views, matrix products, element-wise kernels, counter-based
//! random numbers and a pool of threads.
//!
//! Nothing here opens a file or reads the environment, and only the pool's threads read a clock, to know when to
//! sleep. Every result depends only on its arguments, never on the number of threads of the [`Pool`].

pub mod adam;
pub mod buffer;
pub mod cuts;
pub mod dense;
pub mod draws;
pub mod gather;
pub mod gemm;
mod lanes;
pub mod layer_norm;
pub mod mapped;
mod math;
pub mod matrix;
mod multiversion;
pub mod nearest;
pub mod pages;
pub mod philox;
pub mod pool;
pub mod random_cuts;
pub mod similarity;
pub mod smo;
pub mod softmax;
pub mod sums;
pub mod walk;

pub use buffer::Buffer;
pub use mapped::Mapped;
pub use matrix::{MatMut, MatRef, Matrix};
pub use pages::Pages;
pub use philox::{LaneSequence, Philox, Sequence};
pub use pool::Pool;
