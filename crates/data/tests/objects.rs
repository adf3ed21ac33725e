//! Tables behind HTTP give the rows of the local files; S3 and its like are tested by a referee.

use crate::http_server::{Request, Server, head, reply};
use headsmith_data::{Files, ReadOptions, TableStream, read};
use headsmith_kernels::Pool;
use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Files behind HTTP, by their names.
struct Site {
    server: Server,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Site {
    fn new() -> Site {
        let files: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
        let served = files.clone();
        let answer = move |request: &Request, out: &mut dyn Write| {
            let found = served.lock().unwrap().get(request.path.trim_start_matches('/')).cloned();
            match found {
                Some(bytes) => send(request, &bytes, out),
                None => reply(out, 404, &[], b""),
            }
        };
        Site { server: Server::new(answer), files }
    }

    /// The URL of a file of this site.
    fn url(&self, name: &str) -> PathBuf {
        format!("{}/{name}", self.server.url()).into()
    }

    fn put(&self, path: &Path) -> PathBuf {
        let name = path.file_name().unwrap().to_str().unwrap();
        self.files.lock().unwrap().insert(name.to_owned(), std::fs::read(path).unwrap());
        self.url(name)
    }
}

/// Sends a file, or the range of it that is asked for, unless another version is asked for.
fn send(request: &Request, bytes: &[u8], out: &mut dyn Write) {
    let tag = format!("\"{:08x}\"", crc32fast::hash(bytes));
    if request.header("if-match").is_some_and(|wanted| wanted != tag) {
        return reply(out, 412, &[], b"");
    }
    let headers = [("ETag", tag.as_str()), ("Last-Modified", "Mon, 30 Nov 2026 08:00:00 GMT")];
    if request.method == "HEAD" {
        return head(out, 200, &headers, Some(bytes.len()));
    }
    let range = request.header("range").unwrap().strip_prefix("bytes=").unwrap();
    let (start, last) = range.split_once('-').unwrap();
    let (start, last): (usize, usize) = (start.parse().unwrap(), last.parse().unwrap());
    let end = (last + 1).min(bytes.len());
    let content = format!("bytes {start}-{}/{}", end - 1, bytes.len());
    reply(out, 206, &[headers.as_slice(), &[("Content-Range", &content)]].concat(), &bytes[start..end]);
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sentences").join(name)
}

#[test]
fn a_parquet_file_behind_http_is_the_local_one() {
    let (site, pool) = (Site::new(), Pool::new(2).unwrap());
    let local = read(&data("val.parquet"), &ReadOptions::default(), &pool).unwrap();
    let url = site.put(&data("val.parquet"));
    let remote = read(&url, &ReadOptions::default(), &pool).unwrap();
    assert!(local.x().as_slice() == remote.x().as_slice());
    assert_eq!(local.labels().map(|labels| labels.codes()), remote.labels().map(|labels| labels.codes()));
    let stream = TableStream::open(&Files::from(&url), &ReadOptions::default()).unwrap();
    let mut n_rows = 0;
    let count = &mut |block: headsmith_data::StreamBlock| {
        n_rows += block.n_rows();
        ControlFlow::Continue(())
    };
    stream.read(&Default::default(), &pool, count).unwrap();
    assert_eq!(n_rows, local.n_rows());
}

#[test]
fn a_text_of_several_windows_is_the_local_one() {
    let (site, folder, pool) = (Site::new(), tempfile::tempdir().unwrap(), Pool::new(2).unwrap());
    let path = folder.path().join("rows.csv");
    let mut text = "a,b,label\n".to_owned();
    for i in 0..120_000 {
        text += &format!("{},{},{}\n", i as f32 / 7.0, i % 1013, ["x", "y"][i % 2]);
    }
    std::fs::write(&path, &text).unwrap();
    let local = read(&path, &ReadOptions::default(), &pool).unwrap();
    let remote = read(&site.put(&path), &ReadOptions::default(), &pool).unwrap();
    assert!(local.x().as_slice() == remote.x().as_slice());
}

#[test]
fn what_is_missing_or_was_replaced_is_an_error() {
    let (site, folder, pool) = (Site::new(), tempfile::tempdir().unwrap(), Pool::inline());
    let missing = site.url("none.csv");
    let error = read(&missing, &ReadOptions::default(), &pool).unwrap_err();
    assert!(error.is_io(), "{error}");
    assert_eq!(error.to_string(), format!("{}: cannot be read: no such object", missing.display()));

    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a,b,label\n1,2,x\n3,4,y\n").unwrap();
    let url = site.put(&path);
    let stream = TableStream::open(&Files::from(&url), &ReadOptions::default()).unwrap();
    std::fs::write(&path, "a,b,label\n1,2,x\n3,5,y\n").unwrap();
    site.put(&path);
    let each = &mut |_| ControlFlow::Continue(());
    let error = stream.read(&Default::default(), &pool, each).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("replaced while it was read"), "{error}");
}

#[test]
fn urls_of_no_store_are_refused() {
    let error = read(Path::new("hf://datasets/x"), &ReadOptions::default(), &Pool::inline()).unwrap_err();
    assert!(error.to_string().contains("hf:// is no store that is read; expected s3://"), "{error}");
}
