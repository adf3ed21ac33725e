//! A head that predicts the majority alone: its scores look good, and what is said with them does not let them.

use std::fmt::Write as _;

use crate::world::World;

/// 2,000 and 600 rows of which one in a hundred is of the rare class, whose features are the others' own.
fn tables(world: &World) {
    for (name, n_rows, first) in [("train.csv", 2000usize, 0usize), ("val.csv", 600, 7_000)] {
        let mut text = "a,b,c,label\n".to_owned();
        for i in first..first + n_rows {
            let value = |k: usize| ((i * k % 997) as f64 / 997.0).to_string();
            let label = if i % 100 == 0 { "fraud" } else { "ok" };
            let _ = writeln!(text, "{},{},{},{label}", value(31), value(57), value(83));
        }
        world.write(name, &text);
    }
}

#[test]
fn a_class_that_is_never_predicted_is_said_first() {
    let world = World::with_tables();
    tables(&world);
    let fit = "fit mlp --preset classic --train train.csv --val val.csv --model m.safetensors --epochs 40 --lr 0.01 --batch-size 64 --neurons0 4 --neurons2 4 --layers2 1";
    let output = world.run(fit, 0);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let never = stdout.find("mlp: 1 class is never predicted: fraud").expect("it is said");
    assert!(never < stdout.find("scores on the validation rows").unwrap(), "{stdout}");
    let evaluated = world.json("evaluate --model m.safetensors --data val.csv --json");
    assert_eq!(evaluated["never_predicted"], serde_json::json!(["fraud"]), "{evaluated}");
    let interval = &evaluated["intervals"]["weighted_f1"];
    let (low, high) = (interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap());
    assert!((evaluated["weighted_f1"].as_f64().unwrap() - 0.985).abs() < 1e-3, "{evaluated}");
    assert!((low - 0.968).abs() < 0.003 && (high - 0.995).abs() < 0.003, "{low} {high}");
}
