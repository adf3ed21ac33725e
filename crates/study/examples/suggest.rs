//! Times TPE's suggestions on a history: `suggest FILE` reads the history, and for each line on standard input prints
//! the seconds of one more suggestion. Each suggestion's trial is complete before the next one, with a value of the
//! history. `bench/peers/study_samplers.py` compares them with others.

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
    /// Name, distribution in Optuna's JSON, and the trials' internal values.
    params: Vec<(String, String, Vec<f64>)>,
    /// The trials' objective values.
    values: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: suggest FILE")?;
    let recorded: Recorded = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let space = space(&recorded)?;
    let mut finished = finished(&recorded, &space);
    let (tpe, fixed) = (Tpe::default(), Params::new());
    for (line, value) in stdin().lock().lines().zip(recorded.values.iter().cycle()) {
        line?;
        let number = finished.len() as u64;
        let mut draws = Philox::new(1, number as u32, 0).sequence(0, 0);
        let start = Instant::now();
        let history = History { direction: Direction::Minimize, finished: &finished, running: &[] };
        let params = tpe.suggest(&space, history, number, &fixed, &mut draws);
        writeln!(stdout(), "{} {}", start.elapsed().as_secs_f64(), params.len())?;
        finished.push(complete(number, *value, params));
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
        complete(i as u64, *value, params.collect())
    };
    recorded.values.iter().enumerate().map(trial).collect()
}

fn complete(number: u64, value: f64, params: Params) -> Arc<Trial> {
    Arc::new(Trial {
        id: number as i64,
        number,
        state: State::Complete,
        value: Some(value),
        params,
        intermediate: Default::default(),
        user_attrs: Attributes::new(),
        system_attrs: Attributes::new(),
        started: None,
        completed: None,
        ..Trial::default()
    })
}
