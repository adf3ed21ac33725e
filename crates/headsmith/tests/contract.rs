//! What holds for every head of the list through the façade.

// A test may end at the first failure.
#![allow(clippy::unwrap_used)]

use headsmith::data::Dataset;
use headsmith::fit::FitData;
use headsmith::heads::{HEADS, Head};
use headsmith::judge::{Judged, judge};
use headsmith::metrics::Scores;
use headsmith::model::Model;
use headsmith::{HeadConfig, MatRef, Matrix, Pool, Session};

const N_FEATURES: usize = 4;

/// Rows around a centre for each of three classes.
fn rows(n: usize, shift: usize) -> (Matrix, Vec<usize>) {
    let y: Vec<usize> = (0..n).map(|i| i % 3).collect();
    let value = |i: usize| {
        let (row, feature) = (i / N_FEATURES, i % N_FEATURES);
        let noise = ((row * 31 + feature * 17 + shift) % 23) as f32 / 23.0;
        noise + f32::from(y[row] == feature % 3) * 0.8
    };
    (Matrix::new((0..n * N_FEATURES).map(value).collect(), n, N_FEATURES), y)
}

/// A small fit of `head` with the classes called `names`.
fn fitted(head: &dyn Head, names: [&str; 3], n_threads: usize) -> Model {
    let small = [("n_estimators", 15), ("epochs", 3), ("neurons0", 8), ("neurons2", 8), ("batch_size", 32)];
    let given = small.into_iter().filter(|(name, _)| head.table().find(name).is_some());
    let config = HeadConfig::new(head.name(), given.map(|(name, value)| (name, value.into()))).unwrap();
    let labelled =
        |(x, y): (Matrix, Vec<usize>)| (x, y.into_iter().map(|class| names[class]).collect::<Vec<_>>());
    let (x, labels) = labelled(rows(150, 0));
    let train = Dataset::from_arrays(x, &labels).unwrap();
    let (x, labels) = labelled(rows(60, 5));
    let val = Dataset::from_arrays_with(x, &labels, &train.classes).unwrap();
    let data = FitData::new(train).with_val(val).unwrap();
    Session::new().seed(3).threads(n_threads).fit(&config, &data).unwrap().model
}

fn proba(model: &Model, x: MatRef<'_>) -> Matrix {
    model.predict_proba(x, &Pool::inline()).unwrap()
}

#[test]
fn the_spelling_of_classes_changes_nothing_where_their_order_stays() {
    let (x, _) = rows(40, 9);
    for head in HEADS {
        let plain = fitted(*head, ["a", "b", "c"], 1);
        let long = fitted(*head, ["Anna Müller", "b, with a comma", "z\"quoted\""], 1);
        assert_eq!(proba(&plain, x.view()), proba(&long, x.view()), "{}", head.name());
        assert_eq!(long.classes(), ["Anna Müller", "b, with a comma", "z\"quoted\""]);
    }
}

/// Scores of classes follow the decision, those of probabilities do not.
#[test]
fn decided_classes_are_judged() {
    let head = HEADS.iter().find(|head| head.name() == "linear").unwrap();
    let plain = fitted(*head, ["a", "b", "c"], 1);
    let (x, y) = rows(60, 5);
    let labels: Vec<&str> = y.into_iter().map(|class| ["a", "b", "c"][class]).collect();
    let rows = Dataset::from_arrays(x, &labels).unwrap();
    let judged = |model: &Model| -> Judged {
        judge(model, &rows, Vec::new(), &Session::new().context().unwrap()).unwrap()
    };
    let before = judged(&plain);
    assert_eq!(before.decided, plain.predict(rows.x.view(), &Pool::inline()).unwrap());
    let after = judged(&plain.with_decision(vec![0.0, 100.0, 0.0]).unwrap());
    // No offset raises a probability of 0.
    let raised = |row: usize| if before.proba.row(row)[1] > 0.0 { 1 } else { before.decided[row] };
    let expected: Vec<u32> = (0..60).map(raised).collect();
    assert!(expected.iter().filter(|class| **class == 1).count() > 50);
    let n_right = expected.iter().zip(&rows.y).filter(|(decided, class)| decided == class).count();
    assert_eq!((&after.decided, &after.proba), (&expected, &before.proba));
    let (before, after) = (before.judgement, after.judgement);
    assert_eq!((after.scores.accuracy, after.scores.per_class[1].recall), (n_right as f64 / 60.0, 1.0));
    assert!(before.scores.accuracy > after.intervals.unwrap().accuracy.high);
    let of_proba = |scores: &Scores| (scores.log_loss, scores.brier, scores.ece, scores.roc_auc_ovr);
    assert_eq!(of_proba(&before.scores), of_proba(&after.scores));
}

#[test]
fn a_model_file_restores_every_head_to_the_same_bytes() {
    let (x, _) = rows(40, 9);
    for head in HEADS {
        let model = fitted(*head, ["a", "b", "c"], 2);
        let bytes = model.to_bytes().unwrap();
        assert_eq!(bytes, fitted(*head, ["a", "b", "c"], 1).to_bytes().unwrap(), "{}: threads", head.name());
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read.head_name(), head.name());
        assert_eq!(read.to_bytes().unwrap(), bytes, "{}", head.name());
        assert_eq!(proba(&read, x.view()), proba(&model, x.view()), "{}", head.name());
        for at in (0..bytes.len()).step_by(bytes.len() / 97 + 1) {
            assert!(Model::from_bytes(&bytes[..at]).is_err(), "{}: torn at {at}", head.name());
        }
    }
}

#[test]
fn parameters_that_a_head_does_not_have_are_errors() {
    for head in HEADS {
        let error = HeadConfig::new(head.name(), [("no_such_parameter", 1.into())]).unwrap_err().to_string();
        assert!(error.contains(&format!("{} has no parameter `no_such_parameter`", head.name())), "{error}");
        let error = HeadConfig::new(head.name(), [("transform", "sqrt+".into())]).unwrap_err().to_string();
        assert!(error.contains("scale is sqrt+, expected"), "{error}");
    }
    let error = HeadConfig::new("oracle", [("a", 1.into())]).unwrap_err().to_string();
    assert!(error.starts_with("there is no head `oracle`; there are "), "{error}");
}
