//! Who may ask: the host that a request names, the page that it comes from, and its token.
//!
//! A page of the web can make its visitor's browser send requests to the visitor's own machine, and with a name that changes its address
//! (DNS rebinding) even read the answers. So a request must name a host that the server is known by, and one that says which page it
//! comes from must come from the server's own: from the host and port of the request, or from an allowed name. Behind a proxy the latter's port is the default
//! one of its scheme, or that of the header Host where this has one.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use subtle::ConstantTimeEq;

use crate::error::{self, Error};
use crate::failure::{Failure, Result};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The rules of a server.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) token: Option<String>,
    /// Names beside `localhost` and addresses.
    pub(crate) hosts: Vec<String>,
    pub(crate) is_loopback: bool,
}

impl Guard {
    /// Refuses a request that may not be answered; `is_health`: it asks for nothing but health.
    pub(crate) fn check(&self, request: &Parts, is_health: bool) -> Result<()> {
        if is_health && !self.is_loopback {
            return Ok(());
        }
        let host = host(request)?;
        if !self.is_known(name_of(host)) {
            return Err(Failure::forbidden(
                "the header Host names another server: start with --allowed-host NAME to answer to a name",
            ));
        }
        self.check_page(request, host)?;
        match &self.token {
            Some(token) if !is_health => check_token(request, token),
            _ => Ok(()),
        }
    }

    /// Whether a request may name this host. An address cannot be rebound, so every address is right.
    fn is_known(&self, name: &str) -> bool {
        address(name).is_some() || name.eq_ignore_ascii_case("localhost") || self.allows(name)
    }

    fn allows(&self, name: &str) -> bool {
        self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }

    /// Whether a page of `origin` is the server's own, for a request to `host`.
    fn is_own(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, page)) = origin.split_once("://") else { return false };
        let default = match scheme {
            "http" => "80",
            "https" => "443",
            _ => return false,
        };
        let is_right = |port: &str| port == default || port_of(host).is_none_or(|own| own == port);
        page.eq_ignore_ascii_case(host) || self.allows(name_of(page)) && port_of(page).is_none_or(is_right)
    }

    /// Refuses requests from pages of other servers.
    fn check_page(&self, request: &Parts, host: &str) -> Result<()> {
        let refused = || Err(Failure::forbidden("the request comes from a page of another server"));
        let mut origins = request.headers.get_all(ORIGIN).iter();
        if let Some(origin) = origins.next() {
            let origin = origin.to_str().unwrap_or_default();
            let is_own = self.is_own(origin, host) && origins.next().is_none();
            return if is_own { Ok(()) } else { refused() };
        }
        match request.headers.get(SEC_FETCH_SITE) {
            Some(site) if site != "same-origin" && site != "none" => refused(),
            _ => Ok(()),
        }
    }
}

/// Refuses names that no header Host can have, such as addresses of pages.
///
/// # Errors
/// When `name` is no name of a host alone.
pub(crate) fn check_name(name: &str) -> error::Result<()> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match !name.is_empty() && name.bytes().all(is_part) || address(name).is_some() {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "--allowed-host takes the name of a host alone, such as models.example.org, without scheme, port and path: found `{name}`"
        ))),
    }
}

/// The address that a name of a host is.
fn address(name: &str) -> Option<IpAddr> {
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse().ok()
}

/// The host that a request names, once.
fn host(request: &Parts) -> Result<&str> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Failure::bad("the request must have one header Host"));
    };
    let host = host.to_str().map_err(|_| Failure::bad("the header Host is malformed"))?;
    match request.uri.authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(host) => {
            Err(Failure::bad("the request's target and its header Host differ"))
        }
        _ => Ok(host),
    }
}

/// The port of a host, if it has one.
fn port_of(host: &str) -> Option<&str> {
    host.strip_prefix(name_of(host))?.strip_prefix(':')
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => {
            match name {
                // An address of IPv6 without brackets has no port.
                name if name.contains(':') && !name.ends_with(']') => host,
                name => name,
            }
        }
        _ => host,
    }
}

/// Compares tokens in a time that does not tell where they differ.
fn check_token(request: &Parts, token: &str) -> Result<()> {
    let mut given = request.headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(Failure::unauthorized()) };
    let value = value.as_bytes();
    let (scheme, rest) = value.split_at(value.len().min(7));
    let is_right = scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(rest.ct_eq(token.as_bytes()));
    if is_right { Ok(()) } else { Err(Failure::unauthorized()) }
}

