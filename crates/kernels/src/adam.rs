//! The element-wise part of Adam.
//!
//! The moments of a weight that no longer gets a gradient, for example behind a dead unit, shrink by a constant factor per
//! step. They would become subnormal numbers and stay so, and arithmetic on those takes a hundred times as long. So values
//! too small to move a weight are set to zero here. The processor's flush-to-zero mode is not an option: the compiler
//! assumes that it does not change.

#![allow(unsafe_code)]

use crate::multiversion::multiversion;

/// The values of one step that are the same for all weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// The learning rate with both bias corrections in it: `lr * sqrt(1 - beta2^t) / (1 - beta1^t)`.
    pub alpha: f32,
    /// `1 - beta1`.
    pub new_momentum: f32,
    /// `1 - beta2`.
    pub new_velocity: f32,
    /// Added to the root of the velocity.
    pub epsilon: f32,
}

/// Gradients below this count as zero; the squares of all others are far from subnormal.
const MIN_GRADIENT: f32 = 1e-15;
/// Momentums below this are set to zero. At a learning rate of 0.001 it moves a weight by 1e-21 at most, with Keras's epsilon.
const MIN_MOMENTUM: f32 = 1e-25;
/// Velocities below this are set to zero. Their roots are negligible beside an epsilon of 1e-7.
const MIN_VELOCITY: f32 = 1e-30;
/// Weights, and averages of them, that shrink below this are set to zero.
const MIN_WEIGHT: f32 = 1e-30;

/// `value`, or zero if it is smaller than `least`; NaN stays NaN, so that divergence is detected.
#[inline(always)]
fn at_least(value: f32, least: f32) -> f32 {
    if value.abs() < least { 0.0 } else { value }
}

multiversion! {
    /// `m += (g - m) (1 - beta1); v += (g^2 - v) (1 - beta2); w -= m alpha / (sqrt(v) + epsilon)`, element by
    /// element, as Keras writes it. No moment becomes subnormal. All slices have the same length.
    pub fn adam_step(weights: &mut [f32], momentums: &mut [f32], velocities: &mut [f32], gradients: &[f32], step: AdamStep) {
        let n = weights.len();
        let (momentums, velocities, gradients) = (&mut momentums[..n], &mut velocities[..n], &gradients[..n]);
        for i in 0..n {
            let gradient = at_least(gradients[i], MIN_GRADIENT);
            let momentum = momentums[i] + (gradient - momentums[i]) * step.new_momentum;
            let velocity = velocities[i] + (gradient * gradient - velocities[i]) * step.new_velocity;
            momentums[i] = at_least(momentum, MIN_MOMENTUM);
            velocities[i] = at_least(velocity, MIN_VELOCITY);
            weights[i] -= momentums[i] * step.alpha / (velocities[i].sqrt() + step.epsilon);
        }
    }
}

multiversion! {
    /// `w -= w decay`, element by element: the decoupled decay of AdamW (Loshchilov and Hutter, "Decoupled weight decay
    /// regularization", 2019), before the step, as Keras has it. No weight becomes subnormal.
    pub fn decay_step(weights: &mut [f32], decay: f32) {
        for weight in weights {
            *weight = at_least(*weight - *weight * decay, MIN_WEIGHT);
        }
    }

    /// `average += (w - average) new`, element by element, and no average becomes subnormal. Both slices have the same length.
    pub fn average_step(averages: &mut [f32], weights: &[f32], new: f32) {
        for (average, weight) in averages.iter_mut().zip(weights) {
            *average = at_least(*average + (*weight - *average) * new, MIN_WEIGHT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_and_average_by_hand() {
        let mut weights = [2.0, -4.0, 0.0, 3e-30];
        decay_step(&mut weights, 0.25);
        assert_eq!(weights, [1.5, -3.0, 0.0, 2.25e-30]);
        let mut averages = [1.0, -1.0, 2.0, 1.5e-30];
        average_step(&mut averages, &[3.0, -1.0, 0.0, 0.0], 0.5);
        assert_eq!(averages, [2.0, -1.0, 1.0, 0.0]);
        decay_step(&mut weights, f32::NAN);
        average_step(&mut averages, &weights, 0.5);
        assert!(averages.iter().all(|average| average.is_nan()));
    }

    #[test]
    fn the_first_step_is_the_learning_rate_towards_less() {
        let step = AdamStep {
            alpha: 1e-3 * 0.001f32.sqrt() / 0.1,
            new_momentum: 0.1,
            new_velocity: 0.001,
            epsilon: 1e-7,
        };
        let gradients = [0.5, -2.0, 0.0, 1e-3, 4.0, 5.0, 6.0, -7.0, 8.0];
        let (mut w, mut m, mut v) = ([1.0f32; 9], [0.0; 9], [0.0; 9]);
        adam_step(&mut w, &mut m, &mut v, &gradients, step);
        for ((w, g), (m, v)) in w.iter().zip(gradients).zip(m.iter().zip(v)) {
            let expected = if g == 0.0 { 1.0 } else { 1.0 - 1e-3 * g.signum() };
            assert!((w - expected).abs() < 4e-6, "{w}, expected {expected}");
            assert!((m - 0.1 * g).abs() < 1e-6 && (v - 0.001 * g * g).abs() < 1e-6);
        }
    }

    /// Weights behind a dead unit get no more gradients; those of a tiny feature get gradients whose squares are
    /// subnormal.
    #[test]
    fn moments_end_at_zero_and_never_among_the_subnormal() {
        let step = AdamStep { alpha: 1e-3, new_momentum: 0.1, new_velocity: 0.001, epsilon: 1e-7 };
        let gradients: Vec<f32> = (0..60).map(|i| 10f32.powi(i - 45)).collect();
        let [mut w, mut m, mut v] = [(); 3].map(|()| vec![0.0; gradients.len()]);
        let mut take = |gradients: &[f32], n_steps: usize| {
            for _ in 0..n_steps {
                adam_step(&mut w, &mut m, &mut v, gradients, step);
                let mut moments = m.iter().chain(&v);
                assert!(!moments.any(|value| value.is_subnormal()));
            }
        };
        take(&gradients, 5);
        take(&[0.0; 60], 2000);
        assert_eq!(m, [0.0; 60]);
        // Velocities take longer.
        assert!(v[59] > 0.0 && v[40] > 0.0 && v[30] == 0.0);
    }

    #[test]
    fn nan_stays_nan() {
        let step = AdamStep { alpha: 1e-3, new_momentum: 0.1, new_velocity: 0.001, epsilon: 1e-7 };
        let (mut w, mut m, mut v) = ([1.0], [0.0], [0.0]);
        adam_step(&mut w, &mut m, &mut v, &[f32::NAN], step);
        assert!(w[0].is_nan() && m[0].is_nan() && v[0].is_nan());
    }
}
