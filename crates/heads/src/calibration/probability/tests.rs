use headsmith_kernels::Philox;

use super::super::choose::{Chosen, choose};
use super::*;
use crate::head::Folds;

/// Rows of three classes: the probabilities that their classes were drawn with, after `change` of their logits.
fn rows(n: usize, change: impl Fn(usize, f64) -> f64) -> (Matrix, Vec<u32>) {
    let mut draws = Philox::new(5, 0, 0).sequence(0, 0);
    let (mut proba, mut y) = (Matrix::zeros(n, 3), Vec::new());
    for i in 0..n {
        let logits = [(); 3].map(|()| 4.0 * draws.uniform() - 2.0);
        let sum: f64 = logits.iter().map(|z| z.exp()).sum();
        let mut left = draws.uniform() * sum;
        let drawn = logits.iter().position(|z| {
            left -= z.exp();
            left < 0.0
        });
        y.push(drawn.unwrap_or(2) as u32);
        let mut changed: Vec<f64> = logits.iter().enumerate().map(|(k, z)| change(k, *z)).collect();
        headsmith_kernels::softmax::softmax_f64(&mut changed);
        proba.row_mut(i).iter_mut().zip(changed).for_each(|(to, p)| *to = p as f32);
    }
    (proba, y)
}

fn loss(form: &Chosen, name: ProbabilityForm) -> f64 {
    form.losses.iter().find(|(form, _)| *form == name).unwrap().1
}

#[test]
fn what_is_calibrated_stays_as_it_is() {
    let (proba, y) = rows(3000, |_, z| z);
    let chosen = choose(proba.view(), Targets::new(&y), Folds::LeaveOneOut, &Pool::inline());
    assert_eq!(chosen.form, ProbabilityForm::Identity);
    assert_eq!(chosen.proba, proba);
    assert_eq!(chosen.calibration, ProbabilityCalibration::identity(3));
    assert_eq!(chosen.losses.len(), 5);
}

#[test]
fn too_certain_probabilities_need_a_temperature() {
    let (proba, y) = rows(3000, |_, z| 3.0 * z);
    let chosen = choose(proba.view(), Targets::new(&y), Folds::LeaveOneOut, &Pool::inline());
    assert_eq!(chosen.form, ProbabilityForm::Temperature);
    let slope = chosen.calibration.slope().unwrap();
    assert!((slope - 1.0 / 3.0).abs() < 0.02, "{slope}");
    assert!(loss(&chosen, ProbabilityForm::Temperature) < loss(&chosen, ProbabilityForm::Identity) - 0.1);
    // Rows calibrated on other groups differ a little from those calibrated by the fit on all.
    let fitted = chosen.calibration.apply(proba.view(), &Pool::inline());
    assert_ne!(chosen.proba, fitted);
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 0.03;
    assert!(chosen.proba.as_slice().iter().zip(fitted.as_slice()).all(close));
}

#[test]
fn classes_that_are_moved_apart_need_a_vector() {
    let (proba, y) = rows(3000, |k, z| [0.5, 1.0, 2.0][k] * z + k as f64);
    let chosen = choose(proba.view(), Targets::new(&y), Folds::LeaveOneOut, &Pool::inline());
    assert_ne!(chosen.form, ProbabilityForm::Identity);
    assert_ne!(chosen.form, ProbabilityForm::Temperature);
    assert!(loss(&chosen, ProbabilityForm::Vector) < loss(&chosen, ProbabilityForm::Temperature) - 0.02);
}

#[test]
fn an_isotonic_calibration_undoes_a_bend() {
    let (proba, y) = rows(6000, |_, z| z);
    // They need not sum to 1.
    let bent: Vec<f32> = proba.as_slice().iter().map(|p| p.powi(3)).collect();
    let bent = Matrix::new(bent, 6000, 3);
    let (targets, pool) = (Targets::new(&y), Pool::inline());
    let isotonic = ProbabilityCalibration::fit(bent.view(), targets, ProbabilityForm::Isotonic, &pool);
    let calibrated = isotonic.apply(bent.view(), &pool);
    let [before, after, best] = [&bent, &calibrated, &proba].map(|p| targets.mean(&targets.losses(p.view())));
    assert!(after < before - 0.5 && after < best + 0.02, "{before}, {after}, {best}");
}

