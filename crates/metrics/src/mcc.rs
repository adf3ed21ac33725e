//! Matthews correlation coefficient: the correlation between true and predicted classes (Gorodkin, "Comparing two
//! K-category assignments by a K-category correlation coefficient", 2004).

use crate::Confusion;

/// `cov(true, predicted) / sqrt(cov(true, true) cov(predicted, predicted))`, from -1 to 1, with 0 for chance; also 0
/// if all samples have one class or are predicted as one, where it is undefined. scikit-learn's `matthews_corrcoef`.
///
/// With `n` samples, `h` hits, `t_c` samples of class `c` and `p_c` samples predicted as it, the covariances are
/// `h n - sum t_c p_c`, `n^2 - sum t_c^2` and `n^2 - sum p_c^2`.
pub fn mcc(confusion: &Confusion) -> f64 {
    let n = confusion.n_samples() as f64;
    let (mut hits, mut tp, mut tt, mut pp) = (0.0, 0.0, 0.0, 0.0);
    for c in 0..confusion.n_classes() {
        let (t, p) = (confusion.support(c) as f64, confusion.predicted(c) as f64);
        hits += confusion.hits(c) as f64;
        tp += t * p;
        tt += t * t;
        pp += p * p;
    }
    let variances = (n * n - tt) * (n * n - pp);
    if variances == 0.0 { 0.0 } else { (hits * n - tp) / variances.sqrt() }
}
