//! Output for more classes than fit a table: quantiles, the worst and the best classes, and the most frequently
//! confused pairs.

use std::cmp::Reverse;
use std::fmt::Write;

use headsmith::metrics::PerClass;
use headsmith::report::{ClassCount, FitReport, Judgement};

use super::progress::counted;
use super::text::{grid, plain};

/// The quantiles that describe a distribution.
const QUANTILES: [(f64, &str); 7] = [
    (0.0, "min"),
    (0.05, "5 %"),
    (0.25, "25 %"),
    (0.5, "median"),
    (0.75, "75 %"),
    (0.95, "95 %"),
    (1.0, "max"),
];
/// The number of most and of least frequent classes that are named.
const N_FREQUENT: usize = 5;
/// The number of worst and of best classes.
const N_EXTREMES: usize = 10;
/// The number of confused pairs.
const N_PAIRS: usize = 20;

/// The class counts in a few lines.
pub(super) fn counts(counts: &[ClassCount]) -> String {
    let mut sorted: Vec<&ClassCount> = counts.iter().filter(|c| c.count > 0).collect();
    sorted.sort_by_key(|c| Reverse(c.count));
    let mut text = counted_classes(counts.len(), sorted.len());
    let values = ascending(sorted.iter().map(|c| c.count as f64));
    let quantiles = QUANTILES.map(|(q, name)| format!("{name} {}", short(quantile(&values, q))));
    let _ = write!(text, "\n    rows per class: {}", quantiles.join(", "));
    let named = |some: &mut dyn Iterator<Item = &&ClassCount>| {
        some.take(N_FREQUENT)
            .map(|c| format!("{} {}", plain(&c.class), c.count))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let _ = write!(text, "\n    most frequent: {}", named(&mut sorted.iter()));
    let _ = write!(text, "\n    least frequent: {}", named(&mut sorted.iter().rev()));
    text
}

fn counted_classes(n: usize, n_with_rows: usize) -> String {
    if n_with_rows < n { format!("{n_with_rows} of {n} classes") } else { format!("{n} classes") }
}

/// The class scores in a few lines.
pub(super) fn per_class(judgement: &Judgement) -> String {
    let (names, scores) = (&judgement.classes, &judgement.scores.per_class);
    let mut with_rows: Vec<&PerClass> = scores.iter().filter(|class| class.support > 0).collect();
    let mut text = format!(
        "{}; quantiles over the classes with rows\n\n",
        match names.len() - with_rows.len() {
            0 => format!("{} classes", names.len()),
            n => format!("{} classes, {n} of them without rows", names.len()),
        }
    );
    text += &quantiles(&with_rows);
    with_rows.sort_by(|a, b| a.f1.total_cmp(&b.f1).then(b.support.cmp(&a.support)));
    text += &extremes("lowest F1", names, with_rows.iter().copied());
    with_rows.sort_by(|a, b| b.f1.total_cmp(&a.f1).then(b.support.cmp(&a.support)));
    text += &extremes("highest F1", names, with_rows.iter().copied());
    text + &pairs(judgement)
}

/// The first rows' labels next to their most probable classes.
pub(super) fn examples(report: &FitReport, rows: &str) -> String {
    let mut table = grid(&["row", "label", "its probability", "most probable", "", "second", "", ""]);
    for example in &report.examples {
        let mut cells = vec![example.place.clone(), plain(&example.label)];
        cells.push(example.label_probability.map_or(String::new(), |p| format!("{p:.3}")));
        for top in example.top.iter().take(2) {
            cells.extend([plain(&top.class), format!("{:.3}", top.probability)]);
        }
        let right = example.top.first().is_some_and(|top| top.class == example.label);
        cells.push(if right { "" } else { "wrong" }.to_owned());
        table.add_row(cells);
    }
    format!("first {rows} rows, label beside the most probable classes of {}\n\n{table}\n\n", report.head)
}

fn quantiles(classes: &[&PerClass]) -> String {
    let header: Vec<&str> = std::iter::once("").chain(QUANTILES.map(|(_, name)| name)).collect();
    let mut table = grid(&header);
    for (i, name) in ["precision", "recall", "F1"].into_iter().enumerate() {
        let values = ascending(classes.iter().map(|class| [class.precision, class.recall, class.f1][i]));
        let cells = QUANTILES.map(|(q, _)| format!("{:.4}", quantile(&values, q)));
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    }
    let values = ascending(classes.iter().map(|class| class.support as f64));
    let cells = QUANTILES.map(|(q, _)| short(quantile(&values, q)));
    table.add_row(std::iter::once("rows".to_owned()).chain(cells));
    format!("{table}\n\n")
}

fn extremes<'a>(title: &str, names: &[String], classes: impl Iterator<Item = &'a PerClass>) -> String {
    let mut table = grid(&["class", "precision", "recall", "F1", "rows"]);
    for class in classes.take(N_EXTREMES) {
        table.add_row(vec![
            plain(&names[class.class]),
            format!("{:.4}", class.precision),
            format!("{:.4}", class.recall),
            format!("{:.4}", class.f1),
            class.support.to_string(),
        ]);
    }
    format!("{title}\n\n{table}\n\n")
}

