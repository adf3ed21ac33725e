//! The plain view of a study: a line for each trial that ended, against what the study's database says of it.

use serde_json::Value;

use crate::world::World;

const TUNE: &str = "tune --preset classic --train train.csv --val val.csv --epochs 12 --neurons1 6 --neurons2 6 --study s --storage s.db";

/// A trial's line, in its parts.
#[derive(Debug, PartialEq)]
struct Line {
    number: u64,
    state: String,
    value: String,
    n_epochs: u64,
    seconds: f64,
    rest: String,
}

/// The lines of trials among what was said.
fn lines(said: &[u8]) -> Vec<Line> {
    let said = String::from_utf8(said.to_vec()).unwrap();
    let trials = said.lines().filter(|line| line.starts_with("trial "));
    trials
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, number, state, value, n_epochs, _, seconds, "s", rest @ ..] = &words[..] else {
                panic!("{line}")
            };
            Line {
                number: number.parse().unwrap(),
                state: (*state).to_owned(),
                value: (*value).to_owned(),
                n_epochs: n_epochs.parse().unwrap(),
                seconds: seconds.parse().unwrap(),
                rest: rest.join(" "),
            }
        })
        .collect()
}

/// The study's trials as its database has them.
fn trials(world: &World) -> Vec<Value> {
    world.run("study export --storage s.db --study s --out trials.json --json", 0);
    serde_json::from_str(&world.read("trials.json")).unwrap()
}

/// Compares the lines with the trials that they tell of, and each line's sums with the lines before.
fn are_the_studys(lines: &[Line], trials: &[Value], n_before: usize, n_trials: usize) {
    let before = trials.iter().take(n_before).filter(|trial| trial["state"] == "complete");
    let mut best: Option<(f64, u64)> = before
        .map(|trial| (trial["value"].as_f64().unwrap(), trial["number"].as_u64().unwrap()))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    for (i, line) in lines.iter().enumerate() {
        let trial = &trials[line.number as usize];
        assert_eq!(line.state, trial["state"].as_str().unwrap(), "{line:?}");
        assert_eq!(line.value, format!("{:.4}", trial["value"].as_f64().unwrap()), "{line:?}");
        assert_eq!(line.n_epochs, trial["reports"].as_array().unwrap().len() as u64, "{line:?}");
        let seconds = trial["seconds"].as_f64().unwrap();
        assert!((line.seconds - seconds).abs() < 0.25, "{line:?} took {seconds}");
        let value = trial["value"].as_f64().filter(|_| line.state == "complete");
        if let Some(value) = value.filter(|value| best.is_none_or(|best| *value > best.0)) {
            best = Some((value, line.number));
        }
        let best = best.map_or("none complete yet".to_owned(), |(value, number)| {
            format!("best {value:.4} (trial {number})")
        });
        let expected = format!("{}/{n_trials} done, {best}", n_before + i + 1);
        assert!(line.rest.starts_with(&expected), "{line:?}, expected {expected}");
    }
    let mut numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
    numbers.sort_unstable();
    let expected: Vec<u64> = (n_before..n_trials).map(|n| n as u64).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn each_trial_that_ended_is_a_line_with_the_studys_own_numbers() {
    let world = World::with_tables();
    let first = lines(&world.run(&format!("{TUNE} --trials 14 --jobs 2 --live plain"), 0).stderr);
    let states: Vec<&str> = first.iter().map(|line| line.state.as_str()).collect();
    assert!(states.contains(&"complete") && states.contains(&"pruned"), "{states:?}");
    are_the_studys(&first, &trials(&world), 0, 14);
    // Where there is no terminal, `auto` is the same; what was done before counts.
    let more = lines(&world.run(&format!("{TUNE} --trials 20 --jobs 3"), 0).stderr);
    are_the_studys(&more, &trials(&world), 14, 20);
}

#[test]
fn who_wants_no_progress_hears_of_no_trial() {
    let world = World::with_tables();
    for quiet in ["--quiet", "--live off", "--live plain --quiet"] {
        let said = world.run(&format!("{TUNE} --trials 3 {quiet}"), 0).stderr;
        assert_eq!(String::from_utf8(said).unwrap(), "", "{quiet}");
        world.run("study delete --storage s.db --study s --yes", 0);
    }
}

#[test]
fn a_trial_that_fails_is_one_line_with_its_message() {
    let world = World::with_tables();
    // One row that no float can square.
    let row = "\"[3e38, -3e38, 3e38, -3e38, 3e38, -3e38]\",neutral\n\"[";
    world.write("huge.csv", &world.read("train.csv").replacen("\"[", row, 1));
    let command =
        format!("{} --trials 2 --scale none --layer-norms 0", TUNE.replace("train.csv", "huge.csv"));
    let said = world.run(&command, 0).stderr;
    let lines = lines(&said);
    let trials = trials(&world);
    assert_eq!(lines.len(), 2);
    for line in &lines {
        let reason = trials[line.number as usize]["reason"].as_str().unwrap();
        assert_eq!((line.state.as_str(), line.value.as_str()), ("failed", "-"));
        assert!(
            line.rest.contains("/2 done, none complete yet") && line.rest.ends_with(&format!(": {reason}")),
            "{line:?}"
        );
    }
    assert!(!String::from_utf8(said).unwrap().contains("warning: trial"), "it is said once");
}

#[cfg(unix)]
#[test]
fn a_trial_that_is_cut_short_is_called_interrupted() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let world = World::with_tables();
    let endless = "tune --train train.csv --val val.csv --epochs 1000000 --patience none --pruner none --study s --storage s.db";
    let mut child = world.command(endless).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("study: 0 trials") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "the study ended before it told how far it is");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut said = Vec::new();
    stderr.read_to_end(&mut said).unwrap();
    child.wait().unwrap();
    let lines = lines(&said);
    let trials = trials(&world);
    assert!(!lines.is_empty());
    for line in &lines {
        let reports = trials[line.number as usize]["reports"].as_array().unwrap();
        let last = reports.last().map_or("-".to_owned(), |last| format!("{:.4}", last[1].as_f64().unwrap()));
        assert_eq!((line.state.as_str(), &line.value), ("interrupted", &last), "{line:?}");
        assert_eq!(line.n_epochs, reports.len() as u64);
        assert_eq!(line.rest, "0 done, none complete yet");
    }
}
