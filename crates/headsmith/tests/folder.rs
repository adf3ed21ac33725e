//! The output folder: the page has the numbers of the report, and a killed run leaves a partial report.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use headsmith::data::ReadOptions;
use headsmith::data::predictions::Columns;
use headsmith::heads::{EpochRecord, EpochScores, Event};
use headsmith::report::Report;
use headsmith::run::{RunConfig, RunHead};
use headsmith::tune::StudyConfig;
use headsmith::{Context, HeadConfig, Metric, Pool, Progress, RecordedView, View, events, folder};
use serde_json::Value;

/// Three classes, one of which has a name that must be escaped in a page.
const CLASSES: [&str; 3] = ["<b>no</b>", "maybe", "yes"];

/// Runs a small job with a study into the folder `out` and returns its report.
fn run(at: &Path) -> Value {
    for (name, n_rows, shift) in [("train.csv", 150usize, 0usize), ("val.csv", 90, 7)] {
        let row = |i: usize| {
            let class = i % 3;
            let noise = |k: usize| ((i * k + shift) % 17) as f64 / 17.0;
            let x = [class as f64 * 0.4 + noise(7), noise(5), noise(11) - class as f64 * 0.3];
            format!("\"[{}, {}, {}]\",{}\n", x[0], x[1] + shift as f64 * 1e-3, x[2], CLASSES[class])
        };
        let rows: String = (0..n_rows).map(row).collect();
        std::fs::write(at.join(name), format!("embeddings,label\n{rows}")).unwrap();
    }
    let small = [("neurons0", 8.into()), ("layers1", 0.into()), ("layers2", 0.into()), ("epochs", 6.into())];
    let candidate = HeadConfig::with_preset("mlp", "classic", small.clone()).unwrap();
    let out = at.join("out");
    let study = StudyConfig {
        head: candidate.clone(),
        fixed: small.iter().map(|(name, _)| (*name).to_owned()).collect(),
        is_around: false,
        space: None,
        n_trials: Some(5),
        timeout: None,
        n_jobs: 2,
        storage: out.join("study.db").display().to_string(),
        full_sync: false,
        outage: headsmith::tune::OUTAGE,
        name: None,
        sampler: "random".to_owned(),
        pruner: "asha".to_owned(),
        listed: false,
        lag: None,
    };
    let config = RunConfig {
        train: at.join("train.csv").into(),
        val: Some(at.join("val.csv").into()),
        val_share: 0.2,
        test: None,
        out: out.clone(),
        read: ReadOptions::default(),
        heads: vec![
            RunHead { head: HeadConfig::new("forest", [("n_estimators", 20.into())]).unwrap(), study: None },
            RunHead { head: candidate, study: Some(study) },
        ],
        search: None,
        predictions: headsmith::run::SUBMISSION.to_owned(),
        hold_back: 0.2,
        columns: Columns::All,
        command: ["headsmith", "run", "--out", "it's out"].map(str::to_owned).to_vec(),
    };
    let (pool, stop) = (Pool::new(2).unwrap(), AtomicBool::new(false));
    let mut view = |_: &Progress<'_>| {};
    headsmith::run::run(
        &config,
        &mut Context { seed: 3, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view },
    )
    .unwrap();
    serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap()
}

/// A table of the page: its rows of cells, the header first.
type Table = Vec<Vec<String>>;

/// The tables between `from` and the end of its section.
fn tables(page: &str, from: &str) -> Vec<Table> {
    let start = page.find(from).unwrap_or_else(|| panic!("the page has {from}"));
    let part = &page[start..];
    let part = &part[..part.find("</section>").unwrap()];
    part.split("<table>").skip(1).map(|table| rows(table.split("</table>").next().unwrap())).collect()
}

