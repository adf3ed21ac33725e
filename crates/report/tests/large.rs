//! A page of many classes, epochs and trials stays small and whole.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

mod sample;

use headsmith_report::schema::{Report, StudyReport};
use headsmith_report::{Facts, Trial, card, html};
use sample::{fit, judgement, name, table};
use serde_json::{Value, json};

const N_CLASSES: usize = 100;

fn classes<T>(of: impl Fn(usize) -> T) -> Vec<T> {
    (0..N_CLASSES).map(of).collect()
}

fn head() -> Value {
    let interval = json!({ "low": 0.61234, "high": 0.65432 });
    let curve = |class: usize| {
        let points: Vec<[f64; 3]> =
            (0..200).map(|i| [1.0 - f64::from(i) / 200.0, f64::from(i) / 200.0, 0.7123]).collect();
        json!({ "class": name(class), "points": points })
    };
    let scores =
        json!({ "loss": 0.71234, "mae": 0.2, "mse": 0.1, "accuracy": 0.61234, "weighted_f1": 0.61234 });
    let epoch = |epoch| json!({ "epoch": epoch, "learning_rate": 0.1, "improved": true, "train": scores, "val": scores });
    let confusion = classes(|class| classes(|predicted| if class == predicted { 700 } else { 7 }));
    let per_class =
        |class| json!({ "class": name(class), "precision": interval, "recall": interval, "f1": interval });
    let mut head = fit(&judgement(&classes(name), |_| 0.6, |_| 1000, &json!(confusion)));
    head["best_epoch"] = json!(400);
    head["history"] = (0..2000).map(epoch).collect();
    head["evidence"]["per_class"] = json!(classes(per_class));
    head["evidence"]["roc"] = (0..24).map(curve).collect();
    head["evidence"]["precision_recall"] = (0..24).map(curve).collect();
    head
}

fn trial(number: u64) -> Trial {
    let noise = |k: u64| ((number * k) % 997) as f64 / 997.0;
    let params = (0..12).map(|p| (format!("parameter{p}"), json!(noise(p + 3)))).collect();
    Trial {
        number,
        state: if number.is_multiple_of(3) { "complete" } else { "pruned" }.to_owned(),
        value: Some(noise(7)),
        params,
        began: Some(number as f64),
        ended: Some(number as f64 + 9.5),
        reports: (0..100).map(|epoch| (epoch, noise(5))).collect(),
        ..Trial::default()
    }
}

#[test]
fn a_large_run_has_a_small_page() {
    let report = Report {
        classes: classes(name),
        heads: vec![serde_json::from_value(head()).unwrap()],
        study: Some(StudyReport::default()),
        ..Report::default()
    };
    let facts = Facts { report, trials: (0..5000).map(trial).collect(), ..Facts::default() };
    let page = html(&facts);
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    for part in ["classes", "confusion", "curves", "learning", "study"] {
        assert!(page.contains(&format!("<section id=\"{part}\"")), "{part}");
    }
    assert!(page.contains("All 5000 trials") && page.contains("One row in"));
    assert!(!page.contains("NaN") && !page.contains("inf\""));
    assert!(card(&facts).contains("100\u{a0}classes"));
}

/// Class `c` has `rows(c)` rows and F1 `c / n`.
fn report_of(n: usize, rows: impl Fn(usize) -> usize) -> Report {
    let classes: Vec<String> = (0..n).map(|c| format!("kind-{c:04}")).collect();
    let judgement = judgement(&classes, |c| c as f64 / n as f64, &rows, &Value::Null);
    let tables = ["train", "val"].map(|role| table(role, &classes, &rows));
    Report {
        tables: tables.into(),
        heads: vec![serde_json::from_value(fit(&judgement)).unwrap()],
        classes,
        ..Report::default()
    }
}

/// The rows of the tables in a section whose first cell names a class.
fn n_listed(page: &str, section: &str) -> usize {
    let (_, from) = page.split_once(&format!("<section id=\"{section}\"")).unwrap();
    from.split("</section>").next().unwrap().matches("<th scope=\"row\">kind-").count()
}

#[test]
fn of_a_thousand_classes_the_largest_the_worst_and_the_best_are_listed() {
    // The classes in the middle have the most rows, the first none.
    let rows = |c: usize| if (400..450).contains(&c) { 500 } else { c.min(7) };
    let facts = Facts { report: report_of(1000, rows), ..Facts::default() };
    let page = html(&facts);
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert_eq!((n_listed(&page, "data"), n_listed(&page, "classes")), (50, 50 + 10 + 10));
    let note = "Listed are the 50 classes with the most rows; report.json has all 1,000.";
    assert_eq!(page.matches(note).count(), 2);
    for drawn in
        ["Drawn are the 30 classes with the most rows.", "Drawn are the 24 classes with the most rows."]
    {
        assert!(page.contains(drawn), "{drawn}");
    }
    // The first class has no rows: the worst is the second.
    for class in [1, 10, 400, 449, 990, 999] {
        assert!(page.contains(&format!("<th scope=\"row\">kind-{class:04}</th>")), "{class}");
    }
    for class in [0, 11, 399, 450, 989] {
        assert!(!page.contains(&format!("<th scope=\"row\">kind-{class:04}</th>")), "{class}");
    }
}

#[test]
fn fifty_classes_are_all_listed() {
    let page = html(&Facts { report: report_of(50, |_| 9), ..Facts::default() });
    assert_eq!((n_listed(&page, "data"), n_listed(&page, "classes")), (50, 50));
    assert!(!page.contains("Listed are") && !page.contains("The lowest F1"));
}

#[test]
fn nothing_at_all_is_a_page_too() {
    let facts = Facts { unfinished: Some("killed at once".to_owned()), ..Facts::default() };
    assert!(html(&facts).contains("killed at once") && card(&facts).contains("killed at once"));
}
