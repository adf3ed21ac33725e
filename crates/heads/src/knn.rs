//! k nearest neighbours: the classes of the most similar training rows vote (Cover and Hart, "Nearest neighbor pattern
//! classification", IEEE Transactions on Information Theory 13, 1967; scikit-learn's `KNeighborsClassifier` 1.9 with `algorithm="brute"`).
//!
//! The neighbours are exact: products in single precision exclude rows by bounds of their errors, and the rest is compared by
//! distances in double precision. Of rows at equal distances the first is the nearer, and of classes with equal votes the first is
//! predicted.
//!
//! With the weights `uniform` and `distance`, the probabilities are the shares of the votes, as in scikit-learn. With `temperature`, a vote at
//! distance d weighs `exp(-d / temperature)` (Wu, Xiong, Yu and Lin, "Unsupervised feature learning via non-parametric instance
//! discrimination", CVPR 2018), and the shares s of n rows become `(n s + p) / (n + 1)`, with p the shares of the classes among all
//! rows, so that no class with rows has a probability of 0.

mod candidates;
mod choice;
mod fit;
mod folds;
mod graph;
mod head;
mod index;
mod params;
mod search;
mod stored;
mod votes;

use headsmith_kernels::{MatRef, Matrix, Pool};

pub use head::KnnHead;
pub use params::TABLE;

use candidates::Wanted;
use index::Index;
use search::{Neighbour, Search};
use votes::{ClassShares, Voters, Weighting};

/// k nearest neighbours as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: KnnHead = KnnHead;

/// Fitted k nearest neighbours: the training rows that weigh anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Knn {
    rows: Matrix,
    classes: Vec<u32>,
    /// The weights of the rows.
    weights: Vec<f32>,
    class_weights: Vec<f32>,
    index: Index,
    n_neighbors: usize,
    weighting: Weighting,
}

impl Knn {
    /// The number of neighbours that vote.
    pub fn n_neighbors(&self) -> usize {
        self.n_neighbors
    }

    /// The temperature of the votes' weights, where they have one.
    pub fn temperature(&self) -> Option<f64> {
        match self.weighting {
            Weighting::Temperature(temperature) => Some(temperature),
            _ => None,
        }
    }

    fn search(&self, n_neighbors: f64) -> Search<'_> {
        let weights = (!self.weights.iter().all(|w| *w == 1.0)).then_some(&self.weights[..]);
        Search { rows: self.rows.view(), index: &self.index, wanted: Wanted { weight: n_neighbors, weights } }
    }

    fn voters(&self) -> Voters<'_> {
        Voters { classes: &self.classes, weights: &self.weights }
    }

    fn class_shares(&self) -> ClassShares {
        let mut counts = vec![0.0; self.class_weights.len()];
        for (class, weight) in self.classes.iter().zip(&self.weights) {
            counts[*class as usize] += f64::from(*weight);
        }
        let class_weights: Vec<f64> = self.class_weights.iter().map(|w| f64::from(*w)).collect();
        ClassShares::new(&counts, Some(&class_weights))
    }

    /// The probabilities that neighbours give.
    fn proba_of(&self, neighbours: &[Neighbour], class_shares: &ClassShares, proba: &mut [f32]) {
        let (mut weights, mut votes) = (Vec::new(), vec![0.0; proba.len()]);
        self.weighting.weights(neighbours, &mut weights);
        self.voters().poll(neighbours, (&weights, self.n_neighbors as f64), |class, vote| {
            votes[class] += vote * class_shares.class_weights[class];
        });
        class_shares.probabilities(self.weighting, &mut votes);
        proba.iter_mut().zip(votes).for_each(|(to, p)| *to = p as f32);
    }

    /// The class probabilities of the rows of `x`, `n_samples x n_classes`.
    ///
    /// # Panics
    /// When `x` has not as many columns as the training rows.
    pub fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.rows.n_cols(), "columns of x");
        let mut proba = Matrix::zeros(x.n_rows(), self.class_weights.len());
        let class_shares = self.class_shares();
        self.search(self.n_neighbors as f64).each(
            x,
            &|_, _| true,
            (proba.as_mut_slice(), class_shares.shares.len()),
            &|_, neighbours, out| self.proba_of(neighbours, &class_shares, out),
            pool,
        );
        proba
    }
}
