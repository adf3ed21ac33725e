//! The evidence for the scores of a head: intervals of each class, curves, bins, mistakes.

use headsmith_metrics::bootstrap::Interval;
use headsmith_metrics::curves::Point;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The evidence for the scores on one table's rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Intervals of the classes' scores, in the order of the classes; empty for rows that were trained on.
    pub per_class: Vec<ClassEvidence>,
    /// ROC curves, x being the false and y the true positive rate.
    pub roc: Vec<Curve>,
    /// Precision-recall curves, x being recall and y precision.
    pub precision_recall: Vec<Curve>,
    /// The bins of the calibration error.
    pub reliability: Vec<ReliabilityBin>,
    /// How many rows are predicted wrongly.
    pub n_mistakes: usize,
    /// The most confident of them, the most confident first.
    pub mistakes: Vec<Mistake>,
}

/// 95 % bootstrap intervals of a class's scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassEvidence {
    /// The class.
    pub class: String,
    /// Of its precision.
    pub precision: Interval,
    /// Of its recall.
    pub recall: Interval,
    /// Of its F1.
    pub f1: Interval,
}

/// A curve of one class against the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The class.
    pub class: String,
    /// Its points: threshold (`null`: above every probability), x, y.
    #[serde(serialize_with = "as_triples", deserialize_with = "from_triples")]
    pub points: Vec<Point>,
}

/// The rows whose greatest probability lies in a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The range's lower end, which does not belong to it.
    pub low: f64,
    /// Its upper end, which does.
    pub high: f64,
    /// How many rows.
    pub n_samples: u64,
    /// The mean of their greatest probabilities; 0 of no rows.
    pub confidence: f64,
    /// The share of them that is predicted rightly; 0 of no rows.
    pub accuracy: f64,
}

/// A row that is predicted wrongly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Its place in its table.
    pub place: String,
    /// Its label.
    pub label: String,
    /// The class that was predicted.
    pub predicted: String,
    /// The probability of the predicted class.
    pub probability: f32,
    /// The probability of the label.
    pub label_probability: f32,
}

/// Three numbers a point; the threshold that nothing reaches is `null`.
fn as_triples<S: Serializer>(points: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    let triple = |p: &Point| (p.threshold.is_finite().then_some(p.threshold), p.x, p.y);
    serializer.collect_seq(points.iter().map(triple))
}

fn from_triples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Point>, D::Error> {
    let triples: Vec<(Option<f64>, f64, f64)> = Vec::deserialize(deserializer)?;
    let point = |(threshold, x, y): (Option<f64>, f64, f64)| Point {
        threshold: threshold.unwrap_or(f64::INFINITY),
        x,
        y,
    };
    Ok(triples.into_iter().map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_that_nothing_reaches_is_null() {
        let points = vec![
            Point { threshold: f64::INFINITY, x: 0.0, y: 1.0 },
            Point { threshold: 0.5, x: 0.25, y: 1.0 },
        ];
        let curve = Curve { class: "a".to_owned(), points };
        let text = serde_json::to_string(&curve).unwrap();
        assert_eq!(text, r#"{"class":"a","points":[[null,0.0,1.0],[0.5,0.25,1.0]]}"#);
        assert_eq!(serde_json::from_str::<Curve>(&text).unwrap(), curve);
    }
}
