//! The configuration file shared with aicrowd-cli.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, value};

use crate::error::{Cause, Error, Result};
use crate::key::ApiKey;
use crate::login::Login;

const KEY: &str = "aicrowd_api_key";
const GITLAB: &str = "gitlab";

/// The file in which aicrowd-cli stores the key: `config.toml`, with the key as `aicrowd_api_key` and the table
/// `gitlab`. Everything else in it is preserved, including comments.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    document: DocumentMut,
}

impl ConfigFile {
    /// The default path of aicrowd-cli: `$XDG_CONFIG_HOME` or `~/.config`, `~/Library/Application Support` on macOS,
    /// `%APPDATA%` on Windows; there `aicrowd-cli/config.toml`.
    ///
    /// # Errors
    /// If the environment has no home folder.
    pub fn default_path(env: impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
        let set = |name: &str| env(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        let folder = if cfg!(windows) {
            set("APPDATA")
        } else if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))
        };
        let folder = folder.ok_or_else(|| {
            Error::new(Cause::Configuration, "HOME is not set, so the configuration file cannot be located")
        })?;
        Ok(folder.join("aicrowd-cli").join("config.toml"))
    }

    /// Reads `path`. A missing file counts as empty.
    ///
    /// # Errors
    /// If it cannot be read, or is not TOML: then it is never overwritten.
    pub fn read(path: &Path) -> Result<ConfigFile> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io(path, error)),
        };
        // The parser's own message shows the line, which may contain the key.
        let document = text.parse::<DocumentMut>().map_err(|error| {
            let line =
                error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Error::new(Cause::Configuration, format!("{}: line {line}: not valid TOML", path.display()))
                .with_hint("fix it, or move it away and log in again")
        })?;
        Ok(ConfigFile { path: path.to_owned(), document })
    }

    /// The key: `AICROWD_API_KEY` if it is set, else the one in the file.
    ///
    /// # Errors
    /// If there is none, or it is not valid.
    pub fn key(&self, env: impl Fn(&str) -> Option<String>) -> Result<ApiKey> {
        if let Some(key) = env("AICROWD_API_KEY").filter(|key| !key.is_empty()) {
            return ApiKey::new(&key);
        }
        match self.document.get(KEY).map(Item::as_str) {
            Some(Some(key)) => ApiKey::new(key),
            Some(None) => Err(Error::new(
                Cause::Configuration,
                format!("{}: `{KEY}` is not a string", self.path.display()),
            )),
            None => Err(Error::new(
                Cause::NoKey,
                format!("not logged in: {} has no `{KEY}`", self.path.display()),
            )
            .with_hint("run: headsmith aicrowd login")),
        }
    }

    /// Stores the result of a login.
    pub fn set(&mut self, login: &Login) {
        self.document[KEY] = value(login.key.expose());
        let gitlab = [
            ("oauth_token", login.oauth_token.as_str()),
            ("userid", login.userid.as_str()),
            ("username", login.username.as_str()),
        ];
        if login.oauth_token.is_empty() {
            return;
        }
        if !self.document.get(GITLAB).is_some_and(Item::is_table_like) {
            self.document[GITLAB] = Item::Table(Table::new());
        }
        for (name, text) in gitlab {
            self.document[GITLAB][name] = value(text);
        }
    }

    /// Writes the file atomically, readable only by its owner.
    ///
    /// # Errors
    /// If the system cannot write it; the old file is then unchanged.
    pub fn write(&self) -> Result<()> {
        // A link is kept, and its target is replaced.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let io = |error: std::io::Error| Error::io(&path, error);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_private_folder(folder).map_err(io)?;
        // Created with mode 0600, which the renamed file keeps.
        let mut file = tempfile::Builder::new().prefix(".config-").tempfile_in(folder).map_err(io)?;
        file.write_all(self.document.to_string().as_bytes()).map_err(io)?;
        file.as_file().sync_all().map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        Ok(())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
