//! How much the samples of a class weigh in a loss (Keras: `fit(class_weight=..)`, scikit-learn: `compute_class_weight`).

use crate::error::{Error, Result};
use crate::params::{Default, Kind, Param};
use crate::samples::Samples;

/// The syntax, for help and messages.
pub const SYNTAX: &str = "none, balanced or LABEL:WEIGHT,..";

/// The word for classes that weigh the same in all.
pub(crate) const BALANCED: &str = "balanced";

/// The parameter of a head whose training loss has class weights.
pub(crate) const PARAM: Param = Param {
    name: "class_weight",
    kind: Kind::Text { syntax: SYNTAX, check: is_class_weight },
    default: Default::Text("none"),
    search: None,
    help: "Weights of the classes in the training loss; balanced: in inverse proportion to their rows",
};

/// The request.
#[derive(Debug, Clone, PartialEq)]
enum ClassWeight {
    None,
    Balanced,
    /// Classes by name; those not named weigh 1.
    Named(Vec<(String, f64)>),
}

/// Whether `text` is a valid class weight.
pub fn is_class_weight(text: &str) -> bool {
    parse(text).is_some()
}

/// The weight of each class of `samples`, as `text` asks for; `None` when all weigh the same.
///
/// # Errors
/// When it names a class that the samples do not have, or leaves none of their classes a weight.
pub(crate) fn class_weights(text: &str, samples: Samples<'_>) -> Result<Option<Vec<f32>>> {
    match parse(text) {
        Some(ClassWeight::None) => Ok(None),
        Some(ClassWeight::Balanced) => {
            let weights = balanced(&counts(samples));
            Ok(Some(weights.iter().map(|weight| *weight as f32).collect()))
        }
        Some(ClassWeight::Named(named)) => by_name(&named, samples).map(Some),
        None => Err(Error::parameter(format!("class_weight is {text}, expected {SYNTAX}"))),
    }
}

/// `n_samples / (n_present * count)` of each class that is present, and 1 of the others: each weighs as much as any
/// other in all (scikit-learn: `class_weight="balanced"`).
pub(crate) fn balanced(counts: &[f64]) -> Vec<f64> {
    let n_present = counts.iter().filter(|n| **n > 0.0).count() as f64;
    let total: f64 = counts.iter().sum();
    counts.iter().map(|&n| if n > 0.0 { total / (n_present * n) } else { 1.0 }).collect()
}

/// The number of rows of each class, or the sum of their weights where rows have weights.
pub(crate) fn counts(samples: Samples<'_>) -> Vec<f64> {
    let mut counts = vec![0.0; samples.n_classes()];
    for (i, &class) in samples.y().iter().enumerate() {
        counts[class as usize] += samples.weight(i);
    }
    counts
}

fn by_name(named: &[(String, f64)], samples: Samples<'_>) -> Result<Vec<f32>> {
    let mut weights = vec![1.0; samples.n_classes()];
    for (name, weight) in named {
        let class = samples.class_names().iter().position(|class| class == name).ok_or_else(|| {
            let known = samples.class_names().join(", ");
            Error::parameter(format!("class_weight names {name}, expected one of the classes {known}"))
        })?;
        weights[class] = *weight as f32;
    }
    let counts = counts(samples);
    if !weights.iter().zip(counts).any(|(weight, n)| *weight > 0.0 && n > 0.0) {
        return Err(Error::parameter(
            "class_weight: no class with training rows has a weight above 0".to_owned(),
        ));
    }
    Ok(weights)
}

/// A name may have colons and commas of its own: a weight ends each.
fn parse(text: &str) -> Option<ClassWeight> {
    match text {
        "none" => return Some(ClassWeight::None),
        BALANCED => return Some(ClassWeight::Balanced),
        _ => (),
    }
    let mut named: Vec<(String, f64)> = Vec::new();
    let mut begun = String::new();
    for part in text.split(',') {
        begun += part;
        match begun.rsplit_once(':').and_then(|(name, weight)| Some((name, weight.trim().parse().ok()?))) {
            Some((name, weight)) if f32::is_finite(weight) && weight >= 0.0 => {
                if named.iter().any(|(other, _)| other == name) {
                    return None;
                }
                named.push((name.to_owned(), f64::from(weight)));
                begun.clear();
            }
            _ => begun.push(','),
        }
    }
    (begun.is_empty() && !named.is_empty()).then_some(ClassWeight::Named(named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::MatRef;

    fn weights(text: &str) -> Result<Option<Vec<f32>>> {
        let names = ["a", "b:c", "d, e", "absent"].map(str::to_owned);
        let y = [0, 1, 2, 0, 0, 0];
        class_weights(text, Samples::new(MatRef::new(&[0.0; 6], 6, 1), &y, 4).unwrap().named(&names))
    }

    #[test]
    fn weights_are_by_name_or_by_count() {
        assert_eq!(weights("none"), Ok(None));
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 1, 2, 0, 0, 0])
        assert_eq!(weights("balanced"), Ok(Some(vec![0.5, 2.0, 2.0, 1.0])));
        assert_eq!(weights("a:2"), Ok(Some(vec![2.0, 1.0, 1.0, 1.0])));
        assert_eq!(weights("b:c:0.5,d, e:3,a:0"), Ok(Some(vec![0.0, 0.5, 3.0, 1.0])));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in ["", "a", "a:", "a:-1", "a:inf", "a:1,", "a:1,b", "a:1,a:2", "balance"] {
            assert!(!is_class_weight(wrong), "{wrong}");
        }
        let message = |text| weights(text).unwrap_err().to_string();
        assert_eq!(message("x:1"), "class_weight names x, expected one of the classes a, b:c, d, e, absent");
        assert!(message("a:0,b:c:0,d, e:0").contains("no class with training rows has a weight above 0"));
    }
}
