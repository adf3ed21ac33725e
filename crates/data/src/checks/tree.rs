//! A small decision tree on one column, to measure how well that column predicts the label.

/// The depth of the tree: at most eight leaves.
const DEPTH: usize = 3;

/// The accuracy on `test` rows of a tree of depth 3 on one column, fitted on `train` rows. Splits minimise Gini
/// impurity.
pub(super) fn accuracy(x: &[f32], y: &[u32], n_classes: usize, [train, test]: [&[usize]; 2]) -> f64 {
    let mut sorted: Vec<(f32, u32)> = train.iter().map(|&row| (x[row], y[row])).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tree = grow(&sorted, n_classes, DEPTH);
    let n_right = test.iter().filter(|&&row| tree.class_of(x[row]) == y[row]).count();
    n_right as f64 / test.len().max(1) as f64
}

enum Node {
    Leaf(u32),
    Split(f32, Box<[Node; 2]>),
}

impl Node {
    fn class_of(&self, x: f32) -> u32 {
        match self {
            Node::Leaf(class) => *class,
            Node::Split(at, below) => below[usize::from(x > *at)].class_of(x),
        }
    }
}

fn grow(sorted: &[(f32, u32)], n_classes: usize, depth: usize) -> Node {
    let counts = counts(sorted, n_classes);
    let most = (0..n_classes).rev().max_by_key(|&class| counts[class]).unwrap_or(0) as u32;
    match if depth == 0 { None } else { best_split(sorted, counts) } {
        None => Node::Leaf(most),
        Some(at) => {
            let (low, high) = sorted.split_at(at);
            let below = [low, high].map(|part| grow(part, n_classes, depth - 1));
            Node::Split(low[low.len() - 1].0, Box::new(below))
        }
    }
}

fn counts(rows: &[(f32, u32)], n_classes: usize) -> Vec<u64> {
    let mut counts = vec![0; n_classes];
    rows.iter().for_each(|(_, class)| counts[*class as usize] += 1);
    counts
}

/// The number of sorted rows on the lower side of the best split; `None` if no split helps. Minimal Gini impurity
/// means a maximal sum, over both sides, of the squared counts divided by the side's number of rows.
fn best_split(sorted: &[(f32, u32)], mut above: Vec<u64>) -> Option<usize> {
    let mut below = vec![0u64; above.len()];
    let mut squares = [0.0, above.iter().map(|&n| (n * n) as f64).sum::<f64>()];
    let whole = squares[1] / sorted.len().max(1) as f64;
    let mut best = (whole * (1.0 + 1e-9), None);
    for i in 1..sorted.len() {
        let class = sorted[i - 1].1 as usize;
        squares[0] += (2 * below[class] + 1) as f64;
        squares[1] -= (2 * above[class] - 1) as f64;
        below[class] += 1;
        above[class] -= 1;
        let purity = squares[0] / i as f64 + squares[1] / (sorted.len() - i) as f64;
        if sorted[i - 1].0 < sorted[i].0 && purity > best.0 {
            best = (purity, Some(i));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_bands_of_a_column_and_nothing_in_noise() {
        // Classes 0, 1, 0, 2 in four bands: three splits.
        let x: Vec<f32> = (0..80).map(|i| (i * 37 % 80) as f32).collect();
        let y: Vec<u32> = x.iter().map(|&x| [0, 1, 0, 2][(x / 20.0) as usize]).collect();
        let (even, odd): (Vec<usize>, Vec<usize>) = (0..80).partition(|row| row % 2 == 0);
        assert!(accuracy(&x, &y, 3, [&even, &odd]) > 0.9);
        assert_eq!(accuracy(&x, &y, 3, [&even, &even]), 1.0);
        assert_eq!(accuracy(&[1.0; 80], &y, 3, [&even, &odd]), 0.5);
    }
}
