//! A second implementation of the problems of `data/samplers_quality/problems.py`.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use headsmith_study::{Choice, Condition, Distribution, Params, Space, SpaceParam};
use serde::Deserialize;
use serde_json::Value;

/// Parameters as the user sees them.
pub(crate) type Setting = BTreeMap<String, Choice>;

/// A parameter: its name, its distribution in Optuna's JSON, and its condition on another one.
type RecordedParam = (String, Value, Option<(String, Vec<Choice>)>);

/// A problem with Optuna's recorded results.
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    space: Vec<RecordedParam>,
    /// The standard deviation of the noise on the value.
    pub(crate) noise: f64,
    /// Settings and their values.
    pub(crate) points: Vec<(Setting, f64)>,
    /// By the number of trials: the best value of each run.
    pub(crate) best: BTreeMap<String, Vec<f64>>,
}

impl Problem {
    pub(crate) fn space(&self) -> Space {
        let params = self.space.iter().map(|(name, distribution, when)| SpaceParam {
            name: name.clone(),
            distribution: Distribution::from_json(&distribution.to_string()).unwrap(),
            when: when.clone().map(|(param, is_one_of)| Condition { param, is_one_of }),
        });
        Space::new(params.collect()).unwrap()
    }
}

pub(crate) fn problems() -> BTreeMap<String, Problem> {
    serde_json::from_str(include_str!("../data/samplers_quality/best.json")).unwrap()
}

pub(crate) fn setting(params: &Params) -> Setting {
    params.iter().map(|(name, (distribution, value))| (name.clone(), distribution.external(*value))).collect()
}

fn number(p: &Setting, name: &str) -> f64 {
    p[name].number().unwrap()
}

fn word<'p>(p: &'p Setting, name: &str) -> &'p str {
    match &p[name] {
        Choice::Text(text) => text,
        other => panic!("{name} is {other}, no word"),
    }
}

fn vector(p: &Setting) -> Vec<f64> {
    p.keys().map(|name| number(p, name)).collect()
}

fn square(x: f64) -> f64 {
    x * x
}

/// The function of a problem.
pub(crate) fn function(name: &str) -> Box<dyn Fn(&Setting) -> f64> {
    Box::new(match name {
        "branin" => branin,
        "rosenbrock_5" => rosenbrock,
        "ackley_10" => ackley,
        "rastrigin_5" => rastrigin,
        "hartmann_6" | "hartmann_6_noisy" => hartmann,
        "levy_20" => levy,
        "griewank_8" => griewank,
        "valley" => valley,
        "staircase" => staircase,
        "widths" => widths,
        "letters" => letters,
        "mixed" => mixed,
        "branches" => branches,
        "tower" => tower,
        "digits_heads" => return table(include_str!("../data/samplers_quality/digits_heads.json")),
        "sentences_mlp" => return table(include_str!("../data/samplers_quality/sentences_mlp.json")),
        _ => panic!("there is no function {name}"),
    })
}

