//! A request's way through the server: who asks, what for, its body, the prediction, the answer, its line in the log.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode};
use serde_json::json;

use crate::aside::{self, aside};
use crate::body::{self, BodyParts, Bounds};
use crate::failure::Result;
use crate::guard::Guard;
use crate::invocations::{self, Invocation};
use crate::limits::Limits;
use crate::log::{self, Log, RequestLine};
use crate::memory::{Lease, Leased, Memory};
use crate::metrics::{Gauges, Metrics};
use crate::models::{Registry, ServedModel};
use crate::queue::{Prediction, Queue};
use crate::reply::{self, JSON, Reply};
use crate::route::Route;
use crate::rows::{Rows, Shape};
use crate::v2::InferRequest;
use crate::{openapi, people, v2};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON_LENGTH: HeaderName = HeaderName::from_static(v2::JSON_LENGTH);
const BINARY: &str = "application/octet-stream";

/// The parts of a server that answer requests.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) guard: Guard,
    pub(crate) registry: Registry,
    pub(crate) queue: Arc<Queue>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Arc<Log>,
    pub(crate) limits: Limits,
    /// Whether the server takes requests: until it is stopped.
    pub(crate) is_ready: AtomicBool,
    pub(crate) next_id: AtomicU64,
}

/// The part of a request's body that the log names.
#[derive(Debug, Default)]
struct Seen {
    n_rows: usize,
}

impl Service {
    /// Answers a request.
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> std::result::Result<Reply, Infallible> {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let id = self.id(&parts.headers);
        let route = Route::of(&parts.method, parts.uri.path());
        let pattern = route.as_ref().map_or("other", |route| route.pattern());
        let mut seen = Seen::default();
        let answered = self.answer(route, &parts, body, &mut seen).await;
        let failure = answered.as_ref().err().map(|failure| failure.message.clone());
        let mut answer = answered.unwrap_or_else(|failure| reply::failure(&failure));
        if let Ok(value) = HeaderValue::from_str(&id) {
            answer.headers_mut().insert(REQUEST_ID, value);
        }
        let (status, time) = (answer.status().as_u16(), start.elapsed());
        self.metrics.request(pattern, status, time);
        self.log.request(&RequestLine {
            time: log::now(),
            level: if status < 500 { "info" } else { "warn" },
            id: &id,
            method: parts.method.as_str().get(..16).unwrap_or(parts.method.as_str()),
            route: pattern,
            status,
            rows: seen.n_rows,
            ms: (time.as_secs_f64() * 1e6).round() / 1e3,
            error: failure.as_deref(),
        });
        Ok(answer)
    }

    /// The request's own id, if it can stand in a log, or a new one.
    fn id(&self, headers: &HeaderMap) -> String {
        let is_sane = |id: &&str| {
            let is_sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            (1..=64).contains(&id.len()) && id.bytes().all(is_sane)
        };
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(is_sane);
        given.map_or_else(|| format!("{:016x}", self.next_id.fetch_add(1, Ordering::Relaxed)), str::to_owned)
    }

    async fn answer(
        &self,
        route: Result<Route<'_>>,
        parts: &Parts,
        body: Incoming,
        seen: &mut Seen,
    ) -> Result<Reply> {
        let is_health = route.as_ref().is_ok_and(|route| route.is_health());
        // A stranger must not learn what there is.
        self.guard.check(parts, is_health)?;
        match route? {
            Route::Live => Ok(reply::json(&json!({ "live": true }))),
            Route::Ready => Ok(self.ready(None)),
            Route::Server => Ok(reply::json(&v2::server())),
            Route::Model(name) => Ok(reply::json(&v2::model(&*self.registry.named(name)?))),
            Route::ModelReady(name) => self.registry.named(name).map(|model| self.ready(Some(&model))),
            Route::Infer(name) => self.infer(name, parts, body, seen).await,
            Route::Predict(name) => self.predict(name, parts, body, seen).await,
            Route::Invocations(name) => self.invocations(name, parts, body, seen).await,
            Route::Version => Ok(reply::bytes("text/plain", env!("CARGO_PKG_VERSION"))),
            Route::Metrics => Ok(self.metrics_page()),
            Route::OpenApi => Ok(reply::json(&openapi::description(&self.registry.models(), &self.limits))),
            Route::Docs => Ok(openapi::page(&self.registry.models(), &self.limits)),
        }
    }

