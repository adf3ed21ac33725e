//! Configurations that did well on other tables, which a study tries first.
//!
//! Twelve candidates, wide and shallow with much dropout, were trained for 40 epochs on the sentences of
//! `examples/sentences`; these are the eight that came to a validation weighted F1 of .628 and more (the best of 16 drawn at
//! random: .625), the cheap ones first. `docs/measurements.md` tells what they are worth on another table.

use headsmith_study::{Attributes, Space};
use serde_json::{Value, json};

/// Values by parameter, in the order in which they are tried.
type Configuration = &'static [(&'static str, f64)];

const MLP: &[Configuration] = &[
    &one_layer(256, 0.8, 1e-3, 256, 1),
    &one_layer(150, 0.6, 2e-3, 200, 1),
    &one_layer(2048, 0.9, 3e-4, 256, 0),
    &one_layer(1500, 0.9, 1e-3, 1000, 1),
    &[
        ("neurons0", 400.0),
        ("neurons1", 200.0),
        ("layers1", 1.0),
        ("layers2", 0.0),
        ("layer_norms", 0.0),
        ("dropout", 0.8),
        ("noise", 1.0),
        ("lr", 5e-4),
        ("batch_size", 512.0),
    ],
    &one_layer(1024, 0.9, 2e-3, 1000, 1),
    &[
        ("neurons0", 512.0),
        ("layers1", 0.0),
        ("layers2", 0.0),
        ("layer_norms", 2.0),
        ("dropout", 0.8),
        ("noise", 1.0),
        ("lr", 5e-4),
        ("batch_size", 512.0),
    ],
    &one_layer(642, 0.73, 1e-3, 963, 1),
];

/// A network of one hidden layer, without normalisation.
const fn one_layer(
    width: u32,
    dropout: f64,
    lr: f64,
    batch_size: u32,
    noise: u32,
) -> [(&'static str, f64); 8] {
    [
        ("neurons0", width as f64),
        ("layers1", 0.0),
        ("layers2", 0.0),
        ("layer_norms", 0.0),
        ("dropout", dropout),
        ("noise", noise as f64),
        ("lr", lr),
        ("batch_size", batch_size as f64),
    ]
}

/// The configurations of `head` that lie in `space`, of the parameters that it searches.
pub(super) fn of(head: &str, space: &Space) -> Vec<Attributes> {
    let listed = if head == "mlp" { MLP } else { &[] };
    let searched = |name: &str| space.params.iter().any(|param| param.name == name);
    let of_space = |configuration: &Configuration| -> Attributes {
        let values = configuration.iter().filter(|(name, _)| searched(name));
        values.map(|(name, value)| ((*name).to_owned(), number(*value))).collect()
    };
    listed.iter().map(of_space).filter(|setting| space.internal(setting).is_ok()).collect()
}

fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::HeadKind;
    use crate::tune::space;

    #[test]
    fn every_configuration_lies_in_the_default_space_and_none_in_one_that_excludes_it() {
        let mut space = space::of_head(HeadKind::Mlp);
        assert_eq!(of("mlp", &space).len(), MLP.len());
        assert!(of("forest", &space::of_head(HeadKind::Forest)).is_empty());
        space.params.retain(|param| param.name != "layers2");
        assert!(of("mlp", &space).iter().all(|setting| !setting.contains_key("layers2")));
    }
}
