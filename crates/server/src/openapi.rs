//! The description of a server: as OpenAPI, and as a page without scripts.

use std::fmt::Write;

use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use serde_json::{Map, Value, json};

use crate::limits::Limits;
use crate::models::{Models, ServedModel};
use crate::reply::{self, Reply};
use crate::v2::JSON_LENGTH;

/// A resource: method, path, summary, the name of its body's schema, and the name of its answer's.
type Resource = (&'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const RESOURCES: [Resource; 14] = [
    (
        "post",
        "/predict",
        "Labels and probabilities of rows, by the only model",
        Some("PredictRequest"),
        Some("PredictAnswer"),
    ),
    (
        "post",
        "/predict/{name}",
        "The same, by one of several models",
        Some("PredictRequest"),
        Some("PredictAnswer"),
    ),
    (
        "post",
        "/v2/models/{name}/infer",
        "Inference as in the Open Inference Protocol",
        Some("InferRequest"),
        Some("InferAnswer"),
    ),
    ("get", "/v2/models/{name}", "Inputs and outputs of a model", None, Some("Object")),
    ("get", "/v2/models/{name}/ready", "Whether a model takes requests", None, Some("Object")),
    ("get", "/v2", "Name, version and extensions of the server", None, Some("Object")),
    ("get", "/v2/health/live", "Whether the server runs; needs no token", None, Some("Object")),
    ("get", "/v2/health/ready", "Whether the server takes requests; needs no token", None, Some("Object")),
    (
        "post",
        "/invocations",
        "Scoring as MLflow's clients do it, by the only model",
        Some("Object"),
        Some("Invocation"),
    ),
    ("post", "/invocations/{name}", "The same, by one of several models", Some("Object"), Some("Invocation")),
    ("get", "/version", "The version of the server", None, None),
    ("get", "/metrics", "Metrics in Prometheus' format", None, None),
    ("get", "/openapi.json", "This description", None, Some("Object")),
    ("get", "/docs", "This description as a page", None, None),
];

/// The description as OpenAPI 3.1.
pub(crate) fn description(models: &Models, limits: &Limits) -> Value {
    let mut paths = Map::new();
    for (method, path, summary, body, answer) in RESOURCES {
        let operation = operation((path, summary), body, answer, models);
        paths.insert(path.to_owned(), json!({ method: operation }));
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Headsmith", "version": env!("CARGO_PKG_VERSION"), "description": format!("Classifies embeddings. {}", bounds(limits)) },
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": { "schemas": schemas(limits), "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } },
    })
}

fn operation(
    (path, summary): (&str, &str),
    body: Option<&str>,
    answer: Option<&str>,
    models: &Models,
) -> Value {
    let content = |name: Option<&str>| match name {
        Some(name) => {
            json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } })
        }
        None => {
            json!({ if path == "/docs" { "text/html" } else { "text/plain" }: { "schema": { "type": "string" } } })
        }
    };
    let failure = |text: &str| json!({ "description": text, "content": content(Some("Failure")) });
    let mut operation = json!({
        "summary": summary,
        "responses": {
            "200": { "description": "The answer", "content": content(answer) },
            "401": failure("No token, or a wrong one"),
            "403": failure("A host or page that may not ask"),
            "405": failure("Another method; the header Allow names the right ones"),
        },
    });
    if body.is_some() {
        operation["requestBody"] = json!({ "required": true, "content": content(body) });
        if body == Some("InferRequest") {
            // The binary extension: JSON, and the bytes of the tensor after it.
            for message in ["/requestBody", "/responses/200"] {
                if let Some(Value::Object(kinds)) = operation.pointer_mut(&format!("{message}/content")) {
                    kinds.insert("application/octet-stream".to_owned(), json!({}));
                }
            }
            operation["parameters"] = json!([{
                "name": JSON_LENGTH, "in": "header", "required": false, "schema": { "type": "integer" },
                "description": "Length of the JSON, where the bytes of a tensor follow",
            }]);
        }
        for (status, text) in [
            ("400", "A body that is wrong; the text says where"),
            ("408", "A body that took too long"),
            ("413", "Too long a body, or too many rows"),
            ("415", "A body of another type"),
            ("503", "Too much to do: try again after Retry-After seconds"),
        ] {
            operation["responses"][status] = failure(text);
        }
    }
    if path.ends_with("ready") {
        operation["responses"]["503"] =
            json!({ "description": "The server ends", "content": content(Some("Object")) });
    }
    if path.contains("{name}") {
        let names: Vec<&String> = models.keys().collect();
        let name = json!({ "name": "name", "in": "path", "required": true, "schema": { "type": "string", "enum": names } });
        match &mut operation["parameters"] {
            Value::Array(parameters) => parameters.push(name),
            parameters => *parameters = json!([name]),
        }
        operation["responses"]["404"] = failure("No such model");
    }
    operation
}

