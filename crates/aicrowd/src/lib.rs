//! A client of the [AIcrowd](https://www.aicrowd.com) challenge service: log in, list and download a challenge's
//! datasets, send a submission.
//!
//! It uses the same API as the Python package `aicrowd-cli` 0.1.18, and shares that tool's configuration file and
//! environment variables. It was written from the source of that package, not against the real service.
//!
//! Submitting notebooks and git repositories is out of scope.
//!
//! [`Hosts::takes_key`] alone decides where the key is sent: to the hosts of the API, the website and the datasets,
//! over TLS, and never to the target of a redirect.
//!
//! ```no_run
//! use headsmith_aicrowd as aicrowd;
//!
//! # fn main() -> aicrowd::Result<()> {
//! let env = |name: &str| std::env::var(name).ok();
//! let config = aicrowd::ConfigFile::read(&aicrowd::ConfigFile::default_path(env)?)?;
//! let client = aicrowd::Client::from_env(env, aicrowd::Limits::default())?.with_key(config.key(env)?);
//! client.user()?;
//! let challenge = client.challenge("emotion-detection")?;
//! for dataset in client.datasets(&challenge)? {
//!     println!("{}", dataset.title);
//! }
//! # Ok(())
//! # }
//! ```

pub mod check;
mod client;
mod config;
mod dataset;
mod download;
mod error;
mod hosts;
mod key;
mod login;
mod multipart;
mod name;
mod pattern;
pub mod plan;
mod submit;
mod transfer;
mod unpack;
mod wait;

pub use client::{Challenge, Client, Limits};
pub use config::ConfigFile;
pub use dataset::{Dataset, select};
pub use download::{DownloadOptions, Event, download};
pub use error::{Cause, Error, Result};
pub use hosts::Hosts;
pub use key::ApiKey;
pub use login::{Login, LoginOptions, Secret, login_by_browser};
pub use submit::{Submission, Submitted, submit};
pub use transfer::{Fetched, Outcome};
pub use unpack::{UnpackLimits, unpack};
pub use wait::{State, WaitOptions, wait};
