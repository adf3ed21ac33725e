//! The objectives of a study, for display.

use headsmith_study::storages::StudyRecord;

use crate::report::Objective;

/// The objectives of a study, at least one.
pub(crate) fn objectives(record: &StudyRecord) -> Vec<Objective> {
    let all = record.objectives();
    let unnamed = |i: usize| match super::metric_of(record) {
        Some(metric) => metric.name().to_owned(),
        None if all.len() == 1 => "value".to_owned(),
        // The name in Optuna's `trials_dataframe`.
        None => format!("values_{i}"),
    };
    let named = all.iter().enumerate().map(|(i, objective)| Objective {
        name: objective.name.clone().unwrap_or_else(|| unnamed(i)),
        direction: objective.direction.name().to_owned(),
    });
    named.collect()
}

/// `maximize weighted F1`, or `2 objectives: minimize size, maximize accuracy`.
pub fn in_words(objectives: &[Objective]) -> String {
    let each: Vec<String> =
        objectives.iter().map(|objective| format!("{} {}", objective.direction, objective.label())).collect();
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
        let objective = |name: &str, direction: &str| Objective {
            name: name.to_owned(),
            direction: direction.to_owned(),
        };
        let one = [objective("weighted_f1", "maximize")];
        assert_eq!(in_words(&one), "maximize weighted F1");
        let two = [objective("size", "minimize"), objective("accuracy", "maximize")];
        assert_eq!(in_words(&two), "2 objectives: minimize size, maximize accuracy");
    }
}
