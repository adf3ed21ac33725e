//! The clients of stores, and their errors.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::location::{Location, StoreKind};

/// The variables that give credentials, for messages.
const CREDENTIALS: &str = "S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; Google: GOOGLE_SERVICE_ACCOUNT, a file; Azure: \
                           AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY";
/// The client's message where there is no name of an account.
const NO_ACCOUNT: &str = "Account must be specified";

pub(crate) type Store = Arc<dyn ObjectStore>;

/// The time to open a connection, and the longest silence in a transfer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a failed request is tried again, within which time.
const MAX_RETRIES: usize = 6;
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// The address that gives machines in a cloud the credentials of their accounts; asked where the environment has none.
const METADATA_SERVICE: &str = "://169.254.169.254/";

/// The store of a location, and the object's path in it. The clients of one container are made once in a process.
///
/// # Errors
/// If the environment has no usable configuration, or the key is not that of an object.
pub(crate) fn open(location: Location<'_>) -> io::Result<(Store, Path)> {
    static STORES: OnceLock<Mutex<HashMap<String, Store>>> = OnceLock::new();
    let key = match location.kind {
        StoreKind::Http => Path::from_url_path(location.key),
        _ => Path::parse(location.key),
    };
    let key = key.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
    let mut stores = STORES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = stores.get(location.container) {
        return Ok((store.clone(), key));
    }
    let store = connect(location).map_err(io_error)?;
    stores.insert(location.container.to_owned(), store.clone());
    Ok((store, key))
}

/// A client that takes its credentials from the environment, as described for `from_env` of each builder.
fn connect(location: Location<'_>) -> object_store::Result<Store> {
    // Both providers may be compiled in by somebody else; then rustls wants one to be chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig {
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
        backoff: BackoffConfig { max_backoff: Duration::from_secs(8), ..BackoffConfig::default() },
    };
    let url = location.container;
    // A plain endpoint was written down by the user, which is consent enough.
    let plain = |variable: &str| std::env::var(variable).is_ok_and(|url| url.starts_with("http://"));
    let options = |allow_http: bool| {
        ClientOptions::new()
            .with_allow_http(allow_http)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout_disabled()
            .with_read_timeout(READ_TIMEOUT)
    };
    Ok(match location.kind {
        StoreKind::S3 => {
            let plain = plain("AWS_ENDPOINT_URL") || plain("AWS_ENDPOINT_URL_S3") || plain("AWS_ENDPOINT");
            let builder = AmazonS3Builder::from_env().with_url(url).with_retry(retry);
            Arc::new(builder.with_client_options(options(plain)).build()?)
        }
        StoreKind::Google => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(url).with_retry(retry);
            Arc::new(builder.with_client_options(options(plain("GOOGLE_BASE_URL"))).build()?)
        }
        StoreKind::Azure => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(url).with_retry(retry);
            let plain = plain("AZURE_STORAGE_ENDPOINT") || plain("AZURE_ENDPOINT");
            Arc::new(builder.with_client_options(options(plain)).build()?)
        }
        StoreKind::Http => {
            let builder = HttpBuilder::new().with_url(url).with_retry(retry);
            Arc::new(builder.with_client_options(options(url.starts_with("http://"))).build()?)
        }
    })
}

/// The error for a user: the kind that the system would give for a file, and the innermost cause.
pub(crate) fn io_error(error: object_store::Error) -> io::Error {
    use io::ErrorKind;
    use object_store::Error;
    let (kind, what) = match &error {
        Error::NotFound { .. } => (ErrorKind::NotFound, "no such object".to_owned()),
        Error::PermissionDenied { .. } => {
            (ErrorKind::PermissionDenied, "the credentials do not permit it".to_owned())
        }
        Error::Unauthenticated { .. } => {
            let what =
                format!("the store does not accept the credentials of the environment ({CREDENTIALS})");
            (ErrorKind::PermissionDenied, what)
        }
        Error::Precondition { .. } => {
            (ErrorKind::ConnectionAborted, "the object was replaced while it was read".to_owned())
        }
        Error::NotImplemented { operation, .. } => {
            (ErrorKind::Unsupported, format!("the store cannot {operation}"))
        }
        // Not `Other`, which readers take for damaged data.
        Error::Generic { source, .. } => (ErrorKind::ConnectionAborted, described(source.as_ref())),
        other => (ErrorKind::ConnectionAborted, described(other)),
    };
    io::Error::new(kind, what)
}

/// The outermost and the innermost message of an error, in one line.
fn described(error: &(dyn StdError + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let (outer, inner) = (error.to_string(), inner.to_string());
    let text = if outer.contains(&inner) { outer } else { format!("{outer}: {inner}") };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.contains(METADATA_SERVICE) {
        return format!(
            "there are no credentials in the environment ({CREDENTIALS}), and this machine has no account of its own: {text}"
        );
    }
    if text == NO_ACCOUNT {
        return format!("the environment names no account ({CREDENTIALS})");
    }
    text
}
