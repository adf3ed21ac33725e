//! Tables of HTML.

use crate::text::{escape, markdown};

/// The most cells that are shown, and the rows that are in any case; the page stays below its size.
const MAX_CELLS: usize = 2_400;
const MIN_ROWS: usize = 100;

/// A table: the first column names the row, the others are numbers unless marked as text.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    words: Vec<usize>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new<S: AsRef<str>>(header: impl IntoIterator<Item = S>) -> Table {
        let header = header.into_iter().map(|name| name.as_ref().to_owned()).collect();
        Table { header, rows: Vec::new(), words: Vec::new() }
    }

    /// Columns of words, set to the left.
    pub(crate) fn words(mut self, columns: &[usize]) -> Table {
        self.words = columns.to_vec();
        self
    }

    pub(crate) fn add<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table with all these rows.
    pub(crate) fn with(mut self, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
        rows.into_iter().for_each(|row| self.add(row));
        self
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn class(&self, column: usize) -> &'static str {
        if self.words.contains(&column) { " class=\"w\"" } else { "" }
    }

    /// As HTML. Of more rows than a page can hold every so many are shown, and the first and the last.
    pub(crate) fn html(&self) -> String {
        let most = (MAX_CELLS / self.header.len().max(1)).max(MIN_ROWS);
        let step = self.rows.len().div_ceil(most).max(1);
        let shown = |i: &usize| i.is_multiple_of(step) || i + 1 == self.rows.len();
        let head: String = (0..)
            .zip(&self.header)
            .map(|(i, name)| format!("<th scope=\"col\"{}>{}</th>", self.class(i), escape(name)))
            .collect();
        let body: String = (0..self.rows.len()).filter(shown).map(|i| self.row(&self.rows[i])).collect();
        let note = match step {
            1 => String::new(),
            _ => format!("<p class=\"note\">One row in {step} of {} is shown.</p>", self.rows.len()),
        };
        format!(
            "<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
        )
    }

    fn row(&self, cells: &[String]) -> String {
        let cell = |(i, cell): (usize, &String)| match i {
            0 => format!("<th scope=\"row\">{}</th>", escape(cell)),
            _ => format!("<td{}>{}</td>", self.class(i), escape(cell)),
        };
        format!("<tr>{}</tr>", cells.iter().enumerate().map(cell).collect::<String>())
    }

    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| markdown(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<&str> = (0..self.header.len())
            .map(|i| if i == 0 || self.words.contains(&i) { "---" } else { "---:" })
            .collect();
        let body: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}|{}|\n{body}", line(&self.header), rule.join("|"))
    }
}
