//! Prediction sets in words, for the page, the model card and the terminal.

use crate::schema::ConformalReport;
use crate::text::thousands;
use headsmith_metrics::SetScores;
use headsmith_metrics::bootstrap::Interval;

/// A share as people write it: `90%`, `99.5%`.
pub fn level(level: f64) -> String {
    let text = format!("{:.3}", 100.0 * level);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The meaning of the sets, and the rows that gave their thresholds.
pub fn calibrated(report: &ConformalReport) -> String {
    let of_class = if report.by_class { " of each class" } else { "" };
    let groups = report.n_groups.map_or(String::new(), |n| format!(" of {} groups", thousands(n)));
    format!(
        "a prediction set contains the class of {} of the rows{of_class}; thresholds from {} {} rows{groups}",
        level(report.level),
        thousands(report.n_rows),
        report.rows.name()
    )
}

/// The coverage and the sizes on the rows that say most.
pub fn measured(report: &ConformalReport) -> String {
    let (scores, rows) = report.shown();
    let by_construction = if report.val.is_some() { "" } else { ", by construction" };
    format!("on {} {rows} rows{by_construction}: {}", thousands(scores.n_samples), scored(scores))
}

/// Coverage and sizes.
pub fn scored(scores: &SetScores) -> String {
    let between = |Interval { low, high }, n| format!("95% interval {low:.n$} to {high:.n$}");
    format!(
        "coverage {:.4} ({}), {:.2} classes a set ({}); {}",
        scores.coverage,
        between(scores.intervals.coverage, 4),
        scores.mean_size,
        between(scores.intervals.mean_size, 2),
        sizes(&scores.sizes)
    )
}

/// The shares of sets of one class, and of none.
pub fn sizes(sizes: &[usize]) -> String {
    let n = sizes.iter().sum::<usize>().max(1) as f64;
    let share = |size: usize| 100.0 * sizes.get(size).copied().unwrap_or_default() as f64 / n;
    format!("{:.1}% of the sets are a single class, {:.1}% are empty", share(1), share(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_percentages() {
        assert_eq!([0.9, 0.995, 0.5, 0.9999].map(level), ["90%", "99.5%", "50%", "99.99%"]);
    }

    #[test]
    fn sizes_are_shares_of_the_rows() {
        let all = "75.0% of the sets are a single class, 25.0% are empty";
        assert_eq!(sizes(&[1, 3]), all);
        assert_eq!(sizes(&[]), "0.0% of the sets are a single class, 0.0% are empty");
    }
}
