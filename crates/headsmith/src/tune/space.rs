//! The space of a study: the head's own, from its parameter table, with the user's changes.

use headsmith_heads::params::{AUTO, Kind, Search, TRANSFORM, Value};
use headsmith_heads::transform::NONE;
use headsmith_study::{Choice, Distribution, Space, SpaceParam, overlay_toml};

use super::StudyConfig;
use crate::error::{Error, Result};
use crate::head::HeadConfig;

/// Values near another are at most so many times larger or smaller where a parameter is searched by its logarithm.
const NEAR_FACTOR: f64 = 3.0;
/// Elsewhere they differ by this share of its range at most.
const NEAR_SHARE: f64 = 0.15;

/// The space of `config`: the head's, without what is fixed, under the space file.
///
/// # Errors
/// When the space file is wrong, or names what the head does not have.
pub(super) fn of(config: &StudyConfig) -> Result<Space> {
    let mut space = of_head(&config.head);
    space.params.retain(|param| !config.fixed.contains(&param.name));
    if config.is_around {
        space.params = space.params.iter().filter_map(|param| near(&config.head, param)).collect();
    }
    if let Some((path, text)) = &config.space {
        let held = held(&config.head, &space);
        space.params.extend(held.params.iter().cloned());
        space = overlay_toml(&space, text, &path.display().to_string())?;
        let is_changed = |name: &&String| space.get(name) != held.get(name);
        if let Some(name) = config.fixed.iter().find(is_changed) {
            return Err(Error::usage(format!(
                "{name} is given as a parameter, which fixes it, and searched by {}: leave it out of one of the two",
                path.display()
            )));
        }
        // Parameters that the file does not mention keep the head's values.
        space.params.retain(|param| !held.params.contains(param));
    }
    if space.params.is_empty() {
        let why = match config.fixed.is_empty() {
            true => {
                "it has no parameter with a default range; name one with --space".to_owned()
            }
            false => "all that is searched by default is given, so there is nothing to search: leave one out, or name another with --space"
                .to_owned(),
        };
        return Err(Error::usage(format!("the search space of {} is empty: {why}", config.head.name())));
    }
    for param in &space.params {
        check(&config.head, param)?;
    }
    Ok(space)
}

/// The default space of a head.
pub(crate) fn of_head(head: &HeadConfig) -> Space {
    let params = head.space().into_iter().map(|(name, search)| {
        let distribution = match search {
            Search::Int { low, high, log } => Distribution::Int { low, high, log, step: 1 },
            Search::Float { low, high, log } => Distribution::Float { low, high, log, step: None },
        };
        SpaceParam { name: name.to_owned(), distribution, when: None }
    });
    Space { params: params.collect() }
}

/// Whether there is a space around the parameters of `head`.
pub(crate) fn has_neighbours(head: &HeadConfig) -> bool {
    of_head(head).params.iter().any(|param| near(head, param).is_some())
}

/// The part of a parameter's space near its value in `head`; `None` where that is a word.
fn near(head: &HeadConfig, param: &SpaceParam) -> Option<SpaceParam> {
    let value = head.params().get(&param.name)?;
    let kind = head.table().param(&param.name).ok()?.kind;
    let distribution = match (param.distribution.clone(), value, kind) {
        (
            Distribution::Float { low, high, log, .. },
            Value::Float(at),
            Kind::Float { low: least, high: most, .. },
        ) => {
            let [low, high] = around(*at, (low, high), log).map(|end| end.clamp(least, most));
            Distribution::Float { low, high, log, step: None }
        }
        (
            Distribution::Int { low, high, log, .. },
            Value::Int(at),
            Kind::Int { low: least, high: most, .. },
        ) => {
            let ends = around(*at as f64, (low as f64, high as f64), log);
            let [low, high] = ends.map(|end| (end.round() as i64).clamp(least, most));
            Distribution::Int { low, high, log, step: 1 }
        }
        _ => return None,
    };
    Some(SpaceParam { distribution, ..param.clone() })
}

/// The ends of the neighbourhood of `at`, of a parameter that is searched from `low` to `high`.
fn around(at: f64, (low, high): (f64, f64), log: bool) -> [f64; 2] {
    match log {
        true => [at / NEAR_FACTOR, at * NEAR_FACTOR],
        false => [at - NEAR_SHARE * (high - low), at + NEAR_SHARE * (high - low)],
    }
}

/// The head's other parameters, each with the one value that it has: a space file may search these as well.
fn held(head: &HeadConfig, space: &Space) -> Space {
    let one = |value: &Value| match value {
        Value::Int(int) => Distribution::Int { low: *int, high: *int, log: false, step: 1 },
        Value::Float(float) => Distribution::Float { low: *float, high: *float, log: false, step: None },
        Value::Bool(flag) => Distribution::Categorical { choices: vec![Choice::Bool(*flag)] },
        Value::Text(text) => Distribution::Categorical { choices: vec![Choice::Text(text.clone())] },
    };
    let others = head.params().iter().filter(|(name, _)| space.get(name).is_none());
    let params = others.map(|(name, value)| SpaceParam {
        name: name.to_owned(),
        distribution: one(value),
        when: None,
    });
    Space { params: params.collect() }
}

/// The scalings that trials may choose from.
pub(super) fn scalings(base: &HeadConfig, space: &Space) -> Vec<String> {
    let searched = space.params.iter().find(|param| param.name == TRANSFORM).map(|param| &param.distribution);
    let own = || base.params().transform().to_owned();
    let mut scalings = match searched {
        Some(Distribution::Categorical { choices }) => choices
            .iter()
            .map(|choice| match choice {
                Choice::Text(text) if text != AUTO => text.clone(),
                Choice::Text(_) => NONE.to_owned(),
                _ => own(),
            })
            .collect(),
        _ => vec![own()],
    };
    // A conditional scaling leaves the head's own where the condition does not hold.
    scalings.push(own());
    scalings.sort();
    scalings.dedup();
    scalings
}

/// Whether the head takes the ends, or the choices, of a parameter's space.
fn check(head: &HeadConfig, param: &SpaceParam) -> Result<()> {
    let ends = match &param.distribution {
        Distribution::Int { low, high, .. } => vec![Choice::Int(*low), Choice::Int(*high)],
        Distribution::Float { low, high, .. } => vec![Choice::Float(*low), Choice::Float(*high)],
        Distribution::Categorical { choices } => choices.clone(),
    };
    for end in &ends {
        super::with_chosen(head, std::iter::once((param.name.as_str(), end)))
            .map_err(|error| Error::usage(format!("the space of {}: {error}", param.name)))?;
    }
    Ok(())
}
