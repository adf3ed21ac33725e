//! Rows of a fit, wherever they are: of a data set, or in an array that the caller owns.

use headsmith_data::{Classes, Dataset};
use headsmith_kernels::{MatRef, Pool};
use headsmith_model::Record;

use crate::error::{Error, Result};
use crate::fit_data::FitData;
use crate::statistics;

/// Features and classes of rows that belong to somebody else.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'d> {
    /// The features, `n_samples x n_features`.
    pub x: MatRef<'d>,
    /// The class of each row, an index into `classes.names()`.
    pub y: &'d [u32],
    /// The classes.
    pub classes: &'d Classes,
    /// The weight of each row in a fit; `None` where all weigh the same.
    pub weights: Option<&'d [f32]>,
    /// The unit of each row, where rows are grouped ([`Dataset::units`]).
    pub units: Option<&'d [u32]>,
}

impl<'d> Rows<'d> {
    /// Rows that weigh the same, each a unit of its own.
    pub fn new(x: MatRef<'d>, y: &'d [u32], classes: &'d Classes) -> Rows<'d> {
        Rows { x, y, classes, weights: None, units: None }
    }

    /// A copy that owns its values.
    pub fn to_dataset(self) -> Dataset {
        Dataset {
            x: self.x.to_matrix(),
            y: self.y.to_vec(),
            classes: self.classes.clone(),
            weights: self.weights.map(<[f32]>::to_vec),
            units: self.units.map(<[u32]>::to_vec),
        }
    }
}

impl<'d> From<&'d Dataset> for Rows<'d> {
    fn from(data: &'d Dataset) -> Rows<'d> {
        Rows {
            x: data.x.view(),
            y: &data.y,
            classes: &data.classes,
            weights: data.weights.as_deref(),
            units: data.units.as_deref(),
        }
    }
}

/// The rows that a head is fitted on, and those that choose.
#[derive(Debug, Clone)]
pub struct FitRows<'d> {
    /// The rows to learn from.
    pub train: Rows<'d>,
    /// The rows that score the head, and choose what it leaves to them, such as the epoch.
    pub val: Option<Rows<'d>>,
    /// The model's record of its data.
    pub record: Record,
}

impl<'d> FitRows<'d> {
    /// Rows of an array, whose columns have these names, or none.
    pub fn new(
        train: Rows<'d>,
        val: Option<Rows<'d>>,
        feature_names: Vec<String>,
        pool: &Pool,
    ) -> FitRows<'d> {
        let features = statistics::of_rows(train.x, pool);
        FitRows { train, val, record: Record { features, feature_names, ..Record::default() } }
    }

    /// Fails if the validation rows are others than the training rows' kind.
    pub(crate) fn check(&self) -> Result<()> {
        let Some(val) = &self.val else { return Ok(()) };
        let (found, expected) = (val.x.n_cols(), self.train.x.n_cols());
        if found != expected {
            return Err(Error::data(format!(
                "the validation rows have {found} features, expected {expected} as the training rows"
            )));
        }
        match val.classes.names() == self.train.classes.names() {
            true => Ok(()),
            false => Err(Error::data("the validation rows have other classes than the training rows")),
        }
    }
}

impl<'d> From<&'d FitData> for FitRows<'d> {
    fn from(data: &'d FitData) -> FitRows<'d> {
        FitRows {
            train: Rows::from(&data.train),
            val: data.val.as_ref().map(Rows::from),
            record: data.record.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Matrix;

    use super::*;
    use crate::fit::fit_rows;
    use crate::{HeadConfig, Session};

    #[test]
    fn rows_of_an_array_give_the_model_of_a_data_set() {
        let values: Vec<f32> = (0..120).map(|i| (i * i % 17) as f32).collect();
        let labels: Vec<&str> = (0..40).map(|i| ["no", "yes"][i % 2]).collect();
        let data = FitData::new(Dataset::from_arrays(Matrix::new(values.clone(), 40, 3), &labels).unwrap());
        let (y, classes) = (data.train.y.clone(), data.train.classes.clone());
        let rows = Rows::new(MatRef::new(&values, 40, 3), &y, &classes);
        for head in ["centroid", "ridge"] {
            let head = HeadConfig::new::<&str>(head, []).unwrap();
            let mut session = Session::new().seed(3).threads(2);
            let fitted = session.fit(&head, &data).unwrap().model;
            let mut context = session.context().unwrap();
            let rows = FitRows::new(rows, None, Vec::new(), context.pool);
            let trained = fit_rows(&head, &rows, &mut context).unwrap().model;
            let proba =
                |model: &headsmith_model::Model| model.predict_proba(data.train.x.view(), context.pool);
            assert_eq!(proba(&trained).unwrap(), proba(&fitted).unwrap());
            assert_eq!(trained.record().features, fitted.record().features);
        }
        let narrow: Vec<f32> = values[..80].to_vec();
        let val = Rows::new(MatRef::new(&narrow, 40, 2), &y, &classes);
        let rows_of_two = FitRows::new(rows, Some(val), Vec::new(), &headsmith_kernels::Pool::inline());
        let head = HeadConfig::new::<&str>("ridge", []).unwrap();
        let error = fit_rows(&head, &rows_of_two, &mut Session::new().context().unwrap()).unwrap_err();
        assert!(error.is_data() && error.to_string().contains("have 2 features, expected 3"), "{error}");
        let copy = Rows { units: Some(&y), ..rows }.to_dataset();
        assert_eq!((copy.x.as_slice(), &copy.y, copy.units.as_ref()), (&values[..], &y, Some(&y)));
    }
}
