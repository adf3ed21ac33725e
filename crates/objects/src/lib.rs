//! Objects of stores as files: S3 and stores that speak its protocol, Google Cloud Storage, Azure Blob Storage, and files
//! behind HTTP. Everything here blocks; the transfers run on two threads of their own.
//!
//! The clients are those of the `object_store` crate. They are compiled with the feature `object-store`; without it, every
//! object is refused with an error that says so.

#[cfg(not(feature = "object-store"))]
mod absent;
#[cfg(feature = "object-store")]
mod client;
#[cfg(feature = "object-store")]
mod in_flight;
mod location;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "object-store")]
mod read_ahead;
#[cfg(feature = "object-store")]
mod reader;
#[cfg(feature = "object-store")]
mod writer;

#[cfg(not(feature = "object-store"))]
pub use absent::{Object, ObjectReader, ObjectWriter, ReadAhead, list, prepare};
pub use location::is_url;
#[cfg(feature = "object-store")]
pub use object::{Object, list};
#[cfg(feature = "object-store")]
pub use read_ahead::ReadAhead;
#[cfg(feature = "object-store")]
pub use reader::ObjectReader;
#[cfg(feature = "object-store")]
pub use writer::{ObjectWriter, prepare};
