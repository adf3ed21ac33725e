//! Grid search: each combination of the values is tried once.
//!
//! The trial's number is the number of its combination, so parallel workers never draw one twice. If parameters depend
//! on others, combinations that differ only in inactive parameters count once. A trial with fixed values replaces the
//! combination that has its number.

use std::collections::BTreeMap;

use headsmith_kernels::philox::{Sequence, philox4x32_10};

use super::{History, Sampler, random};
use crate::distribution::Choice;
use crate::error::{Error, Kind, Result};
use crate::space::{Space, SpaceParam};
use crate::trial::Params;

/// Grid search.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    branches: Vec<Branch>,
    seed: Option<u64>,
}

/// Combinations with the same active parameters.
#[derive(Debug, Clone, PartialEq)]
struct Branch {
    /// The number of the first combination.
    start: u64,
    /// The number of combinations.
    len: u64,
    /// The parameters with their internal values.
    axes: Vec<(String, Vec<f64>)>,
}

/// The maximum number of branches to enumerate.
const MOST_BRANCHES: usize = 100_000;
/// The maximum number of values of one parameter.
const MOST_VALUES: u64 = 1_000_000;

impl Grid {
    /// The grid of a space. `values` replaces the values of a parameter's distribution; a float without a step needs
    /// them. With a seed the combinations come in a random order; without one, in the declared order, the last
    /// parameter changing first.
    ///
    /// # Errors
    /// A parameter without a list of values, or a value that it does not have; the message names the parameter.
    pub fn new(space: &Space, values: &BTreeMap<String, Vec<Choice>>, seed: Option<u64>) -> Result<Grid> {
        if let Some(name) = values.keys().find(|name| space.get(name).is_none()) {
            return Err(refused(name, "there are values for it, but no such parameter in the space"));
        }
        let axes: Vec<Vec<f64>> = space
            .params
            .iter()
            .map(|param| axis(param, values.get(&param.name).map(Vec::as_slice)))
            .collect::<Result<_>>()?;
        let mut grid = Grid { branches: Vec::new(), seed };
        grid.grow(space, &axes, 0, &mut Params::new(), &mut Vec::new())?;
        Ok(grid)
    }

    /// The number of combinations.
    pub fn len(&self) -> u64 {
        self.branches.last().map_or(0, |branch| branch.start + branch.len)
    }

    /// Always false: there is at least one combination.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the branches that start with the values `chosen` for the parameters before `next`.
    fn grow(
        &mut self,
        space: &Space,
        axes: &[Vec<f64>],
        next: usize,
        drawn: &mut Params,
        chosen: &mut Vec<(String, Vec<f64>)>,
    ) -> Result<()> {
        let Some(param) = space.params.get(next) else { return self.push(chosen.clone()) };
        if !param.is_active(drawn) {
            return self.grow(space, axes, next + 1, drawn, chosen);
        }
        let decides =
            space.params.iter().any(|other| other.when.as_ref().is_some_and(|when| when.param == param.name));
        // Only a parameter that another one depends on creates branches.
        let lists =
            if decides { axes[next].iter().map(|&v| vec![v]).collect() } else { vec![axes[next].clone()] };
        for list in lists {
            drawn.insert(param.name.clone(), (param.distribution.clone(), list[0]));
            chosen.push((param.name.clone(), list));
            self.grow(space, axes, next + 1, drawn, chosen)?;
            chosen.pop();
            drawn.remove(&param.name);
        }
        Ok(())
    }

    fn push(&mut self, axes: Vec<(String, Vec<f64>)>) -> Result<()> {
        let start = self.len();
        let len = axes.iter().try_fold(1u64, |len, (_, values)| len.checked_mul(values.len() as u64));
        let len = len.filter(|len| start.checked_add(*len).is_some() && self.branches.len() < MOST_BRANCHES);
        let Some(len) = len else {
            let message =
                "the grid has too many combinations to count; give larger steps, or use another sampler";
            return Err(Error::new(Kind::Configuration, message));
        };
        self.branches.push(Branch { start, len, axes });
        Ok(())
    }

    /// The internal values of combination `number`.
    fn combination(&self, number: u64) -> BTreeMap<&str, f64> {
        let index = number % self.len().max(1);
        let index = self.seed.map_or(index, |seed| permuted(index, self.len(), seed));
        let branch = self.branches.partition_point(|branch| branch.start <= index).saturating_sub(1);
        let Some(branch) = self.branches.get(branch) else { return BTreeMap::new() };
        let mut rest = index - branch.start;
        let mut values = BTreeMap::new();
        for (name, axis) in branch.axes.iter().rev() {
            values.insert(name.as_str(), axis[(rest % axis.len() as u64) as usize]);
            rest /= axis.len() as u64;
        }
        values
    }
}

impl Sampler for Grid {
    fn suggest(
        &self,
        space: &Space,
        _history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        let combination = self.combination(number);
        space.complete(fixed, |param| {
            // A fixed value may select a branch that the combination does not belong to.
            let value = combination.get(param.name.as_str()).copied();
            value.unwrap_or_else(|| random::draw(&param.distribution, draws))
        })
    }

    fn n_trials(&self, _space: &Space) -> Option<u64> {
        Some(self.len())
    }
}

fn refused(name: &str, wrong: &str) -> Error {
    Error::new(Kind::Configuration, format!("{name}: {wrong}"))
}

