//! From the operations of a graph to ONNX nodes.

use headsmith_heads::graph::{Binary, Constant, Curve, Graph, Kind, Numbers, Op, Unary, Value, Var};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use crate::proto::{constant, f32s, f64s, i64s, int, node, texts, value_info};
use crate::trees::{self, MlOpset};

/// The names of input and outputs, which never change.
pub(crate) const INPUT: &str = "embeddings";
pub(crate) const LABEL: &str = "label";
pub(crate) const PROBABILITIES: &str = "probabilities";

/// Constants of double precision with more elements are stored in single precision where that loses nothing.
const LARGE: usize = 1024;

/// Nodes and constants as they are written.
pub(crate) struct Writer {
    opset: MlOpset,
    names: Vec<String>,
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    n_names: usize,
}

/// The ONNX graph of `graph`, whose probabilities are `proba`; the label of a row is that of the first of the largest elements of `decided`.
pub(crate) fn write(
    graph: &Graph,
    (proba, decided): (Var, Var),
    classes: &[String],
    opset: MlOpset,
) -> GraphProto {
    let mut writer =
        Writer { opset, names: Vec::new(), nodes: Vec::new(), initializers: Vec::new(), n_names: 0 };
    for value in graph.values() {
        let name = writer.value(value);
        writer.names.push(name);
    }
    let (proba, decided) = (writer.of(proba), writer.of(decided));
    writer.last("Identity", &[proba], PROBABILITIES, Vec::new());
    let decided = writer.op("ArgMax", &[decided], vec![int("axis", 1), int("keepdims", 0)]);
    let names = writer.constant(|name| texts(name, classes));
    writer.last("Gather", &[names, decided], LABEL, Vec::new());
    GraphProto {
        name: "headsmith".to_owned(),
        node: writer.nodes,
        initializer: writer.initializers,
        input: vec![value_info(INPUT, DataType::Float, Some(graph.values()[0].width))],
        output: vec![
            value_info(LABEL, DataType::String, None),
            value_info(PROBABILITIES, DataType::Float, Some(classes.len())),
        ],
        ..GraphProto::default()
    }
}

impl Writer {
    fn of(&self, var: Var) -> String {
        self.names[var.index()].clone()
    }

    fn name(&mut self) -> String {
        self.n_names += 1;
        format!("v{}", self.n_names)
    }

    fn last(&mut self, op: &str, inputs: &[String], output: &str, attributes: Vec<AttributeProto>) {
        self.nodes.push(node(op, inputs, &[output.to_owned()], attributes));
    }

    /// Adds a node of one output; returns its name.
    pub(crate) fn op(&mut self, op: &str, inputs: &[String], attributes: Vec<AttributeProto>) -> String {
        let output = self.name();
        self.last(op, inputs, &output, attributes);
        output
    }

    /// Adds a node of the operators of machine learning.
    pub(crate) fn ml_op(
        &mut self,
        op: &str,
        inputs: &[String],
        outputs: &[String],
        attributes: Vec<AttributeProto>,
    ) {
        let mut node = node(op, inputs, outputs, attributes);
        node.domain = trees::DOMAIN.to_owned();
        self.nodes.push(node);
    }

    /// A new name for an output.
    pub(crate) fn output(&mut self) -> String {
        self.name()
    }

    /// Adds a constant; returns its name.
    pub(crate) fn constant(&mut self, tensor: impl FnOnce(&str) -> TensorProto) -> String {
        let name = self.name();
        self.initializers.push(tensor(&name));
        name
    }

    /// Adds a cast.
    pub(crate) fn cast(&mut self, x: String, to: DataType) -> String {
        self.op("Cast", &[x], vec![int("to", to as i64)])
    }

    /// A constant matrix. What single precision holds is stored in it.
    fn matrix(&mut self, of: &Constant) -> String {
        let is_large = of.kind() == Kind::Double && of.n_rows * of.n_cols > LARGE;
        match of.singles().filter(|_| is_large) {
            Some(values) => {
                let name = self.constant(|name| f32s(name, &[of.n_rows, of.n_cols], &values));
                self.cast(name, DataType::Double)
            }
            None => self.constant(|name| constant(name, of)),
        }
    }

