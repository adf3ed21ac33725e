//! Downloads several files at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::dataset::Dataset;
use crate::error::{Cause, Error, Result};
use crate::name::file_name;
use crate::transfer::{self, Fetched, Source};

/// Options for downloads.
#[derive(Debug, Clone)]
pub struct DownloadOptions {
    /// The number of files at once.
    pub n_jobs: usize,
    /// Whether to download files that already exist with the server's size.
    pub force: bool,
    /// The maximum size of a file in bytes.
    pub max_bytes: u64,
}

impl Default for DownloadOptions {
    fn default() -> DownloadOptions {
        DownloadOptions { n_jobs: 4, force: false, max_bytes: 256 << 30 }
    }
}

/// The progress of a transfer. `file` identifies the file within one call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The download of a file, or of its rest, starts.
    Started {
        /// The file's index.
        file: usize,
        /// Its name.
        name: &'a str,
        /// The number of bytes from an earlier download.
        from: u64,
        /// Its size in bytes, if the server reports it.
        total: Option<u64>,
    },
    /// Bytes were received or sent.
    Advanced {
        /// The file's index.
        file: usize,
        /// The number of bytes.
        n_bytes: u64,
    },
    /// A file failed and is retried.
    Retrying {
        /// The file's index.
        file: usize,
        /// Its name.
        name: &'a str,
        /// The error.
        error: &'a Error,
        /// The time until the retry.
        wait: Duration,
    },
    /// A file is complete.
    Done {
        /// The file's index.
        file: usize,
    },
    /// Something is unexpected; the work continues.
    Warning(&'a str),
}

/// Downloads `datasets` into `folder`, which is created if necessary. The results are in the order of `datasets`; a
/// failure of one file does not affect the others.
///
/// # Errors
/// If two have the same name, a name is not safe, or the folder cannot be created: nothing is downloaded then.
pub fn download(
    client: &Client,
    datasets: &[&Dataset],
    folder: &Path,
    options: &DownloadOptions,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Vec<Result<Fetched>>> {
    let names = names(datasets)?;
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<Fetched>>>> = datasets.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(dataset) = datasets.get(index)
        {
            let source = Source { index, name: &names[index], url: &dataset.url, folder };
            let fetched = transfer::fetch(client, &source, options, observer);
            compare_size(dataset, &fetched, observer);
            *done[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fetched);
        }
    };
    thread::scope(|scope| {
        for _ in 1..options.n_jobs.min(datasets.len()) {
            // A thread that the system refuses is one less: this one works, too.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let lost = || Err(Error::new(Cause::File, "the download was aborted"));
    Ok(done
        .into_iter()
        .map(|one| one.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).unwrap_or_else(lost))
        .collect())
}

fn names(datasets: &[&Dataset]) -> Result<Vec<String>> {
    let names: Vec<String> = datasets.iter().map(|dataset| file_name(&dataset.url)).collect::<Result<_>>()?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        // Some file systems ignore case.
        if let Some(other) = seen.insert(name.to_lowercase(), i) {
            let (one, two) = (&datasets[other].title, &datasets[i].title);
            return Err(Error::new(
                Cause::Parameter,
                format!("`{one}` and `{two}` would both be written to {name}"),
            )
            .with_hint("download them one at a time, into different folders"));
        }
    }
    Ok(names)
}

/// The list may be older than the file, so a different size is a warning and no error.
fn compare_size(dataset: &Dataset, fetched: &Result<Fetched>, observer: &(dyn Fn(Event<'_>) + Sync)) {
    if let (Some(listed), Ok(fetched)) = (dataset.n_bytes(), fetched)
        && listed != fetched.n_bytes
    {
        let path = fetched.path.display();
        observer(Event::Warning(&format!(
            "{path} has {} bytes, the challenge lists {listed}",
            fetched.n_bytes
        )));
    }
}
