//! Transforms beside scikit-learn's, as `tests/data/make_transform.py` recorded them, and what must hold for all of them.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

use headsmith_heads::tensors::{Tensors, Values};
use headsmith_heads::transform::{Pipeline, Spec};
use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::Value;

#[path = "transform/axes.rs"]
mod axes;
#[path = "transform/columns.rs"]
mod columns;

const ALL: [&str; 18] = [
    "none",
    "divide:3",
    "standardise",
    "l2",
    "sqrt",
    "l2+standardise",
    "sqrt+l2+standardise",
    "standardise+pca:3+standardise",
    "robust",
    "power:1/3",
    "yeo-johnson",
    "quantile",
    "standardise+quantile+pca:2",
    "whiten",
    "whiten:0.1",
    "spectrum:-0.25",
    "spectrum:1+l2",
    "standardise+spectrum:0.5+standardise",
];

fn recorded() -> Value {
    serde_json::from_str(include_str!("data/transform.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(floats).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn matrix(value: &Value, n_cols: usize) -> Matrix {
    let values: Vec<f32> = floats(value).iter().map(|&v| v as f32).collect();
    let n_rows = values.len() / n_cols;
    Matrix::new(values, n_rows, n_cols)
}

fn fit(text: &str, x: &Matrix, pool: &Pool) -> Pipeline {
    text.parse::<Spec>().unwrap().fit(x.view(), pool).unwrap()
}

#[track_caller]
fn assert_close(found: impl IntoIterator<Item = f64>, expected: &[f64], relative: f64) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= relative * e.abs(), "element {i}: {f:?}, scikit-learn has {e:?}");
    }
}

fn first_rows(m: &Matrix, n: usize) -> Vec<f64> {
    m.view().rows(0, n).as_slice().iter().map(|&v| f64::from(v)).collect()
}

fn learnt(tensors: &Tensors, name: &str) -> Vec<f64> {
    match tensors.iter().find(|(found, _)| *found == name).map(|(_, tensor)| &tensor.values) {
        Some(Values::F64(values)) => values.clone(),
        other => panic!("tensor {name}: {other:?}"),
    }
}

#[test]
fn standardise_is_scikit_learns() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let x = matrix(&recorded["x"], 8);
    let pipeline = fit("standardise", &x, &pool);
    assert_close(learnt(&pipeline.tensors(), "mean"), &floats(&recorded["standardise"]["mean"]), 1e-12);
    assert_close(learnt(&pipeline.tensors(), "scale"), &floats(&recorded["standardise"]["scale"]), 1e-12);
    let scaled = pipeline.apply(x.view(), &pool);
    assert_close(first_rows(&scaled, 5), &floats(&recorded["standardise"]["rows"]), 1e-7);
    assert_eq!(pipeline.n_inputs(), Some(8));
}

#[test]
fn a_constant_feature_has_scale_one() {
    let recorded = recorded();
    let row = matrix(&recorded["constant"], 3);
    let x = Matrix::new(row.as_slice().repeat(1000), 1000, 3);
    let scale = learnt(&fit("standardise", &x, &Pool::inline()).tensors(), "scale");
    assert_eq!(scale, floats(&recorded["constant_scale"]));
}

#[test]
fn l2_is_scikit_learns() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let x = matrix(&recorded["small"], 3);
    let pipeline = fit("l2", &x, &pool);
    let scaled = pipeline.apply(x.view(), &pool);
    assert_close(first_rows(&scaled, x.n_rows()), &floats(&recorded["l2"]), 1e-7);
    assert_eq!(pipeline.n_inputs(), None);
}

#[test]
fn l2_and_standardise_are_scikit_learns_pipeline() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let (all, columns) = (matrix(&recorded["x"], 8), floats(&recorded["l2_columns"]));
    let rows = (0..all.n_rows()).flat_map(|i| columns.iter().map(move |&c| (i, c as usize)));
    let values: Vec<f32> = rows.map(|(i, c)| all.row(i)[c]).collect();
    let x = Matrix::new(values, all.n_rows(), columns.len());
    let pipeline = fit("l2+standardise", &x, &pool);
    // scikit-learn's norms are f32 here, so its numbers carry f32's rounding.
    let recorded = &recorded["l2+standardise"];
    assert_close(learnt(&pipeline.tensors(), "mean"), &floats(&recorded["mean"]), 1e-6);
    assert_close(learnt(&pipeline.tensors(), "scale"), &floats(&recorded["scale"]), 1e-6);
    assert_close(first_rows(&pipeline.apply(x.view(), &pool), 5), &floats(&recorded["rows"]), 1e-5);
}

