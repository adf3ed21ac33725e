//! Does the whole job with all heads there are: the first is the baseline, and the report says which is best.

use std::path::Path;

use headsmith::heads::HEADS;
use headsmith::run::{RunConfig, RunHead};
use headsmith::{HeadConfig, Session};

fn main() -> headsmith::Result<()> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sentences/val.parquet");
    let out = std::env::temp_dir().join(format!("headsmith-compare-{}", std::process::id()));
    let small = [("n_estimators", 10), ("epochs", 2), ("neurons0", 16), ("neurons2", 16)];
    let mut heads = Vec::new();
    for head in HEADS {
        let given = small.into_iter().filter(|(name, _)| head.table().find(name).is_some());
        let head = HeadConfig::new(head.name(), given.map(|(name, value)| (name, value.into())))?;
        heads.push(RunHead { head, study: None });
    }
    let report = Session::new().seed(42).run(&RunConfig::new(Path::new(table), out, heads))?;
    println!("the best of {} heads: {}", report.heads.len(), report.chosen);
    Ok(())
}
