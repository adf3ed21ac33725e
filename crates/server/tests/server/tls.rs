//! TLS: requests are answered over it, and nothing else is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use headsmith_server::{Limits, Options, Server, TlsFiles};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::world::{World, file};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../aicrowd/tests/data").join(name)
}

fn files() -> TlsFiles {
    TlsFiles { certificate: data("server.pem"), key: data("server.key") }
}

/// The answer to a request over TLS.
fn ask(world: &World) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut connection =
        ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1").unwrap()).unwrap();
    let mut stream = TcpStream::connect(world.address).unwrap();
    let mut tls = Stream::new(&mut connection, &mut stream);
    tls.write_all(b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    tls.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn requests_are_answered_over_tls_alone() {
    let world = World::with(|options, _| {
        options.tls = Some(files());
        options.limits = Limits { header_timeout: Duration::from_secs(3), ..Limits::default() };
    });
    assert!(ask(&world).starts_with("HTTP/1.1 200"));
    // Plain HTTP, and a handshake that does not go on, end without an answer.
    let mut plain = world.client();
    plain.send(b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(plain.is_closed());
    let mut silent = world.client();
    silent.send(&[0x16, 0x03, 0x01]);
    assert!(silent.is_closed());
    world.handle.reload().unwrap();
    assert!(ask(&world).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_handshake_that_does_not_begin_does_not_keep_the_server() {
    let world = World::with(|options, _| {
        options.tls = Some(files());
        let hour = Duration::from_secs(3600);
        options.limits = Limits { header_timeout: hour, drain_timeout: hour, ..Limits::default() };
    });
    let mut silent = world.client();
    assert!(ask(&world).starts_with("HTTP/1.1 200"));
    world.end();
    assert!(silent.is_closed());
}

#[test]
fn files_that_are_no_certificate_or_key_are_refused() {
    let refused = |tls: TlsFiles| {
        let options = Options { tls: Some(tls), ..Options::new(file("m", "none".as_ref())) };
        Server::bind(options).err().unwrap().to_string()
    };
    let (certificate, key) = (data("server.pem"), data("server.key"));
    assert!(
        refused(TlsFiles { certificate: key.clone(), key: key.clone() }).contains("no certificate in it")
    );
    assert!(refused(TlsFiles { certificate: certificate.clone(), key: certificate }).contains("key of TLS"));
    assert!(refused(TlsFiles { certificate: data("none"), key }).contains("certificate of TLS"));
}
