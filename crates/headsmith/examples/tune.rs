//! Searches for the parameters of a head, and shows the best trial.

use headsmith::tune::{StudyConfig, TuneConfig};
use headsmith::{HeadConfig, Metric, Session};

fn main() -> headsmith::Result<()> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sentences/val.parquet");
    let folder = std::env::temp_dir().join(format!("headsmith-tune-{}", std::process::id()));
    let storage = format!("sqlite:///{}", folder.with_extension("db").display());
    let head = HeadConfig::new("mlp", [("epochs", 2.into()), ("neurons1", 16.into())])?;
    let study = StudyConfig { n_trials: Some(3), ..StudyConfig::new(head, storage) };
    let mut session = Session::new().seed(1).metric(Metric::BalancedAccuracy);
    let report = session.tune(&TuneConfig::new(std::path::Path::new(table), study))?;
    println!("{:?}", report.best.map(|best| (best.number, best.value, best.params)));
    Ok(())
}
