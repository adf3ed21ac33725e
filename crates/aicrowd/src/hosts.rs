//! The hosts of the service, and which of them receive the key.

use ureq::http::Uri;

use crate::error::{Cause, Error, Result};

/// The addresses of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The API: `https://api.aicrowd.com`.
    pub api: String,
    /// The website, which has its own API: `https://www.aicrowd.com`.
    pub rails: String,
    /// The datasets that require the key: `https://datasets.aicrowd.com`.
    pub datasets: String,
}

impl Hosts {
    /// The service's addresses, or those in aicrowd-cli's environment variables: a URL in `AICROWD_API_ENDPOINT`, host
    /// names in `RAILS_HOST` and `DATASETS_HOST`.
    ///
    /// # Errors
    /// If one is not a valid URL, or would send the key unencrypted: `http://` is accepted only for this machine.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Hosts> {
        let host = |name: &str, default: &str| {
            let text = env(name).filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned());
            let url = if text.contains("://") { text } else { format!("https://{text}") };
            let url = url.trim_end_matches('/').to_owned();
            if is_secure(&url) {
                Ok(url)
            } else {
                Err(Error::new(Cause::Configuration, format!("{name} is not an https:// URL of a host")))
            }
        };
        Ok(Hosts {
            api: host("AICROWD_API_ENDPOINT", "https://api.aicrowd.com")?,
            rails: host("RAILS_HOST", "www.aicrowd.com")?,
            datasets: host("DATASETS_HOST", "datasets.aicrowd.com")?,
        })
    }

    /// Whether a request to `url` may carry the key: only to the host (and port) of one of the three, over TLS, or to
    /// this machine.
    pub fn takes_key(&self, url: &str) -> bool {
        let ours = [&self.api, &self.rails, &self.datasets];
        is_secure(url)
            && origin(url).is_some_and(|to| ours.iter().any(|host| origin(host) == Some(to.clone())))
    }

    /// Whether `url` is on the datasets host.
    pub(crate) fn is_datasets(&self, url: &str) -> bool {
        is_secure(url) && origin(url).is_some() && origin(url) == origin(&self.datasets)
    }

    /// The page of a challenge.
    pub(crate) fn challenge_page(&self, slug: &str) -> String {
        format!("{}/challenges/{slug}", self.rails)
    }
}

/// Scheme, host and port; `None` if it is no plain `http(s)` address.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let port = match scheme.as_str() {
        "https" => authority.port_u16().unwrap_or(443),
        "http" => authority.port_u16().unwrap_or(80),
        _ => return None,
    };
    Some((scheme, authority.host().to_ascii_lowercase(), port))
}

/// Whether requests to `url` cannot be read by others: TLS, or this machine.
pub(crate) fn is_secure(url: &str) -> bool {
    let loopback = |host: &str| host == "localhost" || host == "[::1]" || is_loopback_v4(host);
    origin(url).is_some_and(|(scheme, host, _)| scheme == "https" || loopback(&host))
}

fn is_loopback_v4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// The target of a redirect from `from` to `location`.
pub(crate) fn follow(from: &str, location: &str) -> Option<String> {
    if location.contains("://") {
        return Some(location.to_owned());
    }
    let uri: Uri = from.parse().ok()?;
    let root = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    match location {
        _ if location.starts_with("//") => Some(format!("{}:{location}", uri.scheme_str()?)),
        _ if location.starts_with('/') => Some(format!("{root}{location}")),
        _ => {
            let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            Some(format!("{root}{folder}/{location}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts::from_env(|_| None).unwrap()
    }

    #[test]
    fn the_key_is_sent_to_three_hosts_over_tls() {
        let hosts = hosts();
        for url in
            ["https://api.aicrowd.com/x", "https://www.aicrowd.com", "https://Datasets.aicrowd.com:443/a?b"]
        {
            assert!(hosts.takes_key(url), "{url}");
        }
        for url in [
            "http://api.aicrowd.com/x",
            "https://api.aicrowd.com:8443/x",
            "https://api.aicrowd.com@evil.org/",
            "https://evil@api.aicrowd.com/",
            "https://api.aicrowd.com.evil.org/",
            "https://evil.org/https://api.aicrowd.com/",
            "https://gitlab.aicrowd.com/",
            "ftp://api.aicrowd.com/",
            "api.aicrowd.com",
            "",
        ] {
            assert!(!hosts.takes_key(url), "{url}");
        }
    }

    #[test]
    fn the_environment_names_other_hosts() {
        let env = |name: &str| (name == "RAILS_HOST").then(|| "staging.example.org".to_owned());
        assert_eq!(Hosts::from_env(env).unwrap().rails, "https://staging.example.org");
        let local =
            |name: &str| (name == "AICROWD_API_ENDPOINT").then(|| "http://127.0.0.1:8080/".to_owned());
        assert_eq!(Hosts::from_env(local).unwrap().api, "http://127.0.0.1:8080");
        for wrong in ["http://example.org", "a b", "ftp://x"] {
            let error = Hosts::from_env(|name| (name == "RAILS_HOST").then(|| wrong.to_owned())).unwrap_err();
            assert_eq!(error.cause(), Cause::Configuration, "{wrong}");
        }
    }

    #[test]
    fn redirects_are_resolved() {
        let from = "https://h.org:8443/a/b?c";
        for (location, to) in [
            ("https://x.org/y", "https://x.org/y"),
            ("//x.org/y", "https://x.org/y"),
            ("/y?z", "https://h.org:8443/y?z"),
            ("y", "https://h.org:8443/a/y"),
        ] {
            assert_eq!(follow(from, location).as_deref(), Some(to));
        }
    }
}
