//! Fits a head on arrays and predicts.

use headsmith::data::Dataset;
use headsmith::fit::FitData;
use headsmith::{HeadConfig, Matrix, Session};

fn main() -> headsmith::Result<()> {
    let x = Matrix::new((0..120).map(|i| (i % 5) as f32).collect(), 60, 2);
    let labels: Vec<&str> = (0..60).map(|i| ["cat", "dog", "fox"][i % 3]).collect();
    let mut session = Session::new().seed(42);
    let data = FitData::new(Dataset::from_arrays(x.clone(), &labels)?).split(0.2, &mut session.context()?)?;
    let head =
        HeadConfig::new("mlp", [("neurons0", 16.into()), ("epochs", 20.into()), ("batch_size", 16.into())])?;
    let fitted = session.fit(&head, &data)?;
    let proba = fitted.model.predict_proba(x.view(), session.context()?.pool)?;
    println!("{:?}: {:?}", fitted.model.classes(), proba.row(0));
    Ok(())
}
