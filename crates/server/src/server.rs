//! A server: it is bound, serves until it is stopped, and lets requests under way end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use headsmith_kernels::Pool;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};

use crate::connection::{self, Counted};
use crate::error::{Error, Result};
use crate::guard::{self, Guard};
use crate::limits::Limits;
use crate::log::Log;
use crate::memory::Memory;
use crate::models::{ModelFile, Registry};
use crate::queue::Queue;
use crate::service::Service;
use crate::signals::Signals;
use crate::tls::{Tls, TlsFiles};
use crate::worker::Worker;

/// The least length of a token, in characters.
const SHORTEST_TOKEN: usize = 16;
/// How long to wait after a connection could not be accepted: the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections above the limit that are answered at once; further ones are closed.
const REFUSALS: usize = 64;

/// How long what runs beside the connections, such as the reading of a large body or the writing of the log, may take to end.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// The options of a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0: a free one.
    pub listen: SocketAddr,
    /// At least one.
    pub models: Vec<ModelFile>,
    /// The token that requests must have; required off loopback.
    pub token: Option<String>,
    /// The certificate for TLS; without one, the server speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Names of hosts that requests may name, beside `localhost` and addresses.
    pub allowed_hosts: Vec<String>,
    /// The limits.
    pub limits: Limits,
    /// Threads that work at once, in all.
    pub n_threads: usize,
    /// Whether requests that were answered are left out of the log.
    pub quiet: bool,
}

impl Options {
    /// One model on a free port of this machine, with the default limits.
    pub fn new(model: ModelFile) -> Options {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            models: vec![model],
            token: None,
            tls: None,
            allowed_hosts: Vec::new(),
            limits: Limits::default(),
            n_threads: 1,
            quiet: false,
        }
    }

    fn check(&self) -> Result<()> {
        if self.token.is_none() && !self.listen.ip().is_loopback() {
            return Err(Error::usage(format!(
                "whoever reaches {} could ask for predictions: give the file of a token with --token-file, or listen on 127.0.0.1",
                self.listen.ip()
            )));
        }
        self.allowed_hosts.iter().try_for_each(|name| guard::check_name(name))?;
        let Limits { memory_bytes, body_bytes, .. } = self.limits;
        if memory_bytes < body_bytes {
            return Err(Error::usage(format!(
                "--max-memory {memory_bytes} is less than --max-body {body_bytes}: no such body could be read"
            )));
        }
        let is_short =
            |token: &String| token.len() < SHORTEST_TOKEN || !token.bytes().all(|b| b.is_ascii_graphic());
        if self.token.as_ref().is_some_and(is_short) {
            return Err(Error::usage(format!(
                "the token must have at least {SHORTEST_TOKEN} characters, all visible ones of ASCII, such as the output of `openssl rand -hex 32`"
            )));
        }
        Ok(())
    }
}

/// A server that is bound to its address and has read its models.
pub struct Server {
    listener: TcpListener,
    service: Arc<Service>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    options: Options,
}

/// Ends a server, or has it read its models again, from another thread.
#[derive(Clone)]
pub struct Handle {
    service: Arc<Service>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
}

impl Handle {
    /// Ends the server: it takes no more connections, and requests under way are answered.
    pub fn stop(&self) {
        self.service.is_ready.store(false, Ordering::Relaxed);
        self.service.queue.hurry();
        self.stop.send_replace(true);
    }

    /// Reads all models, and the certificate, again. Requests under way end with what they began with.
    ///
    /// # Errors
    /// When a file is wrong: the models and the certificate stay as they are.
    pub fn reload(&self) -> Result<()> {
        let certificate = self.tls.as_ref().map(|tls| tls.read()).transpose()?;
        self.service.registry.reload()?;
        if let Some((tls, certificate)) = self.tls.as_ref().zip(certificate) {
            tls.replace(certificate);
        }
        Ok(())
    }

    /// Reads all again and writes to the log how that ended.
    pub(crate) fn reload_and_log(&self) {
        match self.reload() {
            Ok(()) => self.service.log.event("info", "read the models again", ""),
            Err(error) => self.service.log.event("error", "kept the old models", &error.to_string()),
        }
    }
}

impl Server {
    /// Reads the models and binds the address. Connections wait until [`run`](Server::run) is called.
    ///
    /// # Errors
    /// When an option is wrong, a file cannot be read, or the address is taken.
    pub fn bind(options: Options) -> Result<Server> {
        options.check()?;
        let tls = options.tls.clone().map(Tls::load).transpose()?.map(Arc::new);
        let registry = Registry::load(options.models.clone())?;
        let failed = |cause| Error::failure(format!("cannot listen on {}: {cause}", options.listen));
        let listener = TcpListener::bind(options.listen).map_err(failed)?;
        lengthen(&listener, options.limits.connections).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let service = Arc::new(Service {
            guard: Guard {
                token: options.token.clone(),
                hosts: options.allowed_hosts.clone(),
                is_loopback: options.listen.ip().is_loopback(),
            },
            registry,
            queue: Arc::new(Queue::new(options.limits.queue)),
            memory: Memory::new(options.limits.memory_bytes),
            metrics: Arc::default(),
            log: Log::new(options.quiet),
            limits: options.limits.clone(),
            is_ready: AtomicBool::new(true),
            next_id: AtomicU64::new(first_id()),
        });
        Ok(Server { listener, service, tls, stop: watch::Sender::new(false), options })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener
            .local_addr()
            .map_err(|cause| Error::failure(format!("cannot tell the address: {cause}")))
    }

