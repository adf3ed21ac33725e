//! TPE for objectives that ask for one parameter after another.

use headsmith_study::samplers::{Sampler, Tpe, draws};
use headsmith_study::{Distribution, Params, SpaceParam};

use crate::history::read;

/// Parameters drawn together and alone are those of a suggestion with the same random numbers.
#[test]
fn what_is_asked_for_is_what_is_suggested() {
    let mut n_compared = 0;
    for recorded in read(include_str!("../data/samplers/scores.json")) {
        let Some(space) = recorded.whole_space() else { continue };
        let (seen, tpe) = (recorded.seen(), Tpe::default());
        let history = seen.history();
        let number = history.finished.len() as u64;
        let suggested = tpe.suggest(&space, history, number, &Params::new(), &mut draws(3, number));
        let mut draws = draws(3, number);
        let joint = tpe.joint_space(history);
        let asked: Vec<(&str, &Distribution)> = joint.iter().map(|(name, d)| (name.as_str(), d)).collect();
        let together = tpe.sample_relative(history, &asked, &mut draws);
        for SpaceParam { name, distribution, .. } in &space.params {
            let drawn = joint.iter().zip(&together).find(|((joint, _), _)| joint == name);
            let value = match drawn {
                Some(((_, old), &value))
                    if old.is_compatible(distribution) && distribution.contains(value) =>
                {
                    value
                }
                _ => tpe.sample_independent(history, name, distribution, &mut draws),
            };
            assert_eq!(value.to_bits(), suggested[name].1.to_bits(), "{}: {name}", recorded.name);
            n_compared += 1;
        }
    }
    assert!(n_compared > 30, "{n_compared}");
}
