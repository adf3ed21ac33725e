//! Sums of doubles in fixed lanes.

#![allow(unsafe_code)]

use crate::lanes::{DOUBLES, fold};
use crate::multiversion::multiversion;

multiversion! {
    /// Adds the inner product of `a` and `b` to `sum`.
    pub fn add_dot(sum: &mut f64, a: &[f64], b: &[f64]) {
        let ((a, rest_of_a), (b, rest_of_b)) = (a.as_chunks::<DOUBLES>(), b.as_chunks::<DOUBLES>());
        let mut lanes = [0.0; DOUBLES];
        for (a, b) in a.iter().zip(b) {
            for i in 0..DOUBLES {
                lanes[i] += a[i] * b[i];
            }
        }
        for (lane, (a, b)) in lanes.iter_mut().zip(rest_of_a.iter().zip(rest_of_b)) {
            *lane += a * b;
        }
        *sum += fold(lanes);
    }

    /// Adds `a` to `to`, number by number.
    pub fn add(to: &mut [f64], a: &[f64]) {
        for (to, a) in to.iter_mut().zip(a) {
            *to += a;
        }
    }

    /// Adds the products of `a` and `b` to `to`, number by number.
    pub fn add_products(to: &mut [f64], a: &[f64], b: &[f64]) {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            *to += a * b;
        }
    }

    /// Adds `factor` times `a` to `to`, number by number.
    pub fn add_scaled(to: &mut [f64], factor: f64, a: &[f64]) {
        for (to, a) in to.iter_mut().zip(a) {
            *to += factor * a;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_agree_with_their_naive_twins() {
        for n in [0, 1, 7, 8, 9, 100] {
            let values =
                |by: usize| (0..n).map(|i| ((i * by % 23) as f64 - 11.0) / 4.0).collect::<Vec<f64>>();
            let (a, b) = (values(7), values(5));
            // Multiples of 1/16 add without rounding.
            let mut sum = 0.5;
            add_dot(&mut sum, &a, &b);
            assert_eq!(sum, 0.5 + a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>());
            let check = |added: &dyn Fn(&mut [f64]), naive: &dyn Fn(usize) -> f64| {
                let mut to = values(3);
                added(&mut to);
                assert_eq!(
                    to,
                    values(3).iter().enumerate().map(|(i, to)| to + naive(i)).collect::<Vec<f64>>()
                );
            };
            check(&|to| add(to, &a), &|i| a[i]);
            check(&|to| add_products(to, &a, &b), &|i| a[i] * b[i]);
            check(&|to| add_scaled(to, 0.25, &a), &|i| 0.25 * a[i]);
        }
    }
}
