//! Prediction, and what the parts of a model must agree on.

use headsmith_heads::calibration::ProbabilityCalibration;
use headsmith_heads::pool::LogLinear;
use headsmith_kernels::{MatRef, Pool};
use headsmith_model::{Error, Model, Node, Record, most_probable};

use crate::samples::{
    calibrations, classes, combined, fitted, forest, golden, mlp, model, pool, rows, scaled,
};

fn refusal(node: Node) -> String {
    let error: Error = Model::new(classes(), node, Record::default()).unwrap_err();
    assert!(error.is_invalid());
    error.to_string()
}

#[test]
fn rows_of_another_width_are_refused_with_both_numbers() {
    let x = [0.0; 6];
    for head in [Node::head(mlp()), Node::head(forest()), scaled("standardise", Node::head(mlp()))] {
        let error = model(head).predict(MatRef::new(&x, 2, 3), &Pool::inline()).unwrap_err();
        assert!(error.is_input());
        assert_eq!(
            error.to_string(),
            "the rows have 3 features, expected 4 as the rows that the model was fitted on"
        );
    }
}

#[test]
fn no_rows_give_no_probabilities() {
    for head in [Node::head(mlp()), scaled("l2", Node::head(forest()))] {
        let proba = model(head).predict_proba(MatRef::new(&[], 0, 4), &Pool::inline()).unwrap();
        assert_eq!((proba.n_rows(), proba.n_cols()), (0, 3));
    }
}

#[test]
fn the_first_of_equals_is_predicted() {
    let proba = [0.4, 0.4, 0.2, 0.1, 0.45, 0.45, 0.2, 0.3, 0.5];
    assert_eq!(most_probable(MatRef::new(&proba, 3, 3)), [0, 1, 2]);
}

#[test]
fn classes_are_those_of_the_largest_probabilities() {
    let (model, x, pool) = (model(Node::head(mlp())), rows(), Pool::inline());
    let proba = model.predict_proba(x.view(), &pool).unwrap();
    assert_eq!(model.predict(x.view(), &pool).unwrap(), most_probable(proba.view()));
}

#[test]
fn a_decision_changes_classes_and_no_probability() {
    let (plain, x, pool) = (model(Node::head(mlp())), rows(), Pool::inline());
    assert!(plain.decision().is_empty());
    let proba = plain.predict_proba(x.view(), &pool).unwrap();
    assert_eq!(plain.decide(proba.view()), most_probable(proba.view()));
    let decided = plain.clone().with_decision(vec![0.0, 100.0, 0.0]).unwrap();
    assert_eq!(decided.predict_proba(x.view(), &pool).unwrap(), proba);
    assert_eq!(decided.predict(x.view(), &pool).unwrap(), [1; 7]);
    assert_eq!(decided.decide(proba.view()), [1; 7]);
    let none = plain.with_decision(vec![0.5; 3]).unwrap();
    assert!(none.decision().is_empty(), "equal offsets are no decision");
}

#[test]
fn a_decision_that_does_not_fit_is_refused() {
    let message = |offsets: &[f64]| {
        let error = model(Node::head(mlp())).with_decision(offsets.to_vec()).unwrap_err();
        assert!(error.is_invalid());
        error.to_string()
    };
    assert_eq!(message(&[0.0; 2]), "the decision has 2 offsets, expected one for each of the 3 classes");
    assert_eq!(message(&[]), "the decision has 0 offsets, expected one for each of the 3 classes");
    assert_eq!(
        message(&[0.0, f64::INFINITY, 0.0]),
        "offset 1 of the decision is inf, expected a finite number"
    );
    assert!(message(&[f64::NAN, 0.0, 0.0]).starts_with("offset 0 of the decision is NaN"));
}

#[test]
fn a_transform_scales_what_its_head_sees() {
    let (x, pool) = (rows(), Pool::inline());
    for scaling in [
        "none",
        "divide:10",
        "standardise",
        "l2",
        "l2+standardise",
        "robust",
        "power:1/3",
        "yeo-johnson",
        "quantile+standardise",
        "pca:4",
        "whiten",
        "whiten:0.5",
        "standardise+spectrum:-0.25+l2",
    ] {
        let model = model(scaled(scaling, Node::head(mlp())));
        let whole = model.predict_proba(x.view(), &pool).unwrap();
        let by_hand = mlp().predict_proba(fitted(scaling).apply(x.view(), &pool).view(), &pool);
        assert_eq!(whole, by_hand, "{scaling}");
        let read = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
        assert_eq!(read.predict_proba(x.view(), &pool).unwrap(), whole, "{scaling}");
    }
}

