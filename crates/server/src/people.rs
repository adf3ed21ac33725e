//! `/predict`: `{"embeddings": [[..], ..]}` to labels, probabilities, and prediction sets where the model has them.

use serde::{Serialize, Serializer};

use crate::failure::{Failure, Result, shown};
use crate::json::Cursor;
use crate::models::ServedModel;
use crate::queue::Prediction;
use crate::rows::{Rows, Shape};

/// The rows of a body.
pub(crate) fn rows(body: &[u8], shape: Shape) -> Result<Rows> {
    let (mut cursor, mut rows) = (Cursor::new(body), None);
    cursor.object(|key, cursor| match (key, &rows) {
        ("embeddings", None) => shape.read(cursor).map(|read| rows = Some(read)),
        ("embeddings", Some(_)) => Err(Failure::bad("`embeddings` occurs twice")),
        _ => Err(Failure::bad(format!("the key `{}` is unknown, expected `embeddings`", shown(key)))),
    })?;
    cursor.end()?;
    rows.ok_or_else(|| Failure::bad("`embeddings` is missing: send {\"embeddings\": [[..]]}"))
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer<'p> {
    model: &'p str,
    labels: Vec<&'p str>,
    classes: &'p [String],
    probabilities: Vec<&'p [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sets: Option<Sets<'p>>,
}

/// The prediction set of each row, by names of classes.
#[derive(Debug, Serialize)]
struct Sets<'p> {
    level: f64,
    members: Vec<Vec<&'p str>>,
}

/// The answer as JSON.
pub(crate) fn answer(model: &ServedModel, prediction: &Prediction) -> Vec<u8> {
    let (classes, proba) = (model.model.classes(), &prediction.proba);
    let name = |class: usize| classes[class].as_str();
    let rows = || (0..proba.n_rows()).map(|i| proba.row(i));
    let answer = Answer {
        model: &model.name,
        labels: prediction.decided.iter().map(|class| name(*class as usize)).collect(),
        classes,
        probabilities: rows().collect(),
        sets: model.model.sets().map(|sets| Sets {
            level: sets.level(),
            members: rows().map(|row| sets.set(row).map(name).collect()).collect(),
        }),
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// Labels of rows, as `/invocations` gives them.
pub(crate) struct Labels<'p>(pub(crate) &'p ServedModel, pub(crate) &'p Prediction);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.decided.iter().map(|class| &self.0.model.classes()[*class as usize]))
    }
}
