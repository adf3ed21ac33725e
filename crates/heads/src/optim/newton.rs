//! Newton's method for a smooth convex function of few variables, some of which may not fall below 0 (Bertsekas, "Projected Newton methods for
//! optimization problems with simple constraints", SIAM Journal on Control and Optimization 20, 1982).
//!
//! The step of the free variables solves `H step = -gradient` among them. A variable at its bound, or close to it, that the gradient pushes
//! against it takes a step of its own, `-gradient / H_ii`. Steps are halved until the value falls enough.

use crate::linalg::spd::Spd;

/// A function with its first and second derivatives at a point.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    pub(crate) value: f64,
    pub(crate) gradient: Vec<f64>,
    /// Row after row; only what is not above the diagonal counts.
    pub(crate) hessian: Vec<f64>,
}

impl Expansion {
    /// The function that is 0 in `n` variables.
    pub(crate) fn zero(n: usize) -> Expansion {
        Expansion { value: 0.0, gradient: vec![0.0; n], hessian: vec![0.0; n * n] }
    }

    /// Adds another.
    pub(crate) fn add(&mut self, other: &Expansion) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        self.value += other.value;
        add(&mut self.gradient, &other.gradient);
        add(&mut self.hessian, &other.hessian);
    }
}

/// The minimum is found where no variable's gradient is larger, but those at their bounds.
const TOL: f64 = 1e-9;
/// Or where no step lowers the value by more than this share.
const FLAT: f64 = 1e-13;
/// How close to its bound a variable counts as being there.
const CLOSE: f64 = 1e-4;
const SUFFICIENT: f64 = 1e-4;
const MOST_HALVINGS: usize = 30;

/// The minimum of `function` from `start`, as far as `max_iter` steps come. The first `n_bounded` variables stay at 0 or above, where they must be
/// at the start.
pub(crate) fn minimise(
    function: impl Fn(&[f64]) -> Expansion,
    start: Vec<f64>,
    n_bounded: usize,
    max_iter: usize,
) -> Vec<f64> {
    let (mut here, mut at) = (function(&start), start);
    for _ in 0..max_iter {
        let held = |i: usize| i < n_bounded && at[i] <= CLOSE && here.gradient[i] > 0.0;
        let (bound, free): (Vec<usize>, Vec<usize>) = (0..at.len()).partition(|&i| held(i));
        let is_still = |i: usize| here.gradient[i].abs() <= TOL || at[i] == 0.0 && bound.contains(&i);
        if (0..at.len()).all(is_still) {
            break;
        }
        let Some(mut step) = newton_step(&here, &free) else { break };
        for &i in &bound {
            let curvature = here.hessian[i * at.len() + i];
            step[i] = if curvature > 0.0 { -here.gradient[i] / curvature } else { -at[i] };
        }
        let Some((next, there)) = search(&function, &at, &here, &step, n_bounded) else { break };
        let fell = here.value - there.value;
        (at, here) = (next, there);
        if fell <= FLAT * here.value.abs() {
            break;
        }
    }
    at
}

/// Goes along a step, less far until the value falls enough. `None` if it never does.
fn search(
    function: impl Fn(&[f64]) -> Expansion,
    at: &[f64],
    here: &Expansion,
    step: &[f64],
    n_bounded: usize,
) -> Option<(Vec<f64>, Expansion)> {
    (0..MOST_HALVINGS).find_map(|halving| {
        let share = 0.5f64.powi(halving as i32);
        let mut trial: Vec<f64> = at.iter().zip(step).map(|(at, step)| at + share * step).collect();
        trial[..n_bounded].iter_mut().for_each(|v| *v = v.max(0.0));
        let expected: f64 =
            here.gradient.iter().zip(trial.iter().zip(at)).map(|(g, (to, from))| g * (to - from)).sum();
        let there = function(&trial);
        (there.value <= here.value + SUFFICIENT * expected).then_some((trial, there))
    })
}

/// The Newton step of the `free` variables, 0 of the others. `None` if the second derivatives are not those of a convex function.
fn newton_step(here: &Expansion, free: &[usize]) -> Option<Vec<f64>> {
    let n = here.gradient.len();
    let hessian: Vec<f64> =
        free.iter().flat_map(|&i| free.iter().map(move |&j| here.hessian[i.max(j) * n + i.min(j)])).collect();
    let factor = Spd::new(&hessian, free.len())?;
    let mut x: Vec<f64> = free.iter().map(|&i| -here.gradient[i]).collect();
    factor.solve(&mut x);
    let mut step = vec![0.0; n];
    free.iter().zip(x).for_each(|(&i, x)| step[i] = x);
    Some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1 + (x - c)' A (x - c) / 2`.
    fn quadratic(centre: [f64; 3]) -> impl Fn(&[f64]) -> Expansion {
        let a = [3.0, 1.5, -1.0, 1.5, 4.0, 0.5, -1.0, 0.5, 2.0];
        move |x| {
            let d: Vec<f64> = x.iter().zip(centre).map(|(x, c)| x - c).collect();
            let gradient: Vec<f64> = (0..3).map(|i| (0..3).map(|j| a[3 * i + j] * d[j]).sum()).collect();
            let value = 1.0 + 0.5 * d.iter().zip(&gradient).map(|(d, g)| d * g).sum::<f64>();
            Expansion { value, gradient, hessian: a.to_vec() }
        }
    }

    #[test]
    fn one_step_solves_a_quadratic() {
        let at = minimise(quadratic([1.0, 2.0, -3.0]), vec![0.0; 3], 0, 1);
        assert!(at.iter().zip([1.0, 2.0, -3.0]).all(|(x, c)| (x - c).abs() < 1e-12), "{at:?}");
    }

    #[test]
    fn bounded_variables_end_where_the_gradient_holds_them() {
        for centre in [[1.0, 2.0, -3.0], [-1.0, 0.5, 2.0], [-1.0, -1.0, -1.0], [0.2, -4.0, 1.0]] {
            let function = quadratic(centre);
            let at = minimise(&function, vec![0.5; 3], 3, 50);
            let gradient = function(&at).gradient;
            for (x, g) in at.iter().zip(gradient) {
                assert!(*x == 0.0 && g >= -1e-9 || *x > 0.0 && g.abs() < 1e-8, "{centre:?}: {at:?}, {g}");
            }
        }
    }

    #[test]
    fn steps_that_are_too_long_are_halved() {
        // Newton's step for sqrt(1 + x^2) from beyond 1 goes further away.
        let function = |x: &[f64]| {
            let root = (1.0 + x[0] * x[0]).sqrt();
            Expansion { value: root, gradient: vec![x[0] / root], hessian: vec![root.powi(-3)] }
        };
        assert!(minimise(function, vec![3.0], 0, 50)[0].abs() < 1e-6);
        let flat = |_: &[f64]| Expansion { value: 1.0, gradient: vec![1.0], hessian: vec![0.0] };
        assert_eq!(minimise(flat, vec![3.0], 0, 50), [3.0]);
    }
}