    /// Whether requests are taken, for a model or for all.
    fn ready(&self, model: Option<&ServedModel>) -> Reply {
        let is_ready = self.is_ready.load(Ordering::Relaxed);
        let mut reply = match model {
            Some(model) => reply::json(&json!({ "name": model.name, "ready": is_ready })),
            None => reply::json(&json!({ "ready": is_ready })),
        };
        if !is_ready {
            *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        reply
    }

    fn metrics_page(&self) -> Reply {
        let gauges = Gauges { waiting: self.queue.len(), memory: self.memory.used() };
        let page = self.metrics.page(&self.registry.models(), gauges);
        reply::bytes("text/plain; version=0.0.4; charset=utf-8", page)
    }

    async fn predict(
        &self,
        name: Option<&str>,
        parts: &Parts,
        body: Incoming,
        seen: &mut Seen,
    ) -> Result<Reply> {
        let (model, body) = self.opened(name, parts, body).await?;
        let shape = self.shape(&model);
        let rows = aside(body.len(), move || {
            let (body, lease) = json_rows(body, shape)?;
            Ok(Leased::new(people::rows(&body, shape)?, lease))
        });
        let (prediction, lease) = self.prediction(&model, rows.await?, seen).await?;
        let answer = move |prediction: &Prediction| Ok(people::answer(&model, prediction));
        let (bytes, lease) = encoded(prediction, lease, answer).await?;
        leased(JSON, bytes, lease)
    }

    async fn invocations(
        &self,
        name: Option<&str>,
        parts: &Parts,
        body: Incoming,
        seen: &mut Seen,
    ) -> Result<Reply> {
        let (model, body) = self.opened(name, parts, body).await?;
        let (shape, of) = (self.shape(&model), model.clone());
        let read = aside(body.len(), move || {
            let (body, lease) = json_rows(body, shape)?;
            let Invocation { rows, is_proba } = Invocation::read(&body, &of, shape)?;
            Ok((Leased::new(rows, lease), is_proba))
        });
        let (rows, is_proba) = read.await?;
        let (prediction, lease) = self.prediction(&model, rows, seen).await?;
        let answer = move |prediction: &Prediction| Ok(invocations::answer(is_proba, &model, prediction));
        let (bytes, lease) = encoded(prediction, lease, answer).await?;
        leased(JSON, bytes, lease)
    }

    /// The model that a request of JSON names, and its body.
    async fn opened(
        &self,
        name: Option<&str>,
        parts: &Parts,
        body: Incoming,
    ) -> Result<(Arc<ServedModel>, BodyParts)> {
        body::check_type(&parts.headers, &[JSON])?;
        let model = self.registry.named_or_only(name)?;
        Ok((model, self.body(body).await?))
    }

    async fn infer(&self, name: &str, parts: &Parts, body: Incoming, seen: &mut Seen) -> Result<Reply> {
        body::check_type(&parts.headers, &[JSON, BINARY])?;
        let model = self.registry.named(name)?;
        let json_length = v2::json_length(&parts.headers)?;
        let body = self.body(body).await?;
        let shape = self.shape(&model);
        let read = aside(body.len(), move || {
            let mut lease = body.lease_beside();
            let mut request = InferRequest::read(&body.whole(), json_length, shape, &mut lease)?;
            let rows = std::mem::take(&mut request.rows);
            Ok((request, Leased::new(rows, lease)))
        });
        let (request, rows) = read.await?;
        v2::check_outputs(&request, &model)?;
        let (prediction, lease) = self.prediction(&model, rows, seen).await?;
        let answer = move |prediction: &Prediction| v2::encode(&request, &model, prediction);
        let (encoded, lease) = encoded(prediction, lease, answer).await?;
        let kind = if encoded.json_length.is_some() { BINARY } else { JSON };
        let mut reply = leased(kind, encoded.bytes, lease)?;
        if let Some(length) = encoded.json_length {
            reply.headers_mut().insert(JSON_LENGTH, length.into());
        }
        Ok(reply)
    }

    fn shape(&self, model: &ServedModel) -> Shape {
        Shape { n_features: model.model.n_features(), max_rows: self.limits.rows }
    }

    async fn body(&self, body: Incoming) -> Result<BodyParts> {
        let bounds = Bounds { bytes: self.limits.body_bytes, time: self.limits.body_timeout };
        bounds.read(body, &self.memory).await
    }

    /// The prediction of `rows`, and a lease that is large enough for its answer.
    async fn prediction(
        &self,
        model: &Arc<ServedModel>,
        rows: Leased<Rows>,
        seen: &mut Seen,
    ) -> Result<(Prediction, Lease)> {
        seen.n_rows = rows.n_rows;
        let mut lease = rows.lease_beside();
        lease.grow(Prediction::bytes(rows.n_rows, model.model.classes().len()))?;
        let (prediction, rows) = self.queue.predict(model.clone(), rows).await?;
        aside::dropped(size_of_val(rows.values.as_slice()), rows);
        Ok((prediction, lease))
    }
}

/// A body of JSON as a whole, and a lease for the rows in it.
fn json_rows(body: BodyParts, shape: Shape) -> Result<(Leased<Vec<u8>>, Lease)> {
    let mut lease = body.lease_beside();
    let body = body.whole();
    lease.grow(shape.most_bytes(&body))?;
    Ok((body, lease))
}

/// Writes an answer, whose lease stays beside it even where nobody waits for it any more.
async fn encoded<T: Send + 'static>(
    prediction: Prediction,
    lease: Lease,
    answer: impl FnOnce(&Prediction) -> Result<T> + Send + 'static,
) -> Result<(T, Lease)> {
    aside(prediction.text_bytes(), move || Ok((answer(&prediction)?, lease))).await
}

/// An answer whose bytes count as memory of its request until the client has them.
fn leased(kind: &'static str, bytes: Vec<u8>, mut lease: Lease) -> Result<Reply> {
    lease.settle(bytes.len())?;
    Ok(reply::bytes(kind, Bytes::from_owner(Leased::new(bytes, lease))))
}
