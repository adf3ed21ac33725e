//! Decision trees as a graph has them.

/// Trees whose leaves have shares of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Trees {
    /// The classes.
    pub n_classes: usize,
    /// At least one tree.
    pub trees: Vec<Tree>,
}

/// A tree: its nodes, the root first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Children come after their parent.
    pub nodes: Vec<Branch>,
    /// The shares of the leaves.
    pub shares: Vec<(u32, f64)>,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Branch {
    /// A row whose feature is at most the threshold goes to the node `left`, or else to the one after it.
    Split {
        /// The feature.
        feature: u32,
        /// The threshold.
        threshold: f32,
        /// The left child.
        left: u32,
    },
    /// A leaf.
    Leaf {
        /// The first of its shares.
        start: u32,
        /// The one after its last.
        end: u32,
    },
}

impl Trees {
    /// The nodes of all trees.
    pub fn n_nodes(&self) -> usize {
        self.trees.iter().map(|tree| tree.nodes.len()).sum()
    }

    fn splits_mut(&mut self) -> impl Iterator<Item = (u32, &mut f32)> {
        self.trees.iter_mut().flat_map(|tree| &mut tree.nodes).filter_map(|node| match node {
            Branch::Split { feature, threshold, .. } => Some((*feature, threshold)),
            Branch::Leaf { .. } => None,
        })
    }

    /// The thresholds of each feature, rising, each once.
    pub(super) fn thresholds(&self, n_features: usize) -> Vec<Vec<f32>> {
        let mut of_feature = vec![Vec::new(); n_features];
        for node in self.trees.iter().flat_map(|tree| &tree.nodes) {
            if let Branch::Split { feature, threshold, .. } = node {
                of_feature[*feature as usize].push(*threshold);
            }
        }
        for thresholds in &mut of_feature {
            thresholds.sort_unstable_by(f32::total_cmp);
            // As they are found: the two zeros differ.
            thresholds.dedup_by(|a, b| a.total_cmp(b).is_eq());
        }
        of_feature
    }

    /// Replaces thresholds: those of `of_feature`, rising, by the numbers at the same places of `by`.
    pub(super) fn replace(&mut self, of_feature: &[Vec<f32>], by: &[Vec<f32>]) {
        for (feature, threshold) in self.splits_mut() {
            let known = &of_feature[feature as usize];
            let at = known.partition_point(|t| t.total_cmp(threshold).is_lt());
            *threshold = by[feature as usize][at];
        }
    }
}
