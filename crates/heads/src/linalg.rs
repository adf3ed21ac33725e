//! Dense linear algebra: sums of products, eigenvectors, Cholesky factors. The arithmetic is that of the library faer, on one
//! thread at a time and on tiles whose size is fixed; the [`Pool`](headsmith_kernels::Pool) spreads the tiles. So no byte depends on
//! the number of threads.

mod eigen;
mod principal;
mod products;
mod projection;
pub(crate) mod spd;
pub(crate) mod tiles;

pub(crate) use eigen::{Eigen, symmetric};
pub(crate) use principal::{Principal, RowBlocks, Weighted, centred_products, means, squares};
pub(crate) use products::Products;
pub(crate) use projection::Projection;
