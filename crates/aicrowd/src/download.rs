//! Several files at once.

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

/// How to download.
#[derive(Debug, Clone)]
pub struct DownloadOptions {
    /// How many files at once.
    pub n_jobs: usize,
    /// Fetch also what is there with the server's size.
    pub force: bool,
    /// No file is longer than this.
    pub max_bytes: u64,
}

impl Default for DownloadOptions {
    fn default() -> DownloadOptions {
        DownloadOptions { n_jobs: 4, force: false, max_bytes: 256 << 30 }
    }
}

/// The progress of a transfer. `file` distinguishes the files of one call.
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
        /// Of which file.
        file: usize,
        /// How many.
        n_bytes: u64,
    },
    /// It failed and is retried.
    Retrying {
        /// Which.
        file: usize,
        /// Its name.
        name: &'a str,
        /// Why.
        error: &'a Error,
        /// The time until the retry.
        wait: Duration,
    },
    /// A file is complete.
    Done {
        /// Which.
        file: usize,
    },
    /// Something is unexpected; the work continues.
    Warning(&'a str),
}

/// Downloads `datasets` into `folder`, which is made if it is not there. What happened to each comes in the order of
/// `datasets`; one that fails does not keep the others.
///
/// # Errors
/// When two have the same name, a name is not safe, or the folder cannot be made: nothing is fetched then.
pub fn download(
    client: &Client,
    datasets: &[&Dataset],
    folder: &Path,
    options: &DownloadOptions,
    see: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Vec<Result<Fetched>>> {
    let names = names(datasets)?;
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<Fetched>>>> = datasets.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..options.n_jobs.clamp(1, datasets.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(dataset) = datasets.get(index) else { break };
                    let source = Source { index, name: &names[index], url: &dataset.url, folder };
                    let fetched = transfer::fetch(client, &source, options, see);
                    compare_size(dataset, &fetched, see);
                    *done[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fetched);
                }
            });
        }
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
        // Case is not kept apart everywhere.
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

/// The list may be older than the file, so another size is worth a word and no failure.
fn compare_size(dataset: &Dataset, fetched: &Result<Fetched>, see: &(dyn Fn(Event<'_>) + Sync)) {
    if let (Some(listed), Ok(fetched)) = (dataset.n_bytes(), fetched)
        && listed != fetched.n_bytes
    {
        let path = fetched.path.display();
        see(Event::Warning(&format!("{path} has {} bytes, the challenge lists {listed}", fetched.n_bytes)));
    }
}
