//! Reports as JSON and back.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

mod sample;

use headsmith_report::schema::{FitReport, Judgement, MANY_CLASSES, Report};
use headsmith_report::{Facts, card, html};
use sample::{fit, judgement, name};
use serde_json::{Value, json};

fn names(n: usize) -> Vec<String> {
    (0..n).map(name).collect()
}

#[test]
fn scores_of_few_classes_have_their_matrix() {
    let known = judgement(&names(2), |_| 0.5, |_| 10, &json!([[10, 0], [7, 0]]));
    let read: Judgement = serde_json::from_value(known.clone()).unwrap();
    assert_eq!((&read.classes, read.scores.per_class[1].class), (&names(2), 1));
    assert_eq!((&read.confused_pairs, read.n_confused_pairs), (&vec![(1, 0, 7)], 1));
    assert_eq!(read.never_predicted, [name(1)]);
    let mut expected = known;
    expected["never_predicted"] = json!([name(1)]);
    assert_eq!(serde_json::to_value(&read).unwrap(), expected);
}

#[test]
fn scores_of_many_classes_have_their_most_frequent_confusions() {
    let n = MANY_CLASSES + 1;
    let mut known = judgement(&names(n), |_| 0.5, |_| 10, &Value::Null);
    known["never_predicted"] = json!([name(3)]);
    known["n_confused_pairs"] = json!(9000);
    known["confused_pairs"] = json!([[0, 50, 8], [50, 0, 3]]);
    let read: Judgement = serde_json::from_value(known.clone()).unwrap();
    assert!(read.scores.confusion.is_empty());
    assert_eq!(serde_json::to_value(&read).unwrap(), known);
    known["confused_pairs"][0][1] = n.into();
    let error = serde_json::from_value::<Judgement>(known).unwrap_err().to_string();
    assert!(error.contains("confused_pairs"), "{error}");
}

#[test]
fn a_matrix_of_another_shape_is_refused() {
    for confusion in [json!([[1]]), json!([[1, 2], [3]])] {
        let known = judgement(&names(2), |_| 0.5, |_| 10, &confusion);
        let error = serde_json::from_value::<Judgement>(known).unwrap_err().to_string();
        assert!(error.contains("2 rows of 2 counts"), "{error}");
    }
}

/// A head has the title and the summary that its report gives it; without them, its name and no summary.
#[test]
fn heads_are_named_by_the_report() {
    let mut known = fit(&judgement(&names(2), |_| 0.5, |_| 10, &json!([[1, 1], [1, 1]])));
    let page = |known: &Value| {
        let head: FitReport = serde_json::from_value(known.clone()).unwrap();
        assert_eq!(&serde_json::to_value(&head).unwrap(), known);
        let facts = Facts { report: Report { heads: vec![head], ..Report::default() }, ..Facts::default() };
        (html(&facts), card(&facts))
    };
    let (old, card) = page(&known);
    assert!(old.contains("<h3>Mlp</h3><p> Features are scaled by: none.") && card.contains("Kind: mlp;"));
    known["title"] = "elastic net".into();
    known["structure"]["summary"] = "8 features, 99 weights".into();
    let (new, card) = page(&known);
    let made = "<h3>Elastic net</h3><p>8\u{a0}features, 99\u{a0}weights. Features are scaled by: none.";
    assert!(
        new.contains(made)
            && new.contains("It fitted an elastic net.")
            && new.contains("The elastic net predicts")
    );
    assert!(card.contains("# Model card: elastic net for"));
}

/// A report of an earlier version lacks what later ones added, and one of a later version has more.
#[test]
fn reports_of_other_versions_are_read() {
    let known = json!({
        "format": "headsmith-report", "version": 1, "seed": 7, "later": { "than": "this" },
        "tables": [{ "role": "train", "path": "t.csv", "n_rows": 3, "n_features": 2 }],
        "study": { "name": "s", "importance": [{ "param": "lr", "share": 1.0 }] },
        "comparison": {
            "baseline": "forest", "candidate": "mlp", "note": "",
            "difference": {
                "weighted_f1": { "observed": 0.1, "low": 0.05, "high": 0.15, "p_value": 0.01 },
                "accuracy": { "observed": 0.1, "low": 0.05, "high": 0.15, "p_value": 0.01 },
            },
        },
    });
    let read: Report = serde_json::from_value(known).unwrap();
    assert_eq!((read.seed, read.tables[0].n_rows, read.metric), (7, 3, Default::default()));
    let page = html(&Facts { report: read, ..Facts::default() });
    assert!(page.contains("0 classes from t.csv") && page.contains("The mlp is better than the forest"));
}
