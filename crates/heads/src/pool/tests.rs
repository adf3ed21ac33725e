use headsmith_kernels::Philox;
use headsmith_kernels::softmax::softmax_f64;

use super::*;
use crate::head::Folds;

const N_CLASSES: usize = 3;

/// Features of classes of equal size: normal around `distance` times the class, times 1, -1 for the second, independent of one another. The exact
/// probabilities given each feature alone: those given all are in proportion to their product.
struct Simulated {
    y: Vec<u32>,
    members: Vec<Matrix>,
}

impl Simulated {
    fn new(n_rows: usize, distances: &[f64]) -> Simulated {
        let mut draws = Philox::new(11, 0, 0).sequence(0, 0);
        let mut normal = || {
            (-2.0 * draws.uniform().max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * draws.uniform()).cos()
        };
        let y: Vec<u32> = (0..n_rows).map(|i| (i % N_CLASSES) as u32).collect();
        let mut member = |centres: [f64; N_CLASSES]| {
            let mut proba = Matrix::zeros(n_rows, N_CLASSES);
            for (i, class) in y.iter().enumerate() {
                let x = centres[*class as usize] + normal();
                let mut row = centres.map(|centre| -(x - centre).powi(2) / 2.0);
                softmax_f64(&mut row);
                proba.row_mut(i).iter_mut().zip(row).for_each(|(to, p)| *to = p as f32);
            }
            proba
        };
        let centres =
            |d: &f64, at: usize| if at.is_multiple_of(2) { [0.0, *d, 2.0 * d] } else { [*d, 0.0, 2.0 * d] };
        let members = distances.iter().enumerate().map(|(at, d)| member(centres(d, at))).collect();
        Simulated { y, members }
    }

    fn views(&self) -> Vec<MatRef<'_>> {
        self.members.iter().map(Matrix::view).collect()
    }

    fn targets(&self) -> Targets<'_> {
        Targets::new(&self.y)
    }

    fn loss(&self, proba: &Matrix) -> f64 {
        self.targets().mean(&self.targets().losses(proba.view()))
    }

    /// Probabilities that tell nothing of the rows' classes: those of the rows before.
    fn noise(&self) -> Matrix {
        let n = self.members[0].as_slice().len();
        let moved = self.members[0].as_slice().iter().cycle().skip(n - 4 * N_CLASSES).take(n).copied();
        let mut noise = Matrix::new(moved.collect(), self.y.len(), N_CLASSES);
        (0..self.y.len()).for_each(|i| noise.row_mut(i).rotate_left(i / N_CLASSES % N_CLASSES));
        noise
    }
}

#[test]
fn a_calibrated_member_stays_as_it_is() {
    let rows = Simulated::new(6000, &[1.0]);
    let pool = LogLinear::fit(&rows.views(), rows.targets(), &Pool::inline());
    assert!((pool.weights[0] - 1.0).abs() < 0.06, "{pool:?}");
    assert!(pool.bias.iter().all(|b| b.abs() < 0.06), "{pool:?}");
}

#[test]
fn noise_has_next_to_no_weight() {
    let rows = Simulated::new(6000, &[1.0]);
    let noise = rows.noise();
    let both = [rows.members[0].view(), noise.view()];
    let pool = LogLinear::fit(&both, rows.targets(), &Pool::inline());
    assert!((pool.weights[0] - 1.0).abs() < 0.06 && pool.weights[1] < 0.05, "{pool:?}");
    let selected = select(&both, rows.targets(), Folds::LeaveOneOut, 5, &Pool::inline());
    assert_eq!((selected.members, selected.gains), (vec![0], vec![0.0]));
}

#[test]
fn two_that_complement_each_other_are_multiplied() {
    let rows = Simulated::new(6000, &[1.0, 1.2]);
    let pool = Pool::inline();
    let fitted = LogLinear::fit(&rows.views(), rows.targets(), &pool);
    assert!(fitted.weights.iter().all(|w| (w - 1.0).abs() < 0.08), "{fitted:?}");
    let pooled = rows.loss(&fitted.apply(&rows.views(), &pool));
    let alone = rows.members.iter().map(|member| rows.loss(member)).fold(f64::INFINITY, f64::min);
    assert!(pooled < alone - 0.1, "{pooled}, {alone}");
    let product = LogLinear { weights: vec![1.0; 2], bias: vec![0.0; 3] };
    assert!((pooled - rows.loss(&product.apply(&rows.views(), &pool))).abs() < 0.002);
}

#[test]
fn members_are_selected_while_they_help_and_judged_on_other_rows() {
    let rows = Simulated::new(3000, &[0.6, 1.2, 0.9]);
    let noise = rows.noise();
    let mut candidates = rows.views();
    candidates.insert(1, noise.view());
    // A candidate that says the same again.
    candidates.push(rows.members[1].view());
    let (targets, pool) = (rows.targets(), Pool::inline());
    let selected = select(&candidates, targets, Folds::LeaveOneOut, 10, &pool);
    assert_eq!(selected.members, [2, 3, 0]);
    assert_eq!((selected.pool.weights.len(), selected.gains.len()), (3, 3));
    assert!(selected.gains[0] == 0.0 && selected.gains[1] > selected.gains[2] && selected.gains[2] > 0.01);
    let members: Vec<MatRef<'_>> = selected.members.iter().map(|&member| candidates[member]).collect();
    let in_sample = selected.pool.apply(&members, &pool);
    assert_ne!(selected.proba, in_sample);
    let (honest, fitted) = (rows.loss(&selected.proba), rows.loss(&in_sample));
    assert!(fitted < honest && honest < fitted + 0.01, "{honest}, {fitted}");
    let best = rows.loss(&rows.members[1]);
    assert!((best - selected.gains.iter().sum::<f64>() - honest).abs() < 0.01);
    assert_eq!(select(&candidates, targets, Folds::LeaveOneOut, 2, &pool).members, [2, 3]);
    assert_eq!(select(&candidates, targets, Folds::LeaveOneOut, 0, &pool).members, [2]);
}

