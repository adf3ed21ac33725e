//! Configurations that did well on other tables, which a study tries first.

use headsmith_heads::params::Default;
use headsmith_study::{Attributes, Space};
use serde_json::Value;

use crate::head::HeadConfig;

/// The configurations of `head` that lie in `space`, of the parameters that it searches.
pub(super) fn of(head: &HeadConfig, space: &Space) -> Vec<Attributes> {
    let searched = |name: &str| space.params.iter().any(|param| param.name == name);
    let of_space = |configuration: &&[(&str, Default)]| -> Attributes {
        let values = configuration.iter().filter(|(name, _)| searched(name));
        values.map(|(name, value)| ((*name).to_owned(), json(*value))).collect()
    };
    let listed = head.portfolio();
    listed.iter().map(of_space).filter(|setting| space.internal(setting).is_ok()).collect()
}

fn json(value: Default) -> Value {
    match value {
        Default::Bool(flag) => flag.into(),
        Default::Int(int) => int.into(),
        Default::Float(float) => float.into(),
        Default::Text(text) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use headsmith_heads::HEADS;
    use headsmith_heads::params::STANDARD;

    use super::*;
    use crate::tune::space;

    #[test]
    fn configurations_lie_in_the_default_space_of_their_head() {
        let presets = HEADS.iter().flat_map(|head| {
            let names = head.table().presets.iter().map(|preset| preset.name);
            std::iter::once(STANDARD).chain(names).map(|preset| (head.name(), preset))
        });
        for (name, preset) in presets {
            let none = std::iter::empty::<(&str, headsmith_heads::params::Value)>();
            let head = HeadConfig::with_preset(name, preset, none).unwrap();
            let mut space = space::of_head(&head);
            assert_eq!(of(&head, &space).len(), head.portfolio().len(), "{name}, {preset}");
            let Some((first, _)) = head.portfolio().first().and_then(|values| values.first()) else {
                continue;
            };
            space.params.retain(|param| param.name != *first);
            assert!(of(&head, &space).iter().all(|setting| !setting.contains_key(*first)));
        }
    }
}
