//! Downloads are complete, run in parallel, and resume after an interruption.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use headsmith_aicrowd::{Cause, Dataset, DownloadOptions, Fetched, Outcome, Result, download};

use crate::patience::wait_until;
use crate::server::{Request, Server, head, reply};
use crate::service::{KEY, Log, client, client_of, dataset, service};

const BODY: &[u8] = b"0123456789abcdefghij";
const ETAG: (&str, &str) = ("ETag", "\"v1\"");

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Downloads `/f.bin` from `server` into `folder`.
fn fetch(server: &Server, folder: &Path) -> (Result<Fetched>, String) {
    fetch_with(server, folder, &DownloadOptions::default())
}

fn fetch_with(server: &Server, folder: &Path, options: &DownloadOptions) -> (Result<Fetched>, String) {
    let (log, file) = (Log::default(), dataset(format!("{}/f.bin?sig=s3cret", server.url())));
    let mut done = download(&client(server), &[&file], folder, options, &|event| log.see(&event)).unwrap();
    (done.pop().unwrap(), log.text())
}

/// Answers with `BODY`, or the requested part of it.
fn ranged(request: &Request, out: &mut dyn Write) {
    match request.header("range").filter(|_| request.header("if-range").is_none_or(|tag| tag == ETAG.1)) {
        Some(range) => {
            let from: usize =
                range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
            let what = format!("bytes {from}-{}/{}", BODY.len() - 1, BODY.len());
            reply(out, 206, &[ETAG, ("Content-Range", &what)], &BODY[from..]);
        }
        None => reply(out, 200, &[ETAG], BODY),
    }
}

#[test]
fn the_listed_files_are_downloaded() {
    let server = service(|_, _| false);
    let (client, folder) = (client(&server), tempfile::tempdir().unwrap());
    let challenge = client.challenge("faces").unwrap();
    assert_eq!(client.challenge("7").unwrap(), challenge);
    assert_eq!(
        client.challenge(&format!("{}/challenges/faces/leaderboards", server.url())).unwrap(),
        challenge
    );
    assert_eq!(client.challenge("none").unwrap_err().cause(), Cause::NotFound);
    let files = client.datasets(&challenge).unwrap();
    assert_eq!((files[0].title.as_str(), files[0].n_bytes()), ("train.csv", Some(9)));
    let to = folder.path().join("new/data");
    let done =
        download(&client, &files.iter().collect::<Vec<_>>(), &to, &DownloadOptions::default(), &|_| {})
            .unwrap();
    let fetched = done[0].as_ref().unwrap();
    assert_eq!((fetched.n_bytes, fetched.outcome), (9, Outcome::Fetched));
    assert_eq!(fs::read(&fetched.path).unwrap(), b"a,b\n1,2\n\n");
    assert_eq!(names(&to), ["train.csv"]);
}

#[test]
fn files_are_downloaded_in_parallel() {
    let [begun, now, most] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::new(move |request, out| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // The first three wait for each other, and so do the next three. A fourth at once would arrive in this time.
        let all = 3 * (begun.fetch_add(1, Ordering::SeqCst) / 3 + 1);
        wait_until("three at once", || begun.load(Ordering::SeqCst) >= all);
        thread::sleep(Duration::from_millis(50));
        now.fetch_sub(1, Ordering::SeqCst);
        reply(out, 200, &[], request.path.as_bytes());
    });
    let files: Vec<Dataset> = (0..6).map(|i| dataset(format!("{}/{i}", server.url()))).collect();
    let folder = tempfile::tempdir().unwrap();
    let options = DownloadOptions { n_jobs: 3, ..DownloadOptions::default() };
    let done =
        download(&client(&server), &files.iter().collect::<Vec<_>>(), folder.path(), &options, &|_| {})
            .unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 3);
    for (i, fetched) in done.iter().enumerate() {
        assert_eq!(fs::read_to_string(&fetched.as_ref().unwrap().path).unwrap(), format!("/{i}"));
    }
}

