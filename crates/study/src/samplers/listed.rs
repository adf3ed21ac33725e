//! Takes the first trials from a list of settings, and the others from another sampler.

use headsmith_kernels::philox::Sequence;

use super::{History, Sampler};
use crate::error::Result;
use crate::space::Space;
use crate::trial::{Attributes, Params};

/// A list of settings, followed by another sampler.
#[derive(Debug)]
pub struct Listed {
    settings: Vec<Params>,
    then: Box<dyn Sampler>,
}

impl Listed {
    /// Trials 0, 1 .. use these settings. `then` draws parameters that a setting leaves out, and all trials after the
    /// list, which it numbers from 0.
    ///
    /// # Errors
    /// A parameter of a setting that the space does not have, or an invalid value; the message names the parameter.
    pub fn new(space: &Space, settings: &[Attributes], then: Box<dyn Sampler>) -> Result<Listed> {
        let settings = settings.iter().map(|setting| space.internal(setting)).collect::<Result<_>>()?;
        Ok(Listed { settings, then })
    }
}

impl Sampler for Listed {
    fn suggest(
        &self,
        space: &Space,
        history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        let n = self.settings.len() as u64;
        match usize::try_from(number).ok().and_then(|number| self.settings.get(number)) {
            Some(setting) => {
                let mut all = setting.clone();
                all.extend(fixed.iter().map(|(name, value)| (name.clone(), value.clone())));
                self.then.suggest(space, history, number, &all, draws)
            }
            None => self.then.suggest(space, history, number - n, fixed, draws),
        }
    }

    fn n_trials(&self, space: &Space) -> Option<u64> {
        self.then.n_trials(space)?.checked_add(self.settings.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use headsmith_kernels::philox::Philox;
    use serde_json::json;

    use super::*;
    use crate::distribution::Distribution;
    use crate::samplers::{Grid, Random};
    use crate::space::SpaceParam;
    use crate::trial::Direction;

    fn space() -> Space {
        let distribution = Distribution::Int { low: 0, high: 9, log: false, step: 1 };
        let param =
            |name: &str| SpaceParam { name: name.into(), distribution: distribution.clone(), when: None };
        Space::new(vec![param("a"), param("b")]).unwrap()
    }

    #[test]
    fn the_list_is_used_before_the_other_sampler() {
        let space = space();
        let grid = Grid::new(&space, &BTreeMap::new(), None).unwrap();
        let settings: Vec<Attributes> =
            [json!({"a": 7, "b": 3}), json!({"b": 5})].map(|s| serde_json::from_value(s).unwrap()).to_vec();
        let listed = Listed::new(&space, &settings, Box::new(grid)).unwrap();
        let history = History { direction: Direction::Minimize, finished: &[], running: &[] };
        let ask = |number, fixed: &Params| {
            let mut draws = Philox::new(0, 0, 0).sequence(0, 0);
            let params = listed.suggest(&space, history, number, fixed, &mut draws);
            (params["a"].1, params["b"].1)
        };
        let none = Params::new();
        assert_eq!(ask(0, &none), (7.0, 3.0));
        assert_eq!(ask(1, &none).1, 5.0);
        assert_eq!([ask(2, &none), ask(3, &none)], [(0.0, 0.0), (0.0, 1.0)]);
        let fixed = space.internal(&serde_json::from_value(json!({"a": 1})).unwrap()).unwrap();
        assert_eq!(ask(0, &fixed), (1.0, 3.0));
        assert_eq!(listed.n_trials(&space), Some(102));
    }

    #[test]
    fn a_wrong_list_is_refused() {
        let setting = serde_json::from_value(json!({"a": 10})).unwrap();
        let error = Listed::new(&space(), &[setting], Box::new(Random)).unwrap_err();
        assert_eq!(error.to_string(), "a: 10 is not among its values (int 0 to 9)");
    }
}
