//! A file of labels: a table with a label column, an array, or a text with one label per line.

use crate::columns;
use crate::csv::Header;
use crate::features::InMemory;
use crate::format::Format;
use crate::read::parse;
use crate::shard::FilePart;
use crate::source::Source;
use crate::table::Contents;
use crate::{LabelSource, Labels, ReadOptions, Result};
use headsmith_kernels::Pool;

/// The options for reading the labels of a table that is read with `options`.
pub(super) fn options(options: &ReadOptions) -> ReadOptions {
    ReadOptions {
        labels: LabelSource::Alone,
        label_column: options.label_column.clone(),
        label_hint: options.label_hint.clone(),
        on_bad_row: options.on_bad_row,
        ..ReadOptions::default()
    }
}

/// Reads the labels in `source`. `n_rows` is the number of rows of the table, if known: it decides whether the first
/// line of a text is a header.
///
/// # Errors
/// As for a table; also if it is not clear which column holds the labels.
pub(super) fn read(
    source: &Source,
    n_rows: Option<usize>,
    options: &ReadOptions,
    pool: &Pool,
) -> Result<Contents> {
    let read = |header| parse((source, FilePart::WHOLE), header, options, &mut InMemory::default(), pool);
    let first = read(Header::Detected);
    let is_text = first.as_ref().map_or(true, |first| first.parts[0].format == Format::Csv);
    let fits = |contents: &Contents| n_rows.is_none_or(|n_rows| contents.positions.n_rows() == n_rows);
    let fit = match first {
        Ok(first) if fits(&first) || !is_text => Ok(first),
        first => {
            let others = [Header::Absent, Header::Present].into_iter().filter(|_| n_rows.is_some());
            let mut others = others.filter_map(|header| Some((header, read(header).ok()?)));
            let fit = others.find(|(header, other)| fits(other) && is_likely(*header, other));
            fit.map_or(first, |(_, other)| Ok(other))
        }
    };
    fit.map(|labels| named(labels, options))
}

/// Whether the first line can be a label, or a header. The number of rows alone is not enough: one missing or extra
/// line elsewhere would shift all labels by one.
fn is_likely(header: Header, contents: &Contents) -> bool {
    let Some(labels) = &contents.labels else { return false };
    if header == Header::Present {
        // `0` is pandas' name for an unnamed column.
        return labels.column() == "0" || !labels.names().iter().any(|name| name == labels.column());
    }
    let (first, counts) = (labels.name(0), labels.counts());
    let is_odd =
        counts.iter().filter(|&&count| count == 1).count() == 1 && counts[labels.codes()[0] as usize] == 1;
    !is_odd && !columns::is_label_name(first) && !columns::may_be_label_by_name(first)
}

/// Names the labels if the file does not: numbers and generated names do not count as names.
fn named(mut contents: Contents, options: &ReadOptions) -> Contents {
    let has_header = contents.warnings.iter().all(|finding| finding.code != "no-header");
    let is_name = |name: &str| !name.trim().is_empty() && name.parse::<f64>().is_err();
    contents.labels = contents.labels.map(|labels| match has_header && is_name(labels.column()) {
        true => labels,
        false => Labels::with_column(labels, options.added_label()),
    });
    contents.warnings.retain(|finding| finding.code != "no-header");
    contents
}
