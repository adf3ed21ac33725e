//! The destination of a run's files: the server, a local folder, or none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::client::Client;
use crate::error::{Error, Kind, Result, plain};

/// The characters that need no escape in a path's component.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The destination of a run's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArtifactStore {
    /// The server, below this path.
    Server(String),
    /// A folder on this machine.
    Folder(PathBuf),
    /// None, with the reason.
    None(String),
}

impl ArtifactStore {
    /// The destination for `uri`, which comes from a server.
    pub(crate) fn of(uri: &str, client: &Client) -> ArtifactStore {
        let address = client.address();
        let server = |path: &str| ArtifactStore::Server(path.trim_matches('/').to_owned());
        if let Some(rest) = uri.strip_prefix("mlflow-artifacts:") {
            return match rest.strip_prefix("//").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
                None => server(rest),
                Some((host, path)) if host.is_empty() || host == address.authority() => server(path),
                Some(_) => ArtifactStore::elsewhere(uri),
            };
        }
        let own = format!("{}/api/2.0/mlflow-artifacts/artifacts/", address.shown());
        if let Some(path) = uri.strip_prefix(&own) {
            return server(path);
        }
        let path = uri.strip_prefix("file://").map(|path| percent_decode_str(path).decode_utf8_lossy());
        let path = path.unwrap_or(uri.into());
        if !path.starts_with('/') {
            return ArtifactStore::elsewhere(uri);
        }
        if address.is_here() {
            return ArtifactStore::Folder(PathBuf::from(path.into_owned()));
        }
        ArtifactStore::None(format!(
            "the server stores artifacts in its own folder {} and does not accept uploads (start it with mlflow server --serve-artifacts)",
            plain(uri)
        ))
    }

    fn elsewhere(uri: &str) -> ArtifactStore {
        ArtifactStore::None(format!(
            "the server keeps artifacts at {}, where only MLflow's own client can put them (mlflow server \
             --serve-artifacts takes them itself)",
            plain(uri.split(['?', '#']).next().unwrap_or_default())
        ))
    }

    /// Stores the file there, under its own name.
    pub(crate) fn put(&self, client: &Client, path: &Path) -> Result<()> {
        let cannot = |error: std::io::Error| {
            Error::new(Kind::Refused, format!("cannot copy {} to the run: {error}", path.display()))
        };
        let name = path.file_name().unwrap_or_default();
        match self {
            ArtifactStore::Server(below) => {
                let name = utf8_percent_encode(&name.to_string_lossy(), PART).to_string();
                client.put(&format!("{below}/{name}"), &File::open(path).map_err(cannot)?)
            }
            ArtifactStore::Folder(folder) => {
                let part = folder.join(format!(".{}.part", name.to_string_lossy()));
                fs::create_dir_all(folder).map_err(cannot)?;
                fs::copy(path, &part).map_err(cannot)?;
                fs::rename(&part, folder.join(name)).map_err(cannot)
            }
            ArtifactStore::None(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Limits};

    fn store(url: &str, uri: &str) -> ArtifactStore {
        let address = Address::parse(url, |_| None).unwrap();
        ArtifactStore::of(uri, &Client::new(address, Limits::default(), None).unwrap())
    }

    #[test]
    fn destinations_are_parsed_from_the_artifact_uri() {
        let (here, there) = ("http://127.0.0.1:5000/m", "https://h.org");
        let server = |path: &str| ArtifactStore::Server(path.to_owned());
        assert_eq!(store(there, "mlflow-artifacts:/0/a/artifacts"), server("0/a/artifacts"));
        assert_eq!(store(there, "mlflow-artifacts://h.org/0/a"), server("0/a"));
        let own = "http://127.0.0.1:5000/m/api/2.0/mlflow-artifacts/artifacts/0/a";
        assert_eq!(store(here, own), server("0/a"));
        assert_eq!(store(here, "file:///a%20b/0"), ArtifactStore::Folder("/a b/0".into()));
        assert_eq!(store(here, "/a b/0"), ArtifactStore::Folder("/a b/0".into()));
        for (url, uri) in [
            (there, "file:///a/0"),
            (there, "/a/0"),
            (there, "mlflow-artifacts://evil.org/0/a"),
            (there, "https://evil.org/api/2.0/mlflow-artifacts/artifacts/0"),
            (here, "s3://bucket/0"),
            (here, "./mlruns/0"),
            (here, ""),
        ] {
            assert!(matches!(store(url, uri), ArtifactStore::None(_)), "{url} {uri}");
        }
    }
}
