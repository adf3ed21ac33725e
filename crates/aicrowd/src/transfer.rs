//! Downloads one file: complete or not at all, resumed after an interruption, retried after network failures.
//!
//! An incomplete file has the name `.NAME.partial`, and `.NAME.partial.json` records its version on the server. A
//! download resumes (`Range`) only if the server still has the same file (`If-Range`, and the same total length).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::{HeaderMap, Response};

use crate::client::{Client, retry_after, status_error};
use crate::download::{DownloadOptions, Event};
use crate::error::{Cause, Error, Result, shown_url};
use crate::hosts::{follow, is_secure};

/// The maximum number of redirects, more than any storage uses.
const MOST_REDIRECTS: usize = 5;

/// A server that sends fewer bytes than this in the silence window counts as silent.
const SLOWEST: u64 = 1024;

/// A downloaded file in its final place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fetched {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub n_bytes: u64,
    /// Whether it was downloaded.
    pub outcome: Outcome,
}

/// Whether a file was downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was downloaded.
    Fetched,
    /// It already existed with the server's size.
    AlreadyThere,
}

/// The file to download, and its destination.
pub(crate) struct Source<'a> {
    pub(crate) index: usize,
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) folder: &'a Path,
}

/// The version of a partial file on the server.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct FileVersion {
    url: String,
    validator: Option<String>,
    total: Option<u64>,
}

/// A partial file, locked.
struct PartialFile {
    file: File,
    path: PathBuf,
    origin_path: PathBuf,
    /// The number of bytes that it has, and their version.
    resume: Option<(u64, FileVersion)>,
}

