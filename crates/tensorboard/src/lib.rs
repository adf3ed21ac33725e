//! TensorBoard's event files, in the format of TensorFlow and Keras.
//!
//! A [`Writer`] creates one file in a run's folder and appends to it. A folder may have files of several processes;
//! TensorBoard reads them as one run. The writer accepts a [`Value`]: [`scalar`], [`text`], [`histogram`], [`image`],
//! [`pr_curve`], [`keras_model`], or one of the records of the HParams page in [`hparams`]. [`picture`] draws images
//! of evaluations. [`read`] returns the complete records of a file.
//!
//! Nothing here reads a clock: the caller passes the time.
//!
//! ```
//! use headsmith_tensorboard::{Origin, Writer, scalar};
//!
//! # let folder = tempfile::tempdir()?;
//! let run = folder.path().join("validation");
//! let mut writer = Writer::create(&run, &Origin { host: "here".into(), pid: 7 }, 1_700_000_000.0)?;
//! for (epoch, loss) in [0.9, 0.5, 0.4].into_iter().enumerate() {
//!     writer.write(epoch as i64, 1_700_000_001.0, vec![scalar("epoch_loss", loss)])?;
//! }
//! # assert_eq!(headsmith_tensorboard::read(&std::fs::read(writer.path())?).len(), 4);
//! # Ok::<(), std::io::Error>(())
//! ```

mod histogram;
pub mod hparams;
pub mod keras;
pub mod picture;
mod pr_curve;
pub mod proto;
mod record;
mod value;
mod writer;

pub use histogram::{Histogram, histogram};
pub use pr_curve::pr_curve;
pub use proto::Value;
pub use record::read;
pub use value::{image, keras_model, scalar, text};
pub use writer::{Origin, Writer};
