//! Compares every pruner with no pruning and with "train all one epoch, keep the best", on recorded learning curves.
//!
//! ```text
//! cargo run --release -p headsmith-study --example pruners -- [--json] curves.jsonl [lag] [pruner ..]
//! ```
//!
//! Each line of `curves.jsonl` is a trial that ran to its end: `{"values": [0.41, 0.47, ..], "seconds": [0.21, 0.2,
//! ..]}`, its validation score after each epoch (higher is better) and the seconds of each epoch, or one number for
//! all. Other keys (`params`) are ignored. Without a file, the curves are generated.
//!
//! The trials are replayed in 50 random orders, one after another. The regret is the best value in the file minus the
//! best seen so far, averaged over the orders, at shares of the time without pruning. If a pruner finishes early, its
//! regret stays constant: the rest of the time could have been used for more trials. With `--json` each pruner is one
//! line of JSON with its regret at many times, for a chart.

use std::sync::Arc;
use std::time::Instant;

use headsmith_kernels::Philox;
use headsmith_study::pruners::{Curve, Peers, Pruner, Replay, parse, replay};
use headsmith_study::{Attributes, Direction, Params, State, Trial};

const PRUNERS: [&str; 13] = [
    "none",
    "one-epoch",
    "one-epoch:epochs=3",
    "median",
    "percentile",
    "halving",
    "hyperband",
    "asha",
    "patient-hyperband",
    "patient-hyperband:faithful=false",
    "patient-asha:patience=3",
    "threshold:lower=0.3",
    "wilcoxon",
];

/// Shares of the time without pruning.
const SHARES: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

const N_ORDERS: u32 = 50;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).peekable();
    let as_json = arguments.next_if(|first| first == "--json").is_some();
    let curves = match arguments.next() {
        Some(file) => read(&file)?,
        None => made_up(160, 100),
    };
    let lag = arguments.next().map_or(Ok(1), |lag| lag.parse())?;
    let mut pruners: Vec<String> = arguments.collect();
    if pruners.is_empty() {
        pruners = PRUNERS.map(String::from).to_vec();
    }
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0) as i64;
    let best = curves.iter().flat_map(|c| &c.values).copied().fold(f64::NEG_INFINITY, f64::max);
    let whole = replay(&headsmith_study::pruners::Nop, Direction::Maximize, &curves, 1).seconds;
    let worst = curves.iter().flat_map(|c| &c.values).copied().fold(f64::INFINITY, f64::min);
    if as_json {
        for name in pruners {
            let played = play(parse(&name, Some(epochs))?.as_ref(), &curves, lag);
            println!("{}", series(&name, &played, whole, (best, worst)));
        }
        return Ok(());
    }
    println!(
        "{} trials of {epochs} epochs, {whole:.1} s without pruning, best {best:.4}, lag {lag}\n",
        curves.len()
    );
    let shares = SHARES.map(|share| format!("{:.0}%", 100.0 * share)).join(" | ");
    let history = history(10_001);
    println!("| pruner | time | complete | regret after {shares} of the time | µs a verdict |");
    println!("|---|---|---|{}---|", "---|".repeat(SHARES.len()));
    for name in pruners {
        let pruner = parse(&name, Some(epochs))?;
        let played = play(pruner.as_ref(), &curves, lag);
        let mean = |of: &dyn Fn(&Replay) -> f64| played.iter().map(of).sum::<f64>() / played.len() as f64;
        let regrets = SHARES.map(|share| format!("{:.4}", regret(&played, share * whole, (best, worst))));
        let regrets = regrets.join(" | ");
        println!(
            "| `{name}` | {:.1}% | {:.1} | {regrets} | {:.0} |",
            100.0 * mean(&|r| r.seconds / whole),
            mean(&|r| r.n_complete as f64),
            cost(pruner.as_ref(), &history[1..], &history[0]),
        );
    }
    Ok(())
}

/// The mean regret of the studies after so many seconds; before any value, that of the worst value.
fn regret(played: &[Replay], seconds: f64, (best, worst): (f64, f64)) -> f64 {
    played.iter().map(|r| best - r.best_at(seconds).unwrap_or(worst)).sum::<f64>() / played.len() as f64
}