fn rows(table: &str) -> Table {
    let cells = |row: &str| {
        let ends = row.replace("</th>", "\u{1}").replace("</td>", "\u{1}");
        ends.split('\u{1}').map(|cell| plain(cell.rsplit('>').next().unwrap())).collect::<Vec<_>>()
    };
    let mut rows: Table = table.split("</tr>").filter(|row| row.contains("<tr>")).map(cells).collect();
    rows.iter_mut().for_each(|row| drop(row.pop()));
    rows
}

fn plain(cell: &str) -> String {
    cell.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn four(value: &Value) -> String {
    value.as_f64().map_or("undefined".to_owned(), |value| format!("{value:.4}"))
}

fn between(interval: &Value) -> String {
    format!("{} to {}", four(&interval["low"]), four(&interval["high"]))
}

/// Every number of the page is found in the report.
#[test]
fn the_page_has_the_numbers_of_the_report() {
    let at = tempfile::tempdir().unwrap();
    let report = run(at.path());
    let out = at.path().join("out");
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    let chosen =
        report["heads"].as_array().unwrap().iter().rfind(|head| head["head"] == report["chosen"]).unwrap();
    let (val, evidence) = (&chosen["val"], &chosen["evidence"]);

    assert!(page.contains(&format!("<p class=\"big\">{}</p>", four(&val["weighted_f1"]))));
    assert!(page.contains(&format!("95% interval {}", between(&val["intervals"]["weighted_f1"]))));
    let corrected = &report["study"]["selection"]["corrected"];
    assert!(page.contains(&format!("weighted F1 is {}", four(corrected))));
    let held = &chosen["held_back"];
    assert!(page.contains(&format!(
        "its weighted F1 is {} (95% interval {})",
        four(&held["weighted_f1"]),
        between(&held["intervals"]["weighted_f1"])
    )));

    let scores = &tables(&page, "<section id=\"scores\"")[0];
    let forest = &report["heads"][0];
    assert_eq!(scores[0][1..3], ["forest, validation", "forest, training"]);
    let f1 = &forest["val"];
    assert_eq!(
        scores[1][1],
        format!("{} ({})", four(&f1["weighted_f1"]), between(&f1["intervals"]["weighted_f1"]))
    );
    let ece = scores.iter().find(|row| row[0] == "calibration error").unwrap();
    assert!(ece.contains(&format!("{} ({})", four(&val["ece"]), between(&val["intervals"]["ece"]))));

    let classes = &tables(&page, "<section id=\"classes\"")[0];
    for ((row, class), of) in classes[1..]
        .iter()
        .zip(val["per_class"].as_array().unwrap())
        .zip(evidence["per_class"].as_array().unwrap())
    {
        let expected = [
            class["class"].as_str().unwrap().to_owned(),
            class["support"].to_string(),
            four(&class["precision"]),
            between(&of["precision"]),
            four(&class["recall"]),
            between(&of["recall"]),
            four(&class["f1"]),
            between(&of["f1"]),
            four(&class["roc_auc"]),
            four(&class["average_precision"]),
        ];
        assert_eq!(row[..], expected);
    }
    assert_eq!(classes.len(), 4);

    let confusion = &tables(&page, "<section id=\"confusion\"")[0];
    for (row, counts) in confusion[1..].iter().zip(val["confusion"].as_array().unwrap()) {
        let counts: Vec<String> = counts.as_array().unwrap().iter().map(Value::to_string).collect();
        assert_eq!(row[1..4], counts);
    }

    let curves = tables(&page, "<section id=\"curves\"");
    for (table, key) in curves.iter().zip(["roc", "precision_recall"]) {
        let points = evidence[key].as_array().unwrap().iter().flat_map(|curve| {
            curve["points"].as_array().unwrap().iter().map(|point| (curve["class"].as_str().unwrap(), point))
        });
        let expected: Table = points
            .map(|(class, point)| {
                let threshold = if point[0].is_null() { "above all".to_owned() } else { four(&point[0]) };
                vec![class.to_owned(), threshold, four(&point[1]), four(&point[2])]
            })
            .collect();
        assert_eq!(table[1..], expected);
    }

    let bins = &tables(&page, "<section id=\"calibration\"")[0];
    let filled = evidence["reliability"].as_array().unwrap().iter().filter(|bin| bin["n_samples"] != 0);
    let expected: Table = filled
        .map(|bin| vec![bin["n_samples"].to_string(), four(&bin["confidence"]), four(&bin["accuracy"])])
        .collect();
    assert_eq!(bins[1..].iter().map(|row| row[1..4].to_vec()).collect::<Table>(), expected);

    let learning = tables(&page, "<section id=\"learning\"");
    let mlp = &report["heads"][1];
    for (row, epoch) in learning[1][1..].iter().zip(mlp["history"].as_array().unwrap()) {
        assert_eq!(row[1..], [four(&epoch["train"]["weighted_f1"]), four(&epoch["val"]["weighted_f1"])]);
    }

    let mistakes = &tables(&page, "<section id=\"mistakes\"")[0];
    for (row, mistake) in mistakes[1..].iter().zip(evidence["mistakes"].as_array().unwrap()) {
        assert_eq!(row[..3], ["place", "label", "predicted"].map(|key| mistake[key].as_str().unwrap()));
        assert_eq!(row[3..], [four(&mistake["probability"]), four(&mistake["label_probability"])]);
    }

    let trials = tables(&page, "<section id=\"study\"").pop().unwrap();
    let best = &report["study"]["best"];
    let row = trials.iter().find(|row| row[0].parse().ok() == best["number"].as_u64()).unwrap();
    assert_eq!(row[1..3], ["complete".to_owned(), four(&best["value"])]);
    assert_eq!(trials.len(), 6);

    assert!(page.contains("headsmith run --out &#39;it&#39;\\&#39;&#39;s out&#39;"));
    assert!(!page.contains("<b>no") && !page.contains("<script"), "a name of a class does nothing");
    for address in ["src=\"", "href=\"http", "url(", "@import"] {
        assert!(!page.contains(address), "the page fetches nothing: {address}");
    }
}

/// The report's types have every field of it: reading and writing it gives the same bytes.
#[test]
fn a_report_that_is_read_is_the_report_that_was_written() {
    let at = tempfile::tempdir().unwrap();
    run(at.path());
    let bytes = std::fs::read(at.path().join("out/report.json")).unwrap();
    let read: Report = serde_json::from_slice(&bytes).unwrap();
    let mut again = serde_json::to_vec_pretty(&read).unwrap();
    again.push(b'\n');
    assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(bytes).unwrap());
}

