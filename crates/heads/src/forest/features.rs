//! Drawing the features that a node is split by (scikit-learn: `node_split_best`).
//!
//! Features are drawn without replacement until `max_features` have been looked at and at least one of them was
//! not constant in the node. Features found constant in a node are constant in all nodes below it: they stay in
//! front of the others, are still drawn, but not looked at again.

use headsmith_kernels::philox::Sequence;

/// The features of a tree, in the order in which its nodes found them.
#[derive(Debug)]
pub(super) struct Features {
    all: Vec<u32>,
    /// The features in front of `all`, in the order in which ancestors found them constant.
    constant: Vec<u32>,
}

/// The draws of one node. `all` is cut into: constants drawn | known constants | constants found here | undrawn | drawn.
#[derive(Debug)]
pub(super) struct Drawing<'f> {
    features: &'f mut Features,
    n_known: usize,
    n_drawn_constant: usize,
    n_found: usize,
    n_visited: usize,
    undrawn: usize,
}

impl Features {
    pub(super) fn new(n_features: usize) -> Features {
        Features { all: (0..n_features as u32).collect(), constant: vec![0; n_features] }
    }

    /// Begins to draw for a node in which the first `n_constant` features are known to be constant.
    pub(super) fn draw(&mut self, n_constant: usize) -> Drawing<'_> {
        let undrawn = self.all.len();
        let n_known = n_constant;
        Drawing { features: self, n_known, n_drawn_constant: 0, n_found: 0, n_visited: 0, undrawn }
    }
}

impl Drawing<'_> {
    /// How many more features are to be visited, as far as is known by now.
    pub(super) fn n_wanted(&self, max_features: usize) -> usize {
        if self.undrawn <= self.n_known + self.n_found {
            return 0;
        }
        let all_constant = self.n_visited <= self.n_found + self.n_drawn_constant;
        max_features.saturating_sub(self.n_visited).max(usize::from(all_constant))
    }

    /// Visits up to `n` features and puts those that are not known to be constant into `drawn`.
    pub(super) fn next(&mut self, n: usize, drawn: &mut Vec<u32>, random: &mut Sequence) {
        drawn.clear();
        for _ in 0..n {
            let range = self.undrawn - self.n_found - self.n_drawn_constant;
            if range == 0 || self.undrawn <= self.n_known + self.n_found {
                return;
            }
            self.n_visited += 1;
            let at = self.n_drawn_constant + random.below(range as u32) as usize;
            if at < self.n_known {
                self.features.all.swap(self.n_drawn_constant, at);
                self.n_drawn_constant += 1;
                continue;
            }
            self.undrawn -= 1;
            self.features.all.swap(self.undrawn, at + self.n_found);
            drawn.push(self.features.all[self.undrawn]);
        }
    }

    /// Notes which of the `n_drawn` features last drawn, by their order, are constant in the node.
    pub(super) fn note_constant(&mut self, n_drawn: usize, is_constant: impl Fn(usize) -> bool) {
        let first = self.undrawn + n_drawn - 1;
        // From the front of the drawn ones: what is swapped to behind has been looked at.
        for i in (0..n_drawn).rev().filter(|&i| is_constant(i)) {
            let all = &mut self.features.all;
            let undrawn = self.n_known + self.n_found;
            all.swap(first - i, self.undrawn);
            all.swap(self.undrawn, undrawn);
            self.undrawn += 1;
            self.n_found += 1;
        }
    }

    /// The number of features now known to be constant.
    pub(super) fn finish(self) -> usize {
        let Features { all, constant } = self.features;
        let known = self.n_known + self.n_found;
        // Siblings and descendants rely on the order of the constants.
        all[..self.n_known].copy_from_slice(&constant[..self.n_known]);
        constant[self.n_known..known].copy_from_slice(&all[self.n_known..known]);
        known
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Philox;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_feature_is_drawn_once_and_constants_never_again(
            n_features in 1usize..40,
            max_features in 1usize..40,
            block in 1usize..9,
            modulus in 1u32..6,
            seed: u64,
        ) {
            let is_constant = |feature: u32| feature % 6 >= modulus;
            let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
            let mut features = Features::new(n_features);
            let mut n_constant = 0;
            let mut known: Vec<u32> = Vec::new();
            for _ in 0..5 {
                let (mut drawing, mut drawn, mut seen) = (features.draw(n_constant), Vec::new(), Vec::new());
                while let n @ 1.. = drawing.n_wanted(max_features).min(block) {
                    drawing.next(n, &mut drawn, &mut random);
                    if !drawn.is_empty() {
                        drawing.note_constant(drawn.len(), |i| is_constant(drawn[i]));
                    }
                    seen.extend_from_slice(&drawn);
                }
                n_constant = drawing.finish();
                let mut once = seen.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), seen.len());
                prop_assert!(seen.iter().all(|feature| !known.contains(feature)));
                let any_left = (0..n_features as u32).any(|feature| !is_constant(feature));
                prop_assert_eq!(seen.iter().any(|&feature| !is_constant(feature)), any_left);
                let (before, new) = features.all[..n_constant].split_at(known.len());
                prop_assert_eq!(before, &known);
                prop_assert!(new.iter().all(|feature| seen.contains(feature)));
                prop_assert_eq!(new.len(), seen.iter().filter(|&&feature| is_constant(feature)).count());
                known = features.all[..n_constant].to_vec();
                let mut all = features.all.clone();
                all.sort_unstable();
                prop_assert_eq!(all, (0..n_features as u32).collect::<Vec<_>>());
            }
        }
    }
}
