//! The history of a study as text: the trials in order, and the best value so far.

use std::fmt::Write;

use headsmith::report::{Objective, TrialRow};

use super::lines::one_line;

/// The height of the chart in lines.
const HEIGHT: usize = 10;
/// The columns to the left of the chart: a value and a bar.
const MARGIN: usize = 9;

/// The characters of a chart.
struct Marks {
    best: char,
    complete: char,
    pruned: char,
    axis: char,
    corner: char,
    floor: char,
}

const UNICODE: Marks =
    Marks { best: '━', complete: '●', pruned: '·', axis: '│', corner: '└', floor: '─' };
const ASCII: Marks = Marks { best: '=', complete: 'o', pruned: '.', axis: '|', corner: '+', floor: '-' };

/// The chart of the trials in `width` columns; empty with fewer than two values, or several objectives.
pub(crate) fn history(objectives: &[Objective], trials: &[TrialRow], width: usize, unicode: bool) -> String {
    let [objective] = objectives else { return String::new() };
    let shown: Vec<(&TrialRow, f64)> =
        trials.iter().filter_map(|trial| Some((trial, trial.value.filter(|v| v.is_finite())?))).collect();
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return String::new() };
    if shown.len() < 2 || width < MARGIN + 12 {
        return String::new();
    }
    let marks = if unicode { UNICODE } else { ASCII };
    let (first, last) = (first.0.number, last.0.number);
    // At least one trial per column, but a short study is not stretched over the whole screen.
    let columns = (width - MARGIN - 1).min(4 * (last - first + 1) as usize);
    let column = |number: u64| (number - first) as usize * (columns - 1) / (last - first).max(1) as usize;
    let range = shown
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, v)| (low.min(*v), high.max(*v)));
    let row = |value: f64| match range.1 - range.0 {
        0.0 => 0,
        span => ((range.1 - value) / span * (HEIGHT - 1) as f64).round() as usize,
    };
    let mut canvas = vec![vec![' '; columns]; HEIGHT];
    for (trial, value) in shown.iter().filter(|(trial, _)| trial.state != "complete") {
        canvas[row(*value)][column(trial.number)] = marks.pruned;
    }
    let complete = || shown.iter().filter(|(trial, _)| trial.state == "complete");
    let mut best = None;
    for (trial, value) in complete() {
        if best.is_none_or(|best| objective.is_better(*value, best)) {
            best = Some(*value);
            // The line of the previous best ends here, and a new one starts.
            let from = column(trial.number);
            canvas.iter_mut().for_each(|line| {
                line[from..].iter_mut().filter(|c| **c == marks.best).for_each(|c| *c = ' ')
            });
            canvas[row(*value)][from..].iter_mut().filter(|c| **c == ' ').for_each(|c| *c = marks.best);
        }
    }
    for (trial, value) in complete() {
        canvas[row(*value)][column(trial.number)] = marks.complete;
    }
    let Marks { complete, pruned, best, axis, corner, floor } = marks;
    let mut text = format!(
        "\nhistory: {} of each trial ({complete} complete, {pruned} not complete, {best} best so far)\n",
        one_line(objective.label())
    );
    for (i, line) in canvas.iter().enumerate() {
        let value = range.1 - (range.1 - range.0) * i as f64 / (HEIGHT - 1) as f64;
        let label = if i % 3 == 0 { format!("{value:.4}") } else { String::new() };
        let line: String = line.iter().collect();
        let _ = writeln!(text, "{label:>7} {axis}{}", line.trim_end());
    }
    let _ = writeln!(text, "{:>7} {corner}{}", "", floor.to_string().repeat(columns));
    let _ = writeln!(text, "{:>9}{first:<w$}{last:>6}", "", w = columns.saturating_sub(6));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f1(direction: &str) -> [Objective; 1] {
        [Objective { name: "weighted_f1".to_owned(), direction: direction.to_owned() }]
    }

    fn history(trials: &[TrialRow], width: usize, unicode: bool) -> String {
        super::history(&f1("maximize"), trials, width, unicode)
    }

    fn trials() -> Vec<TrialRow> {
        let values = [
            ("complete", Some(0.5)),
            ("pruned", Some(0.41)),
            ("complete", Some(0.6)),
            ("failed", None),
            ("complete", Some(0.54)),
            ("complete", Some(0.7)),
            ("pruned", Some(0.4)),
        ];
        let row = |(number, (state, value)): (u64, (&str, _))| TrialRow {
            number,
            state: state.to_owned(),
            value,
            epochs: 1,
            ..TrialRow::default()
        };
        (0..).zip(values).map(row).collect()
    }

    #[test]
    fn trials_and_the_best_so_far_are_drawn_at_their_values() {
        let text = history(&trials(), 80, false);
        let expected = "
history: weighted F1 of each trial (o complete, . not complete, = best so far)
 0.7000 |                      o=====
        |
        |
 0.6000 |         o============
        |
        |                  o
 0.5000 |o========
        |
        |
 0.4000 |    .                      .
        +----------------------------
         0                          6
";
        assert_eq!(text, expected, "{text}");
        assert!(text.is_ascii());
        let minimised = super::history(&f1("minimize"), &trials(), 80, false);
        let best: Vec<&str> = minimised.lines().filter(|line| line.contains('=')).skip(1).collect();
        assert_eq!(best, [" 0.5000 |o==========================="], "{minimised}");
        assert_eq!(super::history(&[], &trials(), 80, false), "");
        assert!(history(&trials(), 80, true).contains('●'));
    }

    #[test]
    fn it_fits_and_needs_two_trials() {
        for width in [21, 30, 80] {
            let text = history(&trials(), width, true);
            let drawn = text.lines().skip(2).map(|line| line.chars().count()).max().unwrap();
            assert!(drawn <= width, "{drawn} of {width}:\n{text}");
        }
        assert_eq!(history(&trials()[..1], 80, true), "");
        assert_eq!(history(&trials(), 12, true), "");
    }
}
