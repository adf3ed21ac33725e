//! Tests of behaviour from input to output. Bad and unusual input is in `refused_files`, `refused_rows` and
//! `accepted`, with every message in a snapshot.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod accepted;
mod arrow;
mod cache;
mod checked;
mod classes;
mod columns;
mod files;
mod groups;
#[cfg(feature = "object-store")]
#[allow(dead_code)]
#[path = "../../aicrowd/tests/server.rs"]
mod http_server;
mod labels;
#[cfg(feature = "object-store")]
mod objects;
mod output;
#[cfg(feature = "object-store")]
#[allow(dead_code)]
#[path = "../../cli/tests/cli/patience.rs"]
mod patience;
mod placeholders;
mod predictions;
mod refused_files;
mod refused_rows;
mod streams;
mod texts;
mod threads;
mod weights;

use headsmith_data::{OnBadRow, ReadOptions, Result, Table, read, read_bytes};
use headsmith_kernels::Pool;
use std::path::{Path, PathBuf};

/// A file written by `tests/data/make_tables.py`.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Reads a file of `tests/data`; its folder is removed from messages.
fn read_data(name: &str) -> Result<Table> {
    read(&data(name), &ReadOptions::default(), &Pool::inline())
}

/// Reads the text of a CSV with the name `train.csv`.
fn csv(text: &str) -> Result<Table> {
    bytes("train.csv", text.as_bytes())
}

fn bytes(name: &str, bytes: &[u8]) -> Result<Table> {
    read_bytes(name, bytes, &ReadOptions::default(), &Pool::inline())
}

fn skipping() -> ReadOptions {
    ReadOptions { on_bad_row: OnBadRow::Skip, ..ReadOptions::default() }
}

/// Bytes compressed with gzip.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// The warnings of a table, one per line.
fn warnings(table: &Table) -> String {
    table.warnings().iter().map(|finding| format!("{}: {}\n", finding.code, finding.message)).collect()
}

/// The message of an error without the folder of the test data.
fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    let folder = format!("{}/", data("").display().to_string().trim_end_matches('/'));
    result.expect_err("an error").to_string().replace(&folder, "")
}

/// A snapshot of several named messages.
macro_rules! assert_messages {
    ($messages:expr) => {
        let messages: Vec<(String, String)> = $messages;
        let text: String =
            messages.iter().map(|(name, message)| format!("{name}\n    {message}\n")).collect();
        insta::assert_snapshot!(text);
    };
}
pub(crate) use assert_messages;
