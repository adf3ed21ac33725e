//! The element-wise part of Adam.

#![allow(unsafe_code)]

use crate::multiversion::multiversion;

/// What one step has in common for all weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// The learning rate with both bias corrections in it: `lr * sqrt(1 - beta2^t) / (1 - beta1^t)`.
    pub alpha: f32,
    /// `1 - beta1`.
    pub new_momentum: f32,
    /// `1 - beta2`.
    pub new_velocity: f32,
    /// What is added to the root of the velocity.
    pub epsilon: f32,
}

multiversion! {
    /// `m += (g - m) (1 - beta1); v += (g^2 - v) (1 - beta2); w -= m alpha / (sqrt(v) + epsilon)`, element by
    /// element, as Keras writes it. All slices are of one length.
    pub fn adam_step(weights: &mut [f32], momentums: &mut [f32], velocities: &mut [f32], gradients: &[f32], step: AdamStep) {
        let n = weights.len();
        let (momentums, velocities, gradients) = (&mut momentums[..n], &mut velocities[..n], &gradients[..n]);
        for i in 0..n {
            let gradient = gradients[i];
            momentums[i] += (gradient - momentums[i]) * step.new_momentum;
            velocities[i] += (gradient * gradient - velocities[i]) * step.new_velocity;
            weights[i] -= momentums[i] * step.alpha / (velocities[i].sqrt() + step.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
