//! Answers: their bytes, type and status.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

/// The answer to a request.
pub(crate) type Reply = Response<Full<Bytes>>;

pub(crate) const JSON: &str = "application/json";

/// Bytes of a type.
pub(crate) fn bytes(kind: &'static str, bytes: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(bytes.into()));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
        .headers_mut()
        .insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    reply
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Reply {
    bytes(JSON, serde_json::to_vec(value).unwrap_or_default())
}

/// The answer to a request that failed.
pub(crate) fn failure(failure: &Failure) -> Reply {
    let mut reply = json(&json!({ "error": failure.message }));
    *reply.status_mut() = failure.status;
    let mut add = |name, value: &'static str| {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    if failure.closes {
        add(CONNECTION, "close");
    }
    if let Some(allow) = failure.allow {
        add(ALLOW, allow);
    }
    match failure.status {
        StatusCode::SERVICE_UNAVAILABLE => add(RETRY_AFTER, "1"),
        StatusCode::UNAUTHORIZED => add(WWW_AUTHENTICATE, "Bearer"),
        _ => {}
    }
    reply
}