/// Mistakes are named by the rows of the file, also if some rows are held back.
#[test]
fn mistakes_have_the_rows_of_the_file() {
    let at = tempfile::tempdir().unwrap();
    let report = run(at.path());
    let lines: Vec<String> =
        std::fs::read_to_string(at.path().join("val.csv")).unwrap().lines().map(str::to_owned).collect();
    let mut n = 0;
    for head in report["heads"].as_array().unwrap() {
        for mistake in head["evidence"]["mistakes"].as_array().unwrap() {
            let line: usize =
                mistake["place"].as_str().unwrap().strip_prefix("line ").unwrap().parse().unwrap();
            assert!(lines[line - 1].ends_with(mistake["label"].as_str().unwrap()), "{mistake}");
            n += 1;
        }
        let wrong: u64 = head["val"]["confusion"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .flat_map(|(i, row)| {
                row.as_array()
                    .unwrap()
                    .iter()
                    .enumerate()
                    .filter(move |(j, _)| i != *j)
                    .map(|(_, n)| n.as_u64().unwrap())
            })
            .sum();
        assert_eq!(head["evidence"]["n_mistakes"], wrong);
    }
    assert!(n > 0);
}

#[test]
fn the_log_records_the_run_and_continues_after_an_incomplete_line() {
    let at = tempfile::tempdir().unwrap();
    let first = run(at.path());
    let out = at.path().join("out");
    let path = out.join("events.jsonl");
    let log = events::read(&path).unwrap();
    assert_eq!((log[0]["event"].as_str(), log[0]["version"].as_u64()), (Some("begin"), Some(1)));
    assert_eq!(log[0]["started"], first["started"]);
    let fitted: Vec<&Value> =
        log.iter().filter(|event| event["event"] == "fitted").map(|event| &event["head"]).collect();
    assert_eq!(fitted[1]["val"], first["heads"][1]["val"]);
    let epochs = log.iter().filter(|event| event["event"] == "epoch").map(|event| event["record"].clone());
    assert_eq!(Value::from_iter(epochs), first["heads"][1]["history"]);
    assert_eq!(log.iter().filter(|event| event["event"] == "trial_ended").count(), 5);
    let [.., last, end] = &log[..] else { panic!("a log") };
    assert_eq!(last["path"].as_str().map(|path| path.ends_with("model-card.md")), Some(true));
    assert_eq!((&end["event"], &end["interrupted"]), (&"ended".into(), &false.into()));
    let studied = log.iter().find(|event| event["event"] == "studied").unwrap();
    assert_eq!(studied["study"], first["study"]);

    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 20);
    std::fs::write(&path, &bytes).unwrap();
    run(at.path());
    let again = events::read(&path).unwrap();
    // Only the incomplete line is lost.
    assert_eq!(again[..log.len() - 1], log[..log.len() - 1]);
    assert_eq!(again[log.len() - 1]["event"], "begin");
    assert!(std::fs::read(&path).unwrap().starts_with(&bytes), "nothing that stood there was changed");
}