fn branin(p: &Setting) -> f64 {
    let (x, y) = (number(p, "x"), number(p, "y"));
    let bend = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    bend * bend + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn rosenbrock(p: &Setting) -> f64 {
    vector(p).windows(2).map(|w| 100.0 * square(w[1] - w[0] * w[0]) + square(1.0 - w[0])).sum()
}

fn ackley(p: &Setting) -> f64 {
    let x = vector(p);
    let n = x.len() as f64;
    let radius = (x.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    let waves = x.iter().map(|v| (2.0 * PI * v).cos()).sum::<f64>() / n;
    -20.0 * (-0.2 * radius).exp() - waves.exp() + 20.0 + std::f64::consts::E
}

fn rastrigin(p: &Setting) -> f64 {
    vector(p).iter().map(|v| v * v - 10.0 * (2.0 * PI * v).cos() + 10.0).sum()
}

const A6: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const P6: [[f64; 6]; 4] = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const ALPHA6: [f64; 4] = [1.0, 1.2, 3.0, 3.2];

fn hartmann(p: &Setting) -> f64 {
    let x = vector(p);
    let terms = (0..4).map(|i| {
        let distance: f64 = (0..6).map(|j| A6[i][j] * square(x[j] - P6[i][j])).sum();
        ALPHA6[i] * (-distance).exp()
    });
    -terms.sum::<f64>()
}

fn levy(p: &Setting) -> f64 {
    let w: Vec<f64> = vector(p).iter().map(|v| 1.0 + (v - 1.0) / 4.0).collect();
    let (first, last) = (w[0], w[w.len() - 1]);
    let inner =
        w[..w.len() - 1].iter().map(|v| square(v - 1.0) * (1.0 + 10.0 * square((PI * v + 1.0).sin())));
    square((PI * first).sin())
        + inner.sum::<f64>()
        + square(last - 1.0) * (1.0 + square((2.0 * PI * last).sin()))
}

fn griewank(p: &Setting) -> f64 {
    let x = vector(p);
    let waves: f64 = x.iter().enumerate().map(|(i, v)| (v / ((i + 1) as f64).sqrt()).cos()).product();
    1.0 + x.iter().map(|v| v * v).sum::<f64>() / 4000.0 - waves
}

fn valley(p: &Setting) -> f64 {
    let (lr, decay, momentum) = (number(p, "lr").log10(), number(p, "decay").log10(), number(p, "momentum"));
    square(lr + 2.0 + 2.0 * momentum.powi(4)) + 0.1 * square(decay + 4.0) + 0.3 * square(momentum - 0.9)
}

fn staircase(p: &Setting) -> f64 {
    let n: Vec<f64> = (0..4).map(|i| number(p, &format!("n{i}"))).collect();
    (n[0] - 37.0).abs()
        + 0.5 * (n[1] + n[0] - 60.0).abs()
        + (n[2] - n[3]).abs() * 0.3
        + square(number(p, "half") - 2.5)
        + (n[3] - 4.0).abs()
}

fn widths(p: &Setting) -> f64 {
    let (a, b) = (number(p, "width0").log2(), number(p, "width1").log2());
    square(a - 7.0) + 0.5 * square(b - a + 2.0) + 4.0 * square(number(p, "dropout") - 0.3)
}

const MERIT: [[f64; 5]; 4] = [
    [0.0, 3.1, 2.2, 1.7, 0.9],
    [2.5, 0.4, 1.9, 2.8, 1.2],
    [1.1, 2.3, 0.7, 0.2, 3.0],
    [1.8, 0.6, 2.7, 1.4, 0.1],
];

fn letters(p: &Setting) -> f64 {
    let i: Vec<usize> = (0..4).map(|k| "abcde".find(word(p, &format!("c{k}"))).unwrap()).collect();
    (0..4).map(|k| MERIT[k][i[k]]).sum::<f64>()
        + if i[0] != i[2] { 1.5 } else { 0.0 }
        + if i[1] == i[3] { 0.8 } else { 0.0 }
        + square(number(p, "x") - 0.1 * i[1] as f64)
}

fn mixed(p: &Setting) -> f64 {
    let scale = match word(p, "kind") {
        "none" => 1.0,
        "relu" => 0.0,
        _ => 0.4,
    };
    let bias = p["bias"] == Choice::Bool(true);
    let depth = number(p, "depth");
    scale
        + 0.5 * square(number(p, "lr").log10() + 3.0 + 0.2 * depth)
        + 0.1 * (depth - 3.0).abs()
        + 0.3 * square(number(p, "batch").log2() - 5.0)
        + square(number(p, "dropout") - 0.2) * if bias { 5.0 } else { 3.0 }
        + if bias { 0.0 } else { 0.2 }
}

fn branches(p: &Setting) -> f64 {
    match word(p, "head") {
        "forest" => {
            1.0 + 0.02 * (number(p, "trees") - 150.0).abs().sqrt() + 0.05 * (number(p, "depth") - 9.0).abs()
        }
        "linear" => 0.8 + 0.1 * square(number(p, "c").log10() - 1.0),
        _ => {
            let decay = match word(p, "optimizer") {
                "adamw" => 0.3 * square(number(p, "decay").log10() + 4.0),
                _ => 0.2,
            };
            0.3 + 0.2 * square(number(p, "lr").log10() + 2.5)
                + decay
                + 0.02 * (number(p, "epochs") - 30.0).abs()
        }
    }
}

fn tower(p: &Setting) -> f64 {
    let layers = number(p, "layers");
    let units = (0..layers as usize)
        .map(|i| 0.2 * square(number(p, &format!("units{i}")).log2() - (8.0 - 2.0 * i as f64)));
    0.4 * (layers - 2.0).abs() + units.sum::<f64>() + square(number(p, "lr").log10() + 3.0)
}

#[derive(Debug, Deserialize)]
struct Table {
    branches: Vec<Branch>,
}

#[derive(Debug, Deserialize)]
struct Branch {
    when: Setting,
    axes: Vec<(String, Vec<Choice>)>,
    values: Vec<f64>,
}

/// Values of a full grid, one array for each branch.
fn table(json: &str) -> Box<dyn Fn(&Setting) -> f64> {
    let table: Table = serde_json::from_str(json).unwrap();
    Box::new(move |p| {
        let branch =
            table.branches.iter().find(|b| b.when.iter().all(|(name, value)| p[name] == *value)).unwrap();
        let index = branch.axes.iter().fold(0, |index, (axis, values)| {
            index * values.len() + values.iter().position(|value| *value == p[axis]).unwrap()
        });
        branch.values[index]
    })
}
