//! A search over heads: the scalars of each candidate, at the step of its number.

use std::io;
use std::path::PathBuf;

use headsmith_metrics::Metric;
use headsmith_tensorboard::{Origin, scalar, text};

use super::Run;
use crate::report::CandidateReport;

/// The folder of a search.
pub(super) const FOLDER: &str = "search";

/// The file of a search.
pub(super) struct SearchFiles {
    run: Run,
    /// The metric that is a candidate's score.
    metric: Metric,
    n_candidates: usize,
    /// The best score and the lowest log loss so far.
    best: [f64; 2],
}

impl SearchFiles {
    pub(super) fn begin(folder: PathBuf, origin: &Origin, metric: Metric) -> io::Result<SearchFiles> {
        let run = Run::begin(&folder, origin, 0)?;
        Ok(SearchFiles { run, metric, n_candidates: 0, best: [metric, Metric::LogLoss].map(Metric::worst) })
    }

    pub(super) fn write(&mut self, candidate: &CandidateReport) -> io::Result<()> {
        let [score, log_loss] = &mut self.best;
        *score = self.metric.better(*score, candidate.score);
        *log_loss = Metric::LogLoss.better(*log_loss, candidate.log_loss);
        let scores =
            [(self.metric, candidate.score, *score), (Metric::LogLoss, candidate.log_loss, *log_loss)];
        // The score may be the log loss.
        let n_scores = if self.metric == Metric::LogLoss { 1 } else { 2 };
        let mut values: Vec<_> = scores[..n_scores]
            .iter()
            .flat_map(|(metric, value, best)| {
                let name = metric.name();
                [scalar(name, *value as f32), scalar(format!("best_{name}"), *best as f32)]
            })
            .collect();
        values.push(scalar("seconds", candidate.seconds as f32));
        values.push(scalar("at_seconds", candidate.at_seconds as f32));
        values.push(scalar("model_bytes", candidate.n_bytes as f32));
        values.push(text("candidate", described(candidate)));
        self.n_candidates += 1;
        self.run.write(self.n_candidates - 1, values)
    }
}

/// The candidate with the parameters that tell it from others, in Markdown.
fn described(candidate: &CandidateReport) -> String {
    let params: Vec<String> = candidate
        .telling_params()
        .into_iter()
        .map(|(name, value)| {
            format!("{name} `{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    format!("**{}** {}", candidate.head, params.join(", "))
}
