//! The masses of a stepped number's kernels on intervals.

use super::kernels::Numbers;
use super::normal::{NarrowMass, log_mass};

/// Kernels and intervals of one number. Masses that are likely to be needed again are cached.
pub(super) struct Masses<'d> {
    numbers: &'d Numbers,
    step: f64,
    /// The distance, in widths, beyond which a mass is negligible.
    far: f64,
    /// The width of most kernels, and its series for each point: on a logarithmic scale intervals differ in width.
    least: f64,
    narrow: Vec<NarrowMass>,
    /// On a linear scale, the mass of a kernel of the least width by its distance in steps; NaN if not yet computed.
    known: Vec<f64>,
}

/// The maximum distance in steps for which masses are cached.
const MOST: usize = 1 << 12;

impl<'d> Masses<'d> {
    pub(super) fn new(numbers: &'d Numbers, step: f64, points: &[f64], far: f64) -> Masses<'d> {
        let least = numbers.sigmas.iter().fold(f64::INFINITY, |least, &sigma| least.min(sigma));
        let narrow = |width: f64| NarrowMass::new(width / least, far + 1.0);
        let (narrow, n_known) = if numbers.log {
            (points.iter().map(|x| narrow(((x + step / 2.0) / (x - step / 2.0)).ln())).collect(), 0)
        } else {
            let range = (numbers.ends.1 - numbers.ends.0) / step;
            (vec![narrow(step); points.len().min(1)], MOST.min(range as usize + 1))
        };
        Masses { numbers, step, far, least, narrow, known: vec![f64::NAN; n_known] }
    }

    /// The logarithm of the mass of kernel `k` on a point's interval, given as its middle and half width.
    pub(super) fn at(&mut self, k: usize, point: usize, (middle, half): (f64, f64)) -> f64 {
        let sigma = self.numbers.sigmas[k];
        let distance = (middle - self.numbers.mus[k]).abs();
        let place = self.place(distance).filter(|_| sigma == self.least);
        if let Some(known) = place.map(|place| self.known[place]).filter(|known| !known.is_nan()) {
            return known;
        }
        let mass = self.mass(distance / sigma, 2.0 * half / sigma, sigma, point);
        if let Some(place) = place {
            self.known[place] = mass;
        }
        mass
    }

    /// The cache index of masses at this distance.
    fn place(&self, distance: f64) -> Option<usize> {
        let steps = (distance / self.step + 0.5) as usize;
        let on_grid = (distance - steps as f64 * self.step).abs() < 1e-12 * (self.step + distance);
        (on_grid && steps < self.known.len()).then_some(steps)
    }

    /// The logarithm of the mass of an interval, in units of the kernel's width.
    fn mass(&self, distance: f64, width: f64, sigma: f64, point: usize) -> f64 {
        let near = distance - 0.5 * width;
        if near > self.far {
            // An upper bound, and negligible.
            -0.5 * near * near
        } else if NarrowMass::covers(width, distance) {
            match self.narrow.get(if self.numbers.log { point } else { 0 }) {
                Some(narrow) if sigma == self.least => narrow.log_mass(distance),
                _ => NarrowMass::new(width, distance).log_mass(distance),
            }
        } else {
            log_mass(distance - 0.5 * width, distance + 0.5 * width)
        }
    }
}
