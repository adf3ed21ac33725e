//! Fits the perceptron on raw files, for comparisons with other implementations: prints one JSON object.
//!
//! `mlp FOLDER N_CLASSES SEED N_THREADS [NAME VALUE]..` reads from the folder `x.f32` and `x_val.f32`
//! (little-endian, row-major) with `y.u32` and `y_val.u32`, and the weights of the training rows from `w.f32` where it is there. Names are those of the parameter table, and what is not named is as
//! in the preset `classic`, the network that others are compared with; `preset notebook` stands for that preset's parameters. Features are used as they are: `scale` does nothing here.
//!
//! `mlp --turns FOLDER ..` prints an object when it is ready, trains as many epochs of the fit as each line of its input says, and
//! prints one object with their seconds and losses: for comparisons in which several take turns.
//!
//! `mlp --made N_TRAIN N_VAL [NAME VALUE]..` trains one epoch on one thread, on rows of 512 features and three classes
//! made from a seed: for counting the instructions of `epoch`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use headsmith_heads::mlp::{self, TABLE, Trainer};
use headsmith_heads::params::Params;
use headsmith_heads::{Control, EpochRecord, Event, Observer, Samples};
use headsmith_kernels::{MatRef, Matrix, Philox, Pool};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [made, n_train, n_val, given @ ..] = arguments.as_slice()
        && made == "--made"
    {
        return made_rows(n_train.parse()?, n_val.parse()?, &params(given)?);
    }
    let in_turns = arguments.first().is_some_and(|argument| argument == "--turns");
    let [folder, n_classes, seed, n_threads, given @ ..] = &arguments[usize::from(in_turns)..] else {
        return Err("usage: mlp [--turns] FOLDER N_CLASSES SEED N_THREADS [NAME VALUE]..".into());
    };
    let (n_classes, seed, folder) = (n_classes.parse()?, seed.parse()?, Path::new(folder));
    let words = |name| read(&folder.join(name), u32::from_le_bytes);
    let floats = |name| read(&folder.join(name), f32::from_le_bytes);
    let (x, y, x_val, y_val) = (floats("x.f32")?, words("y.u32")?, floats("x_val.f32")?, words("y_val.u32")?);
    let n_features = x.len() / y.len();
    let mut train = Samples::new(MatRef::new(&x, y.len(), n_features), &y, n_classes)?;
    let weights = if folder.join("w.f32").exists() { Some(floats("w.f32")?) } else { None };
    if let Some(weights) = &weights {
        train = train.weighted(weights)?;
    }
    let val = Samples::new(MatRef::new(&x_val, y_val.len(), n_features), &y_val, n_classes)?;

    let params = params(given)?;
    let pool = Pool::new(n_threads.parse()?)?;
    if in_turns {
        mlp::fit(train, Some(val), &params, seed, &pool, &mut Turns::default(), None)?;
        return Ok(());
    }
    let mut seconds = Vec::new();
    let start = Instant::now();
    let mut last = start;
    let mut observer = |event: &Event| {
        if let Event::Epoch(_) = event {
            seconds.push(last.elapsed().as_secs_f64());
        }
        last = Instant::now();
        Control::Continue
    };
    let fitted = mlp::fit(train, Some(val), &params, seed, &pool, &mut observer, None)?;
    let result = json!({
        "fit_seconds": start.elapsed().as_secs_f64(),
        "epochs": fitted.history.len(),
        "epoch_seconds": seconds,
        "best_epoch": fitted.best_epoch,
        "stopped": fitted.stopped,
        "best": fitted.history.get(fitted.best_epoch),
        "history": fitted.history,
    });
    println!("{result}");
    Ok(())
}

/// A fit that reads from its input how many epochs to train next, and ends with it.
#[derive(Default)]
struct Turns {
    /// Epochs to train before the next line is read.
    left: usize,
    /// When the last epoch ended, or the turn began.
    last: Option<Instant>,
    seconds: Vec<f64>,
    losses: Vec<f64>,
    val_losses: Vec<f64>,
}

impl Observer for Turns {
    fn on_event(&mut self, event: &Event) -> Control {
        match event {
            Event::Started { .. } => println!("{}", json!({ "about": "Headsmith" })),
            Event::Epoch(record) => {
                self.seconds.extend(self.last.map(|last| last.elapsed().as_secs_f64()));
                self.losses.push(record.train.loss);
                self.val_losses.extend(record.val.map(|val| val.loss));
                self.left -= 1;
            }
            _ => return Control::Continue,
        }
        if self.left == 0 && !self.next() {
            return Control::Stop;
        }
        self.last = Some(Instant::now());
        Control::Continue
    }
}

impl Turns {
    /// Prints the turn that has ended, if there was one, and waits for the next; says whether there is one.
    fn next(&mut self) -> bool {
        if !self.seconds.is_empty() {
            let [seconds, loss, val_loss] =
                [&mut self.seconds, &mut self.losses, &mut self.val_losses].map(std::mem::take);
            println!("{}", json!({ "seconds": seconds, "loss": loss, "val_loss": val_loss }));
        }
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        self.left = line.trim().parse().unwrap_or(0);
        read.is_ok() && self.left > 0
    }
}

fn made_rows(n_train: usize, n_val: usize, params: &Params) -> Result<(), Box<dyn Error>> {
    let (n_features, n_classes) = (512, 3);
    let mut draws = Philox::new(42, 0, 0).sequence(0, 0);
    let mut rows = |n: usize| {
        let x = (0..n * n_features).map(|_| draws.uniform() as f32 - 0.5).collect();
        let y: Vec<u32> = (0..n).map(|_| draws.below(n_classes as u32)).collect();
        (Matrix::new(x, n, n_features), y)
    };
    let ((x, y), (x_val, y_val)) = (rows(n_train), rows(n_val));
    let train = Samples::new(x.view(), &y, n_classes)?;
    let val = Samples::new(x_val.view(), &y_val, n_classes)?;
    let pool = Pool::inline();
    let mut trainer = Trainer::new(train, Some(val), params, 0, 0, &pool)?;
    println!("{}", json!(epoch(&mut trainer)?));
    Ok(())
}

/// A function of its own, so that a profiler can find it.
#[inline(never)]
fn epoch(trainer: &mut Trainer<'_>) -> Result<EpochRecord, headsmith_heads::Error> {
    trainer.step_epoch()
}

fn params(given: &[String]) -> Result<Params, Box<dyn Error>> {
    let mut values = Vec::new();
    for pair in given.chunks(2) {
        match pair {
            [name, preset] if name == "preset" => {
                values.extend(TABLE.preset(preset)?.into_iter().flat_map(|preset| preset.values()));
            }
            [name, value] => {
                let param = TABLE.find(name).ok_or_else(|| format!("no parameter {name}"))?;
                values.push((param.name, param.parse(value)?));
            }
            _ => return Err("a name without a value".into()),
        }
    }
    Ok(TABLE.resolve_from("classic", values)?)
}

fn read<T>(path: &Path, value: fn([u8; 4]) -> T) -> Result<Vec<T>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (words, _) = bytes.as_chunks::<4>();
    Ok(words.iter().map(|word| value(*word)).collect())
}
