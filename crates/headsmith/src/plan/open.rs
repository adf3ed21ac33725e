//! Finding a study, and seeing that it is the one that is asked for, before anything is written to it.

use std::collections::BTreeMap;

use headsmith_metrics::Metric;
use headsmith_study::storages::{Scope, Storage, StudyRecord};
use headsmith_study::{Distribution, Kind, METRIC_NAMES, Space, Trial};

use super::{KEY, Plan, difference, in_words, objectives, refuse};
use crate::error::{Error, Result};

/// The study of this name in the storage at `url`.
///
/// # Errors
/// When there is none: the names that there are.
pub(crate) fn find(storage: &mut dyn Storage, name: &str, url: &str) -> Result<StudyRecord> {
    if let Some(record) = storage.study(name)? {
        return Ok(record);
    }
    let there = names(&storage.studies()?);
    Err(Error::usage(format!("no study {name} in {url}; it has {there}")))
}

/// The names of studies, for a message.
pub(crate) fn names(studies: &[StudyRecord]) -> String {
    if studies.is_empty() {
        return "no study".to_owned();
    }
    studies.iter().map(|study| study.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The plan of a study.
///
/// # Errors
/// When neither `tune` nor `run` began it.
pub(crate) fn plan_of(record: &StudyRecord) -> Result<Plan> {
    let name = &record.name;
    if let Some(plan) = record.system_attrs.get(KEY) {
        return Plan::read(name, plan);
    }
    let objectives = objectives(record);
    Err(Error::usage(match objectives.len() {
        1 => format!(
            "study {name} has no plan (its attribute {}): another program began it. `headsmith tune --study {name}` with its \
             tables resumes it and adds the plan",
            KEY
        ),
        _ => format!(
            "study {name} has {}; Headsmith searches with one: it lists and exports such studies, and resumes none",
            in_words(&objectives)
        ),
    }))
}

/// The metric of a study that `tune` or `run` began or resumed.
pub(crate) fn metric_of(record: &StudyRecord) -> Option<Metric> {
    let plan = record.system_attrs.get(KEY)?;
    let named = plan.get("metric").and_then(serde_json::Value::as_str);
    named.map_or(Some(Metric::default()), |name| name.parse().ok())
}

/// Creates the study, or finds it and checks that it is the one that is asked for. One that another program began gets
/// our plan.
///
/// # Errors
/// When it is another study: what differs, and both sides of it.
pub(crate) fn open(storage: &mut dyn Storage, name: &str, asked: Plan) -> Result<(StudyRecord, Plan)> {
    let mut record = match storage.study(name)? {
        Some(record) => record,
        // Two workers may begin at once: the second one finds the study.
        None => match storage.create_study(name, asked.direction()) {
            Err(error) if error.kind() == Kind::Conflict => storage.study(name)?.ok_or(error)?,
            made => made?,
        },
    };
    match record.system_attrs.get(KEY) {
        Some(there) => {
            refuse(name, Plan::read(name, there)?.differences(&asked))?;
            must_optimise(&record, &asked)?;
        }
        None => {
            let trials = storage.trials(record.id)?;
            let space = space_differences(trials.iter().map(AsRef::as_ref), &asked.space()?);
            refuse(name, [objective_differences(&record, &asked), space].concat())?;
            let names = serde_json::json!([asked.metric.name()]);
            let mut new = vec![(METRIC_NAMES, names), (KEY, asked.to_json()?)];
            new.retain(|(key, _)| !record.system_attrs.contains_key(*key));
            for (key, value) in new {
                storage.set_study_attr(record.id, Scope::System, key, &value)?;
                record.system_attrs.insert(key.to_owned(), value);
            }
        }
    }
    Ok((record, asked))
}

/// Refuses a study whose objectives are not those of its plan.
///
/// # Errors
/// When they differ: both.
pub(crate) fn must_optimise(record: &StudyRecord, plan: &Plan) -> Result<()> {
    refuse(&record.name, objective_differences(record, plan))
}

fn objective_differences(record: &StudyRecord, asked: &Plan) -> Vec<String> {
    let (there, asked) = (record.objectives(), asked.objective());
    let [there] = there.as_slice() else {
        let all = in_words(&objectives(record));
        return vec![difference("objectives", &all, &in_words(&[asked]))];
    };
    let mut differences = Vec::new();
    if let Some(name) = there.name.as_ref().filter(|name| **name != asked.name && **name != asked.label()) {
        differences.push(difference("metric", name, &asked.name));
    }
    if there.direction.name() != asked.direction {
        differences.push(difference("direction", there.direction.name(), &asked.direction));
    }
    differences
}

/// In what the parameters of trials that another program made differ from `space`: a parameter that it does not have, or
/// another distribution.
fn space_differences<'t>(trials: impl Iterator<Item = &'t Trial>, space: &Space) -> Vec<String> {
    let mut there: BTreeMap<&str, Vec<&Distribution>> = BTreeMap::new();
    for (name, (distribution, _)) in trials.flat_map(|trial| &trial.params) {
        let of_name = there.entry(name).or_default();
        if !of_name.iter().any(|known| known.same(distribution)) {
            of_name.push(distribution);
        }
    }
    let mut differences = Vec::new();
    for (name, distributions) in there {
        let asked = space.params.iter().find(|param| param.name == name).map(|param| &param.distribution);
        let others = distributions.into_iter().filter(|there| asked.is_none_or(|asked| !asked.same(there)));
        differences.extend(others.map(|there| {
            let asked = asked.map_or("not searched".to_owned(), Distribution::to_string);
            difference(&format!("space: {name}"), &there.to_string(), &asked)
        }));
    }
    differences
}

#[cfg(test)]
mod tests {
    use headsmith_study::{Params, SpaceParam};

    use super::*;

    fn float(high: f64) -> Distribution {
        Distribution::Float { low: 0.0, high, log: false, step: None }
    }

    #[test]
    fn trials_of_another_space_are_named_with_both_distributions() {
        let param = |name: &str, distribution| SpaceParam { name: name.to_owned(), distribution, when: None };
        let space = Space { params: vec![param("dropout", float(0.5)), param("lr", float(1.0))] };
        let trial = |params: &[(&str, Distribution)]| {
            let params: Params =
                params.iter().map(|(name, d)| ((*name).to_owned(), (d.clone(), 0.1))).collect();
            Trial { params, ..Trial::default() }
        };
        let said = |trials: &[Trial]| space_differences(trials.iter(), &space);
        // A trial without a parameter, which may be inactive, is none of another space.
        assert!(said(&[trial(&[("dropout", float(0.5))]), trial(&[])]).is_empty());
        let other =
            [trial(&[("dropout", float(0.9))]), trial(&[("dropout", float(0.9)), ("depth", float(2.0))])];
        let expected = [
            "  space: depth: float 0.0 to 2.0 in the study, not searched asked for",
            "  space: dropout: float 0.0 to 0.9 in the study, float 0.0 to 0.5 asked for",
        ];
        assert_eq!(said(&other), expected);
    }
}