#[test]
fn an_ensemble_is_the_weighted_mean_for_any_scale_of_weights() {
    let (x, pool) = (rows(), Pool::inline());
    let (a, b) = (mlp().predict_proba(x.view(), &pool), forest().predict_proba(x.view(), &pool));
    for scale in [1.0, 1e-300, 4e307] {
        let members = vec![(scale, Node::head(mlp())), (3.0 * scale, Node::head(forest()))];
        let mean = model(Node::Ensemble(members)).predict_proba(x.view(), &pool).unwrap();
        for ((m, a), b) in mean.as_slice().iter().zip(a.as_slice()).zip(b.as_slice()) {
            assert!((m - (a + 3.0 * b) / 4.0).abs() < 1e-6);
        }
    }
}

#[test]
fn a_pool_multiplies_powers_and_a_calibration_follows() {
    let (x, threads) = (rows(), Pool::inline());
    let a = scaled("standardise", Node::head(mlp()));
    let members =
        [model(a), model(Node::head(forest()))].map(|m| m.predict_proba(x.view(), &threads).unwrap());
    let proba = model(pool()).predict_proba(x.view(), &threads).unwrap();
    for i in 0..7 {
        let [a, b] = [0, 1].map(|member: usize| members[member].row(i));
        let power = |c: usize| {
            f64::from(a[c].max(1e-6)).powf(0.75)
                * f64::from(b[c].max(1e-6)).sqrt()
                * [0.25f64, 0.0, -0.5][c].exp()
        };
        let sum: f64 = (0..3).map(power).sum();
        (0..3).for_each(|c| assert!((f64::from(proba.row(i)[c]) - power(c) / sum).abs() < 1e-6));
    }
    for calibration in calibrations() {
        let expected = calibration.apply(proba.view(), &threads);
        let node = Node::Calibrated { calibration, then: Box::new(pool()) };
        assert_eq!(model(node).predict_proba(x.view(), &threads).unwrap(), expected);
    }
}

#[test]
fn pools_and_calibrations_are_the_same_from_their_files() {
    let (x, pool) = (rows(), Pool::inline());
    for (name, model) in combined() {
        let bytes = model.to_bytes().unwrap();
        let read = Model::from_bytes(&bytes).unwrap();
        assert!(read.to_bytes().unwrap() == bytes, "{name}");
        assert_eq!((read.n_features(), read.n_classes()), (4, 3));
        let proba = model.predict_proba(x.view(), &pool).unwrap();
        assert_eq!(read.predict_proba(x.view(), &pool).unwrap(), proba, "{name}");
        assert_eq!(read.predict_proba(x.view(), &Pool::new(3).unwrap()).unwrap(), proba, "{name}");
    }
}

#[test]
fn a_row_is_predicted_alone_as_among_many() {
    let few = rows();
    let n_rows = 20_000;
    let many: Vec<f32> = few.as_slice().iter().copied().cycle().take(n_rows * 4).collect();
    let (many, pool) = (MatRef::new(&many, n_rows, 4), Pool::new(2).unwrap());
    for (name, model) in golden().into_iter().chain(combined()) {
        let proba = model.predict_proba(many, &pool).unwrap();
        assert_eq!((proba.n_rows(), proba.n_cols()), (n_rows, 3));
        for i in (0..n_rows).step_by(997).chain([16_383, 16_384, n_rows - 1]) {
            let alone = model.predict_proba(many.rows(i, i + 1), &pool).unwrap();
            assert_eq!(proba.row(i), alone.row(0), "{name}, row {i}");
        }
    }
}

#[test]
fn threads_change_no_byte() {
    let x = rows();
    let node =
        Node::Ensemble(vec![(1.0, scaled("standardise", Node::head(mlp()))), (2.0, Node::head(forest()))]);
    let model = model(node);
    let one = model.predict_proba(x.view(), &Pool::inline()).unwrap();
    assert_eq!(model.predict_proba(x.view(), &Pool::new(3).unwrap()).unwrap(), one);
}

