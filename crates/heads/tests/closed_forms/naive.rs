//! Least squares in double precision by elimination, for tests of closed forms.

/// Rows of numbers.
pub(crate) type Rows = Vec<Vec<f64>>;

/// The solution of `a x = b`, by elimination with pivots.
pub(crate) fn solve(mut a: Rows, mut b: Rows) -> Rows {
    let n = a.len();
    for i in 0..n {
        let pivot = (i..n).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs())).unwrap();
        a.swap(i, pivot);
        b.swap(i, pivot);
        let (of_a, of_b) = (a[i].clone(), b[i].clone());
        for j in (0..n).filter(|&j| j != i) {
            let factor = a[j][i] / of_a[i];
            a[j].iter_mut().zip(&of_a).for_each(|(to, v)| *to -= factor * v);
            b[j].iter_mut().zip(&of_b).for_each(|(to, v)| *to -= factor * v);
        }
    }
    b.iter().enumerate().map(|(i, row)| row.iter().map(|v| v / a[i][i]).collect()).collect()
}

/// Outputs clipped to 0..1 and divided by their sum.
pub(crate) fn clipped(outputs: &[f64]) -> Vec<f64> {
    let outputs: Vec<f64> = outputs.iter().map(|f| f.clamp(0.0, 1.0)).collect();
    let sum: f64 = outputs.iter().sum();
    outputs.iter().map(|f| f / sum).collect()
}

/// Asserts that probabilities are these.
pub(crate) fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (p, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*p) - e).abs() < tolerance, "{what}, {i}: {p}, {e}");
    }
}
