//! The page and the card of a search over heads: which model, how sure its score is, and the cost of a simpler one.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

mod sample;

use headsmith_report::schema::{AutoReport, Report};
use headsmith_report::{Facts, card, html};
use sample::{fit, judgement, table};
use serde_json::{Value, json};

fn candidate(head: &str, title: &str, scores: (f64, f64), times: (f64, f64), member: (f64, f64)) -> Value {
    let kernel = (head == "kernel").then(|| json!("rbf"));
    json!({
        "head": head, "title": title, "params": { "alpha": 0.5, "gamma": "auto", "kernel": kernel, "scale": "<none>" },
        "telling": ["kernel", "scale", "alpha", "gamma"],
        "score": scores.0, "log_loss": scores.1, "seconds": times.0, "at_seconds": times.1, "n_steps": 3,
        "n_bytes": if head == "kernel" { 2_300_000 } else { 8_344 },
        "predict_seconds": if head == "kernel" { 6.4e-4 } else { 3.2e-6 },
        "weight": member.0, "gain": member.1,
    })
}

fn difference(observed: f64, low: f64, high: f64) -> Value {
    let of = |sign: f64| {
        let (a, b) = (sign * low, sign * high);
        json!({ "observed": sign * observed, "low": a.min(b), "high": a.max(b), "p_value": 0.0123 })
    };
    json!({ "weighted_f1": of(1.0), "accuracy": of(1.0), "log_loss": of(-1.0) })
}

fn comparison(baseline: &str, observed: f64, low: f64, high: f64) -> Value {
    json!({
        "metric": "weighted_f1", "baseline": baseline, "candidate": "pool of 2 heads", "note": "",
        "difference": difference(observed, low, high),
    })
}

/// A search that tried four candidates and pooled two.
fn auto() -> Value {
    json!({
        "n_steps": 12, "search_seconds": 24.5, "n_rows": 4000, "n_folds": 5, "n_fitted": 4000, "repeat": "--steps 12",
        "left_out": [["forest", "it needs about 900 MB <beside> the rows"]],
        "candidates": [
            candidate("ridge", "ridge regression", (0.6056, 0.8734), (0.5, 0.6), (0.25, 0.0042)),
            candidate("kernel", "kernel machine", (0.6412, 0.8071), (12.3, 15.1), (0.75, 0.0)),
            candidate("knn", "nearest neighbours", (0.5568, 0.9008), (2.8, 17.9), (0.0, 0.0)),
            candidate("linear", "logistic regression", (0.5986, 0.8759), (6.0, 23.9), (0.0, 0.0)),
        ],
        "calibration": "temperature", "calibrations": [["identity", 0.8035], ["temperature", 0.8029]],
        "decision": [0.0, 0.3375], "n_bytes": 2_308_344, "predict_seconds": 6.432e-4,
        "against_first": comparison("ridge regression", 0.04, 0.02, 0.06),
        "against_runner_up": comparison("kernel machine", 0.0035, -0.0002, 0.0074),
        "simpler": {
            "candidate": 0, "title": "ridge regression", "difference": difference(0.04, 0.02, 0.06),
            "is_as_good": false, "is_taken": false,
        },
    })
}

/// A report of a search without validation rows, whose judge is each training row, predicted by fits without it.
fn report(auto: Value) -> Report {
    let classes = ["no".to_owned(), "yes".to_owned()];
    let scored = |used_for: Value, f1: f64| {
        let mut scored = judgement(&classes, |_| 0.5, |_| 2000, &json!([[1000, 1000], [500, 1500]]));
        (scored["used_for"], scored["caution"], scored["weighted_f1"]) = (used_for, Value::Null, json!(f1));
        scored["n_samples"] = json!(4000);
        scored
    };
    let mut answer = fit(&scored(json!(["weights"]), 0.9));
    answer["val"] = Value::Null;
    answer["out_of_fold"] = scored(json!([]), 0.6447);
    (answer["head"], answer["title"], answer["params"]) =
        (json!("pool"), json!("pool of 2 heads"), json!({}));
    Report {
        classes: classes.clone().into(),
        tables: vec![table("train", &classes, |_| 2000)],
        heads: vec![serde_json::from_value(answer).unwrap()],
        auto: Some(serde_json::from_value(auto).unwrap()),
        chosen: "pool".to_owned(),
        ..Report::default()
    }
}

