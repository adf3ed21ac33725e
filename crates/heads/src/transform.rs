//! Transforms of the features before a head sees them: the traits, the list of transforms, and their text.
//!
//! A [`TransformKind`] is a line of [`TRANSFORMS`] and a file; a [`Spec`] is a sequence of them as a user writes it
//! (`sqrt+standardise`); a [`Pipeline`] is what it learnt from the training rows, a part of the model.

mod axes;
mod divide;
mod l2;
mod normal;
mod order;
mod pca;
mod pipeline;
mod power;
mod projection;
mod quantile;
mod robust;
mod rows;
mod scaler;
mod spectrum;
mod sqrt;
mod standardise;
mod whiten;
mod yeo_johnson;

use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::Arc;

use headsmith_kernels::{MatRef, Pool};

use crate::error::{Error, Result};
use crate::graph::{Graph, Scaling, Typical, Var};
use crate::params::Param;
use crate::tensors::Tensors;

pub use pipeline::Pipeline;
pub use rows::TrainingRows;
pub(crate) use scaler::Scaler;

/// All transforms, in the order in which they are listed to users.
pub static TRANSFORMS: &[&dyn TransformKind] = &[
    &divide::Divide,
    &standardise::Standardise,
    &robust::Robust,
    &l2::L2,
    &sqrt::Sqrt,
    &power::Power,
    &yeo_johnson::YeoJohnson,
    &quantile::Quantile,
    &pca::Pca,
    &whiten::Whiten,
    &spectrum::Spectrum,
];

/// The text of no transform.
pub const NONE: &str = "none";

/// The syntax of a text of transforms, for help and messages; a test compares it with the list.
pub const SYNTAX: &str = "none, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson, quantile, pca:K, \
                          whiten, whiten:S or spectrum:P, joined by +";

/// A kind of transform.
pub trait TransformKind: Debug + Sync {
    /// Its name in texts.
    fn name(&self) -> &'static str;

    /// Its name and argument: `divide:K`.
    fn syntax(&self) -> &'static str {
        self.name()
    }

    /// One line of help.
    fn help(&self) -> &'static str;

    /// The argument as a parameter, where it takes one; its default, and the words that it allows, need not be arguments in texts.
    fn argument(&self) -> Option<Param> {
        None
    }

    /// The text after the colon in its one spelling; `None` when that is no argument of this transform.
    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        argument.is_none().then_some(None)
    }

    /// Learns from the training rows, as the transforms before it leave them.
    ///
    /// # Errors
    /// When the rows do not allow it.
    fn fit(
        &self,
        argument: Option<&str>,
        rows: &TrainingRows<'_>,
        pool: &Pool,
    ) -> Result<Arc<dyn FittedTransform>>;

    /// Restores it from the result of [`FittedTransform::tensors`]; takes its own tensors out of `tensors`, whose floats are finite.
    ///
    /// # Errors
    /// When one is missing, of another shape, or not what it must be.
    fn restore(&self, argument: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>>;
}

/// A transform with what it learnt. The bytes of a row do not depend on the rows around it.
pub trait FittedTransform: Debug + Send + Sync {
    /// The features that it takes; `None`: any number.
    fn n_inputs(&self) -> Option<usize> {
        None
    }

    /// The features that it gives, where these are another number: it then implements [`project`](FittedTransform::project),
    /// and otherwise [`scale`](FittedTransform::scale).
    fn n_outputs(&self) -> Option<usize> {
        None
    }

    /// Transforms rows of `n_features` values in place.
    fn scale(&self, rows: &mut [f32], n_features: usize) {
        let _ = (rows, n_features);
    }

    /// Transforms `rows` of `n_features` values to `to`, of [`n_outputs`](FittedTransform::n_outputs) values a row.
    fn project(&self, rows: &[f32], n_features: usize, to: &mut [f32]) {
        let _ = (rows, n_features, to);
    }

    /// Its learnt values, by name.
    fn tensors(&self) -> Tensors {
        Tensors::new()
    }

    /// The transform of `x` as operations of a graph.
    fn graph(&self, graph: &mut Graph, x: Var) -> Var;

    /// The centres and scales, where each feature is subtracted the one and divided by the other.
    fn scaling(&self, n_features: usize) -> Option<Scaling> {
        let _ = n_features;
        None
    }

    /// The mean and the axes (`n_axes x n_features`), where rows less the mean are multiplied by the axes.
    fn projection(&self) -> Option<(Vec<f64>, Vec<f32>)> {
        None
    }

    /// Whether each feature becomes a function of itself alone that does not fall.
    fn rises(&self) -> bool {
        false
    }

    /// The rows that it was fitted on, as far as it knows them.
    fn typical(&self) -> Option<Typical> {
        None
    }

    /// Rows of which it makes rows like `after`, roughly.
    fn typical_before(&self, after: Typical) -> Option<Typical> {
        self.scaling(after.centre.len()).map(|scaling| after.unscaled(&scaling))
    }
}

/// A sequence of transforms as a user writes it, before it has seen rows.
///
/// Its text, which [`Display`](fmt::Display) writes and [`FromStr`] reads, is [`SYNTAX`].
#[derive(Debug, Clone, Default)]
pub struct Spec {
    steps: Vec<Step>,
}

/// One transform of a [`Spec`].
#[derive(Debug, Clone)]
struct Step {
    kind: &'static dyn TransformKind,
    argument: Option<String>,
}

impl Spec {
    /// Whether it leaves the features as they are.
    pub fn is_none(&self) -> bool {
        self.steps.is_empty()
    }

