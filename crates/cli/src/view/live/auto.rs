//! The state of a search over heads in the live view: its candidates, and the score as it grew.

#[cfg(test)]
pub(super) mod tests;

use headsmith::metrics::Metric;
use headsmith::report::CandidateReport;

use super::curve::Curve;

/// A search over heads.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The metric that is a candidate's score.
    pub(super) metric: Metric,
    /// The candidates, in the order in which they were tried.
    pub(super) candidates: Vec<Candidate>,
    /// The position of the best one.
    pub(super) best: usize,
    /// Their scores by the second at which they were ready.
    pub(super) scores: Curve,
    /// The best score so far.
    pub(super) best_so_far: Curve,
}

/// A head that was tried.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) head: String,
    pub(super) score: f64,
    pub(super) log_loss: f64,
    pub(super) seconds: f64,
    pub(super) at_seconds: f64,
}

impl Search {
    pub(super) fn new(metric: Metric) -> Search {
        Search { metric, ..Search::default() }
    }

    pub(super) fn add(&mut self, report: &CandidateReport) {
        let CandidateReport { score, log_loss, seconds, at_seconds, .. } = *report;
        let before = self.candidates.get(self.best).map(|best| best.score);
        if before.is_none_or(|before| self.metric.is_better(score, before)) {
            self.best = self.candidates.len();
        }
        self.candidates.push(Candidate { head: report.head.clone(), score, log_loss, seconds, at_seconds });
        self.scores.push(at_seconds, score);
        // A step: the score before it holds until now.
        if let Some(before) = before {
            self.best_so_far.push(at_seconds, before);
        }
        self.best_so_far.push(at_seconds, self.candidates[self.best].score);
    }

    /// The best candidate.
    pub(super) fn best(&self) -> Option<&Candidate> {
        self.candidates.get(self.best)
    }
}
