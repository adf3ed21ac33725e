//! Compares draws with Optuna's.

use headsmith_kernels::philox::Philox;
use headsmith_study::Distribution;
use headsmith_study::samplers::Tpe;

use crate::history::read;

/// The Kolmogorov-Smirnov distance of two samples stays below its 99.99% point, for every parameter.
#[test]
fn draws_are_distributed_as_optunas() {
    let recorded = &read(include_str!("../data/samplers/draws.json"))[0];
    let seen = recorded.seen();
    let space = recorded.space();
    let params: Vec<(&str, &Distribution)> = space.iter().map(|(name, d)| (name.as_str(), d)).collect();
    let density = Tpe::default().score(seen.history(), &params, &vec![Vec::new(); params.len()]).good;
    let n = 20_000;
    let mut draws = Philox::new(7, 0, 0).sequence(0, 0);
    let drawn: Vec<Vec<f64>> = (0..n).map(|_| density.draw(&mut draws)).collect();
    let critical = 2.23 * (2.0 / f64::from(n)).sqrt();
    for (d, ((name, distribution), shares)) in params.iter().zip(&recorded.shares).enumerate() {
        let column: Vec<f64> = drawn.iter().map(|point| point[d]).collect();
        assert!(column.iter().all(|&x| distribution.contains(x)), "{name}");
        for (value, share) in shares {
            let below = column.iter().filter(|x| *x <= value).count() as f64 / f64::from(n);
            assert!((below - share).abs() < critical, "{name} at most {value}: {below}, expected {share}");
        }
    }
}
