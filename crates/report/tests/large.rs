//! A page of many classes, epochs and trials stays small and whole.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

use headsmith_report::{Facts, Trial, card, html};
use serde_json::{Value, json};

const N_CLASSES: usize = 100;

fn name(class: usize) -> String {
    format!("a class of some name, number {class}")
}

fn classes(of: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..N_CLASSES).map(of).collect()
}

fn head() -> Value {
    let interval = json!({ "low": 0.61234, "high": 0.65432 });
    let curve = |class: usize| {
        let points: Vec<[f64; 3]> =
            (0..200).map(|i| [1.0 - f64::from(i) / 200.0, f64::from(i) / 200.0, 0.7123]).collect();
        json!({ "class": name(class), "points": points })
    };
    let scores = json!({ "loss": 0.71234, "weighted_f1": 0.61234 });
    let judgement = json!({
        "weighted_f1": 0.63, "n_samples": 100_000, "ece": 0.1,
        "per_class": classes(|c| json!({ "class": name(c), "precision": 0.6, "recall": 0.6, "f1": 0.6, "support": 1000 })),
        "confusion": classes(|_| json!(vec![7; N_CLASSES])),
    });
    json!({
        "head": "mlp", "best_epoch": 400, "val": judgement, "train": judgement,
        "history": (0..2000).map(|epoch| json!({ "epoch": epoch, "train": scores, "val": scores })).collect::<Vec<_>>(),
        "evidence": {
            "per_class": classes(|c| json!({ "class": name(c), "precision": interval, "recall": interval, "f1": interval })),
            "roc": (0..24).map(curve).collect::<Vec<_>>(),
            "precision_recall": (0..24).map(curve).collect::<Vec<_>>(),
        },
    })
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
    let report =
        json!({ "classes": classes(|c| name(c).into()), "heads": [head()], "chosen": "mlp", "study": {} });
    let facts = Facts { report, trials: (0..5000).map(trial).collect(), unfinished: None };
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
fn report_of(n: usize, rows: impl Fn(usize) -> usize) -> Value {
    let names: Vec<String> = (0..n).map(|c| format!("kind-{c:04}")).collect();
    let per_class: Vec<Value> = (0..n)
        .map(|c| {
            let f1 = c as f64 / n as f64;
            json!({ "class": names[c], "precision": 0.5, "recall": 0.5, "f1": f1, "support": rows(c) })
        })
        .collect();
    let labels: Vec<Value> = (0..n).map(|c| json!({ "class": names[c], "count": rows(c) })).collect();
    let table =
        |role| json!({ "role": role, "path": "t.csv", "n_rows": 100_000, "n_features": 8, "labels": labels });
    json!({
        "classes": names, "chosen": "mlp", "tables": [table("train"), table("val")],
        "heads": [{ "head": "mlp", "val": { "weighted_f1": 0.5, "per_class": per_class } }],
    })
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
