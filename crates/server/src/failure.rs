//! Failures of requests: a status, and a sentence for the client that tells nothing of the file system.

use hyper::StatusCode;

/// The result of a step of a request.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Why a request was not answered.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Whether the rest of the connection cannot be trusted or waited for.
    pub(crate) closes: bool,
    /// The methods that the resource has, where the request's is none of them.
    pub(crate) allow: Option<&'static str>,
}

/// A word of the client's, short enough to be given back.
pub(crate) fn shown(word: &str) -> String {
    headsmith_http_client::plain(word, 40)
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into(), closes: false, allow: None }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unauthorized() -> Failure {
        Failure::new(
            StatusCode::UNAUTHORIZED,
            "this server asks for a token: send Authorization: Bearer TOKEN",
        )
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn method(allow: &'static str) -> Failure {
        let failure =
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("use {} here", allow.replace(", ", " or ")));
        Failure { allow: Some(allow), ..failure }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::REQUEST_TIMEOUT, message).closing()
    }

    /// Too much to do at the moment: the client should try again later.
    pub(crate) fn overloaded(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub(crate) fn internal() -> Failure {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the prediction failed; the server's log says why")
    }

    /// The same, after which the connection is closed.
    pub(crate) fn closing(self) -> Failure {
        Failure { closes: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_clients_neither_steer_terminals_nor_turn_text() {
        assert_eq!(shown("a\u{202e}b\u{1b}[2J\nc"), "ab[2J c");
        assert_eq!(shown(&"x".repeat(50)), format!("{}..", "x".repeat(40)));
    }
}
