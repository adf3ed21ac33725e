//! A basis in which the minimum of the form with C (2 C + 1) numbers is found in few iterations.
//!
//! The numbers of a class multiply the terms t = (z, z^2, 1) of a row's outputs z, and these differ in size and rise together. With G the mean of `t t'` and
//! `G = L L'`, the terms `L^-1 t` have a second moment of 1 and none in common. There the Hessian of the mean loss is the unit matrix times the
//! covariance of the class probabilities, where these are equal. The penalty's share of the Hessian is part of G, so that it remains small, too.

use headsmith_kernels::sums;

use crate::linalg::spd::Spd;

/// The numbers in another basis: those of a class are `L^-T u`.
#[derive(Debug)]
pub(super) struct Basis {
    /// `L^-1`, row after row, `width x width`.
    inverse: Vec<f64>,
    width: usize,
}

/// The share of the mean moment that is added: so G is positive definite in double precision.
const JITTER: f64 = 1e-10;

impl Basis {
    /// The basis of weighted rows of `n` scaled outputs, with the ridge of the penalty on all numbers; `None` if there is none.
    pub(super) fn new<Z>(rows: impl Iterator<Item = (f64, Z)>, n: usize, ridge: f64) -> Option<Basis>
    where
        Z: Iterator<Item = f64>,
    {
        let width = 2 * n + 1;
        let (mut moments, mut total, mut terms) = (vec![0.0; width * width], 0.0, vec![1.0; width]);
        for (weight, z) in rows {
            fill(&mut terms, z);
            for (i, moments) in moments.chunks_exact_mut(width).enumerate() {
                sums::add_scaled(&mut moments[..=i], weight * terms[i], &terms[..=i]);
            }
            total += weight;
        }
        moments.iter_mut().for_each(|moment| *moment /= total);
        let trace: f64 = (0..width).map(|i| moments[i * width + i]).sum();
        let more = ridge + JITTER * trace / width as f64;
        (0..width).for_each(|i| moments[i * width + i] += more);
        Some(Basis { inverse: Spd::new(&moments, width)?.inverse_lower(), width })
    }

    /// The numbers at `u`, class after class.
    pub(super) fn numbers(&self, u: &[f64]) -> Vec<f64> {
        let mut numbers = vec![0.0; u.len()];
        for (numbers, u) in numbers.chunks_exact_mut(self.width).zip(u.chunks_exact(self.width)) {
            for (row, u) in self.inverse.chunks_exact(self.width).zip(u) {
                numbers.iter_mut().zip(row).for_each(|(to, inverse)| *to += inverse * u);
            }
        }
        numbers
    }

    /// The gradient with respect to u, from that with respect to the numbers.
    pub(super) fn gradient(&self, of_numbers: &[f64], of_u: &mut [f64]) {
        for (of_u, of_numbers) in of_u.chunks_exact_mut(self.width).zip(of_numbers.chunks_exact(self.width)) {
            for (of_u, row) in of_u.iter_mut().zip(self.inverse.chunks_exact(self.width)) {
                *of_u = row.iter().zip(of_numbers).map(|(inverse, g)| inverse * g).sum();
            }
        }
    }
}

/// Sets the first of a row's terms, `z` and `z^2`; the last is 1.
pub(super) fn fill(terms: &mut [f64], z: impl Iterator<Item = f64>) {
    let (linear, rest) = terms.split_at_mut(terms.len() / 2);
    for ((linear, square), z) in linear.iter_mut().zip(rest).zip(z) {
        (*linear, *square) = (z, z * z);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scaled outputs of 50 rows, two each, that rise together.
    fn outputs() -> Vec<[f64; 2]> {
        let one = |i: u32| f64::from(i * 7 % 50) / 10.0 - 2.0;
        (0..50).map(|i| [one(i), 3.0 * one(i) + 0.1 * one(i * i % 50)]).collect()
    }

    #[test]
    fn terms_in_the_basis_have_nothing_in_common() {
        let outputs = outputs();
        let rows = || outputs.iter().enumerate().map(|(i, z)| (1.0 + (i % 2) as f64, z.iter().copied()));
        let basis = Basis::new(rows(), 2, 0.0).unwrap();
        let (mut moments, mut total, mut terms) = ([[0.0; 5]; 5], 0.0, [1.0; 5]);
        for (weight, z) in rows() {
            fill(&mut terms, z);
            let mut t = [0.0; 5];
            basis.gradient(&terms, &mut t);
            for (i, j) in (0..25).map(|at| (at / 5, at % 5)) {
                moments[i][j] += weight * t[i] * t[j];
            }
            total += weight;
        }
        for (i, j) in (0..25).map(|at| (at / 5, at % 5)) {
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!((moments[i][j] / total - expected).abs() < 1e-3, "{i} {j}: {}", moments[i][j] / total);
        }
    }

    #[test]
    fn numbers_and_terms_have_the_same_products_in_both_bases() {
        let outputs = outputs();
        let rows = outputs.iter().map(|z| (1.0, z.iter().copied()));
        let basis = Basis::new(rows, 2, 0.01).unwrap();
        let u: Vec<f64> = (0..10).map(|i| f64::from(i) - 4.0).collect();
        let numbers = basis.numbers(&u);
        let terms = [0.5, -1.0, 0.25, 1.0, 1.0];
        let mut t = [0.0; 5];
        basis.gradient(&terms, &mut t);
        for class in 0..2 {
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let [own, other] =
                [product(&numbers[5 * class..][..5], &terms), product(&u[5 * class..][..5], &t)];
            assert!((own - other).abs() < 1e-9 * own.abs().max(1.0), "{own} {other}");
        }
    }
}
