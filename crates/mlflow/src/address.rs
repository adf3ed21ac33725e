//! The URL of a server, and the credentials in it or in the environment.

use std::fmt;
use std::net::Ipv4Addr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use ureq::http::Uri;

use crate::error::{Error, Kind, Result, plain};

/// The address of a tracking server. It prints without its credentials.
#[derive(Clone)]
pub struct Address {
    /// Scheme, host, port and the path before `/api`; no `/` at its end.
    base: String,
    host: String,
    /// The `Authorization` header.
    authorization: Option<String>,
    /// Secrets that no message may contain.
    secrets: Vec<String>,
}

impl Address {
    /// Parses `http(s)://[USER:PASSWORD@]HOST[:PORT][/PATH]`. Without credentials in it, those of MLflow's own client
    /// in the environment are used: `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, else
    /// `MLFLOW_TRACKING_TOKEN`.
    ///
    /// # Errors
    /// If it is no such URL. The message does not contain it, because a password may be anywhere in it.
    pub fn parse(url: &str, env: impl Fn(&str) -> Option<String>) -> Result<Address> {
        let wrong = |why: &str| {
            Error::new(Kind::Usage, format!("not a valid URL of an MLflow server: {why}"))
                .with_hint("expected http(s)://[USER:PASSWORD@]HOST[:PORT][/PATH]")
        };
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| wrong("it does not begin with http:// or https://"))?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            // This part may be a user and a password.
            let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            let named = if is_scheme { format!(" but `{}`", plain(&scheme)) } else { String::new() };
            return Err(wrong(&format!("its scheme is not http or https{named}")));
        }
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        if user.is_some_and(|user| user.contains('/')) {
            return Err(wrong("there is a / before the @; write it as %2F in a password"));
        }
        let base = format!("{scheme}://{}", rest.trim_end_matches('/'));
        let uri: Uri = base.parse().map_err(|_| wrong("its host or path is not valid"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it has no host"))?;
        if uri.query().is_some() || base.contains('#') {
            return Err(wrong("it has a query or a fragment"));
        }
        let host = host.to_ascii_lowercase();
        let credentials = match user {
            Some(user) => Some(
                Credentials::of_url(user).ok_or_else(|| wrong("its user or password is not valid UTF-8"))?,
            ),
            None => Credentials::of_env(env),
        };
        let authorization = credentials.as_ref().map(Credentials::header).transpose()?;
        let secrets = credentials.into_iter().flat_map(|credentials| credentials.secrets());
        let mut secrets: Vec<String> = secrets.filter(|secret| !secret.is_empty()).collect();
        secrets.extend(authorization.clone());
        Ok(Address { base, host, authorization, secrets })
    }

    /// The address without credentials.
    pub fn shown(&self) -> &str {
        &self.base
    }

    /// Whether the server runs on this machine.
    pub fn is_here(&self) -> bool {
        let loopback = || self.host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        self.host == "localhost" || self.host == "[::1]" || loopback()
    }

    /// Whether the credentials are sent unencrypted over a network.
    pub fn is_exposed(&self) -> bool {
        self.authorization.is_some() && self.base.starts_with("http://") && !self.is_here()
    }

    /// Host and port as written in the URL.
    pub(crate) fn authority(&self) -> &str {
        let rest = self.base.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// `text` without credentials.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.base)
    }
}

/// The credentials for the server.
enum Credentials {
    Password { user: String, password: String },
    Token(String),
}

impl Credentials {
    fn of_url(user: &str) -> Option<Credentials> {
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let text = |part: &str| percent_decode_str(part).decode_utf8().ok().map(|text| text.into_owned());
        Some(Credentials::Password { user: text(user)?, password: text(password)? })
    }

    fn of_env(env: impl Fn(&str) -> Option<String>) -> Option<Credentials> {
        let named = |name: &str| env(name).filter(|text| !text.is_empty());
        match (named("MLFLOW_TRACKING_USERNAME"), named("MLFLOW_TRACKING_PASSWORD")) {
            (Some(user), Some(password)) => Some(Credentials::Password { user, password }),
            _ => named("MLFLOW_TRACKING_TOKEN").map(Credentials::Token),
        }
    }

    fn header(&self) -> Result<String> {
        match self {
            Credentials::Password { user, password } => {
                Ok(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
            }
            Credentials::Token(token) if token.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(format!("Bearer {token}"))
            }
            Credentials::Token(_) => Err(Error::new(
                Kind::Usage,
                "MLFLOW_TRACKING_TOKEN contains white space or invalid characters",
            )),
        }
    }

    fn secrets(self) -> Vec<String> {
        match self {
            // A user without a password is a token.
            Credentials::Password { user, password } if password.is_empty() => vec![user],
            Credentials::Password { password, .. } => vec![password],
            Credentials::Token(token) => vec![token],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Address {
        Address::parse(url, |_| None).unwrap()
    }

    #[test]
    fn an_address_is_parsed() {
        let address = parsed("https://a%40b:p%2Fq:r@h.org:8443/mlflow/");
        assert_eq!((address.shown(), address.authority()), ("https://h.org:8443/mlflow", "h.org:8443"));
        let expected = format!("Basic {}", BASE64_STANDARD.encode("a@b:p/q:r"));
        assert_eq!(address.authorization(), Some(&*expected));
        assert!(!address.is_exposed() && parsed("http://u:p@h.org").is_exposed());
        for (url, here) in [
            ("http://localhost:5000", true),
            ("http://127.0.0.2", true),
            ("http://[::1]:5000", true),
            ("http://127.0.0.1.evil.org", false),
            ("http://h.org", false),
        ] {
            assert_eq!(parsed(url).is_here(), here, "{url}");
        }
    }

    #[test]
    fn credentials_come_from_the_address_or_the_environment() {
        let env = |given: &'static [(&str, &str)]| {
            move |name: &str| given.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let password: &[(&str, &str)] = &[
            ("MLFLOW_TRACKING_USERNAME", "u"),
            ("MLFLOW_TRACKING_PASSWORD", "p"),
            ("MLFLOW_TRACKING_TOKEN", "t"),
        ];
        let header = |url: &str, given| {
            Address::parse(url, env(given)).unwrap().authorization().map(str::to_owned).unwrap_or_default()
        };
        let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        assert_eq!(header("http://h", password), basic("u:p"));
        assert_eq!(header("http://a:b@h", password), basic("a:b"));
        assert_eq!(header("http://h", &password[1..]), "Bearer t");
        assert_eq!(header("http://h", &[]), "");
    }

    #[test]
    fn an_invalid_address_is_refused_without_its_password() {
        for url in [
            "h.org:5000",
            "ftp://u:s3cret@h.org",
            "u:s3cret@https://h.org",
            "http://",
            "http://u:s3cret@",
            "http://u:s3cret/x@h.org",
            "http://u:s3cret@h.org/a b",
            "http://u:s3cret@h.org?x",
            "http://u:s3cret@h.org#x",
            "sqlite:///mlflow.db",
            "",
        ] {
            let error = Address::parse(url, |_| None).unwrap_err();
            assert!(error.is_usage() && !format!("{error:?}").contains("s3cret"), "{url}: {error:?}");
        }
        let address = parsed("http://u:s3cret@h.org");
        assert!(!format!("{address:?}").contains("s3cret"));
        assert_eq!(address.hide_in("s3cret is s3cret"), "*** is ***");
        for url in ["https://s3cret@h.org", "https://s3cret:@h.org"] {
            assert_eq!(parsed(url).hide_in("no s3cret"), "no ***");
        }
    }
}
