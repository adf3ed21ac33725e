//! TLS: trusted certificates, and a working connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use headsmith_aicrowd::{ApiKey, Cause, Client, Hosts, Limits};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Connection, Server, reply};
use crate::service::{KEY, hasty, limits};

const CA: &[u8] = include_bytes!("data/ca.pem");

fn config() -> Arc<ServerConfig> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(include_bytes!("data/server.pem")).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("data/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Closes the connection as TLS requires.
struct Polite(StreamOwned<ServerConnection, TcpStream>);

impl Read for Polite {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Polite {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Polite {
    fn drop(&mut self) {
        self.0.conn.send_close_notify();
        let _ = self.0.flush();
    }
}

fn server() -> Server {
    let config = config();
    Server::wrapped(
        |_, out| reply(out, 200, &[], b"{\"id\": 42}"),
        move |stream| -> Box<dyn Connection> {
            Box::new(Polite(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream)))
        },
    )
}

fn user(url: &str, roots: Option<&[u8]>) -> headsmith_aicrowd::Result<u64> {
    user_within(url, roots, limits())
}

fn user_within(url: &str, roots: Option<&[u8]>, limits: Limits) -> headsmith_aicrowd::Result<u64> {
    let hosts = Hosts { api: url.to_owned(), rails: url.to_owned(), datasets: url.to_owned() };
    Client::new(hosts, limits, roots)?.with_key(ApiKey::new(KEY).unwrap()).user()
}

#[test]
fn a_certificate_of_a_named_authority_is_trusted() {
    let server = server();
    assert_eq!(user(&format!("https://127.0.0.1:{}", server.port), Some(CA)).unwrap(), 42);
    assert_eq!(server.requests()[0].header("authorization"), Some(&*format!("Token {KEY}")));
}

#[test]
fn an_untrusted_certificate_or_one_for_another_name_is_refused() {
    let server = server();
    for (host, roots) in [("127.0.0.1", None), ("localhost", Some(CA))] {
        let error = user(&format!("https://{host}:{}", server.port), roots).unwrap_err();
        assert_eq!(error.cause(), Cause::Tls, "{error}");
        assert!(error.to_string().contains("not secure"), "{error}");
    }
    assert!(server.requests().is_empty(), "the key was sent to a server that nobody knows");
}

#[test]
fn a_server_without_tls_is_given_nothing() {
    let plain = Server::new(|_, out| reply(out, 200, &[], b"{\"id\": 42}"));
    // Both sides may wait for more.
    let url = format!("https://127.0.0.1:{}", plain.port);
    let error = user_within(&url, None, hasty(Duration::from_millis(100))).unwrap_err();
    assert!(matches!(error.cause(), Cause::Tls | Cause::Network | Cause::Timeout), "{error}");
    assert!(plain.requests().iter().all(|request| !format!("{request:?}").contains(KEY)));
}

#[test]
fn a_file_without_certificates_is_refused() {
    assert_eq!(user("https://127.0.0.1:1", Some(b"nothing")).unwrap_err().cause(), Cause::Configuration);
}
