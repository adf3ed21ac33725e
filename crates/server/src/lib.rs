//! Fitted models behind HTTP: the Open Inference Protocol v2 with its binary extension, `/predict` for people, MLflow's `/invocations`, health, and Prometheus'
//! metrics with drift.
//!
//! ```no_run
//! use headsmith_server::{ModelFile, Options, Server};
//!
//! let server = Server::bind(Options::new(ModelFile::parse("out/model.safetensors")?))?;
//! println!("http://{}", server.address()?);
//! server.run()?;
//! # Ok::<(), headsmith_server::Error>(())
//! ```
//!
//! One thread (of many cores: some) reads and writes, on hyper's connections for HTTP/1.1; another predicts what waits in batches (`queue`, `worker`). Routes are a
//! `match` (`route`): a dozen of them need no framework. Everything that a client sends is bounded before it is kept: see [`Limits`] and
//! `docs/guide/serving.md`. The crate reads the files that [`Options`] name and no others.

mod aside;
mod body;
mod connection;
mod drift;
mod error;
mod failure;
mod guard;
mod invocations;
mod json;
mod limits;
mod log;
mod memory;
mod metrics;
mod models;
mod openapi;
mod people;
mod queue;
mod reply;
mod route;
mod rows;
mod server;
mod service;
mod signals;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod v2;
mod worker;

pub use error::{Error, Result};
pub use limits::Limits;
pub use models::ModelFile;
pub use server::{Handle, Options, Server};
pub use tls::TlsFiles;
