//! The key of a user, which must not leak.

use std::fmt;

use crate::error::{Cause, Error, Result};

/// A user's key. It prints as dots.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// The maximum length of a key, far above that of real ones.
const LONGEST: usize = 1024;

impl ApiKey {
    /// Accepts a key as typed; surrounding white space is ignored.
    ///
    /// # Errors
    /// If it is empty, too long or not valid in an HTTP header. The message does not contain it.
    pub fn new(text: &str) -> Result<ApiKey> {
        let key = text.trim();
        let wrong = |what: &str| {
            Err(Error::new(Cause::BadKey, format!("the API key {what}"))
                .with_hint("copy it from your profile page on AIcrowd"))
        };
        match key {
            "" => wrong("is empty"),
            key if key.len() > LONGEST => wrong("is too long"),
            key if !key.bytes().all(|b| b.is_ascii_graphic()) => {
                wrong("contains white space or invalid characters")
            }
            key => Ok(ApiKey(key.to_owned())),
        }
    }

    /// The `Authorization` header.
    pub(crate) fn header(&self) -> String {
        format!("Token {}", self.0)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without the key.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_header_values_are_keys() {
        assert_eq!(ApiKey::new(" abc\n").unwrap().header(), "Token abc");
        for wrong in ["", "  ", "a b", "a\r\nX-Evil: 1", "schl\u{fc}ssel", &"k".repeat(2000)] {
            let error = ApiKey::new(wrong).unwrap_err();
            assert_eq!(error.cause(), Cause::BadKey);
            assert!(wrong.trim().is_empty() || !error.to_string().contains(wrong));
        }
        assert_eq!(format!("{:?}", ApiKey::new("secret").unwrap()), "ApiKey(***)");
    }
}
