//! The resources of a server. Names of models are compared with those that are served and never become part of a path.

use hyper::Method;

use crate::failure::{Failure, Result};

/// A resource, with the name of the model in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'u> {
    Live,
    Ready,
    Server,
    Model(&'u str),
    ModelReady(&'u str),
    Infer(&'u str),
    /// Of the only model where none is named.
    Predict(Option<&'u str>),
    Invocations(Option<&'u str>),
    Version,
    Metrics,
    OpenApi,
    Docs,
}

/// The version of every model: its file's present content.
pub(crate) const MODEL_VERSION: &str = "1";

impl<'u> Route<'u> {
    /// The resource at `path`.
    ///
    /// # Errors
    /// When there is none, or it has not the method.
    pub(crate) fn of(method: &Method, path: &'u str) -> Result<Route<'u>> {
        let route = Route::at(path).ok_or_else(|| Failure::not_found("there is nothing here: see /docs"))?;
        let is_right = match route.allow() {
            "POST" => method == Method::POST,
            _ => method == Method::GET || method == Method::HEAD,
        };
        if is_right { Ok(route) } else { Err(Failure::method(route.allow())) }
    }

    fn at(path: &'u str) -> Option<Route<'u>> {
        let path = path.strip_prefix('/')?;
        let mut parts = [""; 6];
        let n = path.split('/').count();
        path.split('/').zip(parts.get_mut(..n)?).for_each(|(from, to)| *to = from);
        // A version between a model and the rest: there is one.
        let parts = match (&parts[..n], parts) {
            (["v2", "models", _, "versions", version, ..], mut parts) => {
                (*version == MODEL_VERSION).then_some(())?;
                parts[3] = parts[5];
                (parts, n - 2)
            }
            (_, parts) => (parts, n),
        };
        Some(match &parts.0[..parts.1] {
            ["v2", "health", "live"] | ["health"] | ["ping"] => Route::Live,
            ["v2", "health", "ready"] => Route::Ready,
            ["v2"] => Route::Server,
            ["v2", "models", name] => Route::Model(name),
            ["v2", "models", name, "ready"] => Route::ModelReady(name),
            ["v2", "models", name, "infer"] => Route::Infer(name),
            ["predict"] => Route::Predict(None),
            ["predict", name] => Route::Predict(Some(name)),
            ["invocations"] => Route::Invocations(None),
            ["invocations", name] => Route::Invocations(Some(name)),
            ["version"] => Route::Version,
            ["metrics"] => Route::Metrics,
            ["openapi.json"] => Route::OpenApi,
            ["docs"] => Route::Docs,
            _ => return None,
        })
    }

    fn allow(self) -> &'static str {
        match self {
            Route::Infer(_) | Route::Predict(_) | Route::Invocations(_) => "POST",
            _ => "GET, HEAD",
        }
    }

    /// Whether it is about health alone.
    pub(crate) fn is_health(self) -> bool {
        matches!(self, Route::Live | Route::Ready)
    }

    /// The path without names, as logs and metrics have it.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            Route::Live => "/v2/health/live",
            Route::Ready => "/v2/health/ready",
            Route::Server => "/v2",
            Route::Model(_) => "/v2/models/{name}",
            Route::ModelReady(_) => "/v2/models/{name}/ready",
            Route::Infer(_) => "/v2/models/{name}/infer",
            Route::Predict(_) => "/predict",
            Route::Invocations(_) => "/invocations",
            Route::Version => "/version",
            Route::Metrics => "/metrics",
            Route::OpenApi => "/openapi.json",
            Route::Docs => "/docs",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_resources() {
        let get = |path| Route::of(&Method::GET, path).map_err(|failure| failure.status.as_u16());
        let post = |path| Route::of(&Method::POST, path).map_err(|failure| failure.status.as_u16());
        assert_eq!(get("/v2/models/m"), Ok(Route::Model("m")));
        assert_eq!(get("/v2/models/m/versions/1"), Ok(Route::Model("m")));
        assert_eq!(get("/v2/models/m/versions/1/ready"), Ok(Route::ModelReady("m")));
        assert_eq!(post("/v2/models/m/versions/1/infer"), Ok(Route::Infer("m")));
        assert_eq!(post("/v2/models/m/infer"), Ok(Route::Infer("m")));
        assert_eq!(get("/v2/models/m/versions/2"), Err(404));
        assert_eq!(get("/v2/models/m/infer"), Err(405));
        assert_eq!(post("/v2"), Err(405));
        let refused = Route::of(&Method::POST, "/v2").unwrap_err();
        assert_eq!((refused.allow, &*refused.message), (Some("GET, HEAD"), "use GET or HEAD here"));
        for path in [
            "",
            "/",
            "//v2",
            "/v2/",
            "/v2/models/m/versions",
            "/v2/models/../../etc/passwd",
            "/a/b/c/d/e/f/g",
            "/V2",
            "/v2/systemsharedmemory/status",
            "/v2/repository/models/m/load",
        ] {
            assert_eq!(get(path), Err(404), "{path}");
            assert_eq!(post(path), Err(404), "{path}");
        }
    }
}
