//! The limits of a service. Each protects all clients from one.

use std::time::Duration;

/// How deep arrays and objects of a request may nest: the deepest sound one nests 6 deep.
pub(crate) const MAX_DEPTH: usize = 16;
/// How many headers a request may have.
pub(crate) const MAX_HEADERS: usize = 64;
/// How many bytes the headers of a request may have.
pub(crate) const MAX_HEADER_BYTES: usize = 16 << 10;

/// The limits that a command line may set. `docs/guide/serving.md` says what each protects.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; further ones get 503.
    pub connections: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of the bodies, rows and answers of all requests at once; at least those of one body.
    pub memory_bytes: usize,
    /// Rows of a request.
    pub rows: usize,
    /// Requests that wait for a prediction; further ones get 503.
    pub queue: usize,
    /// Rows that are predicted at once.
    pub batch_rows: usize,
    /// How long a request waits for others to be predicted with; 0: not at all, and those that came while the last batch was
    /// predicted are the next batch.
    pub batch_wait: Duration,
    /// The time for a TLS handshake, for the headers of a request, and between two requests of a connection.
    pub header_timeout: Duration,
    /// The time for a whole body.
    pub body_timeout: Duration,
    /// The time in which a client must take some bytes of an answer.
    pub write_timeout: Duration,
    /// The time that requests under way have to end after SIGTERM.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1024,
            body_bytes: 16 << 20,
            memory_bytes: 256 << 20,
            rows: 4096,
            queue: 1024,
            batch_rows: 1024,
            batch_wait: Duration::ZERO,
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
