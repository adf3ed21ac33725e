//! Compares a submission with the challenge's sample before anything is sent.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{Cause, Error, Result, plain};

/// The columns and the number of rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Shape {
    /// The names in the first line.
    pub columns: Vec<String>,
    /// The number of rows below it.
    pub n_rows: u64,
}

/// Reads the shape of a CSV file, or of the one CSV file in a zip archive.
///
/// # Errors
/// If the file cannot be read, an archive has no or several CSV files, a row has more or fewer cells than the first
/// line, or there are no rows.
pub fn shape(path: &Path) -> Result<Shape> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    if !is_zip(path) {
        return shape_of(path, BufReader::with_capacity(1 << 18, file));
    }
    let bad = |what: &str| Error::new(Cause::Archive, format!("{}: {what}", path.display()));
    let mut zip = ZipArchive::new(file)
        .map_err(|error| bad(&format!("not a readable zip archive: {error}")).caused_by(error))?;
    let mut tables = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|error| bad(&error.to_string()).caused_by(error))?;
        let name = String::from_utf8_lossy(entry.name_raw()).to_lowercase();
        if name.ends_with(".csv") && !name.starts_with("__macosx/") {
            tables.push(index);
        }
    }
    let [index] = tables[..] else {
        return Err(bad(&format!("it contains {} CSV files, expected one", tables.len())));
    };
    let entry = zip.by_index(index).map_err(|error| bad(&error.to_string()).caused_by(error))?;
    shape_of(path, BufReader::with_capacity(1 << 18, entry))
}

fn shape_of(path: &Path, input: impl Read) -> Result<Shape> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_reader(input);
    let wrong = |error: csv::Error| {
        let what = match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = pos.as_ref().map_or(0, csv::Position::line);
                format!("line {line}: expected {expected_len} cells as in the first line, found {len}")
            }
            csv::ErrorKind::Io(error) => error.to_string(),
            _ => error.to_string(),
        };
        Error::new(Cause::Mismatch, format!("{}: {what}", path.display()))
    };
    let columns = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
    let mut record = csv::ByteRecord::new();
    let mut n_rows = 0;
    while reader.read_byte_record(&mut record).map_err(wrong)? {
        n_rows += 1;
    }
    if n_rows == 0 {
        return Err(Error::new(Cause::Mismatch, format!("{}: no rows", path.display())));
    }
    Ok(Shape { columns, n_rows })
}

/// Checks that `submission` has the columns of `sample`, in the same order, and as many rows.
///
/// # Errors
/// [`Cause::Mismatch`] with the expected and the found shape.
pub fn compare(submission: (&Path, &Shape), sample: (&Path, &Shape)) -> Result<()> {
    let ((path, ours), (sample_path, theirs)) = (submission, sample);
    let wrong = |what: String| {
        let (path, sample) = (path.display(), sample_path.display());
        Err(Error::new(Cause::Mismatch, format!("{path}: does not match the sample {sample}: {what}"))
            .with_hint("nothing was sent"))
    };
    if ours.columns != theirs.columns {
        let list = |columns: &[String]| plain(&columns.join(", "));
        return wrong(format!(
            "expected the columns {}; found {}",
            list(&theirs.columns),
            list(&ours.columns)
        ));
    }
    if ours.n_rows != theirs.n_rows {
        return wrong(format!("expected {} rows, found {}", theirs.n_rows, ours.n_rows));
    }
    Ok(())
}

/// Finds the sample in `folder` of downloads: the one `.csv` or `.zip` with `sample` in its name. Subfolders are
/// searched too, because archives are unpacked there.
///
/// # Errors
/// If there are several with different shapes, so that it is not clear which one is meant.
pub fn find_sample(folder: &Path) -> Result<Option<PathBuf>> {
    let mut found = samples(folder, 1);
    found.sort();
    // An unpacked archive is present twice.
    let plain_csv = |path: &PathBuf| !is_zip(path);
    if found.iter().any(plain_csv) {
        found.retain(plain_csv);
    }
    match &found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(Error::new(
                Cause::Parameter,
                format!("several files could be the sample: {}", names.join(", ")),
            )
            .with_hint("name the one to compare with: --sample FILE"))
        }
    }
}

fn samples(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if path.is_dir() && depth > 0 && !name.starts_with('.') {
            found.extend(samples(&path, depth - 1));
        } else if path.is_file()
            && name.contains("sample")
            && (name.ends_with(".csv") || name.ends_with(".zip"))
        {
            found.push(path);
        }
    }
    found
}

pub(crate) fn is_zip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}