fn pairs(judgement: &Judgement) -> String {
    let pairs = &judgement.confused_pairs;
    if pairs.is_empty() {
        return "no confusions\n".to_owned();
    }
    let mut table = grid(&["true class", "predicted class", "rows", "of the true class"]);
    for &(class, predicted, n) in pairs.iter().take(N_PAIRS) {
        let support = judgement.scores.per_class[class].support.max(1);
        table.add_row(vec![
            plain(&judgement.classes[class]),
            plain(&judgement.classes[predicted]),
            n.to_string(),
            format!("{:.1} %", 100.0 * n as f64 / support as f64),
        ]);
    }
    let shown = pairs.len().min(N_PAIRS);
    format!(
        "most frequent confusions, {shown} of {}\n\n{table}\n",
        counted(judgement.n_confused_pairs, "pair")
    )
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The quantile `q` of sorted values with linear interpolation: `numpy.quantile`. 0 without values.
fn quantile(values: &[f64], q: f64) -> f64 {
    let at = q * values.len().saturating_sub(1) as f64;
    let value = |i: usize| values.get(i).or(values.last()).copied().unwrap_or(0.0);
    let (low, high) = (value(at.floor() as usize), value(at.ceil() as usize));
    low + (high - low) * at.fract()
}

/// A number with at most one decimal.
fn short(value: f64) -> String {
    ((value * 10.0).round() / 10.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy.quantile([1, 2, 4, 8], q)
    #[test]
    fn quantiles_are_numpys() {
        let values = [1.0, 2.0, 4.0, 8.0];
        let of = [0.0, 0.05, 0.25, 0.5, 0.95, 1.0].map(|q| quantile(&values, q));
        let expected = [1.0, 1.15, 1.75, 3.0, 7.4, 8.0];
        assert!(of.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{of:?}");
        assert_eq!((quantile(&[], 0.5), quantile(&[3.0], 0.95)), (0.0, 3.0));
        assert_eq!([3.0, 1.75].map(short), ["3", "1.8"]);
    }

    #[test]
    fn counts_are_summed_up() {
        let count = |i: usize| ClassCount { class: format!("c{i:02}"), count: i };
        let text = counts(&(0..60).map(count).collect::<Vec<_>>());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "59 of 60 classes");
        assert_eq!(
            lines[1],
            "    rows per class: min 1, 5 % 3.9, 25 % 15.5, median 30, 75 % 44.5, 95 % 56.1, max 59"
        );
        assert_eq!(lines[2], "    most frequent: c59 59, c58 58, c57 57, c56 56, c55 55");
        assert_eq!(lines[3], "    least frequent: c01 1, c02 2, c03 3, c04 4, c05 5");
    }
}
