//! Scores on one table's rows, and what those rows had been used for.

use headsmith_metrics::Scores;
use headsmith_metrics::bootstrap::Intervals;
use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// With more classes than this, the report has the most frequent confusions instead of the whole matrix, and examples have the
/// most probable classes alone; so do the tables on the terminal.
pub const MANY_CLASSES: usize = 50;

/// The most pairs of confused classes that the report lists.
const MAX_PAIRS: usize = 5_000;

/// Scores on one table's rows, and what those rows had already been used for.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The scores; as read from a report of more than [`MANY_CLASSES`] without the confusion matrix.
    pub scores: Scores,
    /// 95 % bootstrap intervals of some of the scores; `None` for training rows, for which they are meaningless.
    pub intervals: Option<Intervals>,
    /// The earlier uses of these rows: `weights` (they were trained on), `epoch`, `learning_rate`, `head`. Empty: nothing.
    pub used_for: Vec<String>,
    /// The classes that occur in the rows and are predicted for none of them.
    pub never_predicted: Vec<String>,
    /// The pairs of classes that are confused: true class, predicted class, rows; the most frequent first, at most 5,000.
    pub confused_pairs: Vec<(usize, usize, u64)>,
    /// How many such pairs there are in all.
    pub n_confused_pairs: usize,
}

/// The selected model on the validation rows that were held back from every choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldBack {
    /// The share of the validation rows.
    pub share: f64,
    /// Scores and intervals.
    #[serde(flatten)]
    pub judgement: Judgement,
}

impl Judgement {
    /// The judgement of rows with `scores`, which have the confusion matrix.
    pub fn new(
        classes: Vec<String>,
        scores: Scores,
        intervals: Option<Intervals>,
        used_for: Vec<String>,
    ) -> Judgement {
        let mut confused_pairs = pairs(&scores.confusion);
        let n_confused_pairs = confused_pairs.len();
        confused_pairs.truncate(MAX_PAIRS);
        let never_predicted = never_predicted(&classes, &scores.confusion);
        Judgement { classes, scores, intervals, used_for, never_predicted, confused_pairs, n_confused_pairs }
    }

    /// A note to show beside the scores: that the rows were used before. `None` when they were not.
    pub fn caution(&self) -> Option<String> {
        let names: Vec<String> =
            self.used_for.iter().map(|what| format!("the {}", what.replace('_', " "))).collect();
        match names.as_slice() {
            [] => None,
            [_] if self.used_for[0] == "weights" => Some("these are training rows: optimistic".to_owned()),
            [one] => Some(format!("these rows chose {one}: optimistic")),
            [first @ .., last] => {
                Some(format!("these rows chose {} and {last}: optimistic", first.join(", ")))
            }
        }
    }
}

fn never_predicted(classes: &[String], confusion: &[Vec<u64>]) -> Vec<String> {
    let is_predicted = |class: usize| confusion.iter().any(|row| row[class] > 0);
    let occurs = |class: usize| confusion[class].iter().any(|&n| n > 0);
    let classes = classes.iter().enumerate().take(confusion.len());
    classes.filter(|&(i, _)| occurs(i) && !is_predicted(i)).map(|(_, name)| name.clone()).collect()
}

fn pairs(confusion: &[Vec<u64>]) -> Vec<(usize, usize, u64)> {
    let wrong = confusion.iter().enumerate().flat_map(|(i, row)| {
        let cells = row.iter().enumerate().filter(move |&(j, &n)| i != j && n > 0);
        cells.map(move |(j, &n)| (i, j, n))
    });
    let mut pairs: Vec<(usize, usize, u64)> = wrong.collect();
    pairs.sort_by_key(|&(_, _, n)| std::cmp::Reverse(n));
    pairs
}

/// The scores with `loss`, the classes by name, and the caution, all in one object.
impl Serialize for Judgement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let many = self.classes.len() > MANY_CLASSES;
        let known = if many {
            let per_class = self.scores.per_class.clone();
            std::borrow::Cow::Owned(Scores { confusion: Vec::new(), per_class, ..self.scores })
        } else {
            std::borrow::Cow::Borrowed(&self.scores)
        };
        let mut scores = serde_json::to_value(known.as_ref()).map_err(S::Error::custom)?;
        for (class, scores) in
            self.classes.iter().zip(scores["per_class"].as_array_mut().into_iter().flatten())
        {
            scores["class"] = class.as_str().into();
        }
        if many {
            scores["confusion"] = Value::Null;
            scores["n_confused_pairs"] = self.n_confused_pairs.into();
            scores["confused_pairs"] =
                serde_json::to_value(&self.confused_pairs).map_err(S::Error::custom)?;
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("used_for", &self.used_for)?;
        map.serialize_entry("caution", &self.caution())?;
        map.serialize_entry("never_predicted", &self.never_predicted)?;
        map.serialize_entry("loss", &self.scores.log_loss)?;
        for (name, value) in scores.as_object().into_iter().flatten() {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("intervals", &self.intervals)?;
        map.end()
    }
}

/// The fields of a judgement beside the scores.
#[derive(Deserialize)]
struct Beside {
    used_for: Vec<String>,
    #[serde(default)]
    confused_pairs: Vec<(usize, usize, u64)>,
    #[serde(default)]
    n_confused_pairs: usize,
    #[serde(default)]
    never_predicted: Vec<String>,
    intervals: Option<Intervals>,
}

impl<'de> Deserialize<'de> for Judgement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Judgement, D::Error> {
        let mut fields: Map<String, Value> = Map::deserialize(deserializer)?;
        let mut classes = Vec::new();
        for (i, class) in
            fields.get_mut("per_class").and_then(Value::as_array_mut).into_iter().flatten().enumerate()
        {
            let name = class.get("class").and_then(Value::as_str);
            classes
                .push(name.ok_or_else(|| D::Error::custom("per_class: a class without a name"))?.to_owned());
            class["class"] = i.into();
        }
        // Of many classes there is none.
        if let Some(confusion) = fields.get_mut("confusion").filter(|confusion| confusion.is_null()) {
            *confusion = Value::Array(Vec::new());
        }
        let fields = Value::Object(fields);
        let scores = Scores::deserialize(&fields).map_err(D::Error::custom)?;
        let Beside { used_for, confused_pairs, n_confused_pairs, never_predicted, intervals } =
            Beside::deserialize(&fields).map_err(D::Error::custom)?;
        let n = classes.len();
        if scores.confusion.is_empty() {
            let is_class = |&(class, predicted, _): &(usize, usize, u64)| class < n && predicted < n;
            if !confused_pairs.iter().all(is_class) {
                return Err(D::Error::custom("confused_pairs: there is no such class"));
            }
            let (never_predicted, n_confused_pairs) = (never_predicted, n_confused_pairs);
            return Ok(Judgement {
                classes,
                scores,
                intervals,
                used_for,
                never_predicted,
                confused_pairs,
                n_confused_pairs,
            });
        }
        if scores.confusion.len() != n || scores.confusion.iter().any(|row| row.len() != n) {
            return Err(D::Error::custom(format!(
                "confusion: expected {n} rows of {n} counts, as there are classes"
            )));
        }
        Ok(Judgement::new(classes, scores, intervals, used_for))
    }
}
