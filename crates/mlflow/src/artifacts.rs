//! Where a run's files go: the server hands them on, they are written here, or neither can be.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::client::Client;
use crate::error::{Error, Kind, Result, plain};

/// Characters that need no escape in a part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the files of a run go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// To the server, below this path.
    Server(String),
    /// Into a folder of this machine.
    Folder(PathBuf),
    /// Nowhere: why.
    None(String),
}

impl Place {
    /// The place of `uri`, which comes from a server.
    pub(crate) fn of(uri: &str, client: &Client) -> Place {
        let address = client.address();
        let server = |path: &str| Place::Server(path.trim_matches('/').to_owned());
        if let Some(rest) = uri.strip_prefix("mlflow-artifacts:") {
            return match rest.strip_prefix("//").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
                None => server(rest),
                Some((host, path)) if host.is_empty() || host == address.authority() => server(path),
                Some(_) => Place::elsewhere(uri),
            };
        }
        let own = format!("{}/api/2.0/mlflow-artifacts/artifacts/", address.shown());
        if let Some(path) = uri.strip_prefix(&own) {
            return server(path);
        }
        let path = uri.strip_prefix("file://").map(|path| percent_decode_str(path).decode_utf8_lossy());
        let path = path.unwrap_or(uri.into());
        if !path.starts_with('/') {
            return Place::elsewhere(uri);
        }
        if address.is_here() {
            return Place::Folder(PathBuf::from(path.into_owned()));
        }
        Place::None(format!(
            "the server stores artifacts in its own folder {} and does not accept uploads (start it with mlflow server --serve-artifacts)",
            plain(uri)
        ))
    }

    fn elsewhere(uri: &str) -> Place {
        Place::None(format!(
            "the server keeps artifacts at {}, where only MLflow's own client can put them (mlflow server \
             --serve-artifacts takes them itself)",
            plain(uri.split(['?', '#']).next().unwrap_or_default())
        ))
    }

    /// Puts the file there, under its own name.
    pub(crate) fn put(&self, client: &Client, path: &Path) -> Result<()> {
        let cannot = |error: std::io::Error| {
            Error::new(Kind::Refused, format!("cannot copy {} to the run: {error}", path.display()))
        };
        let name = path.file_name().unwrap_or_default();
        match self {
            Place::Server(below) => {
                let name = utf8_percent_encode(&name.to_string_lossy(), PART).to_string();
                client.put(&format!("{below}/{name}"), &File::open(path).map_err(cannot)?)
            }
            Place::Folder(folder) => {
                let part = folder.join(format!(".{}.part", name.to_string_lossy()));
                fs::create_dir_all(folder).map_err(cannot)?;
                fs::copy(path, &part).map_err(cannot)?;
                fs::rename(&part, folder.join(name)).map_err(cannot)
            }
            Place::None(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Limits};

    fn place(url: &str, uri: &str) -> Place {
        let address = Address::parse(url, |_| None).unwrap();
        Place::of(uri, &Client::new(address, Limits::default(), None).unwrap())
    }

    #[test]
    fn a_place_is_what_the_server_says_if_it_can_be_reached() {
        let (here, there) = ("http://127.0.0.1:5000/m", "https://h.org");
        let server = |path: &str| Place::Server(path.to_owned());
        assert_eq!(place(there, "mlflow-artifacts:/0/a/artifacts"), server("0/a/artifacts"));
        assert_eq!(place(there, "mlflow-artifacts://h.org/0/a"), server("0/a"));
        let own = "http://127.0.0.1:5000/m/api/2.0/mlflow-artifacts/artifacts/0/a";
        assert_eq!(place(here, own), server("0/a"));
        assert_eq!(place(here, "file:///a%20b/0"), Place::Folder("/a b/0".into()));
        assert_eq!(place(here, "/a b/0"), Place::Folder("/a b/0".into()));
        for (url, uri) in [
            (there, "file:///a/0"),
            (there, "/a/0"),
            (there, "mlflow-artifacts://evil.org/0/a"),
            (there, "https://evil.org/api/2.0/mlflow-artifacts/artifacts/0"),
            (here, "s3://bucket/0"),
            (here, "./mlruns/0"),
            (here, ""),
        ] {
            assert!(matches!(place(url, uri), Place::None(_)), "{url} {uri}");
        }
    }
}
