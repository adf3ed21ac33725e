//! Writes every kind of value: `every_kind INPUT.json FOLDER`. `bench/referees/event_files.py` creates the input and
//! compares it with what TensorBoard reads.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use headsmith_tensorboard::hparams::{self, Domain, HParam, Metric, Setting, Status};
use headsmith_tensorboard::keras::{self, Kind, Layer};
use headsmith_tensorboard::picture::{self, Bin};
use headsmith_tensorboard::{Histogram, Origin, Writer};
use headsmith_tensorboard::{histogram, image, keras_model, pr_curve, scalar, text};
use serde_json::Value;

const NOW: f64 = 1_700_000_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, input, folder] = &arguments[..] else { return Err("usage: every_kind INPUT.json FOLDER".into()) };
    let (input, folder): (Value, _) =
        (serde_json::from_str(&std::fs::read_to_string(input)?)?, Path::new(folder));
    run(&input, &folder.join("train"))?;
    judgement(&input, &folder.join("validation"))?;
    study(&folder.join("study"))
}

fn origin() -> Origin {
    Origin { host: "referee".to_owned(), pid: std::process::id() }
}

/// Scalars, histograms, graph and text; then a process that resumes from step 2 after a kill.
fn run(input: &Value, folder: &Path) -> Result<(), Box<dyn Error>> {
    let weights = rows(&input["weights"]);
    let mut writer = Writer::create(folder, &origin(), NOW)?;
    let layers = [
        Layer { name: "dense".into(), kind: Kind::Dense { units: 7, activation: "relu".into() } },
        Layer { name: "gaussian_noise".into(), kind: Kind::GaussianNoise { stddev: 0.1 } },
        Layer { name: "layer_normalization".into(), kind: Kind::LayerNormalization { epsilon: 1e-3 } },
        Layer { name: "dropout".into(), kind: Kind::Dropout { rate: 0.25 } },
        Layer { name: "dense_1".into(), kind: Kind::Dense { units: 3, activation: "softmax".into() } },
    ];
    let network = keras::sequential("sequential", 5, &layers);
    writer.graph(keras::graph_def(5, &layers), NOW)?;
    writer.write(0, NOW, vec![keras_model("keras", &network), text("about", "*all* kinds")])?;
    let step = |step: usize, shift: f32| {
        let values: Vec<f32> = weights[step].iter().map(|v| v + shift).collect();
        vec![
            scalar("epoch_loss", values[0]),
            histogram("sequential/dense/kernel/histogram", &Histogram::of(&values)),
        ]
    };
    for epoch in 0..weights.len() {
        writer.write(epoch as i64, NOW + epoch as f64, step(epoch, 1.0))?;
    }
    let mut writer = Writer::create(folder, &origin(), NOW + 60.0)?;
    writer.restart(2, NOW + 60.0)?;
    for epoch in 2..weights.len() {
        writer.write(epoch as i64, NOW + 60.0 + epoch as f64, step(epoch, 0.0))?;
    }
    Ok(())
}

fn judgement(input: &Value, folder: &Path) -> Result<(), Box<dyn Error>> {
    let proba = rows(&input["proba"]);
    let truth: Vec<usize> =
        input["truth"].as_array().into_iter().flatten().filter_map(|v| Some(v.as_u64()? as usize)).collect();
    let mut counts = vec![vec![0; 3]; 3];
    for (row, truth) in proba.iter().zip(&truth) {
        let predicted = (0..3).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        counts[*truth][predicted] += 1;
    }
    let classes = ["no", "yes", "perhaps"].map(str::to_owned);
    let bins = [0.4, 0.6, 0.9].map(|confidence| Bin { confidence, accuracy: confidence - 0.1, n_samples: 9 });
    let mut values = vec![
        image("confusion_matrix", &picture::confusion_matrix(&classes, &counts)).described("counts"),
        image("reliability", &picture::reliability(&bins, 0.1)),
    ];
    for (k, name) in classes.iter().enumerate() {
        let samples = proba.iter().zip(&truth).map(|(row, truth)| (row[k], *truth == k));
        values.push(pr_curve(format!("pr_curve/{name}"), samples).named(name));
    }
    Ok(Writer::create(folder, &origin(), NOW)?.write(4, NOW, values)?)
}

fn study(folder: &Path) -> Result<(), Box<dyn Error>> {
    let hparam = |name: &str, domain| HParam { name: name.to_owned(), domain };
    let hparams = [
        hparam("lr", Domain::Interval(1e-4, 0.1)),
        hparam(
            "scale",
            Domain::Discrete(vec![Setting::Text("none".into()), Setting::Text("standard".into())]),
        ),
        hparam("noise", Domain::Discrete(vec![Setting::Bool(false), Setting::Bool(true)])),
    ];
    let metric =
        Metric { tag: "best_f1".into(), name: "best F1".into(), description: "the best epoch's".into() };
    Writer::create(folder, &origin(), NOW)?.write(
        0,
        NOW,
        vec![hparams::experiment(&hparams, &[metric], NOW)],
    )?;
    let ends = [Some(Status::Success), Some(Status::Failure), None];
    for (number, end) in ends.into_iter().enumerate() {
        let mut writer = Writer::create(&folder.join(format!("trial-{number}")), &origin(), NOW)?;
        let settings: BTreeMap<String, Setting> = [
            ("lr", Setting::Number(0.01 * (number + 1) as f64)),
            ("scale", Setting::Text("standard".into())),
            ("noise", Setting::Bool(number == 1)),
        ]
        .map(|(name, setting)| (name.to_owned(), setting))
        .into();
        writer.write(0, NOW, vec![hparams::session_start(&settings, &format!("trial {number}"), NOW)])?;
        writer.write(0, NOW, vec![scalar("best_f1", 0.5 + number as f32 / 8.0)])?;
        if let Some(status) = end {
            writer.write(0, NOW + 9.0, vec![hparams::session_end(status, NOW + 9.0)])?;
        }
    }
    Ok(())
}

fn rows(value: &Value) -> Vec<Vec<f32>> {
    let row =
        |row: &Value| row.as_array().into_iter().flatten().filter_map(|v| Some(v.as_f64()? as f32)).collect();
    value.as_array().into_iter().flatten().map(row).collect()
}
