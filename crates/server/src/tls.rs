//! TLS, with the certificate and key of two files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::{Error, Result};

/// The files of a certificate chain and its key, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The files, and what was last read from them.
pub(crate) struct Tls {
    files: TlsFiles,
    acceptor: RwLock<TlsAcceptor>,
}

impl Tls {
    pub(crate) fn load(files: TlsFiles) -> Result<Tls> {
        let acceptor = RwLock::new(acceptor(&files)?);
        Ok(Tls { files, acceptor })
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// When one is wrong.
    pub(crate) fn read(&self) -> Result<TlsAcceptor> {
        acceptor(&self.files)
    }

    /// Uses what was read for the connections that follow.
    pub(crate) fn replace(&self, acceptor: TlsAcceptor) {
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|cause| Error::file("key of TLS", &files.key, cause))?;
    let failed = |cause: rustls::Error| Error::file("certificate of TLS", &files.certificate, cause);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(failed)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let failed = |cause: &dyn std::fmt::Display| Error::file("certificate of TLS", path, cause);
    let chain = CertificateDer::pem_file_iter(path).map_err(|cause| failed(&cause))?;
    let chain: Vec<_> = chain.collect::<std::result::Result<_, _>>().map_err(|cause| failed(&cause))?;
    match chain.is_empty() {
        true => Err(failed(&"there is no certificate in it")),
        false => Ok(chain),
    }
}
