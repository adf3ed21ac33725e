//! Connections: their number, their time-outs, and TLS.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::limits::{MAX_HEADER_BYTES, MAX_HEADERS};
use crate::metrics::Metrics;
use crate::reply::Reply;
use crate::service::Service;
use crate::stream::{Guarded, Socket, Stage};

/// The answer to a connection above the limit.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Bytes of a request that are read and dropped after a connection was refused, so that the client gets the answer.
const REFUSED_BYTES: usize = 64 << 10;
/// The same after an answer that did not wait for the request's body.
const UNREAD_BYTES: usize = 32 << 20;

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Metrics>);

impl Counted {
    /// Counts a connection, unless there are `limit` already.
    pub(crate) fn new(metrics: &Arc<Metrics>, limit: usize) -> Option<Counted> {
        let counted = Counted(metrics.clone());
        let before = metrics.connections.fetch_add(1, Ordering::Relaxed);
        if before < limit {
            return Some(counted);
        }
        metrics.refused_connections.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tells a client that there are too many.
pub(crate) async fn refuse(stream: TcpStream) {
    let _ = stream.try_write(FULL);
    let socket = Socket::new(stream);
    let _ = socket.end_writing();
    socket.linger(REFUSED_BYTES).await;
}

/// Serves a connection to its end; `stop` ends it while it has asked for nothing.
pub(crate) async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    watcher: Watcher,
    mut stop: watch::Receiver<bool>,
) {
    // Small answers must not wait for the client's acknowledgement of the last.
    let _ = stream.set_nodelay(true);
    let socket = Socket::new(stream);
    let Some(acceptor) = tls else { return speak(socket.clone(), socket, service, watcher).await };
    let handshake = tokio::time::timeout(service.limits.header_timeout, acceptor.accept(socket.clone()));
    let handshake = tokio::select! {
        handshake = handshake => handshake,
        _ = stop.wait_for(|is_stopped| *is_stopped) => return,
    };
    if let Ok(Ok(stream)) = handshake {
        speak(stream, socket, service, watcher).await;
    }
}

/// Speaks HTTP on a stream over `socket`.
async fn speak<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    socket: Socket,
    service: Arc<Service>,
    watcher: Watcher,
) {
    let (limits, stage) = (service.limits.clone(), Arc::new(Stage::default()));
    let stream = Guarded::new(stream, limits.write_timeout, stage.clone(), service.clone());
    let (of_answers, of_socket) = (stage.clone(), socket.clone());
    let answer = service_fn(move |request| {
        // Now, as hyper reads on before it asks for the answer.
        of_answers.begin();
        answer(request, service.clone(), of_socket.clone(), of_answers.clone())
    });
    let connection = http1::Builder::new()
        // Without a timer hyper's time-outs never fire.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        // A client may end its side after the request, as `nc -N` does. One that is gone resets the connection.
        .half_close(true)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(4 * MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    // A client that breaks off or is too slow is no event.
    let _ = watcher.watch(connection).await;
    if stage.is_unread() {
        socket.linger(UNREAD_BYTES).await;
    }
}

/// Answers a request, unless the client resets the connection before: then nothing more is done for it.
async fn answer(
    request: Request<Incoming>,
    service: Arc<Service>,
    socket: Socket,
    stage: Arc<Stage>,
) -> io::Result<Reply> {
    let has_body = !request.body().is_end_stream();
    let reply = tokio::select! {
        biased;
        Ok(reply) = service.handle(request) => Ok(reply),
        () = socket.reset() => Err(io::ErrorKind::ConnectionReset.into()),
    };
    // A client whose body took too long sends nothing that it would be worth to read.
    let may_be_unread = |reply: &Reply| {
        has_body && !reply.status().is_success() && reply.status() != StatusCode::REQUEST_TIMEOUT
    };
    stage.end(reply.as_ref().is_ok_and(may_be_unread));
    reply
}
