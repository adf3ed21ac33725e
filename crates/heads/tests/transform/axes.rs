//! The transforms that turn rows to their principal axes, beside scikit-learn's.

use headsmith_heads::tensors::{Tensor, Tensors, Values};
use headsmith_heads::transform::Spec;
use headsmith_kernels::{MatRef, Matrix, Philox, Pool};

use super::{first_rows, fit, floats, matrix, recorded};

const BY_AXES: [&str; 6] =
    ["whiten", "whiten:0.3", "whiten:0", "spectrum:-1", "spectrum:-0.25", "spectrum:2"];

fn random(n_rows: usize, n_cols: usize) -> Matrix {
    let mut sequence = Philox::new(11, 0, 0).sequence(n_rows as u32, n_cols as u32);
    let value = |at: usize, u: f64| ((u - 0.3) * (1.0 + (at % n_cols % 7) as f64)) as f32;
    Matrix::new((0..n_rows * n_cols).map(|at| value(at, sequence.uniform())).collect(), n_rows, n_cols)
}

fn message(text: &str, x: MatRef<'_>) -> String {
    text.parse::<Spec>().unwrap().fit(x, &Pool::inline()).unwrap_err().to_string()
}

#[test]
fn whiten_and_spectrum_are_scikit_learns_axes_scaled() {
    let (recorded, pool) = (recorded(), Pool::inline());
    for name in ["tall", "long"] {
        let recorded = &recorded[name];
        let n_features = recorded["n_features"].as_u64().unwrap() as usize;
        let x = matrix(&recorded["x"], n_features);
        for (text, rows) in recorded["rows"].as_object().unwrap() {
            let expected = floats(rows);
            let pipeline = fit(text, &x, &pool);
            let n_outputs = n_features.min(x.n_rows() - 1);
            assert_eq!((pipeline.n_inputs(), pipeline.n_outputs(n_features)), (Some(n_features), n_outputs));
            let found = first_rows(&pipeline.apply(x.view(), &pool), 5);
            assert_eq!(found.len(), expected.len());
            let size = expected.iter().fold(0.0f64, |most, v| most.max(v.abs()));
            for (f, e) in found.iter().zip(&expected) {
                assert!((f - e).abs() < 1e-5 * size, "{name}, {text}: {f}, scikit-learn has {e}");
            }
        }
    }
}

#[test]
fn the_training_rows_of_a_spectrum_have_a_total_variance_of_one() {
    let pool = Pool::inline();
    for (n, d) in [(300, 9), (20, 90)] {
        let x = random(n, d);
        for p in ["-1", "-0.5", "0", "1.5"] {
            let rows = fit(&format!("spectrum:{p}"), &x, &pool).apply(x.view(), &pool);
            let total: f64 = rows.as_slice().iter().map(|v| f64::from(*v).powi(2)).sum();
            assert!((total / n as f64 - 1.0).abs() < 1e-5, "{p}: {total}");
        }
    }
}

#[test]
fn small_axes_are_dropped() {
    let pool = Pool::inline();
    // A constant feature, one that is the sum of others, and one with 1e-8 of the variance of the others.
    let base = random(200, 4);
    let rows = (0..200).flat_map(|i| {
        let row = base.row(i);
        [row[0], 3.5, row[1], row[0] + row[1], 1e-4 * row[2], row[3]]
    });
    let x = Matrix::new(rows.collect(), 200, 6);
    for text in BY_AXES {
        let pipeline = fit(text, &x, &pool);
        assert_eq!(pipeline.n_outputs(6), 3, "{text}");
        // What only new rows have changes little.
        let mut row = x.row(0).to_vec();
        row[1] += 1.0;
        let new = pipeline.apply(MatRef::new(&row, 1, 6), &pool);
        let old = pipeline.apply(MatRef::new(x.row(0), 1, 6), &pool);
        for (new, old) in new.as_slice().iter().zip(old.as_slice()) {
            assert!((new - old).abs() < 1e-4, "{text}");
        }
    }
    // Rows that occur twice add no axis.
    let twice = Matrix::new(random(5, 30).as_slice().repeat(2), 10, 30);
    assert_eq!(fit("spectrum:-1", &twice, &pool).n_outputs(30), 4);
}

#[test]
fn both_sides_of_the_matrix_give_the_same_rows() {
    let pool = Pool::inline();
    // As many features as rows: from the features. One more, which is constant: from the rows.
    let x = random(25, 25);
    let wider = Matrix::new((0..25).flat_map(|i| x.row(i).iter().copied().chain([2.0])).collect(), 25, 26);
    for text in BY_AXES.iter().filter(|text| !text.starts_with("whiten")).chain(&["whiten:0", "pca:24"]) {
        let a = fit(text, &x, &pool).apply(x.view(), &pool);
        let b = fit(text, &wider, &pool).apply(wider.view(), &pool);
        assert_eq!((a.n_cols(), b.n_cols()), (24, 24), "{text}");
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            assert!((a - b).abs() < 2e-3, "{text}: {a} and {b}");
        }
    }
}

