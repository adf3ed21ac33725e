//! Shared by the web clients: an agent that follows no redirect by itself, its trusted certificates, and
//! sanitising of text from outside.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

/// Why there is no agent: its certificates are not those that were asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text without a certificate in it.
    #[error("the file of trusted certificates contains no PEM certificate")]
    NoCertificate,
    /// A file that cannot be read.
    #[error("{variable} names {path}: {source}")]
    Unreadable {
        /// The environment variable that names it.
        variable: String,
        /// The file.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
}

/// How long an agent waits.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, with its TLS handshake, and for resolving its host.
    pub connect: Duration,
    /// For the beginning of a response.
    pub answer: Duration,
    /// For the next bytes of a response.
    pub read: Duration,
    /// For a server to accept more bytes.
    pub write: Duration,
}

/// An agent that returns redirects and failures as responses, for its caller to handle. `roots` are the certificates to
/// trust, in PEM; `None` means the built-in ones of the web.
///
/// # Errors
/// When `roots` holds no certificate.
pub fn agent(timeouts: Timeouts, roots: Option<&[u8]>) -> Result<Agent, Error> {
    let roots = roots.map_or(Ok(RootCerts::WebPki), certificates)?;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("headsmith/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_resolve(Some(timeouts.connect))
        .timeout_connect(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.answer))
        .timeout_per_read(Some(timeouts.read))
        .timeout_per_write(Some(timeouts.write))
        .build();
    Ok(config.new_agent())
}

/// The certificates of a PEM file.
fn certificates(pem: &[u8]) -> Result<RootCerts, Error> {
    let items: Vec<Certificate<'static>> = ureq::tls::parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if items.is_empty() {
        return Err(Error::NoCertificate);
    }
    Ok(RootCerts::Specific(Arc::new(items)))
}

/// The content of the file named by the first non-empty variable of `names`; `None` if none is set.
///
/// # Errors
/// When that file cannot be read.
pub fn roots_of_env(names: &[&str], env: impl Fn(&str) -> Option<String>) -> Result<Option<Vec<u8>>, Error> {
    let named = names.iter().find_map(|name| Some((*name, env(name).filter(|path| !path.is_empty())?)));
    let Some((name, path)) = named else { return Ok(None) };
    match std::fs::read(&path) {
        Ok(roots) => Ok(Some(roots)),
        Err(source) => Err(Error::Unreadable { variable: name.to_owned(), path, source }),
    }
}

/// Text from outside as it may be shown on a terminal: one line of `longest` characters at most, nothing that moves the cursor.
pub fn plain(text: &str, longest: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line: String =
        words.join(" ").chars().filter(|c| !c.is_control() && !is_bidi(*c)).take(longest + 1).collect();
    if line.chars().count() > longest {
        line.pop();
        line.push_str("..");
    }
    line
}

/// Marks that turn the direction of text, and so can make a name look like another.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(plain("a\x1b[2J\r\n b\u{202e}c", 9), "a[2J bc");
        assert_eq!(plain(&"x".repeat(10), 9), format!("{}..", "x".repeat(9)));
        assert_eq!(plain(&"x".repeat(9), 9), "x".repeat(9));
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_certificates() {
        let env = |name: &str| match name {
            "EMPTY" => Some(String::new()),
            "THERE" => Some("Cargo.toml".to_owned()),
            "GONE" => Some("no/such.pem".to_owned()),
            _ => None,
        };
        assert_eq!(roots_of_env(&["UNSET", "EMPTY"], env).unwrap(), None);
        let found = roots_of_env(&["UNSET", "EMPTY", "THERE", "GONE"], env).unwrap().unwrap();
        assert!(found.starts_with(b"[package]"));
        let error = roots_of_env(&["GONE", "THERE"], env).unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(error.to_string(), format!("GONE names no/such.pem: {source}"));
        let timeouts = [(); 4].map(|()| Duration::from_secs(1));
        let [connect, answer, read, write] = timeouts;
        let timeouts = Timeouts { connect, answer, read, write };
        assert!(agent(timeouts, None).is_ok());
        assert_eq!(
            agent(timeouts, Some(&found)).unwrap_err().to_string(),
            "the file of trusted certificates contains no PEM certificate"
        );
    }
}
