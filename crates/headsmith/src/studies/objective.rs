//! The objectives of a study, in words.

use headsmith_metrics::Metric;
use headsmith_study::Direction;
use headsmith_study::storages::StudyRecord;
use serde::Serialize;

use crate::tune;

/// An objective of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objective {
    /// The metric's name: a score's key in the report, or what Optuna's `set_metric_names` says; `value` where nothing does.
    pub name: String,
    /// Whether small or large values are good.
    pub direction: Direction,
}

impl Objective {
    /// The objectives of a study, at least one.
    pub(crate) fn of(record: &StudyRecord) -> Vec<Objective> {
        let all = record.objectives();
        let unnamed = |i: usize| match tune::metric_of(record) {
            Some(metric) => metric.name().to_owned(),
            None if all.len() == 1 => "value".to_owned(),
            // As Optuna's `trials_dataframe` has it.
            None => format!("values_{i}"),
        };
        let named = all.iter().enumerate().map(|(i, objective)| Objective {
            name: objective.name.clone().unwrap_or_else(|| unnamed(i)),
            direction: objective.direction,
        });
        named.collect()
    }

    /// The metric as people write it.
    pub fn label(&self) -> &str {
        self.name.parse::<Metric>().map_or(self.name.as_str(), |metric| metric.label())
    }
}

/// `maximize weighted F1`, or `2 objectives: minimize size, maximize accuracy`.
pub fn in_words(objectives: &[Objective]) -> String {
    let each: Vec<String> = objectives
        .iter()
        .map(|objective| format!("{} {}", objective.direction.name(), objective.label()))
        .collect();
    match each.as_slice() {
        [one] => one.clone(),
        all => format!("{} objectives: {}", all.len(), all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_in_words() {
        let objective = |name: &str, direction| Objective { name: name.to_owned(), direction };
        let one = [objective("weighted_f1", Direction::Maximize)];
        assert_eq!(in_words(&one), "maximize weighted F1");
        let two = [objective("size", Direction::Minimize), objective("accuracy", Direction::Maximize)];
        assert_eq!(in_words(&two), "2 objectives: minimize size, maximize accuracy");
    }
}
