//! The report of a run as typed structs ([`schema`]), and what is drawn from it: the page, one self-contained HTML file
//! ([`html`]), and a model card in Markdown ([`card`]). Both are functions of the same [`Facts`]: they open no file, read no clock and compute no score.
//!
//! The page has no script and fetches nothing; the numbers of a figure are below it as a table. Everything that comes from
//! a user's files (names of classes, paths, messages) is escaped.
//!
//! ```
//! use headsmith_report::{Facts, schema::Report};
//!
//! let report = Report { classes: vec!["<no>".to_owned(), "yes".to_owned()], ..Report::default() };
//! let facts = Facts { report, ..Facts::default() };
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
pub mod schema;
mod sections;
pub mod sets;
mod table;
mod text;
mod verdict;

pub use card::card;
pub use facts::{Facts, Fitting, Trial};
pub use page::html;
pub use text::{difference, short_time, size};
