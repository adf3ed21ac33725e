//! The transforms that treat every feature alone, beside scikit-learn's.

use headsmith_heads::tensors::{Tensor, Tensors, Values};
use headsmith_heads::transform::Spec;
use headsmith_kernels::{Matrix, Pool};
use serde_json::Value;

use super::{assert_close, first_rows, fit, floats, learnt, matrix, recorded};

/// Features of many kinds; those of constant value come last.
const N_COLUMNS: usize = 9;

fn columns(recorded: &Value) -> Matrix {
    matrix(&recorded["columns"], N_COLUMNS)
}

/// Relative to the sizes of numbers that are around 1.
#[track_caller]
fn assert_near(found: &[f64], expected: &[f64], near: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= near * (1.0 + e.abs()), "element {i}: {f:?}, scikit-learn has {e:?}");
    }
}

#[test]
fn robust_is_scikit_learns() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let x = columns(&recorded);
    let pipeline = fit("robust", &x, &pool);
    let recorded = &recorded["robust"];
    assert_close(learnt(&pipeline.tensors(), "median"), &floats(&recorded["median"]), 1e-14);
    assert_close(learnt(&pipeline.tensors(), "scale"), &floats(&recorded["scale"]), 1e-14);
    assert_close(first_rows(&pipeline.apply(x.view(), &pool), 9), &floats(&recorded["rows"]), 1e-7);
}

#[test]
fn yeo_johnson_is_scikit_learns() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let x = columns(&recorded);
    let pipeline = fit("yeo-johnson", &x, &pool);
    let recorded = &recorded["yeo-johnson"];
    let tensors = pipeline.tensors();
    let [lambda, pivot, mean, scale] =
        ["lambda", "pivot", "mean", "scale"].map(|name| learnt(&tensors, name));
    let [lambdas, means, scales] = ["lambda", "mean", "scale"].map(|name| floats(&recorded[name]));
    let mut n_plain = 0;
    for j in 0..N_COLUMNS {
        // scikit-learn stops at half of the digits, and has fewer of values of one sign.
        let near = if pivot[j] == 0.0 { 1e-6 } else { 1e-4 };
        assert_near(&lambda[j..=j], &lambdas[j..=j], near);
        if pivot[j] != 0.0 {
            continue;
        }
        assert_near(&[mean[j] / scale[j], scale[j]], &[means[j] / scales[j], scales[j]], 1e-5);
        n_plain += 1;
    }
    assert_eq!(n_plain, 5, "pivots {pivot:?}");
    assert_near(&first_rows(&pipeline.apply(x.view(), &pool), 9), &floats(&recorded["rows"]), 1e-5);
}

#[test]
fn quantile_is_scikit_learns() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let (all, unseen) = (columns(&recorded), matrix(&recorded["unseen"], N_COLUMNS));
    for (name, n) in [("quantile", all.n_rows()), ("few_quantiles", 65)] {
        let x = all.view().rows(0, n).to_matrix();
        let pipeline = fit("quantile", &x, &pool);
        let quantiles = learnt(&pipeline.tensors(), "quantiles");
        let n_quantiles = n.min(1000);
        let of_each = |i: usize| quantiles.chunks(n_quantiles).map(move |of| of[i]);
        let ends: Vec<f64> = [0, 1, n_quantiles / 3, n_quantiles - 1].into_iter().flat_map(of_each).collect();
        assert_near(&ends, &floats(&recorded[name]["ends"]), 1e-14);
        let mut rows = first_rows(&pipeline.apply(x.view(), &pool), 9);
        rows.extend(first_rows(&pipeline.apply(unseen.view(), &pool), unseen.n_rows()));
        let mut expected = floats(&recorded[name]["rows"]);
        // There, a constant feature is -5.2 and a value above it 5.2.
        expected.iter_mut().skip(N_COLUMNS - 1).step_by(N_COLUMNS).for_each(|v| *v = 0.0);
        assert_near(&rows, &expected, 1e-6);
    }
}

#[test]
fn a_quantile_beyond_ten_thousand_rows_is_that_of_all_of_them() {
    let pool = Pool::new(2).unwrap();
    let values: Vec<f32> = (0..20_011).map(|i| ((i * 7919) % 20_011) as f32).collect();
    let x = Matrix::new(values, 20_011, 1);
    let quantiles = learnt(&fit("quantile", &x, &pool).tensors(), "quantiles");
    for (i, q) in quantiles.iter().enumerate() {
        assert!((q - i as f64 * 20_010.0 / 999.0).abs() < 1e-8, "{i}: {q}");
    }
}