#[test]
fn folds_of_one_group_and_no_rows_are_no_errors() {
    let (proba, y) = rows(40, |_, z| 2.0 * z);
    let chosen = choose(proba.view(), Targets::new(&y), Folds::Of(&[7; 40]), &Pool::inline());
    assert_eq!(chosen.form, ProbabilityForm::Identity);
    let none = choose(MatRef::new(&[], 0, 3), Targets::new(&[]), Folds::LeaveOneOut, &Pool::inline());
    assert_eq!(none.calibration, ProbabilityCalibration::identity(3));
}

#[test]
fn every_form_is_stored_and_restored_and_keeps_its_bytes_for_any_threads() {
    // The last class has no rows, the second has a weight of 0 in every third row.
    let (proba, y) = rows(2500, |k, z| 1.5 * z + 0.3 * k as f64);
    let y: Vec<u32> = y.iter().map(|&class| class.min(1)).collect();
    let weights: Vec<f32> = (0..2500).map(|i| (i % 3) as f32).collect();
    let targets = Targets::new(&y).weighted(&weights);
    for form in FORMS {
        let fit = |pool: &Pool| ProbabilityCalibration::fit(proba.view(), targets, form, pool);
        let (one, three) = (Pool::inline(), Pool::new(3).unwrap());
        let fitted = fit(&one);
        assert_eq!(fit(&three), fitted, "{form:?}");
        let calibrated = fitted.apply(proba.view(), &one);
        assert_eq!(fitted.apply(proba.view(), &three), calibrated, "{form:?}");
        let restored = ProbabilityCalibration::restore(form.name(), fitted.tensors()).unwrap();
        assert_eq!(restored, fitted);
        for i in 0..2500 {
            let row = calibrated.row(i);
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5 && row.iter().all(|p| *p >= 0.0), "{form:?}: {row:?}");
            assert!(
                matches!(form, ProbabilityForm::Identity | ProbabilityForm::Temperature) || row[2] < 0.5,
                "{form:?}: {row:?}"
            );
        }
    }
}

#[test]
fn damaged_arrays_are_refused() {
    let (proba, y) = rows(300, |_, z| 2.0 * z);
    let refusal = |form: ProbabilityForm, change: &dyn Fn(&mut Tensors)| {
        let fitted = ProbabilityCalibration::fit(proba.view(), Targets::new(&y), form, &Pool::inline());
        let mut tensors = fitted.tensors();
        change(&mut tensors);
        ProbabilityCalibration::restore(form.name(), tensors).unwrap_err().to_string()
    };
    let set = |name: &'static str, values: Values| {
        move |tensors: &mut Tensors| tensors.insert(name, &[values.len()], values.clone())
    };
    let f64s = |values: &[f64]| Values::F64(values.to_vec());
    for form in FORMS {
        assert!(refusal(form, &set("more", f64s(&[1.0]))).contains("`more` does not belong"));
        assert!(refusal(form, &|tensors| drop(tensors.take_u32("n_classes", &[1]))).contains("is missing"));
    }
    for form in [ProbabilityForm::Vector, ProbabilityForm::Quadratic, ProbabilityForm::Isotonic] {
        refusal(form, &set("n_classes", Values::U32(vec![u32::MAX])));
    }
    for value in [f64::NAN, f64::INFINITY, 1e31] {
        assert!(
            refusal(ProbabilityForm::Temperature, &set("slope", f64s(&[value]))).contains("`slope` holds")
        );
        assert!(
            refusal(ProbabilityForm::Vector, &set("bias", f64s(&[0.0, value, 0.0]))).contains("`bias` holds")
        );
    }
    let isotonic = |name, values| refusal(ProbabilityForm::Isotonic, &set(name, values));
    assert!(isotonic("knots.size", Values::U32(vec![u32::MAX; 3])).contains("does not sum"));
    assert!(isotonic("knots.x", f64s(&[0.5; 2])).contains("has shape"));
    for floor in [0.0, 1.0, f64::NAN] {
        assert!(isotonic("floor", f64s(&[floor])).contains("`floor` is"));
    }
    let falling = refusal(ProbabilityForm::Isotonic, &|tensors| {
        let knots = |values: &[f64]| Values::F64(values.to_vec());
        tensors.insert("knots.size", &[3], Values::U32(vec![2, 0, 0]));
        tensors.insert("knots.x", &[2], knots(&[0.0, 1.0]));
        tensors.insert("knots.y", &[2], knots(&[0.5, 0.25]));
    });
    assert_eq!(falling, "the knots of class 0 do not rise within 0 to 1");
    assert!(ProbabilityCalibration::restore("oracle", Tensors::new()).is_err());
}