fn axis(param: &SpaceParam, values: Option<&[Choice]>) -> Result<Vec<f64>> {
    let (name, distribution) = (&param.name, &param.distribution);
    if let Some(values) = values {
        if values.is_empty() {
            return Err(refused(name, "its list of values for the grid is empty; give some"));
        }
        return values.iter().map(|value| distribution.internal(name, value)).collect();
    }
    match distribution.n_values() {
        Some(n) if n <= MOST_VALUES => Ok((0..n).map(|i| distribution.nth(i)).collect()),
        Some(n) => Err(refused(name, &format!("{n} values are too many for a grid; give it a larger step"))),
        None if distribution.is_single() => Ok(vec![distribution.nth(0)]),
        None => {
            Err(refused(name, "a grid needs values to go through; give it a step, or choices, or fix it"))
        }
    }
}

/// A random permutation of `0 .. n` at `index`: a Feistel network on the next power of four, walked until it falls
/// into the range. J. Black and P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
fn permuted(index: u64, n: u64, seed: u64) -> u64 {
    let half = (64 - n.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1u64 << half) - 1;
    let key = [seed as u32, (seed >> 32) as u32];
    let mut index = index;
    loop {
        let (mut left, mut right) = (index >> half, index & mask);
        for round in 0..6 {
            let word = philox4x32_10([right as u32, round, 0x9d, half], key)[0];
            (left, right) = (right, left ^ (u64::from(word) & mask));
        }
        index = left << half | right;
        if index < n {
            return index;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use headsmith_kernels::philox::Philox;

    use super::*;
    use crate::distribution::Distribution;
    use crate::space::Condition;
    use crate::trial::Direction;

    fn param(name: &str, distribution: Distribution, when: Option<(&str, i64)>) -> SpaceParam {
        let when =
            when.map(|(param, value)| Condition { param: param.into(), is_one_of: vec![Choice::Int(value)] });
        SpaceParam { name: name.into(), distribution, when }
    }

    fn ints(n: i64) -> Distribution {
        Distribution::Int { low: 1, high: n, log: false, step: 1 }
    }

    fn steps() -> Distribution {
        Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.5) }
    }

    fn all(space: &Space, grid: &Grid) -> Vec<String> {
        let history = History { direction: Direction::Minimize, finished: &[], running: &[] };
        (0..grid.len())
            .map(|number| {
                let mut draws = Philox::new(0, number as u32, 0).sequence(0, 0);
                let params = grid.suggest(space, history, number, &Params::new(), &mut draws);
                let values = params.iter().map(|(name, (d, value))| format!("{name}={}", d.external(*value)));
                values.collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    #[test]
    fn each_combination_is_drawn_once_in_the_declared_order() {
        let space = Space::new(vec![param("a", ints(2), None), param("x", steps(), None)]).unwrap();
        let grid = Grid::new(&space, &BTreeMap::new(), None).unwrap();
        assert_eq!(grid.n_trials(&space), Some(6));
        let expected = ["a=1 x=0.0", "a=1 x=0.5", "a=1 x=1.0", "a=2 x=0.0", "a=2 x=0.5", "a=2 x=1.0"];
        assert_eq!(all(&space, &grid), expected);
    }

    #[test]
    fn inactive_parameters_do_not_multiply() {
        let space = Space::new(vec![
            param("layers", ints(3), None),
            param("second", ints(4), Some(("layers", 2))),
            param("x", steps(), None),
        ])
        .unwrap();
        for seed in [None, Some(3), Some(4)] {
            let grid = Grid::new(&space, &BTreeMap::new(), seed).unwrap();
            assert_eq!(grid.len(), 3 + 4 * 3 + 3);
            assert_eq!(all(&space, &grid).into_iter().collect::<BTreeSet<_>>().len() as u64, grid.len());
        }
        let order = |seed| all(&space, &Grid::new(&space, &BTreeMap::new(), Some(seed)).unwrap());
        assert_ne!(order(3), order(4));
    }

    #[test]
    fn permutations_are_permutations() {
        for n in [1, 2, 5, 64, 1000] {
            let seen: BTreeSet<u64> = (0..n).map(|i| permuted(i, n, 9)).collect();
            assert!(seen.len() as u64 == n && seen.into_iter().all(|i| i < n));
        }
        assert!(permuted(12, u64::MAX / 2, 1) < u64::MAX / 2);
    }

    #[test]
    fn wrong_grids_name_the_key_and_the_fix() {
        let dense = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
        let space = Space::new(vec![param("lr", dense, None)]).unwrap();
        let said = |values: &[(&str, Vec<Choice>)]| {
            let values = values.iter().map(|(name, values)| ((*name).to_owned(), values.clone())).collect();
            Grid::new(&space, &values, None).unwrap_err().to_string()
        };
        assert_eq!(said(&[]), "lr: a grid needs values to go through; give it a step, or choices, or fix it");
        assert_eq!(
            said(&[("rl", vec![])]),
            "rl: there are values for it, but no such parameter in the space"
        );
        assert_eq!(said(&[("lr", vec![])]), "lr: its list of values for the grid is empty; give some");
        assert_eq!(said(&[("lr", vec![Choice::Int(2)])]), "lr: 2 is not among its values (float 0.0 to 1.0)");
        let huge = (0..8).map(|i| param(&format!("p{i}"), ints(100_000), None)).collect();
        let error = Grid::new(&Space::new(huge).unwrap(), &BTreeMap::new(), None).unwrap_err();
        assert!(error.to_string().contains("too many combinations"), "{error}");
    }
}
