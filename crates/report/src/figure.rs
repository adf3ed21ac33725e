//! A figure: what it shows, how to read it, and its numbers.

use crate::table::Table;
use crate::text::escape;

/// The longest table of numbers that is printed.
const MAX_PRINTED: usize = 16;

/// A drawing with its title, a sentence on how to read it, and its numbers.
pub(crate) struct Figure<'f> {
    pub(crate) title: &'f str,
    /// The keys of its colours: a class of the style sheet, and a name.
    pub(crate) legend: Vec<(String, String)>,
    pub(crate) svg: String,
    pub(crate) read: &'f str,
    pub(crate) numbers: Table,
    /// Whether it takes the whole width of the page.
    pub(crate) wide: bool,
}

impl Figure<'_> {
    pub(crate) fn html(&self) -> String {
        let key = |(class, name): &(String, String)| {
            format!("<span class=\"key\"><i class=\"{class}\"></i>{}</span>", escape(name))
        };
        let legend: String = self.legend.iter().map(key).collect();
        let legend = if legend.is_empty() { legend } else { format!("<div class=\"legend\">{legend}</div>") };
        let width = if self.wide { " class=\"wide\"" } else { "" };
        let rows = self.numbers.n_rows();
        // Long tables are not printed.
        let details = if rows > MAX_PRINTED { " class=\"long\"" } else { "" };
        format!(
            "<figure{width}><figcaption>{}</figcaption>{legend}<div class=\"scroll\">{}</div>\
             <p class=\"read\">{}</p><details{details}><summary>Numbers</summary>{}</details></figure>",
            escape(self.title),
            self.svg,
            escape(self.read),
            self.numbers.html()
        )
    }
}

/// Figures beside one another where there is room.
pub(crate) fn grid(figures: &[String]) -> String {
    format!("<div class=\"grid\">{}</div>", figures.concat())
}
