//! Suggestions of TPE on a history, timed: `suggest FILE` reads the history, and for each line on standard input says
//! how many seconds one more suggestion took. `bench/peers/study_samplers.py` measures others beside it.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::time::Instant;

use headsmith_kernels::philox::Philox;
use headsmith_study::samplers::{History, Sampler, Tpe};
use headsmith_study::{Attributes, Direction, Distribution, Params, Space, SpaceParam, State, Trial};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Recorded {
    /// Name, distribution in Optuna's JSON, and the trials' values as they are inside.
    params: Vec<(String, String, Vec<f64>)>,
    /// The trials' objective values.
    values: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: suggest FILE")?;
    let recorded: Recorded = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let space = space(&recorded)?;
    let finished = finished(&recorded, &space);
    let history = History { direction: Direction::Minimize, finished: &finished, running: &[] };
    let (tpe, fixed) = (Tpe::default(), Params::new());
    for (line, number) in stdin().lock().lines().zip(finished.len() as u32..) {
        line?;
        let mut draws = Philox::new(1, number, 0).sequence(0, 0);
        let start = Instant::now();
        let params = tpe.suggest(&space, history, number.into(), &fixed, &mut draws);
        writeln!(stdout(), "{} {}", start.elapsed().as_secs_f64(), params.len())?;
    }
    Ok(())
}

fn space(recorded: &Recorded) -> headsmith_study::Result<Space> {
    let params = recorded.params.iter().map(|(name, json, _)| {
        Ok(SpaceParam { name: name.clone(), distribution: Distribution::from_json(json)?, when: None })
    });
    Space::new(params.collect::<headsmith_study::Result<_>>()?)
}

fn finished(recorded: &Recorded, space: &Space) -> Vec<Arc<Trial>> {
    let trial = |(i, value): (usize, &f64)| {
        let params = space.params.iter().zip(&recorded.params);
        let params =
            params.map(|(param, (name, _, column))| (name.clone(), (param.distribution.clone(), column[i])));
        Arc::new(Trial {
            id: i as i64,
            number: i as u64,
            state: State::Complete,
            value: Some(*value),
            params: params.collect(),
            intermediate: Default::default(),
            user_attrs: Attributes::new(),
            system_attrs: Attributes::new(),
            started: None,
            completed: None,
        })
    };
    recorded.values.iter().enumerate().map(trial).collect()
}