#[test]
fn more_features_than_rows_change_no_byte_with_threads() {
    let x = random(70, 1_500);
    for text in ["whiten", "spectrum:-0.5", "pca:20", "sqrt+spectrum:0.3"] {
        let one = fit(text, &x, &Pool::inline());
        let pool = Pool::new(3).unwrap();
        let several = fit(text, &x, &pool);
        assert_eq!(one.tensors(), several.tensors(), "{text}");
        let rows = one.apply(x.view(), &Pool::inline());
        assert_eq!(rows, several.apply(x.view(), &pool), "{text}");
        let alone = one.apply(x.view().rows(69, 70), &pool);
        assert_eq!(alone.row(0), rows.row(69), "{text}");
    }
}

#[test]
fn pca_fills_up_with_zeros_where_rows_vary_along_fewer_axes() {
    let pool = Pool::inline();
    let x = Matrix::new([1.0, 2.0, 5.0, 2.0, 3.0, -1.0].repeat(2), 4, 3);
    let rows = fit("pca:3", &x, &pool).apply(x.view(), &pool);
    for i in 0..4 {
        assert!(rows.row(i)[0].abs() > 3.0 && rows.row(i)[1..] == [0.0, 0.0], "{rows:?}");
    }
    let single = Matrix::new(vec![1.0, 2.0, 3.0], 1, 3);
    assert_eq!(fit("pca:1", &single, &pool).apply(single.view(), &pool).as_slice(), [0.0]);
}

#[test]
fn huge_and_tiny_values_are_scaled() {
    let pool = Pool::inline();
    let x = random(50, 4);
    for size in [1e30f32, 1e-25] {
        let sized = Matrix::new(x.as_slice().iter().map(|v| v * size).collect(), 50, 4);
        for text in ["whiten", "spectrum:-1", "spectrum:0", "spectrum:2"] {
            let a = fit(text, &x, &pool).apply(x.view(), &pool);
            let b = fit(text, &sized, &pool).apply(sized.view(), &pool);
            for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
                assert!((a - b).abs() < 1e-5 * (1.0 + a.abs()), "{text}, {size:e}: {a} and {b}");
            }
        }
    }
}

#[test]
fn rows_that_are_all_the_same_give_a_feature_of_zeros() {
    let pool = Pool::inline();
    for text in BY_AXES {
        for n_rows in [1, 7] {
            let x = Matrix::new([1.0, 2.0].repeat(n_rows), n_rows, 2);
            let pipeline = fit(text, &x, &pool);
            assert_eq!(pipeline.apply(x.view(), &pool), Matrix::zeros(n_rows, 1), "{text}");
            let restored = pipeline.spec().restore(pipeline.tensors()).unwrap();
            assert_eq!(restored.n_outputs(2), 1, "{text}");
        }
    }
}

#[test]
fn rows_without_axes_are_refused() {
    assert_eq!(
        message("whiten", MatRef::new(&[], 3, 0)),
        "whiten needs features; the training rows have none"
    );
    let x = [1.0, f32::INFINITY, 2.0, 3.0];
    for text in ["whiten", "spectrum:0", "spectrum:0+whiten"] {
        assert!(message(text, MatRef::new(&x, 2, 2)).starts_with("feature 1 of the training rows"));
    }
    let many = vec![0.0; 8193 * 8193];
    let found = message("spectrum:0", MatRef::new(&many, 8193, 8193));
    assert_eq!(found, "spectrum:0 of 8193 rows of 8193 features: expected at most 8192 of one or the other");
}

#[test]
fn hostile_tensors_are_refused() {
    let (x, pool) = (random(40, 5), Pool::inline());
    let with = |text: &str, name: &str, shape: &[usize], values: Values| {
        let pipeline = fit(text, &x, &pool);
        let mut tensors = Tensors::new();
        for (found, tensor) in pipeline.tensors().iter() {
            let damaged = Tensor { shape: shape.to_vec(), values: values.clone() };
            let tensor = if found == name { damaged } else { tensor.clone() };
            tensors.insert(found, &tensor.shape, tensor.values);
        }
        text.parse::<Spec>().unwrap().restore(tensors).map(|_| ()).unwrap_err().to_string()
    };
    for text in ["whiten", "spectrum:0.5"] {
        assert!(with(text, "axes", &[0, 5], Values::F32(vec![])).contains("a matrix with rows and columns"));
        assert!(with(text, "axes", &[5], Values::F32(vec![0.0; 5])).contains("a matrix with rows"));
        assert!(with(text, "axes", &[2, 5], Values::F64(vec![0.0; 10])).contains("holds f64, expected f32"));
        assert!(with(text, "axes", &[2, 4], Values::F32(vec![0.0; 8])).contains("`mean` has shape [5]"));
        assert!(with(text, "mean", &[0], Values::F64(vec![])).contains("`mean` has shape [0], expected [5]"));
    }
    assert!(with("pca:2", "components", &[3, 5], Values::F64(vec![0.0; 15])).contains("3 rows, expected 2"));
    assert!(with("pca:2", "components", &[2, 0], Values::F64(vec![])).contains("rows and columns"));
    let long = with("pca:2", "components", &[2, 5], Values::F64(vec![1e300; 10]));
    assert!(long.contains("expected directions of length 1"), "{long}");
    assert!(with("pca:2", "mean", &[4], Values::F64(vec![0.0; 4])).contains("`mean` has shape [4]"));
}
