//! Configurations that did well on other tables, which a study tries first.
//!
//! They were found by random search in the default space on sentence embeddings (`examples/sentences`) and chosen
//! greedily so that the best of the first k is as good as it can be; `docs/measurements.md` tells what they are worth.

use headsmith_study::{Attributes, Space};
use serde_json::{Value, json};

/// Values by parameter, in the order in which they are tried.
type Configuration = &'static [(&'static str, f64)];

const MLP: &[Configuration] = &[];

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
