//! Predictions for tests.

use headsmith_kernels::Matrix;
use headsmith_kernels::philox::Sequence;

/// Labels with the probabilities of two heads for the same samples.
pub(crate) struct Predictions {
    pub(crate) y_true: Vec<u32>,
    pub(crate) a: Matrix,
    pub(crate) b: Matrix,
}

impl Predictions {
    /// `n_samples` in three classes of unequal size; both heads see the same signal of strength `skill`, each with its
    /// own noise.
    pub(crate) fn new(n_samples: usize, skill: f64, random: &mut Sequence) -> Predictions {
        let y_true: Vec<u32> = (0..n_samples).map(|i| [0, 0, 0, 1, 1, 2][i % 6]).collect();
        let (mut a, mut b) = (Matrix::zeros(n_samples, 3), Matrix::zeros(n_samples, 3));
        for (i, &class) in y_true.iter().enumerate() {
            let mut shared: [f64; 3] = std::array::from_fn(|_| 3.0 * random.uniform());
            shared[class as usize] += skill;
            for head in [&mut a, &mut b] {
                let odds = shared.map(|z| (z + random.uniform()).exp());
                let sum: f64 = odds.iter().sum();
                head.row_mut(i).iter_mut().zip(odds).for_each(|(p, o)| *p = (o / sum) as f32);
            }
        }
        Predictions { y_true, a, b }
    }

    /// Draws samples with replacement, without stratification; with `exchange`, the heads' rows are swapped at random.
    pub(crate) fn draw(&self, n_samples: usize, exchange: bool, random: &mut Sequence) -> Predictions {
        let n_classes = self.a.n_cols();
        let mut y_true = vec![0; n_samples];
        let (mut a, mut b) = (Matrix::zeros(n_samples, n_classes), Matrix::zeros(n_samples, n_classes));
        for (i, class) in y_true.iter_mut().enumerate() {
            let j = random.below(self.y_true.len() as u32) as usize;
            *class = self.y_true[j];
            let (mut row_a, mut row_b) = (self.a.row(j), self.b.row(j));
            if exchange && random.below(2) == 1 {
                std::mem::swap(&mut row_a, &mut row_b);
            }
            a.row_mut(i).copy_from_slice(row_a);
            b.row_mut(i).copy_from_slice(row_b);
        }
        Predictions { y_true, a, b }
    }
}