#[test]
fn threads_change_no_byte() {
    let rows = Simulated::new(1000, &[0.6, 1.2, 0.9]);
    let folds: Vec<u32> = (0..1000).map(|i| i / 100).collect();
    let run = |pool: &Pool| {
        let fitted = LogLinear::fit(&rows.views(), rows.targets(), pool);
        let selected = select(&rows.views(), rows.targets(), Folds::Of(&folds), 3, pool);
        (fitted.apply(&rows.views(), pool), fitted, selected)
    };
    assert_eq!(run(&Pool::inline()), run(&Pool::new(3).unwrap()));
}

#[test]
fn a_weight_of_two_is_two_rows() {
    let rows = Simulated::new(300, &[0.6, 1.2]);
    let weights: Vec<f32> = (0..300).map(|i| if i < 100 { 2.0 } else { 1.0 }).collect();
    let pool = Pool::inline();
    let weighted = LogLinear::fit(&rows.views(), rows.targets().weighted(&weights), &pool);
    let twice = |values: &[f32]| [values, &values[..300]].concat();
    let members: Vec<Vec<f32>> = rows.members.iter().map(|member| twice(member.as_slice())).collect();
    let views: Vec<MatRef<'_>> = members.iter().map(|member| MatRef::new(member, 400, 3)).collect();
    let y = [&rows.y[..], &rows.y[..100]].concat();
    let repeated = LogLinear::fit(&views, Targets::new(&y), &pool);
    for (a, b) in weighted.weights.iter().zip(&repeated.weights) {
        assert!((a - b).abs() < 1e-6, "{weighted:?}, {repeated:?}");
    }
}

#[test]
fn extremes_are_no_errors() {
    let pool = Pool::inline();
    // A class without rows, certain members that are wrong, members without an opinion.
    let certain = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let equal = [1.0 / 3.0; 9];
    let members = [MatRef::new(&certain, 3, 3), MatRef::new(&equal, 3, 3)];
    let fitted = LogLinear::fit(&members, Targets::new(&[1, 1, 0]), &pool);
    assert!(fitted.check().is_ok(), "{fitted:?}");
    assert!(fitted.apply(&members, &pool).as_slice().iter().all(|p| p.is_finite()));
    let selected = select(&members, Targets::new(&[1, 1, 0]), Folds::LeaveOneOut, 3, &pool);
    assert_eq!(selected.members, [1]);
    let none = [MatRef::new(&[], 0, 3); 2];
    assert_eq!(LogLinear::fit(&none, Targets::new(&[]), &pool), LogLinear::equal(2, 3));
    assert_eq!(select(&none, Targets::new(&[]), Folds::LeaveOneOut, 3, &pool).members, [0]);
    // Weights without any row that counts.
    let ignored = LogLinear::fit(&members, Targets::new(&[1, 1, 0]).weighted(&[0.0; 3]), &pool);
    assert!(ignored.check().is_ok(), "{ignored:?}");
}

#[test]
fn the_pool_agrees_with_its_formula() {
    let rows = Simulated::new(600, &[0.6, 1.2]);
    let pool = LogLinear { weights: vec![0.3, 1.1], bias: vec![0.5, 0.0, -1.0] };
    let proba = pool.apply(&rows.views(), &Pool::inline());
    for i in 0..600 {
        let power = |c: usize| {
            let p = |member: usize| f64::from(rows.members[member].row(i)[c].max(1e-6));
            p(0).powf(0.3) * p(1).powf(1.1) * pool.bias[c].exp()
        };
        let sum: f64 = (0..3).map(power).sum();
        for c in 0..3 {
            assert!((f64::from(proba.row(i)[c]) - power(c) / sum).abs() < 1e-6);
        }
    }
}

#[test]
fn a_pool_is_stored_and_damaged_ones_are_refused() {
    let pool = LogLinear { weights: vec![0.0, 1.25], bias: vec![0.5, -1.0] };
    assert_eq!(LogLinear::restore(pool.tensors()).unwrap(), pool);
    let refusal = |name: &str, values: &[f64]| {
        let mut tensors = pool.tensors();
        tensors.insert(name, &[values.len()], Values::F64(values.to_vec()));
        LogLinear::restore(tensors).unwrap_err().to_string()
    };
    for weight in [-0.5, f64::NAN, f64::INFINITY, 1e31] {
        assert!(refusal("weights", &[1.0, weight]).starts_with("the weight of member 1 is "));
    }
    for bias in [f64::NAN, f64::NEG_INFINITY, -1e31] {
        assert!(refusal("bias", &[bias, 0.0]).starts_with("the intercept of class 0 is "));
    }
    assert!(refusal("more", &[1.0]).contains("`more` does not belong to a pool"));
    assert!(LogLinear::restore(Tensors::new()).unwrap_err().to_string().contains("`weights` is missing"));
}
