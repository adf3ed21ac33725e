//! A client of MLflow tracking servers (REST API 2.0) that sends in the background.
//!
//! [`Tracker::begin`] creates the run immediately: an unreachable server is an error before any other work. After that
//! [`Tracker::send`] only puts a [`Message`] into a bounded buffer. A thread sends the messages about once a second,
//! in batches of the API's maximum size, and retries temporary failures. The server never blocks a caller of `send`:
//! messages that do not fit into the buffer are dropped and counted. [`Tracker::finish`] waits until the rest is sent,
//! and returns the number of [`Lost`] records.
//!
//! Nothing here reads a clock for the recorded times: the caller passes them.
//!
//! ```no_run
//! use headsmith_mlflow::{Address, Client, Limits, Message, Metric, NewRun, Status, Tracker};
//!
//! let env = |name: &str| std::env::var(name).ok();
//! let client = Client::new(Address::parse("http://127.0.0.1:5000", env)?, Limits::default(), None)?;
//! let run = NewRun { name: "fit".to_owned(), tags: Vec::new(), started: 1_700_000_000_000 };
//! let tracker = Tracker::begin(client, "my-experiment", run)?;
//! let loss = Metric { key: "loss".to_owned(), value: 0.5, step: 0, time: 1_700_000_001_000 };
//! tracker.send(Message::metrics(Tracker::PARENT, vec![loss]));
//! tracker.send(Message::End { run: Tracker::PARENT, status: Status::Finished, time: 1_700_000_002_000 });
//! assert!(tracker.finish().is_none(), "something was lost");
//! # Ok::<(), headsmith_mlflow::Error>(())
//! ```

mod address;
mod api;
mod artifacts;
mod client;
mod error;
mod message;
mod queue;
mod sender;
mod tracker;

pub use address::Address;
pub use client::{Client, Limits};
pub use error::{Error, Result};
pub use message::{Key, Message, Metric, NewRun, Status};
pub use sender::Lost;
pub use tracker::Tracker;
