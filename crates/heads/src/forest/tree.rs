//! One decision tree: its nodes, and the class probabilities of its leaves.
//!
//! A leaf of one class, as almost all are in a fully grown tree, is the class itself; only mixed leaves have a list
//! of classes and probabilities.

/// A node, 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// Rows whose value is above it go right. Infinite in a leaf, where all stay.
    pub(super) threshold: f32,
    /// The feature that is compared.
    pub(super) feature: u32,
    /// The left child, which the right child follows; both are after their parent. A leaf is its own child: so a
    /// walk that has arrived may continue without harm.
    pub(super) next: u32,
}

/// A decision tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    n_classes: usize,
    /// The root first.
    nodes: Vec<Node>,
    /// For each node that is a leaf, its class or, from `n_classes` on, its number among the mixed leaves.
    leaves: Vec<u32>,
    /// Where each mixed leaf begins in `mixed`, and the end of the last one.
    mixed_start: Vec<u32>,
    /// Classes in ascending order with their probabilities, leaf after leaf.
    mixed: Vec<(u32, f64)>,
}

impl Tree {
    /// A tree of a root that is yet to be set.
    pub(super) fn new(n_classes: usize) -> Tree {
        let mut tree = Tree {
            n_classes,
            nodes: Vec::new(),
            leaves: Vec::new(),
            mixed_start: vec![0],
            mixed: Vec::new(),
        };
        tree.add_node();
        tree
    }

    fn add_node(&mut self) {
        self.nodes.push(Node { threshold: f32::INFINITY, feature: 0, next: self.nodes.len() as u32 });
        self.leaves.push(0);
    }

    /// Makes `node` a leaf with these classes and their probabilities.
    pub(super) fn set_leaf(&mut self, node: usize, mut shares: impl ExactSizeIterator<Item = (u32, f64)>) {
        self.leaves[node] = if shares.len() == 1 {
            shares.next().map_or(0, |(class, _)| class)
        } else {
            self.add_mixed(shares)
        };
    }

    /// Makes `node` a leaf that refers to a class or, from `n_classes` on, to a mixed leaf.
    pub(super) fn refer_leaf(&mut self, node: usize, leaf: u32) {
        self.leaves[node] = leaf;
    }

    /// Adds a mixed leaf; returns the reference for its node.
    pub(super) fn add_mixed(&mut self, shares: impl Iterator<Item = (u32, f64)>) -> u32 {
        let number = self.mixed_start.len() - 1;
        self.mixed.extend(shares);
        self.mixed_start.push(self.mixed.len() as u32);
        (self.n_classes + number) as u32
    }

    /// Makes `node` a split and adds its children, yet to be set; gives back the left one.
    pub(super) fn set_split(&mut self, node: usize, feature: u32, threshold: f32) -> usize {
        let left = self.nodes.len();
        self.nodes[node] = Node { threshold, feature, next: left as u32 };
        self.add_node();
        self.add_node();
        left
    }

    /// The same tree with its nodes in breadth-first order and no spare memory: the nodes that all rows pass are
    /// adjacent, and each split's children are the next two that no earlier split has.
    pub(super) fn breadth_first(&self) -> Tree {
        let mut tree = Tree::new(self.n_classes);
        tree.mixed = self.mixed.as_slice().into();
        tree.mixed_start = self.mixed_start.as_slice().into();
        tree.nodes.reserve_exact(self.nodes.len() - 1);
        tree.leaves.reserve_exact(self.nodes.len() - 1);
        let mut origins = Vec::with_capacity(self.nodes.len());
        origins.push(0);
        for i in 0..self.nodes.len() {
            let origin = origins[i];
            if self.is_leaf(origin) {
                tree.refer_leaf(i, self.leaf(origin));
            } else {
                let node = self.nodes[origin];
                tree.set_split(i, node.feature, node.threshold);
                origins.extend([node.next as usize, node.next as usize + 1]);
            }
        }
        tree
    }

    /// The nodes, the root first.
    #[inline(always)]
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether `node` is a leaf.
    pub(super) fn is_leaf(&self, node: usize) -> bool {
        self.nodes[node].next as usize == node
    }

    /// The splits with their numbers.
    pub(super) fn splits(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(i, node)| node.next as usize != *i)
    }

    /// The reference of the leaf `node`: a class or, from `n_classes` on, a mixed leaf.
    pub(super) fn leaf(&self, node: usize) -> u32 {
        self.leaves[node]
    }

    /// The mixed leaves: classes in ascending order with their probabilities.
    pub(super) fn mixed_leaves(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        self.mixed_start.windows(2).map(|ends| &self.mixed[ends[0] as usize..ends[1] as usize])
    }

    /// Adds the class probabilities of a leaf's reference, see [`leaf`](Tree::leaf), to `sums`.
    #[inline(always)]
    pub(super) fn add_leaf(&self, leaf: u32, sums: &mut [f64]) {
        match sums.get_mut(leaf as usize) {
            Some(sum) => *sum += 1.0,
            None => self.add_mixed_leaf(leaf as usize - self.n_classes, sums),
        }
    }

    fn add_mixed_leaf(&self, leaf: usize, sums: &mut [f64]) {
        for &(class, probability) in
            &self.mixed[self.mixed_start[leaf] as usize..self.mixed_start[leaf + 1] as usize]
        {
            sums[class as usize] += probability;
        }
    }

    /// The most splits on a way from the root to a leaf.
    pub(super) fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        for (i, node) in self.splits() {
            depths[node.next as usize] = depths[i] + 1;
            depths[node.next as usize + 1] = depths[i] + 1;
        }
        depths.into_iter().max().unwrap_or(0)
    }
}
