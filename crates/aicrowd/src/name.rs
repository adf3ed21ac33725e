//! The local file name of a dataset, derived from its URL, which is not trusted.

use crate::error::{Cause, Error, Result, plain, shown_url};

/// The last component of the path of `url`, decoded, if it is safe as a file name in our folder.
///
/// # Errors
/// If there is none, or it could leave the folder, be hidden, or be a device.
pub(crate) fn file_name(url: &str) -> Result<String> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let path = url[..end]
        .split_once("://")
        .map_or("", |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let name = decode(path.rsplit('/').next().unwrap_or_default());
    match name {
        Some(name) if is_safe(&name) => Ok(name),
        name => Err(Error::new(
            Cause::Response,
            format!("{}: `{}` is not a safe file name", shown_url(url), plain(&name.unwrap_or_default())),
        )),
    }
}

/// Percent-encoded bytes as text; `None` if they are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether `name` is a plain file name, on every system.
pub(crate) fn is_safe(name: &str) -> bool {
    const LONGEST: usize = 200;
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |head: &str| {
        stem.strip_prefix(head).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    let device = DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt");
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !name.is_empty()
        && name.len() <= LONGEST
        && !name.starts_with(['.', '-', ' '])
        && !name.ends_with(['.', ' '])
        && !name.contains(bad)
        && plain(name) == name
        && !device
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_derived_from_the_path() {
        for (url, name) in [
            ("https://h/a/train.csv", "train.csv"),
            ("https://h/a/train.csv?X-Sig=a/b", "train.csv"),
            ("https://h/my%20data.zip#top", "my data.zip"),
            ("https://h/100%.csv", "100%.csv"),
            ("https://h/d%C3%A9j%C3%A0.csv", "d\u{e9}j\u{e0}.csv"),
        ] {
            assert_eq!(file_name(url).unwrap(), name);
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        let long = format!("https://h/{}", "a".repeat(300));
        for url in [
            "https://h",
            "https://h/",
            "https://h/a/",
            "https://h/..",
            "https://h/%2e%2e",
            "https://h/..%2f..%2fetc%2fpasswd",
            "https://h/a%5cb",
            "https://h/C%3Ax",
            "https://h/%00",
            "https://h/a%0ab",
            "https://h/.bashrc",
            "https://h/-rf",
            "https://h/NUL",
            "https://h/com1.csv",
            "https://h/a.",
            "https://h/%ff",
            "https://h/a%1b[2J",
            "https://h/%E2%80%AEvsc.exe",
            &long,
        ] {
            assert!(file_name(url).is_err(), "{url}");
        }
    }
}
