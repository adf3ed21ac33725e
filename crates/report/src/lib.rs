//! The report page of a run: one self-contained HTML file ([`html`]), and a model card in Markdown
//! ([`card`]). Both are functions of the same [`Facts`]: they open no file, read no clock and compute no score.
//!
//! The page has no script and fetches nothing; the numbers of a figure are below it as a table. Everything that comes from
//! a user's files (names of classes, paths, messages) is escaped.
//!
//! ```
//! let facts = headsmith_report::Facts {
//!     report: serde_json::json!({ "format": "headsmith-report", "classes": ["<no>", "yes"], "heads": [] }),
//!     ..Default::default()
//! };
//! let page = headsmith_report::html(&facts);
//! assert!(page.starts_with("<!doctype html>") && !page.contains("<no>"));
//! ```

mod axis;
mod card;
mod facts;
mod figure;
mod metric;
mod page;
mod plot;
mod sections;
mod table;
mod text;
mod verdict;

pub use card::card;
pub use facts::{Facts, Trial};
pub use page::html;
