//! Sending a submission.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use ureq::SendBody;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::check::{self, Shape, is_zip};
use crate::client::{ApiResponse, Challenge, Client, is_slug, read, status_error};
use crate::download::Event;
use crate::error::{Cause, Error, Result, plain, shown_url};
use crate::hosts::{follow, is_secure};
use crate::multipart::Form;

/// A submission that was checked and packed, but not sent.
#[derive(Debug)]
pub struct Submission {
    /// The file name that it is sent with.
    pub name: String,
    /// The size of the archive in bytes.
    pub n_bytes: u64,
    /// Its shape, if it is a table.
    pub shape: Option<Shape>,
    /// Its description.
    pub description: String,
    file: File,
}

/// A submission that the service accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Submitted {
    /// Its ID, if the service returned one.
    pub submission_id: Option<u64>,
    /// The page that shows it.
    pub url: String,
}

/// The destination of a submission's file.
struct UploadSlot {
    /// The challenge, and the problem in it if it is a meta-challenge.
    slug: String,
    problem: Option<String>,
    url: String,
    fields: Vec<(String, String)>,
}

/// The service's response to a request for a slot.
enum SlotResponse {
    UploadSlot(String, Vec<(String, String)>),
    Meta { slug: String, problem: String },
}

impl Submission {
    /// Checks `path`, a `.csv` or a `.zip` that contains one, compares it with `sample`, and zips a `.csv`.
    ///
    /// # Errors
    /// If it cannot be read, is not a table, or does not match the sample.
    pub fn prepare(path: &Path, sample: Option<&Path>, description: &str) -> Result<Submission> {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if !is_csv && !is_zip(path) {
            return Err(Error::new(
                Cause::Parameter,
                format!("{}: expected a .csv or a .zip", path.display()),
            ));
        }
        let ours = check::shape(path)?;
        if let Some(sample) = sample {
            check::compare((path, &ours), (sample, &check::shape(sample)?))?;
        }
        let io = |error: io::Error| Error::io(path, error);
        let file = File::open(path).map_err(io)?;
        let (mut file, name) = if is_csv {
            (pack(file, &file_name(path)).map_err(io)?, file_name(&path.with_extension("zip")))
        } else {
            (file, file_name(path))
        };
        file.rewind().map_err(io)?;
        let n_bytes = file.metadata().map_err(io)?.len();
        Ok(Submission { name, n_bytes, shape: Some(ours), description: description.to_owned(), file })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A zip archive of one file, in an unnamed temporary file: equal tables give equal bytes.
fn pack(mut table: File, name: &str) -> io::Result<File> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .large_file(table.metadata()?.len() >= u64::from(u32::MAX));
    let mut zip = ZipWriter::new(BufWriter::new(tempfile::tempfile()?));
    zip.start_file(name, options)?;
    io::copy(&mut table, &mut zip)?;
    let mut writer = zip.finish()?;
    writer.flush()?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Sends `submission` to `challenge`. Its file is read once: a second call needs a new [`Submission`].
///
/// # Errors
/// If the service refuses it (a wrong key, no registration, a closed challenge, too many submissions), or a request
/// fails. Nothing is submitted then, unless the last response was lost; the message says so in this case.
pub fn submit(
    client: &Client,
    challenge: &Challenge,
    submission: &mut Submission,
    observer: &dyn Fn(Event<'_>),
) -> Result<Submitted> {
    let slot = slot(client, &challenge.slug)?;
    let key = upload(client, &slot, submission, observer)?;
    let url = submissions(client);
    let payload = payload(&slot.slug, slot.problem.as_deref(), &submission.description, &key);
    let answer = client.post_json(&url, &payload).map_err(|error| {
        let what =
            format!("{}; the file was sent, but it is unknown whether it was submitted", error.message());
        Error::new(error.cause(), what)
            .with_hint("look at your submissions on the challenge's page before you try again")
    })?;
    let data = accepted(client, &challenge.slug, &answer)?;
    let submission_id = data.get("submission_id").and_then(Value::as_u64);
    let page = match &slot.problem {
        Some(problem) => format!("{}/problems/{problem}", client.hosts().challenge_page(&slot.slug)),
        None => client.hosts().challenge_page(&slot.slug),
    };
    let url = submission_id
        .map_or(format!("{page}/submissions?my_submissions=true"), |id| format!("{page}/submissions/{id}"));
    Ok(Submitted { submission_id, url })
}

pub(crate) fn submissions(client: &Client) -> String {
    format!("{}/api/v1/submissions", client.hosts().rails)
}

pub(crate) fn payload(slug: &str, problem: Option<&str>, description: &str, key: &str) -> Value {
    let mut payload = match problem {
        None => json!({ "challenge_id": slug }),
        Some(problem) => json!({ "meta_challenge_id": slug, "challenge_id": problem }),
    };
    payload["submission"] = json!({ "description": description });
    payload["submission_files"] = json!([{ "submission_file_s3_key": key }]);
    payload
}

/// Requests a slot for the upload. A challenge that is a problem of another one refers to that, which is followed
/// once.
fn slot(client: &Client, slug: &str) -> Result<UploadSlot> {
    match ask(client, slug)? {
        SlotResponse::UploadSlot(url, fields) => {
            Ok(UploadSlot { slug: slug.to_owned(), problem: None, url, fields })
        }
        SlotResponse::Meta { slug, problem } => match ask(client, &slug)? {
            SlotResponse::UploadSlot(url, fields) => {
                Ok(UploadSlot { slug, problem: Some(problem), url, fields })
            }
            SlotResponse::Meta { .. } => Err(Error::new(
                Cause::Redirect,
                "the service reports that the challenge is part of a challenge that is itself part of another",
            )),
        },
    }
}

fn ask(client: &Client, slug: &str) -> Result<SlotResponse> {
    let url = submissions(client);
    let answer = client.get(&url, &[("challenge_id", slug)])?;
    if (300..400).contains(&answer.status)
        && let Some((slug, problem)) = answer.location().and_then(|to| meta(client, &url, &to))
    {
        return Ok(SlotResponse::Meta { slug, problem });
    }
    let data = accepted(client, slug, &answer)?;
    let url = data.get("url").and_then(Value::as_str).filter(|url| is_secure(url));
    let fields = data.get("fields").and_then(Value::as_object).and_then(fields);
    match (url, fields) {
        (Some(url), Some(fields)) => Ok(SlotResponse::UploadSlot(url.to_owned(), fields)),
        _ => Err(answer.not_understood("no secure `url` and `fields` with a `key`")),
    }
}

/// The challenge and the problem in an address on the website.
fn meta(client: &Client, from: &str, to: &str) -> Option<(String, String)> {
    let to = follow(from, to)?;
    let path = to.strip_prefix(&client.hosts().challenge_page(""))?;
    let path = path.split(['?', '#']).next()?;
    match path.split('/').collect::<Vec<_>>()[..] {
        [slug, "problems", problem, ..] if is_slug(slug) && is_slug(problem) => {
            Some((slug.to_owned(), problem.to_owned()))
        }
        _ => None,
    }
}

fn fields(fields: &Map<String, Value>) -> Option<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    fields.iter().any(|(name, _)| name == "key").then_some(fields)
}

/// The data of a response, or its refusal as an error.
fn accepted(client: &Client, slug: &str, answer: &ApiResponse) -> Result<Value> {
    let value = answer.json().ok();
    let success = value.as_ref().and_then(|value| value.get("success")).and_then(Value::as_bool);
    if (200..300).contains(&answer.status) && success == Some(true) {
        return Ok(value.and_then(|mut value| value.get_mut("data").map(Value::take)).unwrap_or_default());
    }
    if matches!(answer.status, 300..=399 | 401 | 429 | 500..) {
        return Err(answer.failure(client));
    }
    match value {
        None if (200..300).contains(&answer.status) => Err(answer.not_understood("no JSON")),
        _ => Err(refusal(client, slug, answer)),
    }
}

/// The service gives the reason only as text, which is searched for known words and always shown.
fn refusal(client: &Client, slug: &str, answer: &ApiResponse) -> Error {
    let message = client.error_message(&answer.body);
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let reason = if message.is_empty() { format!("HTTP {}", answer.status) } else { message };
    if has(&["regist", "not a participant", "accept the rules", "accept the challenge rules"]) {
        return Error::new(
            Cause::NotRegistered,
            format!("you are not registered for this challenge: {reason}"),
        )
        .with_hint(format!("accept its rules on {}", client.hosts().challenge_page(slug)));
    }
    if has(&["limit", "too many", "remaining", "quota", "no more submissions"]) {
        return Error::new(Cause::RateLimited, format!("too many submissions: {reason}"))
            .with_hint("wait before you submit again");
    }
    if has(&["closed", "ended", "is over", "not running", "not open", "not started", "deadline", "completed"])
    {
        return Error::new(Cause::Closed, format!("the challenge does not accept submissions: {reason}"));
    }
    if answer.status == 404 {
        return Error::new(
            Cause::NotFound,
            format!("the challenge does not exist or accepts no files: {reason}"),
        );
    }
    Error::new(Cause::Refused, format!("the service refused the submission: {reason}"))
}

/// Uploads the file to its slot, again after temporary failures: nothing is submitted by it. Returns the name that it has there.
fn upload(
    client: &Client,
    slot: &UploadSlot,
    submission: &mut Submission,
    observer: &dyn Fn(Event<'_>),
) -> Result<String> {
    let name = submission.name.clone();
    let once = || {
        let rewound = submission.file.rewind();
        rewound.map_err(|error| Error::new(Cause::File, format!("{name}: {error}")))?;
        upload_once(client, slot, submission, observer)
    };
    let before_retry = |error: &Error, wait| observer(Event::Retrying { file: 0, name: &name, error, wait });
    client.limits.retrying(client.limits.attempts, once, before_retry)
}

fn upload_once(
    client: &Client,
    slot: &UploadSlot,
    submission: &Submission,
    observer: &dyn Fn(Event<'_>),
) -> Result<String> {
    let mut fields = slot.fields.clone();
    let mut key = String::new();
    for (name, value) in &mut fields {
        if name == "key" {
            *value = value.replace("${filename}", &submission.name);
            key.clone_from(value);
        }
    }
    let form = Form::new(&fields, &submission.name, submission.n_bytes);
    observer(Event::Started { file: 0, name: &submission.name, from: 0, total: Some(form.len()) });
    let failed = Cell::new(None);
    let file = TrackedFile { file: &submission.file, failed: &failed };
    let mut reader = form.reader(file, |n_bytes| observer(Event::Advanced { file: 0, n_bytes }));
    // The key is not sent: the fields are the permission.
    let request = client.agent.post(&slot.url);
    let request =
        request.header("Content-Type", form.content_type()).header("Content-Length", form.len().to_string());
    let sent = request.send(SendBody::from_reader(&mut reader));
    drop(reader);
    if let Some(error) = failed.take() {
        return Err(Error::new(Cause::File, format!("{}: {error}", submission.name)));
    }
    let answer = read(&slot.url, sent.map_err(|error| Error::transport(&slot.url, error))?)?;
    observer(Event::Done { file: 0 });
    match answer.status {
        200..300 => Ok(key),
        300..=399 => Err(Error::new(
            Cause::Redirect,
            format!(
                "{}: the storage redirects to another address; nothing is sent there",
                shown_url(&slot.url)
            ),
        )),
        // The permission for the upload has expired or does not match; this is not about the user's key.
        401 | 403 => Err(Error::new(
            Cause::Refused,
            format!(
                "{}: the storage refused the file (HTTP {}): {}",
                shown_url(&slot.url),
                answer.status,
                plain(&client.error_message(&answer.body))
            ),
        )),
        status => Err(status_error(&slot.url, status, &client.error_message(&answer.body))),
    }
}

/// Records a failure of the file, to distinguish it from one of the connection.
struct TrackedFile<'a> {
    file: &'a File,
    failed: &'a Cell<Option<String>>,
}

impl io::Read for TrackedFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).inspect_err(|error| self.failed.set(Some(error.to_string())))
    }
}
