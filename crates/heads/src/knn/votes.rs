//! Votes of neighbours, and the probabilities that they give.

use super::search::Neighbour;
use crate::class_weight;

/// How much a vote at a distance weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Weighting {
    /// 1.
    Uniform,
    /// 1 over the distance; where a neighbour has none, those without weigh 1 and the others nothing.
    Distance,
    /// `exp(-distance / temperature)`.
    Temperature(f64),
}

impl Weighting {
    /// The weights of the votes of neighbours, the nearest first, up to a common factor.
    pub(super) fn weights(self, neighbours: &[Neighbour], weights: &mut Vec<f64>) {
        weights.clear();
        let Some(nearest) = neighbours.first().map(|neighbour| neighbour.distance) else { return };
        let distances = neighbours.iter().map(|neighbour| neighbour.distance);
        match self {
            Weighting::Uniform => weights.extend(distances.map(|_| 1.0)),
            // As scikit-learn: an inverse that is infinite counts as a distance of 0.
            Weighting::Distance if (1.0 / nearest).is_infinite() => {
                weights.extend(distances.map(|d| f64::from((1.0 / d).is_infinite())));
            }
            Weighting::Distance => weights.extend(distances.map(|d| 1.0 / d)),
            Weighting::Temperature(t) => weights.extend(distances.map(|d| ((nearest - d) / t).exp())),
        }
    }
}

/// The training rows as voters: their classes and weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voters<'a> {
    pub(super) classes: &'a [u32],
    pub(super) weights: &'a [f32],
}

impl Voters<'_> {
    /// Calls `vote(class, vote)` for the nearest neighbours up to a weight of `wanted`: a row of weight 2 counts as two, and of the last one
    /// only the part that is wanted.
    pub(super) fn poll(
        self,
        neighbours: &[Neighbour],
        (weights, wanted): (&[f64], f64),
        mut vote: impl FnMut(usize, f64),
    ) {
        let mut left = wanted;
        for (neighbour, weight) in neighbours.iter().zip(weights) {
            let row = neighbour.row as usize;
            let part = f64::from(self.weights[row]).min(left);
            if part <= 0.0 {
                return;
            }
            vote(self.classes[row] as usize, part * weight);
            left -= part;
        }
    }
}

/// The classes as the votes count them: their weights, and their shares of all rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClassShares {
    /// The weight of each class.
    pub(super) class_weights: Vec<f64>,
    /// The share of each class of the weighted rows.
    pub(super) shares: Vec<f64>,
    /// The sum of the weights of the rows.
    pub(super) total: f64,
}

impl ClassShares {
    /// Of `counts` rows of each class, by their weights; `None` stands for balanced class weights.
    pub(super) fn new(counts: &[f64], class_weights: Option<&[f64]>) -> ClassShares {
        let class_weights = class_weights.map_or_else(
            || class_weight::balanced(counts).iter().map(|w| f64::from(*w as f32)).collect(),
            <[f64]>::to_vec,
        );
        let weighted: Vec<f64> = counts.iter().zip(&class_weights).map(|(n, w)| n.max(0.0) * w).collect();
        let (sum, total) = (weighted.iter().sum::<f64>(), counts.iter().sum());
        let equal = 1.0 / counts.len().max(1) as f64;
        let shares = weighted.into_iter().map(|n| if sum > 0.0 { n / sum } else { equal }).collect();
        ClassShares { class_weights, shares, total }
    }

    /// A probability from a share of the votes, as if the shares of all rows had one vote beside those of all rows: never 0 for a class that
    /// has rows.
    pub(super) fn floored(&self, class: usize, votes: f64, sum: f64) -> f64 {
        let share = if sum > 0.0 { votes / sum } else { self.shares[class] };
        (self.total * share + self.shares[class]) / (self.total + 1.0)
    }

    /// The probabilities from the votes for each class, which are replaced.
    pub(super) fn probabilities(&self, weighting: Weighting, votes: &mut [f64]) {
        let sum: f64 = votes.iter().sum();
        for (class, vote) in votes.iter_mut().enumerate() {
            *vote = match weighting {
                Weighting::Temperature(_) => self.floored(class, *vote, sum),
                _ if sum > 0.0 => *vote / sum,
                _ => self.shares[class],
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbours(distances: &[f64]) -> Vec<Neighbour> {
        distances.iter().enumerate().map(|(i, &distance)| Neighbour { distance, row: i as u32 }).collect()
    }

    fn weights(weighting: Weighting, distances: &[f64]) -> Vec<f64> {
        let mut weights = Vec::new();
        weighting.weights(&neighbours(distances), &mut weights);
        weights
    }

    #[test]
    fn votes_weigh_by_distance() {
        assert_eq!(weights(Weighting::Uniform, &[0.0, 3.0]), [1.0, 1.0]);
        assert_eq!(weights(Weighting::Distance, &[0.5, 4.0]), [2.0, 0.25]);
        assert_eq!(weights(Weighting::Distance, &[0.0, 0.0, 4.0]), [1.0, 1.0, 0.0]);
        let [a, b] = weights(Weighting::Temperature(0.5), &[1e6, 1e6 + 1.0])[..] else { panic!() };
        assert_eq!((a, b), (1.0, (-2.0f64).exp()));
    }

    #[test]
    fn a_row_of_weight_2_counts_as_two() {
        let voters = Voters { classes: &[0, 1, 0], weights: &[1.0, 2.0, 1.0] };
        let (neighbours, mut votes) = (neighbours(&[1.0, 1.0, 1.0]), vec![0.0; 2]);
        voters.poll(&neighbours, (&[1.0, 10.0, 100.0], 2.5), |class, vote| votes[class] += vote);
        assert_eq!(votes, [1.0, 15.0]);
    }

    #[test]
    fn a_class_that_has_rows_has_a_probability() {
        let class_shares = ClassShares::new(&[6.0, 3.0, 0.0], Some(&[1.0, 2.0, 1.0]));
        assert_eq!(class_shares.shares, [0.5, 0.5, 0.0]);
        let mut votes = [4.0, 0.0, 0.0];
        class_shares.probabilities(Weighting::Temperature(1.0), &mut votes);
        assert_eq!(votes, [0.95, 0.05, 0.0]);
        let mut votes = [3.0, 1.0, 0.0];
        class_shares.probabilities(Weighting::Uniform, &mut votes);
        assert_eq!(votes, [0.75, 0.25, 0.0]);
        let mut votes = [0.0; 3];
        class_shares.probabilities(Weighting::Distance, &mut votes);
        assert_eq!(votes, [0.5, 0.5, 0.0]);
        assert_eq!(ClassShares::new(&[6.0, 3.0], None).class_weights, [0.75, 1.5]);
    }
}
