//! A fitted head survives its file, and a damaged file is refused.

use headsmith_heads::tensors::{Tensors, Values};
use serde_json::Value;

use super::{assert_distributions, each, fit, quiet};

#[test]
fn a_restored_head_predicts_the_same_bytes() {
    each(|head, job, val| {
        let (fitted, _) = fit(head, job, &mut quiet).unwrap();
        assert_eq!(fitted.head(), head.name());
        assert_eq!((fitted.n_features(), fitted.n_classes()), (6, 3));
        let restored = head.restore(fitted.config(), fitted.tensors()).unwrap();
        let proba = fitted.predict_proba(val.x.view(), job.pool);
        assert_distributions(head, &proba);
        assert_eq!(restored.predict_proba(val.x.view(), job.pool), proba, "{}", head.name());
        assert_eq!((restored.config(), restored.tensors()), (fitted.config(), fitted.tensors()));
    });
}

#[test]
fn a_description_names_the_head_and_says_something() {
    each(|head, job, _| {
        let (fitted, _) = fit(head, job, &mut quiet).unwrap();
        let description = fitted.description();
        assert_eq!(description.kind, head.name());
        assert!(!description.summary.is_empty() && !description.summary.ends_with('.'));
        let json = serde_json::to_value(&description).unwrap();
        assert_eq!(json["kind"], head.name());
        for (name, size) in &description.sizes {
            assert!(*size > 0, "{}: {name}", head.name());
        }
    });
}

/// Copies `tensors` with one of them changed, or left out.
fn changed(
    tensors: &Tensors,
    name: &str,
    change: impl Fn(&[usize], &Values) -> Option<(Vec<usize>, Values)>,
) -> Tensors {
    let mut copy = Tensors::new();
    for (other, tensor) in tensors.iter() {
        let kept = Some((tensor.shape.clone(), tensor.values.clone()));
        let kept = if other == name { change(&tensor.shape, &tensor.values) } else { kept };
        if let Some((shape, values)) = kept {
            copy.insert(other, &shape, values);
        }
    }
    copy
}

#[test]
fn damaged_tensors_and_unknown_keys_are_refused() {
    each(|head, job, _| {
        let (fitted, _) = fit(head, job, &mut quiet).unwrap();
        let (config, tensors) = (fitted.config(), fitted.tensors());
        let names: Vec<String> = tensors.names().map(str::to_owned).collect();
        for name in &names {
            let refused = |tensors: Tensors, how: &str| {
                assert!(head.restore(config.clone(), tensors).is_err(), "{}: {name} {how}", head.name());
            };
            refused(changed(&tensors, name, |_, _| None), "is missing");
            refused(
                changed(&tensors, name, |shape, values| Some(([shape, &[1, 1]].concat(), values.clone()))),
                "has other axes",
            );
            refused(
                changed(&tensors, name, |_, _| Some((vec![1], Values::F32(vec![f32::NAN])))),
                "is not a number",
            );
        }
        let mut more = tensors.clone();
        more.insert("more", &[1], Values::F32(vec![1.0]));
        assert!(head.restore(config.clone(), more).is_err(), "{}: one tensor more", head.name());
        let mut unknown = config.clone();
        unknown.insert("more".to_owned(), Value::from(1));
        assert!(head.restore(unknown, tensors.clone()).is_err(), "{}: one key more", head.name());
        for key in config.keys() {
            let mut without = config.clone();
            without.remove(key);
            assert!(head.restore(without, tensors.clone()).is_err(), "{}: without {key}", head.name());
        }
    });
}
