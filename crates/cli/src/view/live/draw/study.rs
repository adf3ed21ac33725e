//! Draws a study: its progress, the best value so far, the running trials with their curves, and the ended ones with
//! reasons.

use std::time::Duration;

use headsmith::metrics::Metric;
use headsmith::study::State;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::chart::{self, ChartLine, XAxis};
use super::{Canvas, progress_line, split_columns, split_rows};
use crate::view::lines::counted;
use crate::view::live::curve::sparkline;
use crate::view::live::study::{Ended, Study};
use crate::view::live::theme::Role;

/// Draws a study.
pub(super) fn draw(study: &Study, now: Duration, area: Rect, canvas: &mut Canvas<'_>) {
    let (head, body) = split_rows(area, 3);
    canvas.put_lines(head, heading(study, now, area.width, canvas));
    let n_workers = study.workers.len() as u16;
    if area.width < 60 || body.height < 9 {
        return small(study, body, n_workers, canvas);
    }
    let (left, right) = split_columns(body, body.width * 11 / 20);
    trial(study, left, canvas);
    let (top, bottom) = split_rows(right, (n_workers + 2).min(body.height - 4));
    let inside = canvas.frame(top, &format!(" workers: trial, epoch, {} ", short(study.metric)));
    workers(study, inside, canvas);
    let inside = canvas.frame(bottom, &format!(" ended: trial, {}, epochs, why ", short(study.metric)));
    ended(study, inside, canvas);
}

/// A metric's short name.
fn short(metric: Metric) -> &'static str {
    match metric {
        Metric::WeightedF1 | Metric::MacroF1 => "F1",
        Metric::BalancedAccuracy => "bal. acc.",
        Metric::Mcc => "MCC",
        Metric::Accuracy | Metric::LogLoss => metric.label(),
    }
}

/// The layout for small areas: the workers, and the remaining space for the curve.
fn small(study: &Study, area: Rect, n_workers: u16, canvas: &mut Canvas<'_>) {
    let (top, rest) = split_rows(area, n_workers.min(area.height));
    workers(study, top, canvas);
    if rest.height >= 6 && rest.width >= 24 {
        trial(study, rest, canvas);
    } else {
        ended(study, rest, canvas);
    }
}

fn heading(study: &Study, now: Duration, width: u16, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let total = study.pace.n_trials.map_or(0, |n| n as usize);
    let left = study.pace.left(now.saturating_sub(study.started), study.n_finished());
    let best = match &study.best {
        Some(best) => format!("best {:.4} (trial {})", best.value, best.number),
        None => "best: none complete yet".to_owned(),
    };
    let counts = format!(
        "{} complete, {} pruned, {} failed, {} here",
        study.n_complete,
        study.n_pruned,
        study.n_failed,
        counted(study.n_reports, "epoch")
    );
    vec![
        (progress_line("trials", study.n_finished(), total, &left, width, canvas.theme), Style::new()),
        (best, canvas.theme.style(Role::Best).add_modifier(Modifier::BOLD)),
        (counts, Style::new()),
    ]
}

/// The selected trial: its curve in front of the others, and its parameters.
fn trial(study: &Study, area: Rect, canvas: &mut Canvas<'_>) {
    let in_view = study.in_view();
    let params = in_view.and_then(|number| study.running.get(&number)).map(|running| &running.params);
    let words: Vec<String> =
        params.into_iter().flatten().map(|(name, value)| format!("{name} {value}")).collect();
    let lines = wrapped(&words, usize::from(area.width));
    let n_lines = (lines.len() as u16).min(area.height.saturating_sub(6)).min(4);
    let (curves, below) = split_rows(area, area.height - n_lines);
    let others = study.running.iter().filter(|(number, _)| Some(**number) != in_view);
    let line =
        |name: String, role, curve, in_front| ChartLine { name, role, curve, in_front, is_joined: true };
    let mut drawn: Vec<ChartLine<'_>> =
        others.map(|(_, running)| line(String::new(), Role::Other, &running.curve, false)).collect();
    drawn.extend(
        study.best.iter().map(|best| line(format!("best {}", best.number), Role::Best, &best.curve, true)),
    );
    let title = match in_view.and_then(|number| Some((number, study.running.get(&number)?))) {
        Some((number, running)) => {
            drawn.push(line(format!("trial {number}"), Role::Val, &running.curve, true));
            format!(" trial {number}: val {} by epoch ", study.metric)
        }
        None => " no running trial ".to_owned(),
    };
    chart::draw(&title, &drawn, XAxis::EPOCHS, curves, canvas);
    canvas.put_lines(below, lines.into_iter().map(|line| (line, Style::new())));
}

/// The current trial of each worker.
fn workers(study: &Study, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let in_view = study.in_view();
    let lines: Vec<(String, Style)> = study
        .workers
        .iter()
        .enumerate()
        .map(|(i, number)| {
            let Some((number, running)) = number.and_then(|n| Some((n, study.running.get(&n)?))) else {
                return (format!(" {}: waits", i + 1), theme.style(Role::Other));
            };
            let mark = if in_view == Some(number) { '>' } else { ' ' };
            let of = study.n_steps.map_or(String::new(), |n| format!("/{n}"));
            let value = running.curve.last().map_or(String::new(), |value| format!("  {value:.4}"));
            let to_end = if running.end_requested { "  ends" } else { "" };
            let text = format!("{mark}{}: {number}  {}{of}{value}{to_end}  ", i + 1, running.n_reports);
            let room = usize::from(area.width).saturating_sub(text.len());
            let style = if in_view == Some(number) {
                theme.style(Role::Val).add_modifier(Modifier::BOLD)
            } else {
                Style::new()
            };
            (format!("{text}{}", sparkline(&running.curve, room, theme.unicode)), style)
        })
        .collect();
    canvas.put_lines(area, lines);
}

/// The ended trials, the last one first, with reasons.
fn ended(study: &Study, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let best = study.best.as_ref().map(|best| best.number);
    let widest = |number: fn(&Ended) -> u64| {
        study.ended.iter().map(|ended| number(ended).to_string().len()).max().unwrap_or(0)
    };
    let (of_number, of_reports) = (widest(|ended| ended.number), widest(|ended| ended.n_reports as u64));
    let line = |ended: &Ended| {
        let value = ended.value.map_or("none  ".to_owned(), |value| format!("{value:.4}"));
        let why = match ended.state {
            State::Complete if best == Some(ended.number) => "complete, the best",
            State::Complete => "complete",
            _ => &ended.why,
        };
        let role = match ended.state {
            State::Complete if best == Some(ended.number) => theme.style(Role::Best),
            State::Complete => Style::new(),
            State::Pruned => theme.style(Role::Other),
            _ => theme.style(Role::Bad),
        };
        let (number, n_reports) = (ended.number, ended.n_reports);
        (format!("{number:>of_number$}  {value}  {n_reports:>of_reports$}  {why}"), role)
    };
    let lines: Vec<(String, Style)> = study.ended.iter().map(line).collect();
    canvas.put_lines(area, lines);
}

/// Wraps items, separated by commas, into lines of at most `width` characters.
fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() + 2 <= width) {
            Some(line) => *line += &format!(", {word}"),
            None => lines.push(word.clone()),
        }
    }
    lines
}