    /// The names of the models.
    pub fn models(&self) -> Vec<String> {
        self.service.registry.models().keys().cloned().collect()
    }

    /// Ends the server, or has it read its models again.
    pub fn handle(&self) -> Handle {
        Handle { service: self.service.clone(), tls: self.tls.clone(), stop: self.stop.clone() }
    }

    /// Serves until [`Handle::stop`], SIGTERM or Ctrl-C, and returns when all requests under way are answered; a second signal ends the process at once. SIGHUP has it read its models again.
    /// The log goes to standard error.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn run(self) -> Result<()> {
        self.run_with_log(std::io::stderr())
    }

    /// The same with a log that goes to `out`.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn run_with_log(self, out: impl std::io::Write + Send + 'static) -> Result<()> {
        let failed = |cause| Error::failure(format!("cannot start the threads: {cause}"));
        let n_io = io_threads(self.options.n_threads);
        let log = self.service.log.write_to(out).map_err(failed)?;
        let pool = Pool::new(self.options.n_threads.saturating_sub(n_io)).map_err(failed)?;
        let worker = Worker {
            queue: self.service.queue.clone(),
            pool,
            metrics: self.service.metrics.clone(),
            log: self.service.log.clone(),
            batch_rows: self.options.limits.batch_rows,
            batch_wait: self.options.limits.batch_wait,
        };
        let worker = std::thread::Builder::new().name("predict".to_owned()).spawn(move || worker.run());
        let worker = worker.map_err(failed)?;
        let runtime = runtime(n_io).map_err(failed)?;
        let service = self.service.clone();
        let served = runtime.block_on(self.serve());
        // Connections that did not end in time are cut off here: they had the time to drain.
        runtime.shutdown_timeout(SHUTDOWN);
        service.queue.close();
        let _ = worker.join();
        service.log.event("info", "ended", "");
        service.log.end();
        // Standard error may be a pipe that nobody reads.
        let _ = log.recv_timeout(SHUTDOWN);
        served
    }

    async fn serve(self) -> Result<()> {
        let failed = |cause| Error::failure(format!("cannot listen: {cause}"));
        let address = self.address()?;
        let handle = self.handle();
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(failed)?;
        // Who reads in the log that the server listens may send it signals.
        let signals =
            Signals::new().map_err(|cause| Error::failure(format!("cannot catch signals: {cause}")))?;
        let signals = tokio::spawn(signals.listen(handle));
        let (graceful, refusals) = (GracefulShutdown::new(), Arc::new(Semaphore::new(REFUSALS)));
        let mut stop = self.stop.subscribe();
        let log = &self.service.log;
        log.event("info", "listening", &address.to_string());
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|is_stopped| *is_stopped) => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(cause) => {
                    log.event("warn", "a connection could not be accepted", &cause.to_string());
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let acceptor = self.tls.as_ref().map(|tls| tls.acceptor());
            let Some(counted) = Counted::new(&self.service.metrics, self.options.limits.connections) else {
                if let (None, Ok(permit)) = (acceptor, refusals.clone().try_acquire_owned()) {
                    tokio::spawn(async move {
                        let _permit = permit;
                        connection::refuse(stream).await;
                    });
                }
                continue;
            };
            let (service, watcher, stop) = (self.service.clone(), graceful.watcher(), stop.clone());
            tokio::spawn(async move {
                let _counted = counted;
                connection::serve(stream, acceptor, service, watcher, stop).await;
            });
        }
        drop(listener);
        log.event("info", "ending: requests under way are answered", "");
        if tokio::time::timeout(self.options.limits.drain_timeout, graceful.shutdown()).await.is_err() {
            log.event("warn", "connections did not end in time", "");
        }
        signals.abort();
        Ok(())
    }
}

/// How many of the threads read and write: the others predict.
fn io_threads(n_threads: usize) -> usize {
    (n_threads / 4).clamp(1, 8)
}

fn runtime(n_io: usize) -> std::io::Result<Runtime> {
    let mut builder = if n_io == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    // Large bodies are read beside the others, and not all at once.
    builder.worker_threads(n_io).max_blocking_threads(2 * n_io).enable_all().build()
}

/// Lets as many connections wait to be accepted as may be open. The standard library's 128 are full when many come at once, and those beyond them try again
/// after a second.
#[cfg(unix)]
fn lengthen(listener: &TcpListener, n_connections: usize) -> std::io::Result<()> {
    let backlog = i32::try_from(n_connections).unwrap_or(i32::MAX);
    Ok(rustix::net::listen(listener, backlog)?)
}

#[cfg(not(unix))]
fn lengthen(_: &TcpListener, _: usize) -> std::io::Result<()> {
    Ok(())
}

/// Ids of requests differ from those before the server's last start.
fn first_id() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}
