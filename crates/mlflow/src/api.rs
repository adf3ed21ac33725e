//! The calls of the tracking API, version 2.0, that are used.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::{Error, Kind, Result, plain};
use crate::message::{Metric, NewRun, Status};

/// The API's maximum number of metrics in a request.
pub(crate) const MAX_METRICS: usize = 1000;
/// The API's maximum number of parameters, and of tags, in a request.
pub(crate) const MAX_PARAMS: usize = 100;
/// The API's maximum number of metrics, parameters and tags together in a request.
pub(crate) const MAX_RECORDS: usize = 1000;
/// The maximum length of a parameter's value, in characters.
const MAX_PARAM: usize = 6000;
/// The maximum length of a tag's value, in characters.
const MAX_TAG: usize = 5000;

/// A run on the server.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: String,
    /// The location of its artifacts.
    pub(crate) artifacts: String,
}

/// The ID of the experiment with this name, which is created if necessary.
pub(crate) fn experiment(client: &Client, name: &str) -> Result<String> {
    match find_experiment(client, name)? {
        Some(id) => Ok(id),
        None => match client.post("experiments/create", &json!({ "name": name })) {
            Ok(made) => text(client, &made, "/experiment_id"),
            // Another process may have created it just now.
            Err(error) => find_experiment(client, name)?.ok_or(error),
        },
    }
}

fn find_experiment(client: &Client, name: &str) -> Result<Option<String>> {
    let found = match client.get("experiments/get-by-name", &[("experiment_name", name)]) {
        Err(error) if error.to_string().contains("RESOURCE_DOES_NOT_EXIST") => return Ok(None),
        found => found?,
    };
    if found.pointer("/experiment/lifecycle_stage").and_then(Value::as_str) == Some("deleted") {
        return Err(Error::new(Kind::Usage, format!("the experiment {} is deleted", plain(name)))
            .with_hint("name another one, or restore it: mlflow experiments restore"));
    }
    text(client, &found, "/experiment/experiment_id").map(Some)
}

/// Creates a run, as the child of another one if given.
pub(crate) fn create(client: &Client, experiment: &str, parent: Option<&str>, new: &NewRun) -> Result<Run> {
    let parent = parent.map(|parent| ("mlflow.parentRunId".to_owned(), parent.to_owned()));
    let tags: Vec<(String, String)> = new.tags.iter().cloned().chain(parent).collect();
    let payload = json!({
        "experiment_id": experiment, "run_name": new.name, "start_time": new.started, "tags": pairs(&tags, MAX_TAG),
    });
    let made = client.post("runs/create", &payload)?;
    run_of(client, made.pointer("/run"))
}

/// Finds this child run, if it was created: by its name and start time, because a trial may be started again later.
pub(crate) fn find(client: &Client, experiment: &str, parent: &str, new: &NewRun) -> Result<Option<Run>> {
    let filter = format!(
        "tags.`mlflow.parentRunId` = '{parent}' AND attributes.run_name = '{}' AND attributes.start_time = {}",
        new.name, new.started
    );
    let payload = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1 });
    let found = client.post("runs/search", &payload)?;
    found.pointer("/runs/0").map(|run| run_of(client, Some(run))).transpose()
}

/// Adds metrics, parameters and tags to a run. Existing values stay as they are, so the call can be repeated.
pub(crate) fn log(
    client: &Client,
    run: &str,
    metrics: &[Metric],
    params: &[(String, String)],
    tags: &[(String, String)],
) -> Result<()> {
    let metrics = metrics.iter().map(|Metric { key, value, step, time }| {
        json!({ "key": key, "value": number(*value), "timestamp": time, "step": step })
    });
    let payload = json!({
        "run_id": run, "metrics": metrics.collect::<Value>(), "params": pairs(params, MAX_PARAM),
        "tags": pairs(tags, MAX_TAG),
    });
    client.post("runs/log-batch", &payload).map(drop)
}

/// Marks a run as ended.
pub(crate) fn end(client: &Client, run: &str, status: Status, time: i64) -> Result<()> {
    let payload = json!({ "run_id": run, "status": status.name(), "end_time": time });
    client.post("runs/update", &payload).map(drop)
}

fn run_of(client: &Client, run: Option<&Value>) -> Result<Run> {
    let run = run.unwrap_or(&Value::Null);
    let id = text(client, run, "/info/run_id")?;
    let artifacts = run.pointer("/info/artifact_uri").and_then(Value::as_str).unwrap_or_default();
    Ok(Run { id, artifacts: artifacts.to_owned() })
}

fn text(client: &Client, json: &Value, pointer: &str) -> Result<String> {
    json.pointer(pointer).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
        let shown = client.address().shown();
        Error::new(Kind::Refused, format!("{shown}: not a response of MLflow: no {}", &pointer[1..]))
    })
}

/// A number in the API's JSON, which has strings for infinities and NaN.
fn number(value: f64) -> Value {
    match value {
        value if value.is_nan() => json!("NaN"),
        value if value.is_infinite() => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        value => json!(value),
    }
}

/// Names and values; long values are truncated.
fn pairs(pairs: &[(String, String)], longest: usize) -> Value {
    let cut = |value: &str| match value.char_indices().nth(longest) {
        Some(_) => value.chars().take(longest - 2).chain("..".chars()).collect(),
        None => value.to_owned(),
    };
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": cut(value) })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_values_are_in_the_api_format() {
        assert_eq!(
            [number(0.1), number(f64::NAN), number(-f64::INFINITY)],
            [json!(0.1), json!("NaN"), json!("-Infinity")]
        );
        let long = pairs(&[("a".to_owned(), "\u{e9}".repeat(10))], 5);
        assert_eq!(long, json!([{ "key": "a", "value": "\u{e9}\u{e9}\u{e9}.." }]));
        assert_eq!(pairs(&[("a".to_owned(), "12345".to_owned())], 5)[0]["value"], "12345");
    }
}
