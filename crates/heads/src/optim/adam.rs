//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015), as Keras has it: with the momentum
//! `m`, the velocity `v` and the gradient `g` of step `t = 1, 2 ..`,
//!
//! `m += (1 - beta1) (g - m)`, `v += (1 - beta2) (g^2 - v)`,
//! `w -= lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)`:
//!
//! epsilon is outside the bias correction. `beta1` is 0.9, `beta2` 0.999, epsilon 1e-7.
//!
//! With a weight decay `d` it is AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019): each step begins
//! with `w -= lr d w`, of all weights, biases included, as in Keras.

use std::ops::Range;

use headsmith_kernels::Buffer;
use headsmith_kernels::adam::{AdamStep, adam_step, decay_step};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-7;

/// The optimizer's memory of one vector of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    momentums: Buffer,
    velocities: Buffer,
    step: u64,
    weight_decay: f64,
}

/// One step, the same for all weights.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    adam: AdamStep,
    /// The share of each weight that goes first.
    decay: f32,
}

impl Step {
    /// Takes the step with some weights, their momentums and velocities, in this order.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn apply(self, [weights, momentums, velocities]: [&mut [f32]; 3], gradients: &[f32]) {
        if self.decay > 0.0 {
            decay_step(weights, self.decay);
        }
        adam_step(weights, momentums, velocities, gradients, self.adam);
    }
}

impl Adam {
    /// The optimizer of `n_weights` weights before its first step, without weight decay.
    pub fn new(n_weights: usize) -> Adam {
        Adam::resume(Buffer::zeros(n_weights), Buffer::zeros(n_weights), 0)
    }

    /// The optimizer after `step` steps, with the moments it had then.
    ///
    /// # Panics
    /// When the two differ in length.
    pub fn resume(momentums: Buffer, velocities: Buffer, step: u64) -> Adam {
        assert_eq!(momentums.len(), velocities.len());
        Adam { momentums, velocities, step, weight_decay: 0.0 }
    }

    /// The same optimizer with a weight decay: of a weight, `learning_rate * weight_decay` of it goes in each step.
    pub fn with_weight_decay(self, weight_decay: f64) -> Adam {
        Adam { weight_decay, ..self }
    }

    /// Begins the next step, which each weight is to take once.
    pub fn begin_step(&mut self, learning_rate: f64) -> Step {
        self.step += 1;
        let power = |beta: f64| beta.powf(self.step as f64);
        Step {
            adam: AdamStep {
                alpha: (learning_rate * (1.0 - power(BETA2)).sqrt() / (1.0 - power(BETA1))) as f32,
                new_momentum: (1.0 - BETA1) as f32,
                new_velocity: (1.0 - BETA2) as f32,
                epsilon: EPSILON,
            },
            decay: (learning_rate * self.weight_decay) as f32,
        }
    }

    /// A range of the weights with their momentums and velocities, for [`Step::apply`].
    ///
    /// # Panics
    /// When there are not so many.
    pub fn part<'p>(&'p mut self, weights: &'p mut [f32], range: Range<usize>) -> [&'p mut [f32]; 3] {
        let Adam { momentums, velocities, .. } = self;
        [&mut weights[range.clone()], &mut momentums[range.clone()], &mut velocities[range]]
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
        for weight_decay in [0.0, 0.5] {
            compare(weight_decay);
        }
    }

    fn compare(weight_decay: f64) {
        let n = 1000 + 5;
        let mut weights: Vec<f32> = (0..n).map(|i| (i % 7) as f32 - 3.0).collect();
        let mut twin: Vec<[f64; 3]> = weights.iter().map(|w| [f64::from(*w), 0.0, 0.0]).collect();
        let mut adam = Adam::new(n).with_weight_decay(weight_decay);
        for t in 1..=20 {
            let gradients: Vec<f32> = (0..n).map(|i| ((i * t) % 11) as f32 * 0.1 - 0.4).collect();
            let step = adam.begin_step(0.01);
            for range in [0..7, 7..n] {
                step.apply(adam.part(&mut weights, range.clone()), &gradients[range]);
            }
            for ([w, m, v], g) in twin.iter_mut().zip(&gradients) {
                let g = f64::from(*g);
                *m += (1.0 - BETA1) * (g - *m);
                *v += (1.0 - BETA2) * (g * g - *v);
                let t = t as i32;
                let alpha = 0.01 * (1.0 - BETA2.powi(t)).sqrt() / (1.0 - BETA1.powi(t));
                *w -= 0.01 * weight_decay * *w;
                *w -= alpha * *m / (v.sqrt() + 1e-7);
            }
        }
        assert_eq!(adam.n_steps(), 20);
        for (w, [twin, ..]) in weights.iter().zip(&twin) {
            assert!((f64::from(*w) - twin).abs() < 5e-6, "{w}, expected {twin}");
        }
    }
}
