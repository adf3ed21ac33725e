//! The metrics of a server, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::models::{Models, ServedModel};

/// The upper ends of the histogram's buckets, in seconds.
const ENDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Models of more classes have no counter for each class: their number would burden the collector.
const MOST_CLASSES: usize = 1000;

/// The counts of the server since it started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), Timing>>,
    batches: AtomicU64,
    rows: AtomicU64,
    pub(crate) connections: AtomicUsize,
    pub(crate) refused_connections: AtomicU64,
}

/// The time of the requests of one resource and status.
#[derive(Debug, Clone, Copy, Default)]
struct Timing {
    /// How many took at most the end of each bucket, and longer than that before it.
    buckets: [u64; ENDS.len()],
    n: u64,
    seconds: f64,
}

/// Present sizes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauges {
    pub(crate) waiting: usize,
    pub(crate) memory: usize,
}

impl Metrics {
    /// Counts a request.
    pub(crate) fn request(&self, route: &'static str, status: u16, time: Duration) {
        let seconds = time.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let timing = requests.entry((route, status)).or_default();
        timing.n += 1;
        timing.seconds += seconds;
        if let Some(bucket) = ENDS.iter().position(|end| seconds <= *end) {
            timing.buckets[bucket] += 1;
        }
    }

    /// Counts a batch of `n_rows`.
    pub(crate) fn batch(&self, n_rows: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(n_rows as u64, Ordering::Relaxed);
    }

    /// The page.
    pub(crate) fn page(&self, models: &Models, gauges: Gauges) -> String {
        let mut page = Page::default();
        self.requests_of(&mut page);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        page.one("headsmith_batches_total", "counter", "Batches that were predicted.", load(&self.batches));
        page.one("headsmith_batch_rows_total", "counter", "Rows of these batches.", load(&self.rows));
        page.one(
            "headsmith_connections",
            "gauge",
            "Open connections.",
            self.connections.load(Ordering::Relaxed) as f64,
        );
        let refused = load(&self.refused_connections);
        page.one("headsmith_refused_connections_total", "counter", "Connections above the limit.", refused);
        page.one(
            "headsmith_waiting_requests",
            "gauge",
            "Requests that wait for a prediction.",
            gauges.waiting as f64,
        );
        page.one(
            "headsmith_memory_bytes",
            "gauge",
            "Bytes of bodies, rows and answers of requests under way.",
            gauges.memory as f64,
        );
        of_models(&mut page, models);
        page.text
    }

    fn requests_of(&self, page: &mut Page) {
        let name = "headsmith_request_seconds";
        page.family(name, "histogram", "Time from a request's headers to its answer.");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((route, status), timing) in requests {
            let status = status.to_string();
            let mut n = 0;
            for (end, bucket) in ENDS.iter().zip(timing.buckets) {
                n += bucket;
                let labels = [("route", route), ("status", &status), ("le", &end.to_string())];
                page.sample("headsmith_request_seconds_bucket", &labels, n as f64);
            }
            let labels = [("route", route), ("status", &status), ("le", "+Inf")];
            page.sample("headsmith_request_seconds_bucket", &labels, timing.n as f64);
            page.sample("headsmith_request_seconds_sum", &labels[..2], timing.seconds);
            page.sample("headsmith_request_seconds_count", &labels[..2], timing.n as f64);
        }
    }
}

/// The families of the models.
fn of_models(page: &mut Page, models: &Models) {
    page.family(
        "headsmith_model_loaded_seconds",
        "gauge",
        "When the model was loaded, in seconds since 1970.",
    );
    for model in models.values() {
        page.sample("headsmith_model_loaded_seconds", &[("model", &model.name)], model.loaded as f64);
    }
    page.family("headsmith_predictions_total", "counter", "Rows that were predicted, by class.");
    for model in models.values().filter(|model| model.predicted.len() <= MOST_CLASSES) {
        for (class, n) in model.model.classes().iter().zip(&model.predicted) {
            let labels = [("model", model.name.as_str()), ("class", class)];
            page.sample("headsmith_predictions_total", &labels, n.load(Ordering::Relaxed) as f64);
        }
    }
    let sums: Vec<_> = models
        .values()
        .filter_map(|model: &std::sync::Arc<ServedModel>| Some((&model.name, model.drift.as_ref()?.sums())))
        .collect();
    let mut drift = |name: &str, kind: &str, help: &str, value: &dyn Fn(&crate::drift::Sums) -> f64| {
        page.family(name, kind, help);
        sums.iter().for_each(|(model, sums)| page.sample(name, &[("model", model.as_str())], value(sums)));
    };
    drift("headsmith_drift_rows_total", "counter", "Rows that were compared with the training rows.", &|s| {
        s.rows as f64
    });
    drift("headsmith_drift_values_total", "counter", "Values of these rows.", &|s| s.values as f64);
    drift(
        "headsmith_drift_out_of_range_values_total",
        "counter",
        "Those outside the training rows' range.",
        &|s| s.out_of_range as f64,
    );
    drift(
        "headsmith_drift_distance_total",
        "counter",
        "Sum over rows of the mean squared standardised distance from the training rows; 1 a row in training.",
        &|s| s.distance,
    );
    drift(
        "headsmith_drift_out_of_range_share",
        "gauge",
        "Share of values outside the training rows' range since the model was loaded.",
        &|s| s.out_of_range as f64 / s.values.max(1) as f64,
    );
    drift("headsmith_drift_distance", "gauge", "Mean distance a row since the model was loaded.", &|s| {
        s.distance / s.rows.max(1) as f64
    });
}

/// Text in Prometheus' format.
#[derive(Debug, Default)]
struct Page {
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.text, "{name}{{{}}} {value}", labels.join(","));
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        let _ = writeln!(self.text, "{name} {value}");
    }
}

/// A label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_time() {
        let metrics = Metrics::default();
        for ms in [0, 2, 7000] {
            metrics.request("/predict", 200, Duration::from_millis(ms));
        }
        let page = metrics.page(&Models::new(), Gauges { waiting: 0, memory: 5 });
        for line in [
            "headsmith_request_seconds_bucket{route=\"/predict\",status=\"200\",le=\"0.0005\"} 1",
            "headsmith_request_seconds_bucket{route=\"/predict\",status=\"200\",le=\"0.0025\"} 2",
            "headsmith_request_seconds_bucket{route=\"/predict\",status=\"200\",le=\"5\"} 2",
            "headsmith_request_seconds_bucket{route=\"/predict\",status=\"200\",le=\"+Inf\"} 3",
            "headsmith_request_seconds_count{route=\"/predict\",status=\"200\"} 3",
            "headsmith_memory_bytes 5",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        assert_eq!(escaped("a\"b\\\n"), "a\\\"b\\\\\\n");
    }
}