#[test]
fn an_interrupted_download_resumes() {
    let n = AtomicUsize::new(0);
    let server = Server::new(move |request, out| {
        if n.fetch_add(1, Ordering::SeqCst) == 0 {
            head(out, 200, &[ETAG], Some(BODY.len()));
            let _ = out.write_all(&BODY[..7]);
        } else {
            ranged(request, out);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (fetched, log) = fetch(&server, folder.path());
    assert_eq!(fs::read(fetched.unwrap().path).unwrap(), BODY);
    assert_eq!(names(folder.path()), ["f.bin"]);
    let second = &server.requests()[1];
    assert_eq!((second.header("range"), second.header("if-range")), (Some("bytes=7-"), Some("\"v1\"")));
    assert!(log.contains("Retrying") && log.contains("from: 7, total: Some(20)"), "{log}");
}

/// The result of an interrupted earlier run: seven bytes of the version `tag`.
fn broken_off(folder: &Path, tag: &str) {
    let tag = format!("\"{tag}\"");
    let server = Server::new(move |_, out| {
        head(out, 200, &[("ETag", &tag)], Some(BODY.len()));
        let _ = out.write_all(b"OLDOLD!");
    });
    // The next run has another port, so the record is changed to match below.
    assert_eq!(fetch(&server, folder).0.unwrap_err().cause(), Cause::Network);
    assert_eq!(names(folder), [".f.bin.partial", ".f.bin.partial.json"]);
    let note = folder.join(".f.bin.partial.json");
    let text = fs::read_to_string(&note).unwrap();
    assert!(!text.contains("s3cret"), "a signature is kept: {text}");
    fs::write(note, text.replace(&server.url(), "URL")).unwrap();
}

fn point_to(server: &Server, folder: &Path) {
    let note = folder.join(".f.bin.partial.json");
    let text = fs::read_to_string(&note).unwrap();
    fs::write(note, text.replace("URL", &server.url())).unwrap();
}

#[test]
fn a_later_run_resumes_only_the_same_file() {
    for (tag, resumed) in [("v1", true), ("v0", false)] {
        let (server, folder) = (Server::new(ranged), tempfile::tempdir().unwrap());
        broken_off(folder.path(), tag);
        point_to(&server, folder.path());
        let (fetched, _) = fetch(&server, folder.path());
        let bytes = fs::read(fetched.unwrap().path).unwrap();
        assert_eq!(bytes == BODY, !resumed, "{tag}");
        assert_eq!(&bytes[7..], &BODY[7..]);
        assert_eq!(server.requests()[0].header("range"), Some("bytes=7-"));
        assert_eq!(names(folder.path()), ["f.bin"]);
    }
}

#[test]
fn a_wrong_range_restarts_the_download() {
    for bad in ["bytes 5-19/20", "bytes 7-19/21", "nonsense"] {
        let server = Server::new(move |request, out| match request.header("range") {
            Some(_) => reply(out, 206, &[ETAG, ("Content-Range", bad)], b"xxxxxxxxxxxxx"),
            None => reply(out, 200, &[ETAG], BODY),
        });
        let folder = tempfile::tempdir().unwrap();
        broken_off(folder.path(), "v1");
        point_to(&server, folder.path());
        let (fetched, _) = fetch(&server, folder.path());
        assert_eq!(fs::read(fetched.unwrap().path).unwrap(), BODY, "{bad}");
        assert_eq!(server.requests()[1].header("range"), None, "{bad}");
    }
    let server = Server::new(|request, out| match request.header("range") {
        Some(_) => reply(out, 416, &[], b""),
        None => reply(out, 200, &[ETAG], BODY),
    });
    let folder = tempfile::tempdir().unwrap();
    broken_off(folder.path(), "v1");
    point_to(&server, folder.path());
    assert_eq!(fetch(&server, folder.path()).0.unwrap().n_bytes, 20);
}

#[test]
fn existing_files_are_downloaded_again_only_with_force() {
    let (server, folder) = (Server::new(ranged), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("f.bin"), "twenty bytes, others").unwrap();
    assert_eq!(fetch(&server, folder.path()).0.unwrap().outcome, Outcome::AlreadyThere);
    assert_eq!(names(folder.path()), ["f.bin"]);
    let force = DownloadOptions { force: true, ..DownloadOptions::default() };
    assert_eq!(fetch_with(&server, folder.path(), &force).0.unwrap().outcome, Outcome::Fetched);
    assert_eq!(fs::read(folder.path().join("f.bin")).unwrap(), BODY);
    fs::write(folder.path().join("f.bin"), "short").unwrap();
    assert_eq!(fetch(&server, folder.path()).0.unwrap().outcome, Outcome::Fetched);
}

#[test]
fn the_key_is_sent_to_the_datasets_host_and_not_to_its_redirect() {
    let storage = Server::new(|_, out| reply(out, 200, &[], BODY));
    let to = format!("{}/deep/object?X-Signature=s", storage.url());
    let datasets = Server::new(move |_, out| reply(out, 302, &[("Location", &to)], b""));
    let api = service(|_, _| false);
    let client = client_of(&api.url(), &datasets.url());
    let folder = tempfile::tempdir().unwrap();
    let files =
        [dataset(format!("{}/f.bin", datasets.url())), dataset(format!("{}/other.bin", storage.url()))];
    let done =
        download(&client, &[&files[0], &files[1]], folder.path(), &DownloadOptions::default(), &|_| {})
            .unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(datasets.requests()[0].header("authorization"), Some(&*format!("Token {KEY}")));
    assert_eq!(storage.requests().len(), 2);
    for request in storage.requests() {
        assert!(!format!("{request:?}").contains(KEY), "{request:?}");
    }
    assert_eq!(names(folder.path()), ["f.bin", "other.bin"]);
}

#[test]
fn two_files_of_one_name_and_hostile_names_are_refused_before_anything_is_fetched() {
    let server = Server::new(|_, out| reply(out, 200, &[], BODY));
    let folder = tempfile::tempdir().unwrap();
    for paths in
        [["/a/x.csv", "/b/X.csv"], ["/a", "/..%2f..%2fetc%2fpasswd"], ["/a", "/.bashrc"], ["/a", "/"]]
    {
        let files = paths.map(|path| dataset(format!("{}{path}", server.url())));
        let to = folder.path().join("to");
        let error =
            download(&client(&server), &[&files[0], &files[1]], &to, &DownloadOptions::default(), &|_| {})
                .unwrap_err();
        assert!(matches!(error.cause(), Cause::Parameter | Cause::Response), "{error}");
        assert!(!to.exists());
    }
    assert!(server.requests().is_empty());
}

#[test]
fn two_downloads_do_not_write_one_file() {
    let refused = Arc::new(AtomicBool::new(false));
    let may_end = Arc::clone(&refused);
    let server = Server::new(move |_, out| {
        head(out, 200, &[ETAG], Some(BODY.len()));
        let _ = out.write_all(&BODY[..5]);
        let _ = out.flush();
        wait_until("the second download", || may_end.load(Ordering::SeqCst));
        let _ = out.write_all(&BODY[5..]);
    });
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| fetch(&server, folder.path()).0);
        // It sends a request when it has the file's lock.
        wait_until("the first request", || !server.requests().is_empty());
        let second = fetch(&server, folder.path()).0;
        refused.store(true, Ordering::SeqCst);
        let error = second.unwrap_err();
        assert!(error.to_string().contains("another download"), "{error}");
        assert_eq!(first.join().unwrap().unwrap().n_bytes, 20);
    });
}