#[test]
fn powers_keep_the_sign_and_a_half_is_the_root() {
    let pool = Pool::inline();
    let x = Matrix::new(vec![8.0, -27.0, 0.0, -0.125, -0.0, f32::MAX], 2, 3);
    let third = fit("power:1/3", &x, &pool).apply(x.view(), &pool);
    let expected = [2.0, -3.0, 0.0, -0.5, -0.0, f64::from(f32::MAX).cbrt() as f32];
    for (found, expected) in third.as_slice().iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs() && found.signum() == expected.signum());
    }
    let x = columns(&recorded());
    let root = fit("sqrt", &x, &pool).apply(x.view(), &pool);
    assert_eq!(fit("power:1/2", &x, &pool).apply(x.view(), &pool), root);
    assert_eq!(fit("power:1", &x, &pool).apply(x.view(), &pool), x);
}

#[test]
fn rows_that_do_not_vary_give_zeros() {
    let pool = Pool::inline();
    for x in [Matrix::new(vec![3.5, -2.0, 0.0], 1, 3), Matrix::new([3.5, -2.0, 0.0].repeat(40), 40, 3)] {
        for text in ["robust", "yeo-johnson", "quantile"] {
            let zeros = fit(text, &x, &pool).apply(x.view(), &pool);
            assert!(zeros.as_slice().iter().all(|v| *v == 0.0), "{text}: {zeros:?}");
        }
    }
}

#[test]
fn huge_and_tiny_values_stay_finite() {
    let pool = Pool::inline();
    let half = [3e38f32, 1.0, 1e-30, 2e38, 5e-39, 1e10, 1e-3, 2.0];
    let mixed = half.iter().flat_map(|v| [*v, -*v / 3.0]);
    for values in [half.to_vec(), half.map(|v| -v).to_vec(), mixed.collect()] {
        let n = values.len();
        let x = Matrix::new(values, n, 1);
        for text in ["power:1/3", "yeo-johnson", "quantile"] {
            let found = fit(text, &x, &pool).apply(x.view(), &pool);
            assert!(found.as_slice().iter().all(|v| v.is_finite()), "{text}: {found:?}");
            if text != "yeo-johnson" {
                continue;
            }
            // Also of rows that are larger than all that it has seen.
            let more = Matrix::new(vec![f32::MAX.copysign(x.as_slice()[0])], 1, 1);
            let found = fit(text, &x, &pool).apply(more.view(), &pool);
            assert!(found.as_slice().iter().all(|v| v.is_finite()), "{found:?}");
        }
    }
}

#[test]
fn a_row_that_is_no_number_stays_none() {
    let (x, pool) = (columns(&recorded()), Pool::inline());
    let strange = Matrix::new(vec![f32::NAN; N_COLUMNS], 1, N_COLUMNS);
    for text in ["robust", "power:0.5", "yeo-johnson", "quantile"] {
        let found = fit(text, &x, &pool).apply(strange.view(), &pool);
        assert!(found.as_slice().iter().all(|v| v.is_nan()), "{text}");
    }
}

#[test]
fn hostile_tensors_are_refused() {
    let (x, pool) = (columns(&recorded()), Pool::inline());
    let with = |text: &str, name: &str, damage: &dyn Fn(&mut Tensor)| {
        let pipeline = fit(text, &x, &pool);
        let mut tensors = Tensors::new();
        for (found, tensor) in pipeline.tensors().iter() {
            let mut tensor = tensor.clone();
            if found == name {
                damage(&mut tensor);
            }
            tensors.insert(found, &tensor.shape, tensor.values);
        }
        text.parse::<Spec>().unwrap().restore(tensors).map(|_| ()).unwrap_err().to_string()
    };
    let zero = |tensor: &mut Tensor| tensor.values = Values::F64(vec![0.0; N_COLUMNS]);
    let cut = |tensor: &mut Tensor| {
        tensor.shape[0] = 2;
        tensor.values = Values::F64(vec![1.0; 2]);
    };
    let single = |tensor: &mut Tensor| tensor.values = Values::F32(vec![1.0; N_COLUMNS]);
    for text in ["standardise", "robust", "yeo-johnson"] {
        assert!(with(text, "scale", &zero).contains("`scale` is 0.0, expected a number above zero"));
        assert!(with(text, "scale", &cut).contains("tensor `scale` has shape [2], expected [9]"));
        assert!(with(text, "scale", &single).contains("holds f32, expected f64"));
    }
    assert!(with("yeo-johnson", "lambda", &cut).contains("tensor `lambda` has shape [2]"));
    assert!(with("yeo-johnson", "pivot", &single).contains("tensor `pivot` holds f32"));
    let falling = |tensor: &mut Tensor| {
        if let Values::F64(values) = &mut tensor.values {
            values[1007] = 1e9;
        }
    };
    assert!(with("quantile", "quantiles", &falling).contains("row 1 of tensor `quantiles` falls"));
    let empty = |tensor: &mut Tensor| {
        tensor.shape = vec![0, 1000];
        tensor.values = Values::F64(Vec::new());
    };
    assert!(with("quantile", "quantiles", &empty).contains("expected a matrix with rows and columns"));
}
