//! Addresses of storages, as users write them.

use std::path::PathBuf;

use crate::error::{Error, Kind, Result};

/// A parsed address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StorageUrl {
    /// A database in memory, which ends with the storage.
    Memory,
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL server, `postgresql://..`.
    Server(String),
}

/// Parses an address: a URL as in SQLAlchemy, or a path.
pub(super) fn parse(url: &str) -> Result<StorageUrl> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return match url {
            "" => Err(wrong(url, "it is empty")),
            ":memory:" => Ok(StorageUrl::Memory),
            path => Ok(StorageUrl::File(path.into())),
        };
    };
    // In `postgresql+psycopg2`, the driver matters only to Python.
    match scheme.split('+').next().unwrap_or(scheme) {
        "sqlite" => sqlite(url, rest),
        "postgresql" | "postgres" => Ok(StorageUrl::Server(format!("postgresql://{rest}"))),
        other if is_scheme(other) => {
            Err(wrong(url, &format!("`{other}` is not a database that Headsmith supports")))
        }
        _ => Err(wrong(url, "it begins with no scheme")),
    }
}

fn sqlite(url: &str, rest: &str) -> Result<StorageUrl> {
    match rest.strip_prefix('/') {
        _ if rest.is_empty() => Ok(StorageUrl::Memory),
        None => Err(wrong(url, "three slashes begin a relative path, four an absolute one")),
        Some("" | ":memory:") => Ok(StorageUrl::Memory),
        Some(path) if path.contains('?') => Err(wrong(url, "options after `?` are not supported")),
        Some(path) => Ok(StorageUrl::File(path.into())),
    }
}

/// An address, or a word that contains one, for display: without the password, and without the part after the
/// database's name, where there may be another password. If the password cannot be located for sure, only the scheme
/// is shown. In a web address, a user without a password is a token and is not shown either.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // In `--storage=postgresql`, only the part after `=` is the scheme.
    let (flag, named) = scheme.rsplit_once('=').unwrap_or(("", scheme));
    if !(is_scheme(named) && flag.chars().all(|c| is_of_scheme(c) || c == '_')) {
        return "..://..".to_owned();
    }
    let is_web = ["http", "https"].iter().any(|web| named.eq_ignore_ascii_case(web));
    let (address, more) = rest.split_once('?').unwrap_or((rest, ""));
    if more.contains('@') {
        return format!("{scheme}://..");
    }
    match address.rsplit_once('@') {
        Some((user, host)) => {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            let user = if is_web && password.is_empty() { "" } else { user };
            let at = if user.is_empty() { "" } else { "@" };
            format!("{scheme}://{user}{at}{host}")
        }
        None => format!("{scheme}://{address}"),
    }
}

fn is_scheme(text: &str) -> bool {
    text.chars().all(is_of_scheme)
}

fn is_of_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-.".contains(c)
}

fn wrong(url: &str, why: &str) -> Error {
    let shown = without_password(url);
    let message = format!(
        "`{shown}` is not an address of a study database: {why}; expected a path, sqlite:///PATH or \
         postgresql://USER:PASSWORD@HOST/DATABASE"
    );
    Error::new(Kind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let cases = [
            ("postgresql://u:p@ss@h:5432/d?password=x", "postgresql://u@h:5432/d"),
            ("--storage=postgresql://u:p@ss@h:5432/d?password=x", "--storage=postgresql://u@h:5432/d"),
            ("postgresql://u:p?ss@h/d", "postgresql://.."),
            ("postgresql://h/d?password=p@ss", "postgresql://.."),
            ("postgresql:///d?host=/run", "postgresql:///d"),
            ("postgresql://:p@h/d", "postgresql://h/d"),
            ("postgresql://h/d", "postgresql://h/d"),
            ("sqlite:///out/study.db", "sqlite:///out/study.db"),
            ("a@b:c?d", "a@b:c?d"),
            ("postgresql://u@h/d", "postgresql://u@h/d"),
            ("u:s3cret@https://h", "..://.."),
            ("--mlflow=u:s3=cret@https://h", "..://.."),
            ("https://TOKEN@h/m", "https://h/m"),
            ("--mlflow=HTTPS://TOKEN:@h", "--mlflow=HTTPS://h"),
            ("--mlflow=https://u:p@h", "--mlflow=https://u@h"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn addresses_are_written_as_for_sqlalchemy() {
        let file = |path: &str| StorageUrl::File(path.into());
        let server = |url: &str| StorageUrl::Server(url.into());
        let cases = [
            ("study.db", file("study.db")),
            ("sqlite:///study.db", file("study.db")),
            ("sqlite:////var/lib/study.db", file("/var/lib/study.db")),
            ("sqlite+pysqlite:///study.db", file("study.db")),
            ("sqlite://", StorageUrl::Memory),
            ("sqlite:///:memory:", StorageUrl::Memory),
            ("postgresql://u:p@h:5433/d", server("postgresql://u:p@h:5433/d")),
            ("postgresql+psycopg2://u@h/d", server("postgresql://u@h/d")),
            ("postgresql+psycopg:///d?host=/run", server("postgresql:///d?host=/run")),
        ];
        for (url, place) in cases {
            assert_eq!(parse(url).unwrap(), place, "{url}");
        }
    }

    #[test]
    fn other_addresses_are_refused_without_their_passwords() {
        for url in [
            "",
            "mysql://u:secret@h/d",
            "u:secret@mysql://h/d",
            "sqlite://study.db",
            "sqlite:///a.db?mode=ro",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), Kind::Configuration, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
