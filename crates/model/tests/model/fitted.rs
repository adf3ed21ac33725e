//! Heads as training makes them, through a file and back.

use headsmith_heads::params::{Table, Value};
use headsmith_heads::transform::Spec;
use headsmith_heads::{Control, Event, Samples, forest, mlp};
use headsmith_kernels::{Matrix, Philox, Pool};
use headsmith_model::{Model, Node};

use crate::samples::{model, scaled};

/// 300 rows of four features around three centres that overlap.
fn training() -> (Matrix, Vec<u32>) {
    let mut draws = Philox::new(3, 0, 0).sequence(0, 0);
    let y: Vec<u32> = (0..300).map(|i| i % 3).collect();
    let x = y.iter().flat_map(|&class| [class as f64, 1.0, -f64::from(class), 0.0]);
    let x: Vec<f32> = x.map(|centre| (centre + 3.0 * draws.uniform()) as f32).collect();
    (Matrix::new(x, 300, 4), y)
}

fn params(table: &'static Table, small: &[(&'static str, i64)]) -> headsmith_heads::params::Params {
    table.resolve(small.iter().map(|&(name, value)| (name, Value::Int(value)))).unwrap()
}

fn fitted(head: &str) -> Node {
    let (x, y) = training();
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    fitted_on(head, samples, None, &Pool::inline())
}

fn fitted_on(head: &str, samples: Samples<'_>, val: Option<Samples<'_>>, pool: &Pool) -> Node {
    let mut observer = |_: &Event| Control::Continue;
    match head {
        "forest" => {
            let params = params(&forest::TABLE, &[("n_estimators", 12)]);
            Node::head(forest::fit(samples, &params, 42, pool, &mut observer).unwrap())
        }
        _ => {
            let params = params(&mlp::TABLE, &[("neurons0", 16), ("layer_norms", 2), ("epochs", 3)]);
            Node::head(mlp::fit(samples, val, &params, 42, pool, &mut observer, None).unwrap().model)
        }
    }
}

#[test]
fn a_fitted_head_predicts_the_same_from_its_file() {
    let ((x, _), pool) = (training(), Pool::inline());
    for head in ["forest", "mlp"] {
        let model = model(scaled("l2+standardise", fitted(head)));
        let bytes = model.to_bytes().unwrap();
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read.predict_proba(x.view(), &pool), model.predict_proba(x.view(), &pool), "{head}");
        assert!(read.to_bytes().unwrap() == bytes, "{head}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for head in ["forest", "mlp"] {
        assert!(model(fitted(head)).to_bytes().unwrap() == model(fitted(head)).to_bytes().unwrap(), "{head}");
    }
}

#[test]
fn rows_that_are_scaled_as_a_head_looks_at_them_teach_it_the_same() {
    let (x, y) = training();
    for spec in ["divide:3", "standardise", "l2+standardise", "sqrt", "standardise+pca:2"] {
        let scaling: Spec = spec.parse().unwrap();
        let transform = scaling.fit(x.view(), &Pool::inline()).unwrap();
        let copy = transform.apply(x.view(), &Pool::inline());
        let once = Samples::new(copy.view(), &y, 3).unwrap();
        let as_looked_at = Samples::new(x.view(), &y, 3).unwrap().transformed_by(&transform);
        for head in ["forest", "mlp"] {
            let bytes = |samples: Samples<'_>, pool: &Pool| {
                model(fitted_on(head, samples, Some(samples), pool)).to_bytes().unwrap()
            };
            let expected = bytes(once, &Pool::inline());
            for pool in [Pool::inline(), Pool::new(3).unwrap()] {
                assert!(bytes(as_looked_at, &pool) == expected, "{head}, {scaling}");
            }
        }
    }
}

#[test]
fn what_scaling_makes_infinite_is_refused_as_if_it_stood_so() {
    let (x, y) = training();
    let transform = "divide:1e-39".parse::<Spec>().unwrap().fit(x.view(), &Pool::inline()).unwrap();
    let copy = transform.apply(x.view(), &Pool::inline());
    let samples = Samples::new(x.view(), &y, 3).unwrap();
    let error = |samples: Samples<'_>| {
        let params = params(&mlp::TABLE, &[("epochs", 1)]);
        mlp::Trainer::new(samples, Some(samples), &params, 1, 0, &Pool::inline()).unwrap_err().to_string()
    };
    let once = error(Samples::new(copy.view(), &y, 3).unwrap());
    assert_eq!(error(samples.transformed_by(&transform)), once);
    assert!(once.ends_with("of the training samples is inf, expected a finite number"), "{once}");
}