#[test]
fn a_killed_run_leaves_a_partial_report() {
    let at = tempfile::tempdir().unwrap();
    let report = run(at.path());
    let out = at.path().join("out");
    assert!(folder::facts(&out).unwrap().unfinished.is_none());
    // As if it had been killed in the final fit of a second run.
    let text = std::fs::read_to_string(out.join("events.jsonl")).unwrap();
    let text = text.replace(report["started"].as_str().unwrap(), "2020-01-01T00:00:00Z");
    let third = text.match_indices("\"event\":\"epoch\"").nth(3).unwrap().0;
    std::fs::write(out.join("events.jsonl"), &text[..third + 40]).unwrap();
    let facts = folder::facts(&out).unwrap();
    let why = facts.unfinished.clone().unwrap();
    assert!(why.contains("fitted the mlp (final fit), 3 epochs in"), "{why}");
    assert_eq!(facts.report.heads.len(), 1);
    assert_eq!((facts.trials.len(), facts.report.study.as_ref().map(|study| study.n_trials)), (5, Some(5)));
    let page = out.join("killed.html");
    folder::write_page(&facts, &page).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("The run did not end"));
    assert_eq!(tables(&page, "<section id=\"learning\"")[1].len(), 4);
    // Without the database, the log has the trials.
    std::fs::remove_file(out.join("study.db")).unwrap();
    let told = folder::facts(&out).unwrap().trials;
    for (told, stored) in told.iter().zip(&facts.trials) {
        assert_eq!(
            (told.number, &told.state, &told.reports),
            (stored.number, &stored.state, &stored.reports)
        );
        assert_eq!((told.value, &told.params), (stored.value, &stored.params));
    }
    assert_eq!(told.len(), 5);
}

