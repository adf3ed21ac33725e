//! The zip archive of a submission.

use crate::output::{is_standard_output, spool, write_atomically};
use crate::{Error, Result};
use std::fs::File;
use std::io::{self, Seek};
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
    let mut content = File::open(csv).map_err(|error| Error::io(csv, error))?;
    write_atomically(path, |out| {
        let mut zipped = zipped(&mut content, metadata.len(), spool(path)?)?;
        zipped.rewind()?;
        io::copy(&mut zipped, out).map(drop)
    })
}

/// Writes the archive of `len` bytes of `content` to `file`.
fn zipped(content: &mut File, len: u64, file: File) -> io::Result<File> {
    use zip::write::{SimpleFileOptions, ZipWriter};
    let mut zip = ZipWriter::new(file);
    // The default time stamp is fixed: 1 January 1980, the earliest in a zip.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644)
        .large_file(len > u64::from(u32::MAX) / 2);
    zip.start_file("submission.csv", options)?;
    io::copy(content, &mut zip)?;
    Ok(zip.finish()?)
}