#[test]
fn pca_is_scikit_learns() {
    let (recorded, pool) = (recorded(), Pool::inline());
    let x = matrix(&recorded["wide"], 6);
    let pipeline = fit("standardise+pca:3", &x, &pool);
    let components = learnt(&pipeline.tensors(), "1.components");
    let expected = floats(&recorded["standardise+pca:3"]["components"]);
    for (found, expected) in components.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{components:?} {expected:?}");
    }
    let rows = first_rows(&pipeline.apply(x.view(), &pool), 5);
    for (found, expected) in rows.iter().zip(floats(&recorded["standardise+pca:3"]["rows"])) {
        assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
    }
    assert_eq!((pipeline.n_inputs(), pipeline.n_outputs(6), pipeline.inputs_for(3)), (Some(6), 3, Some(6)));
    assert_eq!(pipeline.inputs_for(4), None);
}

#[test]
fn the_square_root_keeps_the_sign() {
    let x = Matrix::new(vec![4.0, -9.0, 0.0, -0.25], 2, 2);
    let pool = Pool::inline();
    assert_eq!(fit("sqrt", &x, &pool).apply(x.view(), &pool).as_slice(), [2.0, -3.0, 0.0, -0.5]);
}

#[test]
fn threads_change_no_byte() {
    let x = matrix(&recorded()["x"], 8);
    for text in ALL {
        let one = fit(text, &x, &Pool::inline());
        for n_threads in [2, 3, 8] {
            let pool = Pool::new(n_threads).unwrap();
            let several = fit(text, &x, &pool);
            assert_eq!(one.tensors(), several.tensors(), "{text}");
            assert_eq!(one.apply(x.view(), &Pool::inline()), several.apply(x.view(), &pool), "{text}");
        }
    }
}

#[test]
fn a_row_has_the_same_bytes_alone_and_among_others() {
    let (x, pool) = (matrix(&recorded()["x"], 8), Pool::inline());
    for text in ALL {
        let pipeline = fit(text, &x, &pool);
        let together = pipeline.apply(x.view(), &pool);
        for i in 0..x.n_rows() {
            let alone = pipeline.apply(MatRef::new(x.row(i), 1, 8), &pool);
            assert_eq!(together.row(i), alone.row(0), "{text}, row {i}");
        }
    }
}

#[test]
fn rows_that_teach_nothing_are_refused() {
    let pool = Pool::inline();
    let message =
        |text: &str, x: MatRef<'_>| text.parse::<Spec>().unwrap().fit(x, &pool).unwrap_err().to_string();
    assert_eq!(message("l2", MatRef::new(&[], 0, 2)), "there are no rows to fit the transform `l2` on");
    let x = [1.0, f32::NAN, 2.0, 3.0];
    let x = MatRef::new(&x, 2, 2);
    assert!(message("standardise", x).starts_with("feature 1 of the training rows"));
    for text in ["robust", "yeo-johnson", "quantile", "power:0.5+robust"] {
        assert!(message(text, x).starts_with("feature 1 of the training rows"), "{text}");
    }
    assert!(message("pca:1", x).starts_with("feature 1 of the training rows"));
    assert!(message("pca:3", x).starts_with("pca:3 of 2 rows of 2 features: expected a count of 1 to"));
    assert!(message("pca:1+pca:2", MatRef::new(&[1.0, 2.0, 3.0, 5.0], 2, 2)).contains("1 features"));
}

#[test]
fn tensors_restore_the_pipeline_and_damaged_ones_are_refused() {
    let (x, pool) = (matrix(&recorded()["x"], 8), Pool::inline());
    for text in ALL {
        let pipeline = fit(text, &x, &pool);
        let restored = pipeline.spec().restore(pipeline.tensors()).unwrap();
        assert_eq!(restored.apply(x.view(), &pool), pipeline.apply(x.view(), &pool), "{text}");
        let names: Vec<String> = pipeline.tensors().names().map(str::to_owned).collect();
        for name in &names {
            let mut without = Tensors::new();
            for (other, tensor) in pipeline.tensors().iter().filter(|(other, _)| *other != name) {
                without.insert(other, &tensor.shape, tensor.values.clone());
            }
            assert!(pipeline.spec().restore(without).is_err(), "{text} without {name}");
        }
        let mut more = pipeline.tensors();
        more.insert("more", &[1], Values::F64(vec![1.0]));
        assert!(pipeline.spec().restore(more).is_err(), "{text}");
    }
}
