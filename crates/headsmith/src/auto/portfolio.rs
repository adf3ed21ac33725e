//! The heads that are tried, in their order: `portfolio.json`.
//!
//! Each entry is a head with the parameters that differ from its defaults. One that is `like` an earlier entry takes what that one chose for
//! the transform, so that it searches around it. One with a reduced form is tried in that where time or memory do not allow it whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headsmith_heads::params::{TRANSFORM, Value};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::head::HeadConfig;

/// An entry of the portfolio.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    head: String,
    #[serde(default)]
    params: BTreeMap<String, Value>,
    /// The position of an earlier entry whose transform this one takes.
    #[serde(default)]
    like: Option<usize>,
    /// The parameters that differ in its reduced form, which takes less time and memory; none: it has no such form.
    #[serde(default)]
    reduced: BTreeMap<String, Value>,
    /// Whether a study looks for its parameters, if there is one.
    #[serde(default)]
    study: bool,
}

/// A head to try.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// Its position in the portfolio.
    pub(super) position: usize,
    pub(super) head: HeadConfig,
    /// The position of the entry that it takes the transform of.
    pub(super) like: Option<usize>,
    /// The head in its reduced form, if it has one.
    pub(super) reduced: Option<HeadConfig>,
    /// The study that looks for its parameters first, if there is a storage of studies.
    pub(super) study: Option<StudyKind>,
}

/// A study before the fit of a head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum StudyKind {
    /// That of the command, of the head's whole space.
    Whole,
    /// Around the parameters of the head, whose fit on all threads takes about so long.
    Around(Duration),
}

/// The portfolio, as JSON.
pub(super) const PORTFOLIO: &str = include_str!("portfolio.json");

fn entries() -> Result<Vec<Entry>> {
    serde_json::from_str(PORTFOLIO)
        .map_err(|error| Error::failure(format!("the portfolio of heads cannot be read: {error}")))
}

/// The heads that have a reduced form.
pub fn reducible() -> BTreeSet<String> {
    let has_form = |entry: &Entry| !entry.reduced.is_empty();
    entries().unwrap_or_default().into_iter().filter(has_form).map(|entry| entry.head).collect()
}

/// The attempts with the heads called `heads`, or with all; heads that the portfolio does not have come last, with their defaults.
///
/// # Errors
/// When there is no such head.
pub(super) fn attempts(heads: &[String]) -> Result<Vec<Attempt>> {
    let entries = entries()?;
    let is_wanted = |name: &str| heads.is_empty() || heads.iter().any(|head| head == name);
    let n_entries = entries.len();
    let mut attempts = Vec::new();
    for (position, entry) in entries.iter().enumerate().filter(|(_, entry)| is_wanted(&entry.head)) {
        let head = HeadConfig::new(&entry.head, entry.params.clone())?;
        let study = entry.study.then_some(StudyKind::Whole);
        let reduced = match entry.reduced.is_empty() {
            true => None,
            false => Some(head.with(entry.reduced.clone())?),
        };
        attempts.push(Attempt { position, head, like: entry.like, reduced, study });
    }
    let others = heads.iter().filter(|head| entries.iter().all(|entry| entry.head != **head));
    for (i, head) in others.enumerate() {
        let head = HeadConfig::new(head, std::iter::empty::<(&str, Value)>())?;
        attempts.push(Attempt { position: n_entries + i, head, like: None, reduced: None, study: None });
    }
    Ok(attempts)
}

impl Attempt {
    /// The attempt with the transform among `chosen`, the parameters that the fit of the entry that it is like has chosen.
    ///
    /// # Errors
    /// When the head takes no such parameters.
    pub(super) fn with(mut self, chosen: &[(&'static str, Value)]) -> Result<Attempt> {
        let taken = chosen.iter().filter(|(name, _)| *name == TRANSFORM || *name == "spectrum");
        let taken: Vec<_> = taken.map(|(name, value)| (*name, value.clone())).collect();
        self.reduced = self.reduced.map(|head| head.with(taken.clone())).transpose()?;
        self.head = self.head.with(taken)?;
        Ok(self)
    }

    /// The attempt with the parameters of the command, if these are of its head and it has none of its own.
    ///
    /// # Errors
    /// When there is no such head.
    pub(super) fn given(self, of_command: Option<&HeadConfig>) -> Result<Attempt> {
        let defaults = HeadConfig::new(self.head.name(), std::iter::empty::<(&str, Value)>())?;
        match of_command.filter(|head| head.name() == self.head.name()) {
            Some(head) if self.head == defaults => Ok(Attempt { head: head.clone(), ..self }),
            _ => Ok(self),
        }
    }

    /// The attempt in its reduced form; `None` if it has none.
    pub(super) fn in_reduced_form(&self) -> Option<Attempt> {
        let head = self.reduced.clone()?;
        Some(Attempt { head, reduced: None, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use headsmith_heads::HEADS;

    use super::*;

    #[test]
    fn the_portfolio_is_sound() {
        let all = attempts(&[]).unwrap();
        assert!(all.len() > 3);
        for (i, attempt) in all.iter().enumerate() {
            assert_eq!(attempt.position, i);
            assert!(attempt.like.is_none_or(|like| like < i));
        }
        let names = |heads: &[&str]| -> Vec<String> {
            let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
            attempts(&heads).unwrap().iter().map(|attempt| attempt.head.name().to_owned()).collect()
        };
        let last = all.last().unwrap().head.name().to_owned();
        assert!(names(&[&last]).iter().all(|name| *name == last));
        // A head that the portfolio lacks is tried with its defaults.
        let lacking =
            HEADS.iter().map(|head| head.name()).find(|name| names(&[]).iter().all(|own| own != name));
        let lacking = lacking.unwrap();
        assert_eq!(names(&[lacking]), [lacking]);
        assert!(attempts(&["no-head".to_owned()]).is_err());
        // Reduced forms differ from what they reduce, and are reduced no further.
        let with_form: BTreeSet<String> = all
            .iter()
            .filter_map(|attempt| Some((attempt, attempt.in_reduced_form()?)))
            .inspect(|(attempt, reduced)| assert!(attempt.head != reduced.head))
            .inspect(|(_, reduced)| assert!(reduced.in_reduced_form().is_none()))
            .map(|(attempt, _)| attempt.head.name().to_owned())
            .collect();
        assert!(!with_form.is_empty());
        assert_eq!(with_form, reducible());
    }
}
