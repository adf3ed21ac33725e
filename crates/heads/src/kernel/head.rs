//! Kernel machines as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value, json};

use super::machine::{Chosen, Machine};
use super::nystroem::Nystroem;
use super::params::TABLE;
use super::plan::Plan;
use super::search::Search;
use crate::calibration::Calibration;
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::graph::{Binary, Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits, no_keys};
use crate::kernel_function::Function;
use crate::kernel_function::support::Support;
use crate::linalg::tiles;
use crate::one_hot::{classes_of, present};
use crate::params::{self, Params, Table};
use crate::tensors::{Tensors, Values};
use crate::transform::Spec;

/// Kernel machines.
#[derive(Debug)]
pub struct KernelHead;

impl Head for KernelHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { out_of_fold: true, leaves_out: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let screen = params.of(&TABLE)?.count("screen_rows")? as u64;
        if let Some(n_landmarks) = Plan::new(params)?.n_landmarks(shape.n_samples)? {
            return Ok(Nystroem::cost(shape, n_landmarks, screen));
        }
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        // In single precision: products, factor, and its inverse; in double precision, if that is needed, two of them beside the
        // products in single.
        let matrices = tiles::n_bytes(n, 4).saturating_add(tiles::n_bytes(n, 8).saturating_mul(2));
        let rows = n.saturating_mul(f.saturating_add(k)).saturating_mul(4 * 8);
        let axes = f.min(n).saturating_mul(f.max(n.min(f))).saturating_mul(8 * 6);
        let small = n.min(screen);
        let cube = |n: u64| n.saturating_mul(n).saturating_mul(n);
        let operations = cube(n).saturating_mul(10).saturating_add(cube(small).saturating_mul(72));
        Ok(Cost {
            bytes: matrices
                .saturating_add(rows)
                .saturating_add(axes)
                .saturating_add(n.saturating_mul(k + 16).saturating_mul(8 * 8))
                .saturating_add(1 << 24),
            operations,
            hint: "n_landmarks: with landmarks, memory does not grow with the square of the rows",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        match resume {
            None => Ok(Box::new(Search::begin(job)?)),
            Some(_) => Err(Error::stored("a kernel machine is not resumed: it is fitted again")),
        }
    }

    fn restore(&self, mut config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        let function = config.remove("function").unwrap_or_default();
        let transform = config.remove("transform").unwrap_or_default();
        let chosen = config.remove("chosen").unwrap_or_default();
        no_keys(&config)?;
        let function = Function::from_json(&function)
            .ok_or_else(|| Error::stored(format!("`{function}` is no kernel function")))?;
        let transform = transform.as_str().unwrap_or_default().to_owned();
        let number = |name: &str| {
            let number = chosen.get(name).and_then(Value::as_f64);
            number.ok_or_else(|| Error::stored(format!("`chosen` has no number `{name}`")))
        };
        let chosen = Chosen {
            gamma: number("gamma")?,
            alpha: number("alpha")?,
            log_loss: chosen.get("log_loss").and_then(Value::as_f64),
            double: false,
            history: Vec::new(),
            whole_transform: transform.clone(),
            transform,
        };
        Ok(Arc::new(Machine::from_tensors(function, chosen, tensors)?))
    }
}

impl Machine {
    fn from_tensors(function: Function, chosen: Chosen, mut tensors: Tensors) -> Result<Machine> {
        let spec: Spec = chosen.transform.parse().map_err(|error: Error| Error::stored(error.to_string()))?;
        let pipeline = spec.restore(tensors.take_prefix("transform."))?;
        let [n_rows, n_cols] = tensors.matrix_shape("rows")?;
        let [_, n_outputs] = tensors.matrix_shape("alpha")?;
        let rows = Matrix::new(tensors.take_finite("rows", &[n_rows, n_cols])?, n_rows, n_cols);
        let alpha = Matrix::new(tensors.take_finite("alpha", &[n_rows, n_outputs])?, n_rows, n_outputs);
        let intercept = tensors.take_f64("intercept", &[n_outputs])?;
        let n_classes = tensors.shape("present")?.iter().product();
        let present = tensors.take_u32("present", &[n_classes])?;
        let calibration = Calibration::restore(&mut tensors, n_outputs)?;
        tensors.check_empty("a kernel machine")?;
        let classes = classes_of(&present, n_outputs)
            .ok_or_else(|| Error::stored("tensor `present` does not name a class for each output"))?;
        if !intercept.iter().all(|v| v.is_finite()) {
            return Err(Error::stored("tensor `intercept` is not finite"));
        }
        let n_features = pipeline.inputs_for(n_cols).ok_or_else(|| {
            Error::stored(format!("the transform does not give the {n_cols} features of the rows"))
        })?;
        let support = Support::new(rows.view(), alpha.view(), &Pool::inline());
        Ok(Machine {
            pipeline,
            function,
            support,
            intercept,
            calibration,
            classes,
            n_classes,
            n_features,
            chosen,
        })
    }
}

impl Fitted for Machine {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        self.n_features
    }

    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.n_features, "columns of x");
        self.probabilities(x, pool)
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        if self.pipeline.steps().is_empty() {
            rows.near(|| self.support.typical(), graph);
        }
        let x = rows.then(self.pipeline.steps()).value(graph);
        let sums = self.support.graph(self.function, graph, x);
        let outputs = graph.double(sums);
        let outputs = graph.with(Binary::Add, outputs, &self.intercept);
        self.calibration.graph(graph, outputs, &self.classes, self.n_classes).into()
    }

    fn config(&self) -> Map<String, Value> {
        let Chosen { transform, gamma, alpha, log_loss, .. } = &self.chosen;
        let config = json!({
            "function": self.function.to_json(),
            "transform": transform,
            "chosen": { "gamma": gamma, "alpha": alpha, "log_loss": log_loss },
        });
        match config {
            Value::Object(config) => config,
            _ => Map::new(),
        }
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        let (rows, alpha) = self.support.unpacked();
        let Support { n_rows, n_cols, n_outputs, .. } = self.support;
        tensors.insert("rows", &[n_rows, n_cols], Values::F32(rows));
        tensors.insert("alpha", &[n_rows, n_outputs], Values::F32(alpha));
        tensors.insert("intercept", &[n_outputs], Values::F64(self.intercept.clone()));
        let present = present(&self.classes, self.n_classes);
        tensors.insert("present", &[self.n_classes], Values::U32(present));
        self.calibration.store(&mut tensors);
        tensors.extend_with_prefix("transform.", self.pipeline.tensors());
        tensors
    }

    fn chosen(&self) -> Vec<(&'static str, params::Value)> {
        if self.chosen.history.is_empty() {
            return Vec::new();
        }
        vec![
            (params::TRANSFORM, params::Value::Text(self.chosen.whole_transform.clone())),
            ("spectrum", params::Value::Text("none".to_owned())),
            ("gamma", params::Value::Float(self.chosen.gamma)),
            ("alpha", params::Value::Float(self.chosen.alpha)),
        ]
    }

    fn description(&self) -> Description {
        let Support { n_rows, n_cols, n_outputs, .. } = self.support;
        let n_bytes = 4 * n_rows * (n_cols + n_outputs);
        let Chosen { transform, gamma, alpha, log_loss, double, history, .. } = &self.chosen;
        let summary = format!(
            "{} stored ({:.1} MB), {}, transform {transform}, gamma {gamma:.4}, alpha {alpha:.4}",
            counted(n_rows, "row"),
            n_bytes as f64 / 1e6,
            self.function,
        );
        let tried: Vec<Value> = history
            .iter()
            .map(|tried| {
                json!({ "transform": tried.features.spec(), "gamma": tried.gamma, "alpha": tried.alpha,
                    "log_loss": tried.log_loss.is_finite().then_some(tried.log_loss) })
            })
            .collect();
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_rows", n_rows)
            .fact("n_bytes", n_bytes)
            .fact("transform", transform)
            .fact("gamma", gamma)
            .fact("alpha", alpha)
            .fact("leave_one_out_log_loss", log_loss)
            .fact("double_precision", double)
            .fact("tried", tried);
        description.sizes = vec![("n_rows", n_rows as u64), ("n_bytes", n_bytes as u64)];
        description
    }
}
