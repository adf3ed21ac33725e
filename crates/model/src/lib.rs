//! Fitted models, which turn rows of embeddings into class probabilities, and their file.
//!
//! A [`Model`] is a tree of [`Node`]s: a fitted pipeline of transforms followed by a head, a head alone, a weighted
//! ensemble or a log-linear pool of such trees, or a calibration after one. It predicts, and [`Model::to_bytes`] and [`Model::from_bytes`] turn it into a safetensors
//! file and back. Nothing here reads a clock, a file or the environment, so that the same model is the same bytes.
//!
//! ```
//! use headsmith_heads::transform::Spec;
//! use headsmith_heads::{Control, Event, Samples, forest};
//! use headsmith_kernels::{MatRef, Pool};
//! use headsmith_model::{Model, Node, Record};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let x = [0.1, 3.0, 0.2, 2.5, 8.0, 0.1, 9.0, 0.3];
//! let (x, y, pool) = (MatRef::new(&x, 4, 2), [0, 0, 1, 1], Pool::inline());
//! let transform = "standardise".parse::<Spec>()?.fit(x, &pool)?;
//! let scaled = transform.apply(x, &pool);
//! let samples = Samples::new(scaled.view(), &y, 2)?;
//! let mut observer = |_: &Event| Control::Continue;
//! let head = forest::fit(samples, &forest::TABLE.defaults(), 42, &pool, &mut observer)?;
//!
//! let node = Node::Transform { transform, then: Box::new(Node::head(head)) };
//! let model = Model::new(vec!["calm".into(), "wild".into()], node, Record::default())?;
//! let read = Model::from_bytes(&model.to_bytes()?)?;
//! assert_eq!(read.predict(x, &pool)?, [0, 0, 1, 1]);
//! # Ok(())
//! # }
//! ```

mod error;
mod file;
mod model;
mod node;
mod record;

pub use error::{Error, Result};
pub use file::{FORMAT_VERSION, Part, state};
pub use model::{Model, first_overflow, most_probable};
pub use node::Node;
pub use record::{DataRecord, FeatureStatistics, Record};