#[cfg(test)]
mod tests {
    use hyper::{Request, StatusCode};

    use super::*;

    fn status(guard: &Guard, headers: &[(&str, &str)]) -> u16 {
        let request =
            headers.iter().fold(Request::get("/v2"), |request, (name, value)| request.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        guard.check(&parts, false).map_or_else(|failure| failure.status, |()| StatusCode::OK).as_u16()
    }

    fn guard(token: Option<&str>) -> Guard {
        Guard { token: token.map(str::to_owned), hosts: vec!["models.example".to_owned()], is_loopback: true }
    }

    #[test]
    fn a_request_must_name_a_known_host_once() {
        let of = |host: &str| status(&guard(None), &[("host", host)]);
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:80",
            "[::1]:8080",
            "[::1]",
            "10.1.2.3",
            "Models.example:443",
        ] {
            assert_eq!(of(host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "models.example.evil",
            "",
            ":80",
            "localhost@evil",
        ] {
            assert_eq!(of(host), 403, "{host}");
        }
        assert_eq!(status(&guard(None), &[]), 400);
        assert_eq!(status(&guard(None), &[("host", "localhost"), ("host", "localhost")]), 400);
    }

    #[test]
    fn pages_of_other_servers_are_refused() {
        let of = |name: &str, value: &str| status(&guard(None), &[("host", "127.0.0.1:8080"), (name, value)]);
        for origin in ["http://127.0.0.1:8080", "https://models.example"] {
            assert_eq!(of("origin", origin), 200, "{origin}");
        }
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:9000",
            "null",
            "http://203.0.113.5",
            "",
            "http://models.example.evil",
        ] {
            assert_eq!(of("origin", origin), 403, "{origin}");
        }
        assert_eq!(of("sec-fetch-site", "cross-site"), 403);
        assert_eq!(of("sec-fetch-site", "same-site"), 403);
        assert_eq!(of("sec-fetch-site", "same-origin"), 200);
    }

    #[test]
    fn pages_of_an_allowed_name_have_the_port_of_the_server_or_none() {
        let of = |host: &str, origin: &str| status(&guard(None), &[("host", host), ("origin", origin)]);
        for (host, origin) in [
            ("models.example:8443", "https://models.example:8443"),
            ("models.example:8443", "https://models.example"),
            ("models.example:8443", "https://models.example:443"),
            ("models.example:8080", "http://MODELS.example:80"),
            // A proxy may leave the port out.
            ("models.example", "https://models.example:8443"),
        ] {
            assert_eq!(of(host, origin), 200, "{host} {origin}");
        }
        for (host, origin) in [
            ("models.example:8443", "https://models.example:9000"),
            ("models.example:8443", "http://models.example:443"),
            ("models.example:8443", "ftp://models.example"),
            ("127.0.0.1:8080", "http://models.example:9000"),
        ] {
            assert_eq!(of(host, origin), 403, "{host} {origin}");
        }
    }

    #[test]
    fn allowed_names_can_be_those_of_requests() {
        for name in ["models.example", "a_b-1", "10.1.2.3", "::1", "[::1]"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "https://x:1/", "x:1", "x/", "*.example", "a b", "[x]"] {
            let error = check_name(name).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("--allowed-host"), "{name}: {error}");
        }
    }

    #[test]
    fn the_token_is_asked_for() {
        let of =
            |value: &str| status(&guard(Some("secret")), &[("host", "localhost"), ("authorization", value)]);
        assert_eq!((of("Bearer secret"), of("bearer secret")), (200, 200));
        for value in
            ["Bearer secre", "Bearer secret2", "Bearer ", "", "Basic secret", "secret", "Bearer  secret"]
        {
            assert_eq!(of(value), 401, "{value}");
        }
        assert_eq!(status(&guard(Some("secret")), &[("host", "localhost")]), 401);
        assert_eq!(
            status(
                &guard(Some("s")),
                &[("host", "localhost"), ("authorization", "Bearer s"), ("authorization", "Bearer s")]
            ),
            401
        );
    }

    #[test]
    fn health_needs_no_token_and_off_loopback_no_host() {
        let (parts, ()) =
            Request::get("/v2/health/live").header("host", "10-1-2-3.pod").body(()).unwrap().into_parts();
        let open = Guard { is_loopback: false, ..guard(Some("secret")) };
        assert!(open.check(&parts, true).is_ok() && open.check(&parts, false).is_err());
        assert!(guard(Some("secret")).check(&parts, true).is_err(), "a web page must not find the server");
    }
}