/// Downloads one file.
pub(crate) fn fetch(
    client: &Client,
    source: &Source<'_>,
    options: &DownloadOptions,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Fetched> {
    client.limits.retrying(
        client.limits.attempts,
        || once(client, source, options, observer),
        |error, wait| observer(Event::Retrying { file: source.index, name: source.name, error, wait }),
    )
}

fn once(
    client: &Client,
    source: &Source<'_>,
    options: &DownloadOptions,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Fetched> {
    let path = source.folder.join(source.name);
    let mut partial = PartialFile::open(source)?;
    let response = match ask(client, source, partial.resume.as_ref()) {
        Ok(response) => response,
        Err(error) => {
            // Partial data is kept for the next time, but an empty file is not.
            if partial.resume.is_none() {
                partial.discard();
            }
            return Err(error);
        }
    };
    let (from, total) = match extent(source, &response, partial.resume.as_ref()) {
        Ok(extent) => extent,
        Err(error) => {
            // The partial data is useless: the next attempt starts from scratch.
            partial.discard();
            return Err(error);
        }
    };
    if let Some(total) = total.filter(|total| *total > options.max_bytes) {
        partial.discard();
        return Err(too_large(source, total, options.max_bytes));
    }
    if from == 0 && total.is_some() && !options.force && size_of(&path) == total {
        partial.discard();
        return Ok(Fetched { path, n_bytes: total.unwrap_or(0), outcome: Outcome::AlreadyThere });
    }
    partial.begin(
        from,
        &FileVersion { url: key_of(source.url), validator: validator(response.headers()), total },
    )?;
    observer(Event::Started { file: source.index, name: source.name, from, total });
    let limit = total.unwrap_or(options.max_bytes);
    let n_bytes = from + copy(client, source, response.into_body(), &mut partial, limit - from, observer)?;
    if total.is_some_and(|total| n_bytes != total) {
        return Err(Error::new(
            Cause::Network,
            format!("{}: received {n_bytes} of {limit} bytes", shown_url(source.url)),
        ));
    }
    partial.finish(&path)?;
    observer(Event::Done { file: source.index });
    Ok(Fetched { path, n_bytes, outcome: Outcome::Fetched })
}

/// Requests the file, or the rest of it; follows redirects, without the key.
fn ask(client: &Client, source: &Source<'_>, resume: Option<&(u64, FileVersion)>) -> Result<Response<Body>> {
    let mut url = source.url.to_owned();
    let mut who = if client.hosts().is_datasets(&url) { client.authorization(&url)? } else { None };
    for _ in 0..=MOST_REDIRECTS {
        if !is_secure(&url) {
            return Err(Error::new(Cause::Redirect, format!("{}: not an https:// URL", shown_url(&url))));
        }
        let mut request = client.agent.get(&url).header("Accept-Encoding", "identity");
        if let Some(who) = who.take() {
            request = request.header("Authorization", who);
        }
        if let Some((from, origin)) = resume {
            request = request.header("Range", format!("bytes={from}-"));
            if let Some(validator) = &origin.validator {
                request = request.header("If-Range", validator);
            }
        }
        let request = request.config().timeout_per_read(Some(client.limits.silence)).build();
        let response = request.call().map_err(|error| Error::transport(&url, error))?;
        let location = response.headers().get("location").and_then(|to| to.to_str().ok());
        match (response.status().as_u16(), location.and_then(|to| follow(&url, to))) {
            (301 | 302 | 303 | 307 | 308, Some(to)) => url = to,
            (status, _) if (200..300).contains(&status) || status == 416 => return Ok(response),
            (status, _) => return Err(refused(client, source, &url, status, response)),
        }
    }
    Err(Error::new(Cause::Redirect, format!("{}: too many redirects", shown_url(source.url))))
}

fn refused(client: &Client, source: &Source<'_>, url: &str, status: u16, response: Response<Body>) -> Error {
    if matches!(status, 401 | 403) && client.hosts().is_datasets(source.url) && url == source.url {
        return Error::new(
            Cause::NotRegistered,
            format!("{}: access denied (HTTP {status})", shown_url(url)),
        )
        .with_hint("register for the challenge on its page; if you have, ask its organisers");
    }
    let wait = retry_after(response.headers());
    let message = crate::client::read(url, response)
        .map(|answer| client.error_message(&answer.body))
        .unwrap_or_default();
    match status {
        // No key was sent there, so it is not the key's fault.
        401 => Error::new(Cause::Refused, format!("{}: not allowed (HTTP 401)", shown_url(url))),
        _ => status_error(url, status, &message).with_retry_after(wait),
    }
}

/// The offset of the response's data and the length of the whole file, if they match the partial file.
fn extent(
    source: &Source<'_>,
    response: &Response<Body>,
    resume: Option<&(u64, FileVersion)>,
) -> Result<(u64, Option<u64>)> {
    let wrong = |what: &str| Error::new(Cause::Network, format!("{}: {what}", shown_url(source.url)));
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let length = header("content-length").and_then(|text| text.trim().parse::<u64>().ok());
    if header("content-encoding").is_some_and(|how| how != "identity") {
        return Err(Error::new(
            Cause::Response,
            format!("{}: the response is compressed", shown_url(source.url)),
        ));
    }
    match (response.status().as_u16(), resume) {
        (416, _) => Err(wrong("the server's file is shorter than what was already downloaded")),
        (206, Some((from, origin))) => {
            let range = header("content-range").and_then(content_range);
            let total = range.and_then(|(_, total)| total).or(origin.total);
            match range {
                Some((first, _)) if first == *from && (origin.total.is_none() || total == origin.total) => {
                    Ok((*from, total))
                }
                _ => Err(wrong("the server sent another part of the file than requested")),
            }
        }
        (206, None) => Err(wrong("the server sent only a part of the file")),
        _ => Ok((0, length)),
    }
}

/// The first byte and the total length in `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// A value for `If-Range`: a strong tag, or else a date.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    text("etag").filter(|tag| tag.starts_with('"')).or_else(|| text("last-modified"))
}

/// Copies the body to the partial file; returns the number of bytes, at most `limit`.
fn copy(
    client: &Client,
    source: &Source<'_>,
    body: Body,
    partial: &mut PartialFile,
    limit: u64,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<u64> {
    let mut reader = body.into_with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; 1 << 16];
    let mut pace = TransferRate::new(client.limits.silence);
    let mut n_bytes = 0;
    loop {
        let n = match reader.read(&mut buffer) {
            Ok(0) => return Ok(n_bytes),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::transport_io(source.url, error)),
        };
        n_bytes += n as u64;
        if n_bytes > limit {
            return Err(too_large(source, n_bytes, limit));
        }
        partial.file.write_all(&buffer[..n]).map_err(|error| Error::io(&partial.path, error))?;
        observer(Event::Advanced { file: source.index, n_bytes: n as u64 });
        if pace.is_too_slow(n as u64) {
            let what = format!(
                "{}: the server sends less than {SLOWEST} bytes in {:?}",
                shown_url(source.url),
                pace.window
            );
            return Err(Error::new(Cause::Timeout, what));
        }
    }
}

