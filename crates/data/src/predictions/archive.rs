//! The zip archive of a submission.

use crate::output::{is_standard_output, write_atomically};
use crate::{Error, Result};
use std::io::{self, Write};
use std::path::Path;

/// Zips the file `csv` as the single entry `submission.csv`; equal content gives equal bytes.
///
/// # Errors
/// If `csv` cannot be read or is no file (a pipe cannot be read again), or `path` cannot be written.
pub fn zip(csv: &Path, path: &Path) -> Result<()> {
    let metadata = std::fs::metadata(csv).map_err(|error| Error::io(csv, error))?;
    if !metadata.is_file() || is_standard_output(csv) {
        let what = "what was written to a pipe or a device cannot be zipped";
        return Err(Error::format(what).at(csv).with_hint("write the predictions to a file"));
    }
    let content = std::fs::read(csv).map_err(|error| Error::io(csv, error))?;
    write_atomically(path, |out| out.write_all(&zipped(&content)?))
}

fn zipped(content: &[u8]) -> io::Result<Vec<u8>> {
    use zip::write::{SimpleFileOptions, ZipWriter};
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    // The default time stamp is fixed: 1 January 1980, the earliest in a zip.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644)
        .large_file(content.len() as u64 > u64::from(u32::MAX) / 2);
    zip.start_file("submission.csv", options)?;
    zip.write_all(content)?;
    Ok(zip.finish()?.into_inner())
}
