//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015), as Keras has it: with the momentum
//! `m`, the velocity `v` and the gradient `g` of step `t = 1, 2 ..`,
//!
//! `m += (1 - beta1) (g - m)`, `v += (1 - beta2) (g^2 - v)`,
//! `w -= lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)`:
//!
//! epsilon stands outside the bias correction. `beta1` is 0.9, `beta2` 0.999, epsilon 1e-7.

use headsmith_kernels::Pool;
use headsmith_kernels::adam::{AdamStep, adam_step};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-7;
/// Weights that make a piece of work.
const PIECE: usize = 1 << 14;

/// The optimizer's memory of one vector of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    momentums: Vec<f32>,
    velocities: Vec<f32>,
    step: u64,
}

impl Adam {
    /// The optimizer of `n_weights` weights before its first step.
    pub fn new(n_weights: usize) -> Adam {
        Adam { momentums: vec![0.0; n_weights], velocities: vec![0.0; n_weights], step: 0 }
    }

    /// The optimizer after `step` steps, with the moments it had then.
    ///
    /// # Panics
    /// When the two differ in length.
    pub fn resume(momentums: Vec<f32>, velocities: Vec<f32>, step: u64) -> Adam {
        assert_eq!(momentums.len(), velocities.len());
        Adam { momentums, velocities, step }
    }

    /// Takes one step.
    ///
    /// # Panics
    /// When the lengths are not that of the optimizer.
    pub fn step(&mut self, weights: &mut [f32], gradients: &[f32], learning_rate: f64, pool: &Pool) {
        assert_eq!((weights.len(), gradients.len()), (self.momentums.len(), self.momentums.len()));
        self.step += 1;
        let power = |beta: f64| beta.powf(self.step as f64);
        let step = AdamStep {
            alpha: (learning_rate * (1.0 - power(BETA2)).sqrt() / (1.0 - power(BETA1))) as f32,
            new_momentum: (1.0 - BETA1) as f32,
            new_velocity: (1.0 - BETA2) as f32,
            epsilon: EPSILON,
        };
        let slices = [weights, &mut self.momentums[..], &mut self.velocities[..]];
        pool.for_each_chunk3(slices, PIECE, |i, [weights, momentums, velocities]| {
            adam_step(weights, momentums, velocities, &gradients[i * PIECE..][..weights.len()], step);
        });
    }

    /// The momentum of each weight.
    pub fn momentums(&self) -> &[f32] {
        &self.momentums
    }

    /// The velocity of each weight.
    pub fn velocities(&self) -> &[f32] {
        &self.velocities
    }

    /// The number of steps taken.
    pub fn n_steps(&self) -> u64 {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naive twin: the formulas above in double precision.
    #[test]
    fn many_steps_agree_with_the_formulas() {
        let n = PIECE + 5;
        let mut weights: Vec<f32> = (0..n).map(|i| (i % 7) as f32 - 3.0).collect();
        let mut twin: Vec<[f64; 3]> = weights.iter().map(|w| [f64::from(*w), 0.0, 0.0]).collect();
        let mut adam = Adam::new(n);
        for t in 1..=20 {
            let gradients: Vec<f32> = (0..n).map(|i| ((i * t) % 11) as f32 * 0.1 - 0.4).collect();
            adam.step(&mut weights, &gradients, 0.01, &Pool::new(2).unwrap());
            for ([w, m, v], g) in twin.iter_mut().zip(&gradients) {
                let g = f64::from(*g);
                *m += (1.0 - BETA1) * (g - *m);
                *v += (1.0 - BETA2) * (g * g - *v);
                let t = t as i32;
                let alpha = 0.01 * (1.0 - BETA2.powi(t)).sqrt() / (1.0 - BETA1.powi(t));
                *w -= alpha * *m / (v.sqrt() + 1e-7);
            }
        }
        assert_eq!(adam.n_steps(), 20);
        for (w, [twin, ..]) in weights.iter().zip(&twin) {
            assert!((f64::from(*w) - twin).abs() < 5e-6, "{w}, expected {twin}");
        }
    }
}
