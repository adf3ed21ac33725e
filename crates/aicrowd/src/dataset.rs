//! The files of a challenge, and their selection.

use serde_json::Value;

use crate::client::{Challenge, Client};
use crate::error::{Cause, Error, Result, plain};
use crate::pattern;

/// One file of a challenge.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Dataset {
    /// Its name, which patterns are matched against.
    pub title: String,
    /// The organisers' description.
    pub description: String,
    /// Its size as given by the service: in bytes if it is a number.
    pub size: Option<String>,
    /// Its URL, which may contain a signature and must not be shown.
    #[serde(skip)]
    pub url: String,
}

impl Dataset {
    /// The size in bytes, if the service gives it in bytes.
    pub fn n_bytes(&self) -> Option<u64> {
        self.size.as_deref()?.parse().ok()
    }
}

impl Client {
    /// Lists the files of `challenge`, in the service's order.
    ///
    /// # Errors
    /// If the request fails, or the response is not a list of files.
    pub fn datasets(&self, challenge: &Challenge) -> Result<Vec<Dataset>> {
        let answer = self.get(&format!("{}/challenges/{}/dataset", self.hosts().api, challenge.id), &[])?;
        let list = answer.ok(self)?.json()?;
        let list = list.as_array().ok_or_else(|| answer.not_understood("no list"))?;
        list.iter()
            .map(|one| dataset(one).ok_or_else(|| answer.not_understood("a file without a URL")))
            .collect()
    }
}

fn dataset(value: &Value) -> Option<Dataset> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(plain).unwrap_or_default();
    let size = match value.get("external_file_size") {
        Some(Value::Number(n)) => Some(n.to_string()),
        Some(Value::String(s)) if !s.is_empty() => Some(plain(s)),
        _ => None,
    };
    let url = value.get("external_url")?.as_str()?.to_owned();
    Some(Dataset { title: text("title"), description: text("description"), size, url })
}

/// The indices of the files that `patterns` select: numbers in the list, or patterns of titles (`*`, `?`, `[..]`). All
/// files without patterns.
///
/// # Errors
/// If the list is empty, or a pattern selects no file.
pub fn select(datasets: &[Dataset], patterns: &[String]) -> Result<Vec<usize>> {
    if datasets.is_empty() {
        return Err(Error::new(Cause::NotFound, "the challenge has no files to download"));
    }
    let mut chosen = vec![patterns.is_empty(); datasets.len()];
    for pattern in patterns {
        let index: Option<usize> = pattern.parse().ok();
        let named = |(i, dataset): (usize, &Dataset)| match index {
            Some(index) => i == index,
            None => pattern::matches(pattern, &dataset.title),
        };
        let found: Vec<bool> = datasets.iter().enumerate().map(named).collect();
        if !found.contains(&true) {
            let titles: Vec<String> =
                datasets.iter().enumerate().map(|(i, dataset)| format!("{i} {}", dataset.title)).collect();
            return Err(Error::new(
                Cause::Parameter,
                format!("`{}` matches no file of the challenge", plain(pattern)),
            )
            .with_hint(format!("available: {}", titles.join(", "))));
        }
        chosen.iter_mut().zip(found).for_each(|(chosen, found)| *chosen |= found);
    }
    Ok((0..datasets.len()).filter(|&i| chosen[i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_chosen_by_number_and_pattern() {
        let titles = ["train.csv", "val.csv", "test.csv", "7"];
        let datasets: Vec<Dataset> = titles
            .iter()
            .map(|title| Dataset {
                title: (*title).to_owned(),
                description: String::new(),
                size: None,
                url: String::new(),
            })
            .collect();
        let chosen = |patterns: &[&str]| {
            select(&datasets, &patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&[]).unwrap(), [0, 1, 2, 3]);
        assert_eq!(chosen(&["2", "*a*"]).unwrap(), [0, 1, 2]);
        assert_eq!(chosen(&["t*", "train*"]).unwrap(), [0, 2]);
        let error = chosen(&["t*", "7"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`7` matches no file of the challenge; available: 0 train.csv, 1 val.csv, 2 test.csv, 3 7"
        );
        assert_eq!(error.cause(), Cause::Parameter);
    }
}
