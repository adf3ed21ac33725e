//! A column beside features and labels whose values mean something for a fit: it is read from the table's files again.

use crate::columns::{Role, position};
use crate::predictions::source::ReopenedTable;
use crate::predictions::{WriteError, plain};
use crate::{Error, Result, Table};
use std::io;

/// A use of such a column, in the words of messages.
#[derive(Debug)]
pub(crate) struct OtherColumn {
    /// `group`
    pub(crate) what: &'static str,
    /// The flag that names it.
    pub(crate) flag: &'static str,
    /// The expected content.
    pub(crate) content: &'static str,
    /// The same in short.
    pub(crate) kind: &'static str,
    /// How to get the column into the table, for tables without columns.
    pub(crate) hint: &'static str,
}

impl OtherColumn {
    /// Calls `each` with the number of each row of `table` and the text of its cell in `column`; numbers as pandas writes them.
    ///
    /// # Errors
    /// If there is no such column, it is a feature or the label, it holds neither text nor numbers, a file cannot be read
    /// again or has changed, or `each` fails.
    pub(crate) fn for_each_cell(
        &self,
        table: &Table,
        column: &str,
        each: &mut dyn FnMut(usize, &str) -> Result<()>,
    ) -> Result<()> {
        let what = self.what;
        if let Some(part) = table.parts.iter().find(|part| part.format.is_arrays()) {
            let error =
                format!("{} has no columns, so there is no {what} column \"{column}\"", part.format.name());
            return Err(Error::column(error).at(part.source.path()).with_hint(self.hint));
        }
        let at = position(table.columns().names.iter(), column, what)?;
        let opened = ReopenedTable::for_other_columns(table)?;
        let written = opened.written();
        let is_other = matches!(table.columns().roles[at], Role::Other | Role::Index);
        if !is_other || !written.can_be_written(at) {
            let found = if is_other { "neither text nor numbers" } else { "the features or the label" };
            let error = format!("column \"{column}\" holds {found}, expected {}", self.content);
            return Err(
                Error::column(error).with_hint(format!("name a column of {} with {}", self.kind, self.flag))
            );
        }
        let read = opened.for_each_row(table, &[at], &mut |row, cells| {
            let text = cells.first().map(|cell| plain(*cell)).unwrap_or_default();
            each(row, &text).map_err(WriteError::from)
        });
        read.map_err(|stopped| match stopped {
            WriteError::Input(error) => error,
            WriteError::Output(error) => Error::unread(io::Error::other(error)),
        })
    }
}
