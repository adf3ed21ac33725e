//! The report of a run, as `report.json` and `--json` have it: every field is declared here, once. Who writes a report fills these
//! structs, who reads one gets them back. `docs/formats/report.md` describes the format.
//!
//! Fields that reports of earlier versions or of unfinished runs may lack have defaults. Unknown fields are ignored.

mod auto;
mod conformal;
mod evidence;
mod fit;
mod folds;
mod judgement;
mod run;
mod study;
mod table;

pub use auto::{AutoReport, CandidateReport, DistilledReport, DistilledScore, SimplerReport};
pub use conformal::{CalibrationRows, ConformalReport, EvaluatedSets, PredictedSets};
pub use evidence::{ClassEvidence, Curve, Evidence, Mistake, ReliabilityBin};
pub use fit::{ClassProbability, Example, FitReport, OUT_OF_FOLD};
pub use folds::{FoldGroups, FoldReport, FoldScores, FoldsReport};
pub use judgement::{HeldBack, Judgement, MANY_CLASSES};
pub use run::{Comparison, Machine, PredictionReport, REPORT_FORMAT, REPORT_VERSION, Report};
pub use study::{Importance, Objective, StateLine, StudyReport, TrialRow};
pub use table::{ClassCount, Finding, RowLocation, Severity, Split, SplitGroups, Summary, TableReport};
