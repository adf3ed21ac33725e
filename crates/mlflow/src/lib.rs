//! A client of MLflow tracking servers (REST API 2.0), which sends beside the work rather than in it.
//!
//! [`Tracker::begin`] asks the server for a run, at once: a server that is not there is an error before anything else is
//! done. From then on [`Tracker::send`] only puts a [`Message`] into a bounded buffer; a thread sends what is there about once a
//! second, in batches as large as the API takes, and tries again what may work a little later. Nothing that the server does
//! holds up who calls `send`: what finds no room is left out and counted. [`Tracker::finish`] waits while the server takes
//! what is left, and tells what was [`Lost`].
//!
//! Nothing here reads a clock for what it records: whoever sends says when.
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