/// Measures whether bytes arrive fast enough, window by window.
struct TransferRate {
    window: Duration,
    since: Instant,
    n_bytes: u64,
}

impl TransferRate {
    fn new(window: Duration) -> TransferRate {
        TransferRate { window, since: Instant::now(), n_bytes: 0 }
    }

    fn is_too_slow(&mut self, n_bytes: u64) -> bool {
        self.n_bytes += n_bytes;
        if self.since.elapsed() < self.window {
            return false;
        }
        let slow = self.n_bytes < SLOWEST;
        *self = TransferRate::new(self.window);
        slow
    }
}

impl PartialFile {
    /// Opens the partial file of `source`, with any content.
    fn open(source: &Source<'_>) -> Result<PartialFile> {
        let path = source.folder.join(format!(".{}.partial", source.name));
        let origin_path = source.folder.join(format!(".{}.partial.json", source.name));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| Error::io(&path, error))?;
        if file.try_lock().is_err() {
            return Err(Error::new(
                Cause::File,
                format!("{}: another download is writing it", path.display()),
            ));
        }
        let n_bytes = file.metadata().map_err(|error| Error::io(&path, error))?.len();
        let origin: Option<FileVersion> =
            fs::read(&origin_path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        // Without a validator or a length, versions of the file cannot be distinguished.
        let resume = origin
            .filter(|origin| {
                origin.url == key_of(source.url) && (origin.validator.is_some() || origin.total.is_some())
            })
            .filter(|origin| n_bytes > 0 && origin.total.is_none_or(|total| n_bytes < total))
            .map(|origin| (n_bytes, origin));
        Ok(PartialFile { file, path, origin_path, resume })
    }

    /// Keeps the first `from` bytes, and records their version.
    fn begin(&mut self, from: u64, origin: &FileVersion) -> Result<()> {
        let written = self.file.set_len(from).and_then(|()| self.file.seek(SeekFrom::Start(from)));
        written.map_err(|error| Error::io(&self.path, error))?;
        let bytes = serde_json::to_vec(origin).unwrap_or_default();
        fs::write(&self.origin_path, bytes).map_err(|error| Error::io(&self.origin_path, error))
    }

    fn discard(&self) {
        // A file that cannot be removed is overwritten at the next attempt.
        let _ = self.file.set_len(0);
        let _ = fs::remove_file(&self.origin_path);
        let _ = fs::remove_file(&self.path);
    }

    /// Renames the complete file.
    fn finish(self, to: &Path) -> Result<()> {
        self.file.sync_all().map_err(|error| Error::io(&self.path, error))?;
        // An open file cannot be renamed everywhere.
        drop(self.file);
        fs::rename(&self.path, to).map_err(|error| Error::io(to, error))?;
        let _ = fs::remove_file(&self.origin_path);
        Ok(())
    }
}

/// The address without its query: a signature in it changes every day, and must not be stored.
fn key_of(url: &str) -> String {
    shown_url(url)
}

fn size_of(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
}

fn too_large(source: &Source<'_>, n_bytes: u64, limit: u64) -> Error {
    let what = format!("{}: {n_bytes} bytes, expected at most {limit}", shown_url(source.url));
    Error::new(Cause::Response, what)
}