    /// Learns from the training rows `x`, `n_samples x n_features`.
    ///
    /// # Errors
    /// When there are no rows, or they do not allow it: a value that is not finite, more components than features.
    pub fn fit(&self, x: MatRef<'_>, pool: &Pool) -> Result<Pipeline> {
        if x.n_rows() == 0 {
            return Err(Error::samples(format!("there are no rows to fit the transform `{self}` on")));
        }
        let mut fitted: Vec<Arc<dyn FittedTransform>> = Vec::new();
        for step in &self.steps {
            let rows = TrainingRows::new(x, &fitted);
            let next = step.kind.fit(step.argument.as_deref(), &rows, pool)?;
            fitted.push(next);
        }
        Ok(Pipeline::new(self.clone(), fitted))
    }

    /// Restores a pipeline of this text from its tensors, all of which it takes.
    ///
    /// # Errors
    /// When a tensor is missing, too many, of another shape, or widths do not go together.
    pub fn restore(&self, mut tensors: Tensors) -> Result<Pipeline> {
        let mut fitted = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let mut own = tensors.take_prefix(&pipeline::prefix(i));
            let from = if own.names().next().is_some() { &mut own } else { &mut tensors };
            fitted.push(step.kind.restore(step.argument.as_deref(), from)?);
            if let Some(name) = own.names().next() {
                return Err(Error::stored(format!("the transform has an unexpected tensor `{name}`")));
            }
        }
        if let Some(name) = tensors.names().next() {
            return Err(Error::stored(format!("the transform has an unexpected tensor `{name}`")));
        }
        let pipeline = Pipeline::new(self.clone(), fitted);
        pipeline.check()?;
        Ok(pipeline)
    }
}

/// Whether `text` is one of [`SYNTAX`].
pub fn is_spec(text: &str) -> bool {
    text.parse::<Spec>().is_ok()
}

impl FromStr for Spec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Spec> {
        if text == NONE {
            return Ok(Spec::default());
        }
        let wrong = || Error::parameter(format!("`{text}` is not a transform, expected {SYNTAX}"));
        let step = |part: &str| {
            let (name, argument) = match part.split_once(':') {
                Some((name, argument)) => (name, Some(argument)),
                None => (part, None),
            };
            let kind = *TRANSFORMS.iter().find(|kind| kind.name() == name)?;
            Some(Step { kind, argument: kind.canonical(argument)? })
        };
        let steps = text.split('+').map(step).collect::<Option<Vec<Step>>>().ok_or_else(wrong)?;
        Ok(Spec { steps })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str(NONE);
        }
        for (i, Step { kind, argument }) in self.steps.iter().enumerate() {
            let plus = if i > 0 { "+" } else { "" };
            write!(f, "{plus}{}", kind.name())?;
            if let Some(argument) = argument {
                write!(f, ":{argument}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_is_that_of_the_list() {
        let names: Vec<&str> = TRANSFORMS.iter().map(|kind| kind.syntax()).collect();
        let (last, others) = names.split_last().unwrap();
        assert_eq!(SYNTAX, format!("{NONE}, or {} or {last}, joined by +", others.join(", ")));
    }

    #[test]
    fn arguments_are_declared_where_texts_have_them() {
        for kind in TRANSFORMS {
            assert_eq!(kind.argument().is_some(), kind.canonical(Some("1")).is_some(), "{}", kind.name());
            if let Some(argument) = kind.argument() {
                argument.check(argument.default.value()).unwrap();
            }
        }
    }

    #[test]
    fn texts_round_trip() {
        for text in [
            "none",
            "divide:10",
            "divide:0.1",
            "standardise",
            "l2",
            "l2+standardise",
            "sqrt+l2+standardise",
            "standardise+pca:32",
            "robust",
            "power:0.5",
            "power:1/3+yeo-johnson",
            "quantile+l2",
            "whiten",
            "whiten:0.25",
            "sqrt+spectrum:-0.25+l2",
        ] {
            assert_eq!(text.parse::<Spec>().unwrap().to_string(), text);
        }
        for (text, spelling) in [
            ("divide:1e1", "divide:10"),
            ("power:2/6", "power:1/3"),
            ("whiten:.5", "whiten:0.5"),
            ("spectrum:-0", "spectrum:0"),
            ("spectrum:-1.0", "spectrum:-1"),
        ] {
            assert_eq!(text.parse::<Spec>().unwrap().to_string(), spelling);
        }
        for k in [f64::MIN_POSITIVE, 1.0 / 3.0, 1e300] {
            let text = format!("divide:{k}");
            assert_eq!(text.parse::<Spec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "None",
            "divide",
            "divide:",
            "divide:0",
            "divide:-1",
            "divide:inf",
            "divide:nan",
            "l1",
            "l2:3",
            "l2+",
            "+l2",
            "l2+none",
            "none+none",
            "pca",
            "pca:0",
            "pca:1.5",
            "sqrt:2",
            "power",
            "power:0",
            "power:-0.5",
            "power:1.01",
            "power:1/0",
            "power:0/0",
            "power:1/",
            "power:1/3/1",
            "power:nan",
            "robust:1",
            "yeo-johnson:1",
            "yeojohnson",
            "quantile:100",
            "whiten:",
            "whiten:-0.1",
            "whiten:1.1",
            "whiten:nan",
            "spectrum",
            "spectrum:",
            "spectrum:-1.1",
            "spectrum:2.1",
            "spectrum:nan",
        ] {
            let error = text.parse::<Spec>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a transform, expected {SYNTAX}"));
        }
    }
}
