//! A search over heads: `auto`.

use headsmith_metrics::bootstrap::PairedDifference;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Comparison;

/// A search over heads, and the model that was made of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoReport {
    /// The steps of the search. With `--steps` of this number the same search is done again.
    pub n_steps: usize,
    /// The seconds from the start of the process to the end of the search.
    pub search_seconds: f64,
    /// The rows that were searched on, each predicted by fits without it.
    pub n_rows: usize,
    /// The folds of heads without a closed form of such predictions.
    pub n_folds: usize,
    /// The rows that the final model learnt from.
    pub n_fitted: usize,
    /// The flags that repeat the search on any machine of the same instruction set: `--steps 31`.
    pub repeat: String,
    /// Whether the validation rows chose the members, calibration and decision. Otherwise every row that was searched on did, predicted by fits
    /// without it.
    pub is_chosen_on_val: bool,
    /// The heads that were left out, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<(String, String)>,
    /// The heads that were tried, in that order.
    pub candidates: Vec<CandidateReport>,
    /// The form of the calibration after mixing: `identity` if none made it better.
    pub calibration: String,
    /// The mean log loss of each form of calibration, by fits on other rows.
    pub calibrations: Vec<(String, f64)>,
    /// The offset of each class that decides for the metric; empty: the most probable class is predicted.
    pub decision: Vec<f64>,
    /// The bytes of a model file with all members, about.
    pub n_bytes: u64,
    /// The seconds of the prediction of one row among many, about.
    pub predict_seconds: f64,
    /// The answer and the first candidate, on the rows that scored both; `None` if that one is the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<Comparison>,
    /// The answer and the best other candidate; `None` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_runner_up: Option<Comparison>,
    /// A simpler candidate than the model; `None` if the model is the simplest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simpler: Option<SimplerReport>,
    /// The small head that the model was distilled to; `None` if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distilled: Option<DistilledReport>,
}

impl AutoReport {
    /// Whether the search came to its end; the log of a run that was killed has the candidates alone.
    pub fn has_ended(&self) -> bool {
        !self.repeat.is_empty()
    }

    /// The members of the model with their positions among the candidates, the greatest weight first.
    pub fn members(&self) -> Vec<(usize, &CandidateReport)> {
        let mut members: Vec<_> =
            self.candidates.iter().enumerate().filter(|(_, candidate)| candidate.weight > 0.0).collect();
        members.sort_by(|(_, a), (_, b)| b.weight.total_cmp(&a.weight));
        members
    }

    /// The positions of the candidates that were better than all before them.
    pub fn best_so_far(&self, is_better: impl Fn(&CandidateReport, &CandidateReport) -> bool) -> Vec<usize> {
        let mut best: Vec<usize> = Vec::new();
        for (i, candidate) in self.candidates.iter().enumerate() {
            if best.last().is_none_or(|&last| is_better(candidate, &self.candidates[last])) {
                best.push(i);
            }
        }
        best
    }

    /// Whether classes are decided by offsets. Otherwise the most probable is predicted.
    pub fn has_decision(&self) -> bool {
        self.decision.iter().any(|offset| *offset != 0.0)
    }
}

impl CandidateReport {
    /// The parameters that tell candidates with the same head apart, with their values; not those that are left open.
    pub fn telling_params(&self) -> Vec<(&str, &Value)> {
        let param = |name: &'_ String| self.params.get_key_value(name);
        let params = self.telling.iter().filter_map(param);
        params
            .map(|(name, value)| (name.as_str(), value))
            .filter(|(_, value)| !value.is_null() && *value != "auto")
            .collect()
    }
}

/// A head that was tried.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CandidateReport {
    /// The head by its name in commands and files.
    pub head: String,
    /// The head's name for people.
    pub title: String,
    /// All its parameters, with those that its fit chose.
    pub params: Map<String, Value>,
    /// The names of the parameters that tell it from other candidates with the same head: those that its fit chose, and those that differ from their
    /// defaults.
    pub telling: Vec<String>,
    /// The form of the calibration of its probabilities; `identity`: none made them better.
    pub calibration: String,
    /// The value of the metric, of rows that the fit did not see, calibrated.
    pub score: f64,
    /// The log loss of the same rows.
    pub log_loss: f64,
    /// The seconds that it took.
    pub seconds: f64,
    /// The seconds from the start of the process to its end.
    pub at_seconds: f64,
    /// Its steps.
    pub n_steps: usize,
    /// The bytes of a model file with it alone.
    pub n_bytes: u64,
    /// The seconds of the prediction of one row among many.
    pub predict_seconds: f64,
    /// Its weight in the pool; 0: it is no member.
    pub weight: f64,
    /// By how much it lowers the pool's log loss; 0 of the first member.
    pub gain: f64,
}

/// A small head that learnt from the model's probabilities.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistilledReport {
    /// Its model file.
    pub file: String,
    /// The head by its name in commands and files.
    pub head: String,
    /// The head's name for people.
    pub title: String,
    /// Whether it learnt from the model. Otherwise it learnt from the labels, since that gave the lower log loss.
    pub is_student: bool,
    /// The rows that judged, which none of the compared had learnt from.
    pub n_judged: usize,
    /// Whether these were the validation rows. Otherwise they were a part of the training rows, for which the members were fitted again without it.
    pub is_judged_on_val: bool,
    /// The rows that the head in the file learnt from.
    pub n_fitted: usize,
    /// The scores of the model.
    pub teacher: DistilledScore,
    /// The scores of the head that learnt from the model.
    pub student: DistilledScore,
    /// The scores of the same head that learnt from the labels.
    pub plain: DistilledScore,
    /// The student's scores less those of the plain head, on the same rows.
    pub against_plain: Option<PairedDifference>,
    /// The bytes of its file.
    pub n_bytes: u64,
    /// The seconds of the prediction of one row among many.
    pub predict_seconds: f64,
    /// The seconds that the distillation took.
    pub seconds: f64,
}

/// Scores of one of the compared heads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistilledScore {
    /// The value of the metric.
    pub score: f64,
    /// The log loss.
    pub log_loss: f64,
}

/// A simpler model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimplerReport {
    /// The candidate's position.
    pub candidate: usize,
    /// Its name for people.
    pub title: String,
    /// The answer's score less the candidate's, on the rows that scored both.
    pub difference: Option<PairedDifference>,
    /// Whether the candidate is not significantly worse, by the metric.
    pub is_as_good: bool,
    /// Whether it was taken: `--prefer simple`.
    pub is_taken: bool,
}