/// The folder may have the database and the log of an earlier run with a study.
#[test]
fn a_run_without_a_study_has_no_trials_of_another() {
    let at = tempfile::tempdir().unwrap();
    let mut report = run(at.path());
    let out = at.path().join("out");
    assert_eq!(folder::facts(&out).unwrap().trials.len(), 5);
    let write = |report: &Value| std::fs::write(out.join("report.json"), report.to_string()).unwrap();
    report["study"] = Value::Null;
    write(&report);
    assert_eq!(folder::facts(&out).unwrap().trials.len(), 0);
    // Another study's name must not bring back the trials of the log either.
    report["study"] = serde_json::json!({ "name": "another", "storage": "gone.db" });
    write(&report);
    std::fs::remove_file(out.join("study.db")).unwrap();
    assert_eq!(folder::facts(&out).unwrap().trials.len(), 0);
}

/// A recorded log of version 1, which later versions must read.
#[test]
fn a_log_of_version_1_is_read() {
    let at = tempfile::tempdir().unwrap();
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/events-v1.jsonl"),
        at.path().join("events.jsonl"),
    )
    .unwrap();
    let facts = folder::facts(at.path()).unwrap();
    assert!(facts.unfinished.is_some());
    assert_eq!(facts.report.classes, ["no", "yes"]);
    assert_eq!(facts.report.heads[0].head, "forest");
    assert_eq!(facts.trials.len(), 3);
    assert_eq!(facts.trials[0].state, "complete");
    let page = at.path().join("page.html");
    folder::write_page(&facts, &page).unwrap();
    assert!(std::fs::read_to_string(page).unwrap().contains("2 classes from train.csv"));
}

#[test]
fn other_folders_are_refused() {
    let at = tempfile::tempdir().unwrap();
    let error = folder::facts(at.path()).unwrap_err().to_string();
    assert!(error.contains("neither report.json nor events.jsonl"), "{error}");
    std::fs::write(at.path().join("report.json"), "{\"format\": \"headsmith-report\", \"version\": 9}")
        .unwrap();
    let error = folder::facts(at.path()).unwrap_err().to_string();
    assert!(error.contains("version 9") && error.contains("expected 1"), "{error}");
    std::fs::write(at.path().join("report.json"), "{").unwrap();
    assert!(folder::facts(at.path()).unwrap_err().to_string().contains("damaged"));
}

/// The number of this thread's write calls, and their bytes. `None` if the system does not count them.
fn written() -> Option<[u64; 2]> {
    let counts = std::fs::read_to_string("/proc/thread-self/io").ok()?;
    let count = |name: &str| counts.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some([count("syscw:")?, count("wchar:")?])
}

/// An epoch takes a millisecond or more; writing its event must take much less.
#[test]
fn an_event_is_written_by_one_call_and_once() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("events.jsonl");
    let mut inner = |_: &Progress<'_>| {};
    let begin = events::Begin { started: String::new(), command: Vec::new(), seed: 42, jobs: 2 };
    let mut log = RecordedView::new(events::EventLog::append(path.clone(), &begin).unwrap(), &mut inner);
    log.see(&Progress::Fitting { head: "mlp", purpose: "final fit", metric: Metric::default() });
    let scores = EpochScores {
        loss: 0.7,
        mae: 0.2,
        mse: 0.1,
        accuracy: 0.613,
        weighted_f1: 0.61,
        macro_f1: 0.6,
        balanced_accuracy: 0.6,
        mcc: 0.3,
    };
    let record =
        EpochRecord { epoch: 3, learning_rate: 1e-3, train: scores, val: Some(scores), improved: true };
    let (event, n) = (Event::Epoch(record), 20_000);
    let n_bytes = || std::fs::metadata(&path).unwrap().len();
    let (start, before, n_bytes_before) = (Instant::now(), written(), n_bytes());
    (0..n).for_each(|_| log.see(&Progress::Fit(&event)));
    println!("{:?} an event", start.elapsed() / n);
    if let (Some(before), Some(after)) = (before, written()) {
        assert_eq!(after[0] - before[0], u64::from(n));
        assert_eq!(after[1] - before[1], n_bytes() - n_bytes_before);
    }
    assert_eq!(events::read(&path).unwrap().len(), n as usize + 2);
}
