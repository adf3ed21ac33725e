//! The stream of a connection, beside which others watch the socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::service::Service;

/// How long a socket is read on after its last answer.
const LINGER: Duration = Duration::from_secs(5);

/// A TCP socket that several parts of a connection have.
#[derive(Debug, Clone)]
pub(crate) struct Socket(Arc<TcpStream>);

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Socket {
        Socket(Arc::new(stream))
    }

    /// Returns when the client has reset the connection.
    pub(crate) async fn reset(&self) {
        let _ = self.0.ready(Interest::ERROR).await;
    }

    /// Ends the server's side: the client reads to the end.
    #[cfg(unix)]
    pub(crate) fn end_writing(&self) -> io::Result<()> {
        match rustix::net::shutdown(&*self.0, rustix::net::Shutdown::Write) {
            Err(cause) if cause != rustix::io::Errno::NOTCONN => Err(cause.into()),
            _ => Ok(()),
        }
    }

    /// Elsewhere it ends when the socket is closed.
    #[cfg(not(unix))]
    pub(crate) fn end_writing(&self) -> io::Result<()> {
        Ok(())
    }

    /// Reads on for a while and drops what comes. A socket that is closed with bytes unread is reset: the client's next write fails, and it may never
    /// see the answer.
    pub(crate) async fn linger(&self, most_bytes: usize) {
        let read = async {
            let (mut buffer, mut left) = (vec![0; 16 << 10], most_bytes);
            while left > 0 && self.0.readable().await.is_ok() {
                match self.0.try_read(&mut buffer) {
                    Ok(n) if n > 0 => left = left.saturating_sub(n),
                    Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
                    _ => return,
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, read).await;
    }

    /// Tries again and again as the socket gets ready.
    fn poll<T>(
        mut ready: impl FnMut() -> Poll<io::Result<()>>,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(ready())?;
            match attempt() {
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = || self.0.try_read_buf(buffer).map(drop);
        Socket::poll(|| self.0.poll_read_ready(cx), read)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Socket::poll(|| self.0.poll_write_ready(cx), || self.0.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Socket::poll(|| self.0.poll_write_ready(cx), || self.0.try_write_vectored(buffers))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end_writing())
    }
}

/// How far a connection is.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    is_answering: AtomicBool,
    is_unread: AtomicBool,
}

impl Stage {
    /// A request's headers are read.
    pub(crate) fn begin(&self) {
        self.is_answering.store(true, Ordering::Relaxed);
    }

    /// Its answer is known; `is_unread`: perhaps before its body was read.
    pub(crate) fn end(&self, is_unread: bool) {
        self.is_answering.store(false, Ordering::Relaxed);
        self.is_unread.store(is_unread, Ordering::Relaxed);
    }

    /// Whether the last request may have bytes that were not read.
    pub(crate) fn is_unread(&self) -> bool {
        self.is_unread.load(Ordering::Relaxed)
    }
}

/// A stream on which writing fails when the other side takes nothing for too long, and that ends between two requests when the server does, even in the
/// middle of a header.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    stage: Arc<Stage>,
    service: Arc<Service>,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, limit: Duration, stage: Arc<Stage>, service: Arc<Service>) -> Guarded<S> {
        Guarded { stream, limit, stalled: None, stage, service }
    }

    fn is_ended(&self) -> bool {
        !self.service.is_ready.load(Ordering::Relaxed) && !self.stage.is_answering.load(Ordering::Relaxed)
    }

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

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.is_ended() {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.stream).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
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