fn facts(report: Report) -> Facts {
    Facts { report, ..Facts::default() }
}

/// The text of a part of the page between two marks, without its tags.
fn text(page: &str, from: &str, to: &str) -> String {
    let (_, part) = page.split_once(from).unwrap_or_else(|| panic!("the page has {from}"));
    let part = &part[..part.find(to).unwrap_or(part.len())];
    let words = part.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    words
        .collect::<Vec<_>>()
        .join(" ")
        .replace('\u{a0}', " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn says(text: &str, all: &[&str]) {
    for said in all {
        assert!(text.contains(said), "{said}\n is not in \n{text}");
    }
}

#[test]
fn the_result_says_which_model_how_sure_and_at_what_cost() {
    let page = html(&facts(report(auto())));
    let result = text(&page, "<section id=\"answer\">", "</section>");
    says(
        &result,
        &[
            "The pool of 2 heads predicts 0.6447 weighted F1 on 4,000 out-of-fold rows, each predicted by fits without it",
            "The model is a pool of 2 heads: kernel machine (rbf) with weight 0.75 and ridge regression with weight 0.25.",
            "calibrated (temperature). Its classes are decided for weighted F1",
            "It was fitted on 4,000 rows; its file has about 2.3 MB, and a prediction takes about 643 µs a row.",
            "The model (pool of 2 heads) is better than the first candidate (ridge regression): weighted F1 +0.0400",
            "The difference between the model (pool of 2 heads) and the best other candidate by log loss (kernel machine) is not significant",
            "A ridge regression would be a simpler model: 8 kB instead of 2.3 MB, 3.2 µs a row instead of 643 µs; its weighted F1 differs by \
             −0.0400 (95% interval −0.0600 to −0.0200, paired bootstrap on the same rows): significantly worse.",
            "Each of the 4,000 training rows was predicted by fits without it",
            "On the training rows its weighted F1 is 0.9000, +0.2553 compared with the out-of-fold rows.",
            "first: ridge regression 0.6056",
            "best alone: kernel machine 0.6412",
        ],
    );
    assert!(!result.contains("baseline") && !result.contains("optimistic"), "{result}");
    let lead = text(&page, "class=\"lead\"", "</header>");
    says(&lead, &["It tried 4 candidates in 24.5 s and fitted a pool of 2 heads on 4,000 rows."]);
    let scores = text(&page, "<section id=\"scores\">", "</section>");
    says(&scores, &["pool, out of fold pool, training", "training rows, each predicted by fits without it"]);
}

#[test]
fn the_search_has_its_candidates_members_and_choices() {
    let page = html(&facts(report(auto())));
    let search = text(&page, "<section id=\"search\">", "</section>");
    says(
        &search,
        &[
            "The search tried 4 candidates in 12 steps; it ended 24.5 s after the start.",
            "in closed form where a head has one, in 5 folds elsewhere",
            "Weighted F1 against time",
            "candidate 2, kernel machine: weighted F1 0.6412, took 12.3 s, ready after 15.1 s",
            "the model: weighted F1 0.6447",
            "Log loss against time",
            "2 kernel machine kernel rbf, scale &lt;none&gt;, alpha 0.5 0.6412 0.8071 12.3 s 15.1 s 3 2.3 MB 640 µs",
            "2 kernel machine 0.750 first 12.3 s 2.3 MB 640 µs 1 ridge regression 0.250 0.0042",
            "forest: it needs about 900 MB &lt;beside&gt; the rows",
            "identity 0.8035 temperature 0.8029 taken",
            "no +0.0000 yes +0.3375",
            "first candidate: ridge regression weighted F1 higher +0.0400 +0.0200 to +0.0600 0.0123",
            "best other candidate by log loss: kernel machine log loss lower −0.0035 −0.0074 to +0.0002 0.0123",
            "the first 12.",
            "--steps 12",
        ],
    );
    // The table of a figure has the candidates that were better than all before them.
    let numbers = text(&page, "<th scope=\"col\">ready after</th>", "</details>");
    says(&numbers, &["1 ridge regression 0.60 s 0.6056 2 kernel machine 15.1 s 0.6412"]);
    assert!(!numbers.contains("nearest neighbours"), "{numbers}");
    assert!(!page.contains("NaN") && !page.contains("<none>") && !page.contains("<beside>"));
    let model = text(&page, "<section id=\"model\">", "</section>");
    says(&model, &["Member 2: kernel machine, weight 0.750", "Member 1: ridge regression, weight 0.250"]);
}

#[test]
fn the_card_has_the_model_and_its_members() {
    let card = card(&facts(report(auto()))).replace('\u{a0}', " ");
    says(
        &card,
        &[
            "# Model card: pool of 2 heads for no, yes",
            "- Member with weight 0.750: kernel machine: alpha = 0.5, gamma = auto, kernel = rbf, scale = &lt;none&gt;",
            "The model is a pool of 2 heads",
            "On 4,000 out-of-fold rows, each predicted by fits without it.",
            "A ridge regression would be a simpler model",
            "All scores apply to rows like the out-of-fold rows",
        ],
    );
}

#[test]
fn a_single_head_and_a_simpler_one_that_was_taken() {
    let mut known = auto();
    for (i, weight) in [(0, 1.0), (1, 0.0)] {
        known["candidates"][i]["weight"] = json!(weight);
        known["candidates"][i]["gain"] = json!(0.0);
    }
    known["simpler"]["is_as_good"] = json!(true);
    known["simpler"]["is_taken"] = json!(true);
    (known["decision"], known["calibration"]) = (json!([]), json!("identity"));
    (known["against_first"], known["left_out"]) = (Value::Null, json!([]));
    let mut report = report(known);
    report.heads[0].title = Some("ridge regression".to_owned());
    let page = html(&facts(report));
    let result = text(&page, "<section id=\"answer\">", "</section>");
    says(
        &result,
        &[
            "The model is a ridge regression.",
            "It predicts the most probable class.",
            "The model is a ridge regression, the simpler one that --prefer simple asks for",
        ],
    );
    // The model itself is no line of its own beside the score.
    assert!(!result.contains("first: ") && result.contains("best alone: kernel machine"));
    assert!(!page.contains("Members of the model") && !page.contains("Heads that were left out"));
}

#[test]
fn validation_rows_judge_or_choose() {
    let mut known = auto();
    known["n_fitted"] = json!(5000);
    let mut judged = report(known.clone());
    judged.heads[0].val = judged.heads[0].out_of_fold.clone();
    let page = html(&facts(judged));
    let result = text(&page, "<section id=\"answer\">", "</section>");
    says(
        &result,
        &[
            "weighted F1 on 4,000 validation rows",
            "The validation rows took no part in any choice: the score is not optimistic.",
            "the final model then learnt from them, too: 5,000 rows in all.",
            "the model, out of fold 0.6447",
        ],
    );
    known["is_chosen_on_val"] = json!(true);
    let mut chosen = report(known);
    chosen.heads[0].val = chosen.heads[0].out_of_fold.take();
    chosen.heads[0].val.as_mut().unwrap().used_for = vec!["members".to_owned(), "decision".to_owned()];
    let page = html(&facts(chosen));
    says(
        &text(&page, "<section id=\"answer\">", "</section>"),
        &["The score on the validation rows is optimistic: these rows chose the members and the decision"],
    );
    says(
        &text(&page, "<section id=\"search\">", "</section>"),
        &["which also chose the members", "the model: weighted"],
    );
}

#[test]
fn a_search_that_was_killed_has_its_candidates() {
    let whole: AutoReport = serde_json::from_value(auto()).unwrap();
    let candidates = whole.candidates.into_iter().take(2);
    let candidates = candidates.map(|mut candidate| {
        (candidate.weight, candidate.gain) = (0.0, 0.0);
        candidate
    });
    let auto = AutoReport { candidates: candidates.collect(), ..AutoReport::default() };
    let page = html(&facts(Report { auto: Some(auto), ..Report::default() }));
    let result = text(&page, "<section id=\"answer\">", "</section>");
    says(
        &result,
        &[
            "No model was fitted on all rows. The best of 2 so far is a kernel machine (rbf): weighted F1 0.6412, log loss 0.8071, \
             out of fold.",
        ],
    );
    let search = text(&page, "<section id=\"search\">", "</section>");
    says(
        &search,
        &["The search did not end: 2 candidates had been tried", "Weighted F1 against time", "15.1 s"],
    );
    for absent in ["Calibration and decision", "The same search again", "simpler"] {
        assert!(!search.contains(absent) && !result.contains(absent), "{absent}");
    }
}