    /// The name of an operation's result.
    fn value(&mut self, value: &Value) -> String {
        match &value.op {
            Op::Input => INPUT.to_owned(),
            Op::Row(row) => self.constant(|name| constant(name, row)),
            Op::Unary(function, x) => self.op(unary(*function), &[self.of(*x)], Vec::new()),
            Op::Binary(function, a, b) => self.op(binary(*function), &[self.of(*a), self.of(*b)], Vec::new()),
            Op::Select(condition, yes, no) => {
                self.op("Where", &[self.of(*condition), self.of(*yes), self.of(*no)], Vec::new())
            }
            Op::Cast(x) => self.cast(self.of(*x), data_type(value.kind)),
            Op::Product(x, by) => {
                let by = self.matrix(by);
                self.op("MatMul", &[self.of(*x), by], Vec::new())
            }
            Op::Sum(x) => {
                let axis = self.constant(|name| i64s(name, &[1], &[1]));
                self.op("ReduceSum", &[self.of(*x), axis], vec![int("keepdims", 1)])
            }
            Op::SumBefore(x) => {
                let axis = self.constant(|name| i64s(name, &[], &[1]));
                self.op("CumSum", &[self.of(*x), axis], vec![int("exclusive", 1)])
            }
            Op::Softmax(x) => self.op("Softmax", &[self.of(*x)], vec![int("axis", 1)]),
            Op::Columns(x, columns) => {
                let columns: Vec<i64> = columns.iter().map(|column| *column as i64).collect();
                let columns = self.constant(|name| i64s(name, &[columns.len()], &columns));
                self.op("Gather", &[self.of(*x), columns], vec![int("axis", 1)])
            }
            Op::Concat(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.of(*part)).collect();
                self.op("Concat", &parts, vec![int("axis", 1)])
            }
            Op::Curves(x, curves) => self.curves(self.of(*x), curves),
            Op::Trees(x, trees) => trees::write(self, self.of(*x), trees, self.opset),
            Op::Smallest(x) => self.smallest(self.of(*x), value.width),
            Op::SmallestIndex(values) => format!("{}_index", self.of(*values)),
            Op::Pick(of, index) => {
                let flat = Constant { n_rows: of.n_rows * of.n_cols, n_cols: 1, ..(**of).clone() };
                let of = self.flat(&flat);
                self.op("Gather", &[of, self.of(*index)], Vec::new())
            }
            Op::WeightedRows { of, index, weights } => {
                let of = self.matrix(of);
                let rows = self.op("Gather", &[of, self.of(*index)], Vec::new());
                let axis = self.constant(|name| i64s(name, &[1], &[2]));
                let weights = self.op("Unsqueeze", &[self.of(*weights), axis], Vec::new());
                let rows = self.op("Mul", &[rows, weights], Vec::new());
                let axis = self.constant(|name| i64s(name, &[1], &[1]));
                self.op("ReduceSum", &[rows, axis], vec![int("keepdims", 0)])
            }
        }
    }

    /// A constant of one axis.
    fn flat(&mut self, of: &Constant) -> String {
        match &of.numbers {
            Numbers::Float(values) => self.constant(|name| f32s(name, &[values.len()], values)),
            Numbers::Double(values) => self.constant(|name| f64s(name, &[values.len()], values)),
        }
    }

    fn smallest(&mut self, x: String, n: usize) -> String {
        let k = self.constant(|name| i64s(name, &[1], &[n as i64]));
        let values = self.name();
        let index = format!("{values}_index");
        let attributes = vec![int("axis", 1), int("largest", 0), int("sorted", 1)];
        self.nodes.push(node("TopK", &[x, k], &[values.clone(), index], attributes));
        values
    }

    /// The last knot that is not above each element is found by bisection, then the value on the line after it, or at it.
    fn curves(&mut self, x: String, curves: &[Curve]) -> String {
        let longest = curves.iter().map(|curve| curve.knots.len()).max().unwrap_or(1);
        let n = longest.next_power_of_two();
        // Behind the last knot nothing is found.
        let table = |of: fn(&headsmith_heads::graph::Knot) -> f64, rest: f64| -> Vec<f64> {
            curves
                .iter()
                .flat_map(|curve| {
                    let own = curve.knots.iter().map(of);
                    own.chain(std::iter::repeat(rest)).take(n)
                })
                .collect()
        };
        let knots = self.doubles(&table(|knot| knot.x, f64::MAX));
        let starts: Vec<f64> = (0..curves.len()).map(|j| (j * n) as f64).collect();
        let mut at = self.constant(|name| f64s(name, &[1, starts.len()], &starts));
        let mut step = n / 2;
        while step > 0 {
            let step_name = self.constant(|name| f64s(name, &[1, 1], &[step as f64]));
            let next = self.op("Add", &[at.clone(), step_name], Vec::new());
            let knot = self.looked_up(&knots, &next);
            let is_reached = self.op("LessOrEqual", &[knot, x.clone()], Vec::new());
            at = self.op("Where", &[is_reached, next, at], Vec::new());
            step /= 2;
        }
        let [values, after, slopes] =
            [table(|knot| knot.at, 0.0), table(|knot| knot.after, 0.0), table(|knot| knot.slope, 0.0)].map(
                |of| {
                    let of = self.doubles(&of);
                    self.looked_up(&of, &at)
                },
            );
        let knot = self.looked_up(&knots, &at);
        let distance = self.op("Sub", &[x.clone(), knot.clone()], Vec::new());
        let rise = self.op("Mul", &[distance, slopes], Vec::new());
        let line = self.op("Add", &[after, rise], Vec::new());
        let is_at = self.op("Equal", &[x, knot], Vec::new());
        self.op("Where", &[is_at, values, line], Vec::new())
    }

    fn doubles(&mut self, values: &[f64]) -> String {
        self.constant(|name| f64s(name, &[values.len()], values))
    }

    fn looked_up(&mut self, table: &str, at: &str) -> String {
        let index = self.cast(at.to_owned(), DataType::Int32);
        self.op("Gather", &[table.to_owned(), index], Vec::new())
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Float => DataType::Float,
        Kind::Double => DataType::Double,
        Kind::Truth => DataType::Bool,
        Kind::Index => DataType::Int64,
    }
}

fn unary(function: Unary) -> &'static str {
    match function {
        Unary::Abs => "Abs",
        Unary::Acos => "Acos",
        Unary::Exp => "Exp",
        Unary::Floor => "Floor",
        Unary::Log => "Log",
        Unary::Sign => "Sign",
        Unary::Sqrt => "Sqrt",
    }
}

fn binary(function: Binary) -> &'static str {
    match function {
        Binary::Add => "Add",
        Binary::Sub => "Sub",
        Binary::Mul => "Mul",
        Binary::Div => "Div",
        Binary::Max => "Max",
        Binary::Min => "Min",
        Binary::Pow => "Pow",
        Binary::AtMost => "LessOrEqual",
        Binary::Equal => "Equal",
    }
}
