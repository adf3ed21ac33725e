//! `headsmith inspect`

use std::path::PathBuf;

use anyhow::Result;
use clap::ArgMatches;
use headsmith::data::{Files, Severity, Weights};
use headsmith::report::{self, TableReport};
use headsmith::tables::{self, RoleTable};

use crate::flags::common;
use crate::view::progress::severity_word;
use crate::{commands, view};

/// Prints the contents of tables and their problems. Every table is read before an error ends the command.
pub(crate) fn inspect(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches);
    let files: Vec<PathBuf> = matches.get_many("files").into_iter().flatten().cloned().collect();
    let (read, findings) = commands::with_silent_context(&common, |context| {
        let mut read: Vec<headsmith::Result<RoleTable>> = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let labels = common::optional_table_of(matches, "labels").filter(|_| i == 0);
            let table = Files::from(file).with_labels(labels);
            // The further tables are read as they would be beside a training table.
            let options = match read.first() {
                Some(Ok(first)) => tables::beside(first, &common.read),
                _ => common.read.clone(),
            };
            let table = tables::read(&file.display().to_string(), table, &options, context);
            read.push(table.and_then(|mut table| {
                if let Some(column) = options.weight_column.as_deref().filter(|_| i == 0) {
                    Weights::read(&table.table, column)?;
                }
                table.report.summary = Some(report::summary(&table.table));
                Ok(table)
            }));
        }
        let sound: Vec<&RoleTable> = read.iter().flatten().collect();
        let findings = tables::check(&sound, context);
        Ok((read, findings))
    })?;
    let reports: Vec<&TableReport> = read.iter().flatten().map(|table| &table.report).collect();
    if common.json {
        let errors: Vec<String> =
            read.iter().filter_map(|table| Some(table.as_ref().err()?.to_string())).collect();
        view::print_json(&serde_json::json!({ "tables": reports, "findings": findings, "errors": errors }))?;
    } else {
        let mut text: String = reports.iter().map(|report| view::text::table_report(report)).collect();
        // Notes repeat the tables' own lines.
        let faults: Vec<_> = findings.iter().filter(|finding| finding.severity != Severity::Note).collect();
        let can_be_learnt = |report: &&TableReport| {
            report.label_column.is_some() && report.labels.iter().all(|class| class.count > 1)
        };
        let all_labelled = reports.iter().all(can_be_learnt);
        text += match all_labelled {
            true if faults.is_empty() && reports.len() == read.len() => "nothing is wrong with them\n",
            _ => "",
        };
        for finding in faults {
            text += &format!("{}: {finding}\n", severity_word(finding.severity));
        }
        view::print(&text)?;
    }
    let unread: Vec<String> = read.into_iter().filter_map(|table| Some(table.err()?.to_string())).collect();
    if !unread.is_empty() {
        return Err(headsmith::Error::data(unread.join("\nerror: ")).into());
    }
    tables::refuse_errors(
        &findings.into_iter().filter(|f| f.severity == Severity::Error).collect::<Vec<_>>(),
    )?;
    Ok(())
}
