//! A search over heads: the numbers of each candidate, and the members of the model.

use headsmith_metrics::Metric;
use serde_json::Value;

use crate::report::{AutoReport, CandidateReport};

/// The candidates so far.
#[derive(Default)]
pub(super) struct Search {
    n_candidates: usize,
    /// The best score so far.
    best: Option<f64>,
}

impl Search {
    pub(super) fn n_candidates(&self) -> usize {
        self.n_candidates
    }

    pub(super) fn has_candidates(&self) -> bool {
        self.n_candidates > 0
    }

    /// The numbers of the next candidate, whose score is `metric`.
    pub(super) fn candidate(&mut self, candidate: &CandidateReport, metric: Metric) -> Vec<(String, f64)> {
        self.n_candidates += 1;
        let best = self.best.map_or(candidate.score, |best| metric.better(best, candidate.score));
        self.best = Some(best);
        let mut numbers = vec![
            (metric.name().to_owned(), candidate.score),
            (format!("best_{}", metric.name()), best),
            ("seconds".to_owned(), candidate.seconds),
            ("at_seconds".to_owned(), candidate.at_seconds),
            ("model_bytes".to_owned(), candidate.n_bytes as f64),
        ];
        if metric != Metric::LogLoss {
            numbers.push((Metric::LogLoss.name().to_owned(), candidate.log_loss));
        }
        numbers.into_iter().map(|(name, number)| (format!("search/candidate/{name}"), number)).collect()
    }
}

/// The members of the model with their weights and parameters, the greatest weight first.
pub(super) fn params(auto: &AutoReport) -> Vec<(String, String)> {
    let mut params = vec![("search/calibration".to_owned(), auto.calibration.clone())];
    for (at, (_, member)) in (1..).zip(auto.members()) {
        let mut add = |name: &str, value: String| params.push((format!("member-{at}/{name}"), value));
        add("head", member.head.clone());
        add("weight", format!("{:.4}", member.weight));
        member.params.iter().for_each(|(name, value)| add(name, plain(value)));
    }
    params
}

/// The members in one line, and the flags that repeat the search.
pub(super) fn tags(auto: &AutoReport) -> Vec<(String, String)> {
    let members = auto.members().into_iter();
    let members = members.map(|(_, member)| format!("{} {:.2}", member.head, member.weight));
    vec![
        ("headsmith.members".to_owned(), members.collect::<Vec<_>>().join(", ")),
        ("headsmith.repeat".to_owned(), auto.repeat.clone()),
    ]
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn candidates_have_the_best_so_far_and_members_their_parameters() {
        let mut search = Search::default();
        let candidate = |head: &str, score, weight| CandidateReport {
            head: head.to_owned(),
            score,
            log_loss: 1.5,
            weight,
            params: [("alpha".to_owned(), json!(0.5)), ("scale".to_owned(), json!("none"))]
                .into_iter()
                .collect(),
            ..CandidateReport::default()
        };
        let candidates =
            [candidate("ridge", 0.75, 0.25), candidate("knn", 0.5, 0.0), candidate("kernel", 0.875, 0.75)];
        let best: Vec<f64> = candidates
            .iter()
            .map(|candidate| {
                let numbers = search.candidate(candidate, Metric::Accuracy);
                numbers.into_iter().find(|(name, _)| name == "search/candidate/best_accuracy").unwrap().1
            })
            .collect();
        assert_eq!((best, search.n_candidates()), (vec![0.75, 0.75, 0.875], 3));
        let numbers = search.candidate(&candidates[0], Metric::LogLoss);
        assert_eq!(numbers.iter().filter(|(name, _)| name == "search/candidate/log_loss").count(), 1);

        let auto = AutoReport { candidates: candidates.into(), ..AutoReport::default() };
        let params = params(&auto);
        for expected in
            [("member-1/head", "kernel"), ("member-2/weight", "0.2500"), ("member-2/scale", "none")]
        {
            assert!(
                params.iter().any(|(name, value)| (name.as_str(), value.as_str()) == expected),
                "{params:?}"
            );
        }
        assert!(!params.iter().any(|(name, _)| name.starts_with("member-3")));
        assert_eq!(tags(&auto)[0].1, "kernel 0.75, ridge 0.25");
    }
}
