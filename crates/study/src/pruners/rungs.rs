//! The ladder shared by successive halving, Hyperband and ASHA: only the best trials continue from each rung.

use serde_json::Value;

use super::scoreboard::Scoreboard;
use super::steps::{better, last_report, require};
use super::{Peers, Verdict};
use crate::error::Result;
use crate::trial::{Direction, Trial};

/// A ladder whose rung `r` is at `min_resource * reduction_factor ^ (rate + r)` of resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ladder {
    pub(super) min_resource: i64,
    pub(super) reduction_factor: i64,
    pub(super) rate: u32,
    /// The number of trials that end at a rung before any continues from it.
    pub(super) bootstrap_count: usize,
    /// The resource used by a trial at step 0.
    pub(super) at_step_0: i64,
    pub(super) scores: RungScore,
    pub(super) small_rung: SmallRung,
    pub(super) scoreboard: Scoreboard,
}

/// The score that ranks trials at a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RungScore {
    /// Optuna's score: the value at the step at which the pruner was called, stored in the attribute
    /// `completed_rung_r`.
    AtCall,
    /// The best value up to the first report at the rung, whenever the pruner was called.
    Curve,
}

/// Which trials continue while fewer than `reduction_factor` have reached a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SmallRung {
    /// The best so far, as in Optuna.
    ContinueBest,
    /// All of them.
    ContinueAll,
}

impl Ladder {
    pub(super) fn check(&self) -> Result<()> {
        require(self.min_resource >= 1, "min_resource", self.min_resource, "1 or more")?;
        require(self.reduction_factor >= 2, "reduction_factor", self.reduction_factor, "2 or more")
    }

    /// The step of rung `r`; `None` if it is beyond all steps.
    pub(super) fn step(&self, r: u32) -> Option<i64> {
        let factor = self.reduction_factor.checked_pow(self.rate.checked_add(r)?)?;
        self.min_resource.checked_mul(factor)?.checked_sub(self.at_step_0)
    }

    /// Whether a trial whose last step is `step` has reached rung `r`.
    pub(super) fn is_at(&self, step: i64, r: u32) -> bool {
        self.step(r).is_some_and(|rung| step >= rung)
    }

    /// The score of `trial` at rung `r`, if it reached it.
    pub(super) fn score(&self, direction: Direction, trial: &Trial, r: u32, key: &str) -> Option<f64> {
        match self.scores {
            RungScore::AtCall => trial.system_attrs.get(key).and_then(number),
            RungScore::Curve => {
                let rung = self.step(r)?;
                // Most trials did not reach it.
                last_report(trial).filter(|(step, _)| *step >= rung)?;
                let mut so_far = f64::NAN;
                for (&step, &value) in &trial.intermediate {
                    if so_far.is_nan() || better(direction, value, so_far) {
                        so_far = value;
                    }
                    if step >= rung {
                        return (!so_far.is_nan()).then_some(so_far);
                    }
                }
                None
            }
        }
    }

    /// The number of trials that continue from a rung that `n` trials reached.
    pub(super) fn n_continuing(&self, n: usize) -> usize {
        n / usize::try_from(self.reduction_factor).unwrap_or(usize::MAX)
    }

    /// Judges `trial` at every rung that it reached since it was last judged, against the peers in the same bracket.
    pub(super) fn judge(
        &self,
        peers: Peers<'_>,
        competes: impl Fn(&Trial) -> bool,
        trial: &Trial,
    ) -> Verdict {
        let direction = peers.direction;
        let mut verdict = Verdict::keep_running();
        let Some((step, value)) = last_report(trial) else { return verdict };
        let mut rung = (0..).take_while(|&r| trial.system_attrs.contains_key(&key(r))).count() as u32;
        while self.is_at(step, rung) {
            let key = key(rung);
            let own = match self.scores {
                RungScore::AtCall => Some(value),
                RungScore::Curve => self.score(direction, trial, rung, &key),
            };
            let Some(own) = own.filter(|_| !value.is_nan()) else {
                verdict.prune = true;
                return verdict;
            };
            let (mut n, mut n_better) = (1, 0);
            self.each(peers, rung, &key, |peer, score| {
                if competes(peer) {
                    n += 1;
                    n_better += usize::from(better(direction, score, own));
                }
            });
            verdict.remember.insert(key, attribute(own));
            verdict.prune = n <= self.bootstrap_count || !self.is_good_enough(n, n_better);
            if verdict.prune {
                return verdict;
            }
            rung += 1;
        }
        verdict
    }

    /// Calls `visit` with each of `peers` that reached rung `r`, and its score there.
    fn each(&self, peers: Peers<'_>, r: u32, key: &str, mut visit: impl FnMut(&Trial, f64)) {
        let score = |trial: &Trial| self.score(peers.direction, trial, r, key);
        match (self.scores, self.step(r)) {
            (RungScore::Curve, Some(step)) => {
                self.scoreboard.each(peers.direction, peers.trials, step, score, visit);
            }
            _ => peers
                .trials
                .iter()
                .filter_map(|t| Some((t, score(t)?)))
                .for_each(|(t, score)| visit(t, score)),
        }
    }

    fn is_good_enough(&self, n: usize, n_better: usize) -> bool {
        match (self.n_continuing(n), self.small_rung) {
            (0, SmallRung::ContinueAll) => true,
            (n_continuing, _) => n_better < n_continuing.max(1),
        }
    }
}

/// The attribute that stores the value at rung `r`.
pub(super) fn key(r: u32) -> String {
    format!("completed_rung_{r}")
}

/// A number as an attribute. JSON has no infinities: they are strings, spelt as Python's `json` does.
fn attribute(value: f64) -> Value {
    match value {
        f64::INFINITY => Value::from("Infinity"),
        f64::NEG_INFINITY => Value::from("-Infinity"),
        _ => Value::from(value),
    }
}

/// The number of an attribute.
fn number(attribute: &Value) -> Option<f64> {
    match attribute.as_str() {
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        _ => attribute.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_rungs_beyond_all_steps() {
        let ladder = Ladder {
            min_resource: 1 << 20,
            reduction_factor: 1 << 20,
            rate: 1,
            bootstrap_count: 0,
            at_step_0: 1,
            scores: RungScore::Curve,
            small_rung: SmallRung::ContinueAll,
            scoreboard: Scoreboard::default(),
        };
        assert_eq!(
            (0..4).map(|r| ladder.step(r)).collect::<Vec<_>>(),
            [Some((1 << 40) - 1), Some((1 << 60) - 1), None, None]
        );
        assert_eq!(ladder.step(u32::MAX), None);
        assert!(ladder.is_at(i64::MAX, 1) && !ladder.is_at(i64::MAX, 2));
    }
}