fn schemas(limits: &Limits) -> Value {
    let row = json!({ "type": "array", "items": { "type": "number" } });
    let rows = json!({ "type": "array", "items": row, "minItems": 1, "maxItems": limits.rows });
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    let tensor = json!({
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": { "type": "string" },
            "shape": { "type": "array", "items": { "type": "integer" } },
            "datatype": { "type": "string" },
            "data": { "type": "array" },
        },
    });
    json!({
        "Object": { "type": "object" },
        "Failure": { "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } },
        "PredictRequest": {
            "type": "object", "required": ["embeddings"], "additionalProperties": false,
            "properties": { "embeddings": { "anyOf": [rows, { "type": "array", "items": { "type": "number" }, "minItems": 1 }] } },
        },
        "PredictAnswer": {
            "type": "object",
            "required": ["model", "labels", "classes", "probabilities"],
            "properties": {
                "model": { "type": "string" },
                "labels": strings,
                "classes": strings,
                "probabilities": rows,
                "sets": { "type": "object", "properties": { "level": { "type": "number" }, "members": { "type": "array", "items": strings } } },
            },
        },
        "InferRequest": {
            "type": "object",
            "required": ["inputs"],
            "properties": { "id": { "type": "string" }, "inputs": { "type": "array", "items": tensor }, "outputs": { "type": "array" } },
        },
        "InferAnswer": {
            "type": "object",
            "required": ["model_name", "outputs"],
            "properties": {
                "model_name": { "type": "string" },
                "model_version": { "type": "string" },
                "id": { "type": "string" },
                "outputs": { "type": "array", "items": tensor },
            },
        },
        "Invocation": { "type": "object", "required": ["predictions"], "properties": { "predictions": { "type": "array" } } },
    })
}

fn bounds(limits: &Limits) -> String {
    format!("A request has at most {} rows and {} bytes.", limits.rows, limits.body_bytes)
}

/// The style of the page.
const STYLE: &str = "body{font:16px/1.5 system-ui;max-width:52rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0;\
                     vertical-align:top}pre{background:#f2f2f2;padding:1rem;overflow:auto}@media(prefers-color-scheme:dark){body{background:#111;\
                     color:#ddd}a{color:#8bf}pre{background:#222}}";
/// The page runs no script and loads nothing; the hash is that of [`STYLE`].
const POLICY: &str = "default-src 'none'; style-src 'sha256-LGw2v2wp/jygVnRQvYhvns09w4bNGGiQQHDYgOu+z8U='; frame-ancestors 'none'";

/// The description as a page.
pub(crate) fn page(models: &Models, limits: &Limits) -> Reply {
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Headsmith</title><style>{STYLE}</style><h1>Headsmith</h1>"
    );
    let _ =
        write!(page, "<p>{} <a href=openapi.json>OpenAPI</a>, <a href=metrics>metrics</a>.", bounds(limits));
    models.values().for_each(|model| section(&mut page, model));
    page.push_str("<h2>Resources</h2><table>");
    for (method, path, summary, ..) in RESOURCES {
        let _ = write!(page, "<tr><th>{}<td><code>{path}</code><td>{summary}", method.to_uppercase());
    }
    page.push_str("</table></html>");
    let mut reply = reply::bytes("text/html; charset=utf-8", page);
    let policy = HeaderValue::from_static(POLICY);
    reply.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    reply
}

fn section(page: &mut String, model: &ServedModel) {
    let classes: Vec<String> = model.model.classes().iter().take(20).map(|class| escaped(class)).collect();
    let more = if model.model.n_classes() > 20 { ", .." } else { "" };
    let zeros = vec!["0.0"; model.model.n_features().min(4)].join(", ");
    let dots = if model.model.n_features() > 4 { ", .." } else { "" };
    // The name of a model has no character that HTML or a shell reads otherwise.
    let _ = write!(
        page,
        "<h2>{name}</h2><p>{head}: {n} numbers a row to {k} classes: {classes}{more}.<pre>curl -H 'Content-Type: application/json' \\\n  -d \
         '{{\"embeddings\": [[{zeros}{dots}]]}}' ADDRESS/predict/{name}</pre>",
        name = model.name,
        head = escaped(model.model.head_name()),
        n = model.model.n_features(),
        k = model.model.n_classes(),
        classes = classes.join(", "),
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_of_the_page() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "the hash of the style is {hash}");
    }
}
