//! Connections: their number, their time-outs, and TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsAcceptor;

use crate::limits::{MAX_HEADER_BYTES, MAX_HEADERS};
use crate::metrics::Metrics;
use crate::service::Service;

/// The answer to a connection above the limit.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

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
pub(crate) fn refuse(stream: &TcpStream, is_tls: bool) {
    if !is_tls {
        let _ = stream.try_write(FULL);
    }
}

/// Serves a connection to its end.
pub(crate) async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    watcher: Watcher,
) {
    // Small answers must not wait for the client's acknowledgement of the last.
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stream, service, watcher).await,
        Some(acceptor) => {
            let handshake =
                tokio::time::timeout(service.limits.header_timeout, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                speak(stream, service, watcher).await;
            }
        }
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    service: Arc<Service>,
    watcher: Watcher,
) {
    let limits = service.limits.clone();
    let stream = WriteTimeout { stream, limit: limits.write_timeout, stalled: None };
    let answer = service_fn(move |request| service.clone().handle(request));
    let connection = http1::Builder::new()
        // Without a timer hyper's time-outs never fire.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        // A client may end its side after the request, as `nc -N` does.
        .half_close(true)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(4 * MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    // A client that breaks off or is too slow is no event.
    let _ = watcher.watch(connection).await;
}

/// A stream on which writing fails when the other side takes nothing for too long.
#[derive(Debug)]
struct WriteTimeout<S> {
    stream: S,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    /// Watches the result of an attempt to write.
    fn watch<T>(&mut self, cx: &mut Context<'_>, attempt: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            self.stalled = None;
            return attempt;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, attempt)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.watch(cx, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, attempt)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, attempt)
    }
}