#[test]
fn the_head_is_named_through_transforms() {
    let ensemble = Node::Ensemble(vec![(1.0, Node::head(forest()))]);
    assert_eq!(model(scaled("l2", scaled("none", Node::head(mlp())))).head_name(), "mlp");
    assert_eq!(model(Node::head(forest())).head_name(), "forest");
    assert_eq!(model(scaled("l2", ensemble)).head_name(), "ensemble");
    let calibrated = |then| Node::Calibrated { calibration: calibrations().remove(1), then: Box::new(then) };
    assert_eq!(model(calibrated(scaled("l2", calibrated(Node::head(mlp()))))).head_name(), "mlp");
    assert_eq!(model(calibrated(pool())).head_name(), "pool");
    assert_eq!(calibrated(pool()).kind(), "calibrated");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let two = Model::new(vec!["a".into(), "b".into()], Node::head(mlp()), Record::default()).unwrap_err();
    assert_eq!(two.to_string(), "the mlp has 3 classes, but 2 are named");
    let twice = ["a", "b", "a"].map(str::to_owned).to_vec();
    let twice = Model::new(twice, Node::head(mlp()), Record::default()).unwrap_err();
    assert_eq!(twice.to_string(), "the class `a` is named twice");
    assert_eq!(refusal(Node::Ensemble(vec![])), "the ensemble at node 0/ has no members");
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = refusal(Node::Ensemble(vec![(1.0, Node::head(mlp())), (weight, Node::head(mlp()))]));
        assert_eq!(
            message,
            format!(
                "member 1 of the ensemble at node 0/ has weight {weight:?}, expected a finite number above zero"
            )
        );
    }
    let narrow = "standardise"
        .parse::<headsmith_heads::transform::Spec>()
        .unwrap()
        .fit(MatRef::new(&[1.0, 2.0], 1, 2), &Pool::inline())
        .unwrap();
    let narrow = Node::Transform { transform: narrow, then: Box::new(Node::head(mlp())) };
    assert_eq!(
        refusal(Node::Ensemble(vec![(1.0, narrow)])),
        "node 0/0/ gives 2 features, but the mlp below it takes 4"
    );
}

#[test]
fn pools_and_calibrations_that_do_not_fit_are_refused() {
    let of = |members: Vec<Node>, weights: &[f64], bias: &[f64]| {
        refusal(Node::Pool { members, pool: LogLinear { weights: weights.to_vec(), bias: bias.to_vec() } })
    };
    let two = || vec![Node::head(mlp()), Node::head(forest())];
    assert_eq!(of(Vec::new(), &[], &[]), "the pool at node 0/ has no members");
    for (weights, bias) in [(&[1.0][..], &[0.0; 3][..]), (&[1.0; 2], &[0.0; 2]), (&[1.0; 3], &[0.0; 3])] {
        assert_eq!(
            of(two(), weights, bias),
            format!(
                "the pool at node 0/ has {} weights and {} intercepts, expected 2 and 3 as members and classes",
                weights.len(),
                bias.len()
            )
        );
    }
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            of(two(), &[0.5, weight], &[0.0; 3]),
            format!("the pool at node 0/: the weight of member 1 is {weight:?}, expected 0 to 1e30")
        );
    }
    assert!(of(two(), &[0.5; 2], &[0.0, f64::NAN, 0.0]).contains("the intercept of class 1 is NaN"));
    let calibration = ProbabilityCalibration::identity(4);
    assert_eq!(
        refusal(Node::Calibrated { calibration, then: Box::new(Node::head(mlp())) }),
        "the calibration at node 0/ is of 4 classes, but the mlp below it has 3"
    );
}

#[test]
fn trees_too_deep_or_too_large_are_refused() {
    let deep = (0..16).fold(Node::head(forest()), |node, _| scaled("none", node));
    assert!(refusal(deep).ends_with("lies deeper than 16 nodes"));
    let many = (0..4096).map(|_| (1.0, Node::head(forest()))).collect();
    assert_eq!(refusal(Node::Ensemble(many)), "the model has more than 4096 nodes");
}
