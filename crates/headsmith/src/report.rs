//! The report of a run, as in `report.json` and `--json`: the structs of [`headsmith_report::schema`]. The format is described in
//! `docs/formats/report.md`.

use headsmith_data::checks;
pub use headsmith_report::schema::*;
pub use headsmith_report::{difference, sets, short_time, size};

/// A finding of the checks, as the report has it.
pub(crate) fn finding(found: &headsmith_data::Finding) -> Finding {
    Finding {
        severity: match found.severity {
            headsmith_data::Severity::Note => Severity::Note,
            headsmith_data::Severity::Warning => Severity::Warning,
            headsmith_data::Severity::Error => Severity::Error,
        },
        code: found.code.to_owned(),
        table: found.table.clone(),
        message: found.message.clone(),
        count: found.count,
        places: found.places.iter().map(row_location).collect(),
    }
}

fn row_location(place: &headsmith_data::RowLocation) -> RowLocation {
    RowLocation {
        file: place.file.as_deref().map(str::to_owned),
        line: place.line,
        row: place.row,
        column: place.column.clone(),
        element: place.element,
    }
}

/// The features of a table in numbers, as its report has them.
pub fn summary(table: &headsmith_data::Table) -> Summary {
    let checks::Summary {
        min,
        max,
        zeros,
        norm_min,
        norm_mean,
        norm_max,
        unit_length,
        precision,
        effective_rank,
    } = checks::summary(table);
    Summary { min, max, zeros, norm_min, norm_mean, norm_max, unit_length, precision, effective_rank }
}
