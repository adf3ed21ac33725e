//! The learning rate from step to step, as Keras's `CosineDecay` has it (Loshchilov and Hutter, "SGDR: stochastic gradient descent
//! with warm restarts", 2017, without restarts): up from 0 in a straight line, then down to 0 along a cosine.

use std::f64::consts::PI;

/// The factor of the learning rate in each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// 1 in every step.
    Constant,
    /// `step / n_warmup`, then `(1 + cos(pi (step - n_warmup) / n_decay)) / 2`, then 0.
    Cosine {
        /// The steps of the way up.
        n_warmup: u64,
        /// The steps of the way down.
        n_decay: u64,
    },
}

impl Schedule {
    /// The cosine of a training of `n_steps` steps, of which `n_warmup` lead up.
    pub fn cosine(n_steps: u64, n_warmup: u64) -> Schedule {
        Schedule::Cosine { n_warmup, n_decay: n_steps.saturating_sub(n_warmup) }
    }

    /// The factor of step `step`, from 0.
    pub fn factor(self, step: u64) -> f64 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { n_warmup, .. } if step < n_warmup => step as f64 / n_warmup as f64,
            Schedule::Cosine { n_warmup, n_decay } if step - n_warmup < n_decay => {
                0.5 * (1.0 + (PI * (step - n_warmup) as f64 / n_decay as f64).cos())
            }
            Schedule::Cosine { .. } => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `keras.optimizers.schedules.CosineDecay(0.0, 8, warmup_target=1.0, warmup_steps=4)(step)` by its formulas.
    #[test]
    fn a_warm_up_and_a_cosine() {
        let schedule = Schedule::cosine(12, 4);
        let root = 0.5f64.sqrt();
        for (step, expected) in
            [(0, 0.0), (1, 0.25), (3, 0.75), (4, 1.0), (6, 0.5 + root / 2.0), (8, 0.5), (12, 0.0), (99, 0.0)]
        {
            assert!(
                (schedule.factor(step) - expected).abs() < 1e-12,
                "step {step}: {}",
                schedule.factor(step)
            );
        }
        assert_eq!(Schedule::cosine(10, 0).factor(0), 1.0);
        assert_eq!(Schedule::cosine(3, 5).factor(7), 0.0);
        assert_eq!(Schedule::Constant.factor(u64::MAX), 1.0);
    }
}