/// A pruner's regret at times that grow by a tenth, until its studies end.
fn series(name: &str, played: &[Replay], whole: f64, range: (f64, f64)) -> serde_json::Value {
    let end = played.iter().map(|r| r.seconds).sum::<f64>() / played.len() as f64;
    let times = std::iter::successors(Some(whole / 1000.0), |at| Some(1.1 * at)).take_while(|at| *at < end);
    let times: Vec<f64> = times.chain([end]).collect();
    let regrets: Vec<f64> = times.iter().map(|at| regret(played, *at, range)).collect();
    serde_json::json!({ "pruner": name, "seconds": times, "regret": regrets })
}

fn play(pruner: &dyn Pruner, curves: &[Curve], lag: usize) -> Vec<Replay> {
    let order = |seed: u32| {
        let mut order: Vec<&Curve> = curves.iter().collect();
        Philox::new(1, seed, 0).sequence(0, 0).shuffle(&mut order);
        replay(pruner, Direction::Maximize, order, lag)
    };
    (0..N_ORDERS).map(order).collect()
}

fn read(file: &str) -> Result<Vec<Curve>, Failure> {
    let text = std::fs::read_to_string(file)?;
    let mut curves = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let trial: serde_json::Value =
            serde_json::from_str(line).map_err(|e| format!("{file}:{number}: {e}"))?;
        let numbers = |key: &str| match &trial[key] {
            serde_json::Value::Array(list) => {
                Some(list.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect())
            }
            one => one.as_f64().map(|one| vec![one]),
        };
        let missing = |key: &str| format!("{file}:{number}: there is no list `{key}`");
        curves.push(Curve {
            values: numbers("values").ok_or_else(|| missing("values"))?,
            seconds: numbers("seconds").ok_or_else(|| missing("seconds"))?,
        });
    }
    Ok(curves)
}

/// Curves that rise to their end at different speeds, some of which fall again, with noise.
fn made_up(n_trials: u32, n_epochs: usize) -> Vec<Curve> {
    let curve = |trial: u32| {
        let mut draws = Philox::new(7, trial, 0).sequence(0, 0);
        let end = 0.45 + 0.2 * (draws.uniform() * draws.uniform()).sqrt();
        let pace = 1.0 + 30.0 * draws.uniform() * draws.uniform();
        let fall = 0.001 * draws.uniform() * draws.uniform();
        let seconds = 0.05 + 0.3 * draws.uniform();
        let mut value = |epoch: usize| {
            let epoch = epoch as f64;
            end - (end - 0.33) * (-(epoch + 1.0) / pace).exp() - fall * epoch + 0.01 * (draws.uniform() - 0.5)
        };
        Curve { values: (0..n_epochs).map(&mut value).collect(), seconds: vec![seconds] }
    };
    (0..n_trials).map(curve).collect()
}

/// The microseconds of the most expensive verdict on a trial of 27 epochs with 10,000 other trials: for each verdict
/// the median of five runs.
fn cost(pruner: &dyn Pruner, history: &[Arc<Trial>], trial: &Trial) -> f64 {
    let peers = Peers { study_name: "study", direction: Direction::Maximize, trials: history };
    let mut trial = Trial { system_attrs: Attributes::new(), ..trial.clone() };
    let full = std::mem::take(&mut trial.intermediate);
    let mut dearest = 0.0;
    for (step, value) in full {
        trial.intermediate.insert(step, value);
        let timed = || {
            let started = Instant::now();
            let verdict = pruner.judge(peers, &trial);
            (started.elapsed().as_secs_f64(), verdict)
        };
        let mut times = [(); 5].map(|()| timed());
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let [.., (seconds, verdict), _, _] = times;
        dearest = f64::max(dearest, seconds);
        trial.system_attrs.extend(verdict.remember);
    }
    1e6 * dearest
}

/// Trials of 27 epochs with attributes for their first three rungs; every third is complete.
fn history(n_trials: u32) -> Vec<Arc<Trial>> {
    let trial = |(number, curve): (u64, Curve)| {
        let rungs = [1, 3, 9].iter().enumerate();
        Arc::new(Trial {
            id: number as i64,
            number,
            state: if number % 3 == 0 { State::Complete } else { State::Pruned },
            value: curve.values.last().copied(),
            params: Params::new(),
            system_attrs: rungs
                .map(|(r, &step)| (format!("completed_rung_{r}"), curve.values[step].into()))
                .collect(),
            intermediate: (0..).zip(curve.values).collect(),
            user_attrs: Attributes::new(),
            started: None,
            completed: None,
            ..Trial::default()
        })
    };
    (0..).zip(made_up(n_trials, 27)).map(trial).collect()
}
