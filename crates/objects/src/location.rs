//! The URLs of objects.

use std::io;
use std::path::Path;

/// The schemes of each kind of store.
const SCHEMES: [(StoreKind, &[&str]); 4] = [
    (StoreKind::S3, &["s3", "s3a"]),
    (StoreKind::Google, &["gs"]),
    (StoreKind::Azure, &["az", "abfs", "abfss"]),
    (StoreKind::Http, &["https", "http"]),
];

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreKind {
    S3,
    Google,
    Azure,
    Http,
}

/// The parts of the URL of an object: `scheme://container/key`. Keys are not percent-decoded, as in the stores' own tools,
/// but for HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location<'a> {
    pub(crate) kind: StoreKind,
    /// Everything before the key's slash: `s3://bucket`.
    pub(crate) container: &'a str,
    pub(crate) key: &'a str,
}

/// Whether `path` is a URL (`scheme://..`), so not a file of this machine.
pub fn is_url(path: &Path) -> bool {
    path.to_str().and_then(scheme).is_some()
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_part)).then_some(scheme)
}

impl<'a> Location<'a> {
    /// Parses a URL.
    ///
    /// # Errors
    /// If its scheme is that of no store, or it names no container.
    pub(crate) fn parse(url: &'a Path) -> io::Result<Location<'a>> {
        let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        let text = url.to_str().ok_or_else(|| wrong("the URL is not UTF-8".to_owned()))?;
        let scheme = scheme(text).ok_or_else(|| wrong("expected a URL".to_owned()))?;
        let kind = SCHEMES.iter().find(|(_, schemes)| schemes.contains(&scheme)).ok_or_else(|| {
            let known: Vec<String> = SCHEMES
                .iter()
                .flat_map(|(_, schemes)| *schemes)
                .map(|scheme| format!("{scheme}://"))
                .collect();
            wrong(format!("{scheme}:// is no store that is read; expected {}", known.join(", ")))
        })?;
        let start = scheme.len() + "://".len();
        let end = text[start..].find('/').map_or(text.len(), |at| start + at);
        if end == start {
            return Err(wrong(format!("expected the name of a bucket or host after {scheme}://")));
        }
        let key = text.get(end + 1..).unwrap_or_default();
        if kind.0 == StoreKind::Http && key.contains(['?', '#']) {
            return Err(wrong("URLs with a query (?..) are not read: download the file".to_owned()));
        }
        Ok(Location { kind: kind.0, container: &text[..end], key })
    }

    /// Parses the URL of one object.
    ///
    /// # Errors
    /// If it is no URL, or that of a bucket or a folder.
    #[cfg(any(test, feature = "object-store"))]
    pub(crate) fn of_object(url: &'a Path) -> io::Result<Location<'a>> {
        let location = Location::parse(url)?;
        let what = match location.key {
            _ if location.kind == StoreKind::Http => return Ok(location),
            "" => "the URL names a bucket, and no object in it",
            key if key.ends_with('/') => "the URL names a folder, and no object in it",
            _ => return Ok(location),
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_folders_are_no_objects() {
        for (url, what) in [("s3://b", "bucket"), ("s3://b/", "bucket"), ("gs://b/x/", "folder")] {
            let error = Location::of_object(Path::new(url)).unwrap_err().to_string();
            assert!(error.contains(what), "{url}: {error}");
        }
        for url in ["s3://b/x", "https://h", "https://h/x/"] {
            assert!(Location::of_object(Path::new(url)).is_ok(), "{url}");
        }
    }

    #[test]
    fn urls_are_told_from_files() {
        for url in ["s3://b/k", "https://h/x.parquet", "hf://datasets/x"] {
            assert!(is_url(Path::new(url)), "{url}");
        }
        for file in ["s3:/b/k", "data/x.csv", "a b://c", "://x", "C:\\x", "3s://b"] {
            assert!(!is_url(Path::new(file)), "{file}");
        }
    }

    #[test]
    fn urls_have_a_container_and_a_key() {
        let parsed = |url: &'static str| Location::parse(Path::new(url)).map_err(|error| error.to_string());
        let location = Location { kind: StoreKind::S3, container: "s3://b", key: "a/x 1?.parquet" };
        assert_eq!(parsed("s3://b/a/x 1?.parquet"), Ok(location));
        assert_eq!(parsed("gs://b").map(|location| location.key), Ok(""));
        let azure = parsed("abfss://c@account.dfs.core.windows.net/x/");
        assert_eq!(azure.map(|location| location.key), Ok("x/"));
        assert!(parsed("hf://datasets/x").unwrap_err().contains("hf:// is no store"));
        assert!(parsed("s3:///k").unwrap_err().contains("bucket"));
        assert!(parsed("https://h/x?y=z").unwrap_err().contains("query"));
    }
}
