//! Tables of embeddings and labels: readers, checks, datasets, writers.
//!
//! A file becomes a [`Table`] (the rows as they are, with their locations in the file), and a table becomes a
//! [`Dataset`] (features and class indices).

mod arrays;
mod arrow;
mod beside;
mod cache;
pub mod checks;
mod classes;
mod columnar;
mod columns;
mod csv;
mod dataset;
mod error;
mod features;
mod files;
mod finding;
mod finite;
mod format;
mod gather;
mod groups;
mod join;
mod labels;
mod left_out;
mod list;
mod nearest;
mod npy;
mod number;
mod options;
mod other_column;
pub mod output;
mod parquet;
pub mod predictions;
mod read;
mod row_location;
mod rows;
mod shard;
mod source;
pub mod storage;
mod stream;
mod table;
mod weights;

pub use arrays::ArrayLabels;
pub use classes::Classes;
pub use columns::quoted;
pub use dataset::Dataset;
pub use error::{Error, Result};
pub use files::Files;
pub use finding::{Finding, Severity};
pub use finite::check_finite;
pub use groups::Groups;
pub use labels::Labels;
pub use options::{Dtype, LabelSource, OnBadRow, ReadOptions};
pub use read::{read, read_bytes, read_files};
pub use row_location::{RowLocation, RowLocations};
pub use shard::Shard;
pub use stream::{CopiedColumns, StreamBlock, StreamSummary, TableStream};
pub use table::Table;
pub use weights::Weights;
