//! Tables made from a formula, which the scripts beside the recorded numbers repeat.

use headsmith_heads::params::Value;
use headsmith_heads::{Control, Event, Samples};
use headsmith_kernels::{MatRef, Matrix};

/// Rows with their classes.
pub(crate) struct Table {
    pub(crate) x: Matrix,
    pub(crate) y: Vec<u32>,
    pub(crate) n_classes: usize,
}

impl Table {
    pub(crate) fn new(x: &[f32], y: &[u32]) -> Table {
        let n_classes = y.iter().max().map_or(0, |&class| class as usize + 1);
        Table { x: Matrix::new(x.to_vec(), y.len(), x.len() / y.len()), y: y.to_vec(), n_classes }
    }

    pub(crate) fn x(&self) -> MatRef<'_> {
        self.x.view()
    }

    pub(crate) fn samples(&self) -> Samples<'_> {
        Samples::new(self.x(), &self.y, self.n_classes).unwrap()
    }
}

pub(crate) fn go_on(_: &Event) -> Control {
    Control::Continue
}

pub(crate) fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

/// A random 64-bit number as a function of `k` (splitmix64).
pub(crate) fn random(k: u64) -> u64 {
    let mut z = (k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// A number in `[0, 1)` with 24 bits as a function of `k`.
pub(crate) fn uniform(k: u64) -> f64 {
    (random(k) >> 40) as f64 / f64::from(1 << 24)
}

/// The samples of `tests/data/make_forest.py`: row `i` is of class `floor(n_classes * u^2)`, its features uniform
/// around half a random centre of its class.
pub(crate) fn samples(start: u64, n_samples: u64, n_features: u64, n_classes: usize) -> Table {
    let class = |row: u64| (n_classes as f64 * uniform(1_000_000 + row).powi(2)) as u32;
    let y: Vec<u32> = (start..start + n_samples).map(class).collect();
    let feature = |row: u64, j: u64| {
        let centre = uniform(2_000_000 + u64::from(class(row)) * n_features + j);
        (uniform(3_000_000 + row * n_features + j) + 0.5 * centre) as f32
    };
    let x: Vec<f32> =
        (start..start + n_samples).flat_map(|row| (0..n_features).map(move |j| feature(row, j))).collect();
    Table { x: Matrix::new(x, n_samples as usize, n_features as usize), y, n_classes }
}
