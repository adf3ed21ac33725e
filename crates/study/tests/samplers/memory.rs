//! TPE's cached table does not affect its suggestions.

use std::sync::Arc;

use headsmith_kernels::philox::Philox;
use headsmith_study::samplers::{History, Sampler, Tpe};
use headsmith_study::{Params, Trial};

use crate::history::read;

/// A sampler that saw the history grow, shrink and change suggests the same as a new one.
#[test]
fn suggestions_are_a_function_of_the_history() {
    let mut n_compared = 0;
    for recorded in read(include_str!("../data/samplers/scores.json")) {
        let Some(space) = recorded.whole_space() else { continue };
        let seen = recorded.seen();
        let History { direction, finished, running } = seen.history();
        let old = Tpe::default();
        let mut compare = |finished: &[Arc<Trial>], running: &[(u64, Params)], number: u64| {
            let history = History { direction, finished, running };
            let suggest = |tpe: &Tpe| {
                let mut draws = Philox::new(3, number as u32, 0).sequence(0, 0);
                tpe.suggest(&space, history, number, &Params::new(), &mut draws)
            };
            assert_eq!(suggest(&old), suggest(&Tpe::default()), "{}", recorded.name);
            n_compared += 1;
        };
        let n = finished.len();
        let step = (n / 12).max(1);
        for end in (0..=n).step_by(step).chain([n]) {
            let running = &running[..running.len().min(end)];
            compare(&finished[..end], running, end as u64);
        }
        // A trial finishes before earlier ones do.
        for gap in [0, n / 2] {
            let without: Vec<_> =
                finished.iter().take(gap).chain(finished.iter().skip(gap + 1)).cloned().collect();
            compare(&without, running, n as u64);
            compare(finished, &[], n as u64);
        }
    }
    assert!(n_compared > 300);
}
