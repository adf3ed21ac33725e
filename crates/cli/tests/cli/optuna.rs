//! Studies that Optuna began: with its direction and its names for metrics, of several objectives, and of another space.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::world::World;

/// A storage with studies as Optuna writes them: `error` is minimised, `both` has two objectives.
fn world() -> World {
    let world = World::with_tables();
    // The tables of the database are the same whoever makes them.
    world.run("tune --train train.csv --val val.csv --neurons0 4 --epochs 1 --trials 1 --study ours --quiet --storage o.db", 0);
    let trial = |id: usize, study: usize, number: usize, values: &[f64]| {
        let values = values.iter().enumerate().map(|(objective, value)| {
            format!(
                "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ({id}, {objective}, {value}, 'FINITE');"
            )
        });
        let x = r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#;
        format!(
            "INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete) VALUES
             ({id}, {number}, {study}, 'COMPLETE', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:0{number}.500000');
             INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES ({id}, 'x', 0.5, '{x}');
             {}",
            values.collect::<String>()
        )
    };
    let trials = [
        trial(101, 11, 0, &[0.4]),
        trial(102, 11, 1, &[0.2]),
        trial(103, 11, 2, &[0.3]),
        trial(104, 12, 0, &[10.0, 0.5]),
        trial(105, 12, 1, &[20.0, 0.7]),
        trial(106, 12, 2, &[30.0, 0.6]),
    ];
    let studies = "INSERT INTO studies (study_id, study_name) VALUES (11, 'error'), (12, 'both'), (13, 'named'), (14, 'least');
         INSERT INTO study_directions (direction, study_id, objective) VALUES
         ('MINIMIZE', 11, 0), ('MINIMIZE', 12, 0), ('MAXIMIZE', 12, 1), ('MAXIMIZE', 13, 0), ('MINIMIZE', 14, 0);
         INSERT INTO study_system_attributes (study_id, key, value_json) VALUES
         (11, 'study:metric_names', '[\"error rate\"]'), (12, 'study:metric_names', '[\"size\", \"accuracy\"]'),
         (13, 'study:metric_names', '[\"f2\"]');";
    let database = Connection::open(world.path("o.db")).unwrap();
    database.execute_batch(&format!("{studies}{}", trials.concat())).unwrap();
    world
}

fn text(world: &World, args: &str) -> String {
    String::from_utf8(world.run(args, 0).stdout).unwrap()
}

#[test]
fn a_study_shows_its_own_direction_and_metric() {
    let world = world();
    let all = world.json("study list --storage o.db --json");
    let named =
        |name: &str| all.as_array().unwrap().iter().find(|line| line["name"] == name).unwrap().clone();
    let objective = |name: &str, direction: &str| json!({ "name": name, "direction": direction });
    assert_eq!(named("ours")["objectives"], json!([objective("weighted_f1", "maximize")]));
    assert_eq!(named("error")["objectives"], json!([objective("error rate", "minimize")]));
    assert_eq!(named("error")["best_value"], 0.2);
    assert_eq!(named("least")["objectives"], json!([objective("value", "minimize")]));
    assert_eq!((&named("both")["best_value"], &named("both")["n_pareto"]), (&Value::Null, &json!(2)));
    let list = text(&world, "study list --storage o.db");
    assert!(list.contains("minimize error rate") && list.contains("2 objectives: minimize size"), "{list}");

    let study = "--storage o.db --study error";
    let show = world.json(&format!("study show {study} --json"));
    assert_eq!((&show["best"]["number"], &show["objectives"][0]["name"]), (&json!(1), &json!("error rate")));
    assert_eq!(show["importance"], json!([]), "three trials say nothing of importance");
    let shown = text(&world, &format!("study show {study}"));
    assert!(
        shown.contains("minimize error rate") && shown.contains("best: trial 1, error rate 0.2000"),
        "{shown}"
    );
    assert!(shown.contains("history: error rate of each trial") && !shown.contains("F1"), "{shown}");
    let best = world.json(&format!("study best {study} --json"));
    assert_eq!((&best["number"], &best["objective"]["direction"]), (&json!(1), &json!("minimize")));
    let rows = world.json(&format!("study trials {study} --sort value --json"));
    assert_eq!(rows[0]["number"], 1);
    assert!(text(&world, &format!("study trials {study}")).contains("error rate"));
    world.run(&format!("study export {study} --out e.csv"), 0);
    let csv = world.read("e.csv");
    assert!(csv.starts_with("number,state,value,") && csv.contains("error rate,minimize"), "{csv}");
}

#[test]
fn several_objectives_have_a_front_and_no_best_trial() {
    let world = world();
    let study = "--storage o.db --study both";
    let best = world.json(&format!("study best {study} --json"));
    let front: Vec<&Value> =
        best["pareto_front"].as_array().unwrap().iter().map(|row| &row["number"]).collect();
    assert_eq!(front, [0, 1]);
    assert_eq!(best["pareto_front"][1]["values"], json!([20.0, 0.7]));
    let shown = text(&world, &format!("study best {study}"));
    assert!(
        shown.contains("2 objectives: minimize size, maximize accuracy") && shown.contains("0.7000"),
        "{shown}"
    );
    let show = world.json(&format!("study show {study} --json"));
    assert_eq!((&show["best"], &show["pareto_front"][0]["number"]), (&Value::Null, &json!(0)));
    assert!(text(&world, &format!("study show {study}")).contains("Pareto front: 2 trials"));
    let rows = world.json(&format!("study trials {study} --sort -accuracy --json"));
    assert_eq!((&rows[0]["number"], &rows[0]["value"]), (&json!(1), &Value::Null));
    world.run(&format!("study export {study} --out b.csv"), 0);
    assert!(world.read("b.csv").starts_with("number,state,values_size,values_accuracy,"));
    world.run(&format!("study export {study} --out b.json"), 0);
    for (command, status) in [
        ("study best --fit --model m.safetensors --storage o.db --study both", 2),
        ("study enqueue x=0.5 --storage o.db --study both", 2),
        ("worker --storage o.db --study both", 2),
        ("tune --train train.csv --val val.csv --trials 2 --storage o.db --study both", 2),
    ] {
        let error = world.error(command, status);
        assert!(error.contains("2 objectives: minimize size, maximize accuracy"), "{command}: {error}");
    }
    world.run(&format!("study rename {study} --to renamed"), 0);
    world.run("study delete --yes --storage o.db --study renamed", 0);
}

#[test]
fn a_study_of_another_objective_or_space_is_refused_and_stays_as_it_was() {
    let world = world();
    let tune =
        "tune --train train.csv --val val.csv --trials 5 --neurons0 4 --epochs 1 --quiet --storage o.db";
    for (study, said) in [
        (
            "error",
            &[
                "metric: error rate in the study, weighted_f1 asked for",
                "direction: minimize in the study, maximize asked for",
                "space: x: float 0.0 to 1.0 in the study, not searched asked for",
                "--study NAME",
            ][..],
        ),
        ("named", &["metric: f2 in the study, weighted_f1 asked for"]),
        ("least", &["direction: minimize in the study"]),
    ] {
        let error = world.error(&format!("{tune} --study {study}"), 2);
        for part in said {
            assert!(error.contains(part), "{study}: {error}");
        }
        let shown = world.error(&format!("study enqueue x=0.5 --storage o.db --study {study}"), 2);
        assert!(shown.contains("has no plan"), "nothing was written: {shown}");
    }
    // An empty study with the same objective is taken as it is.
    let database = Connection::open(world.path("o.db")).unwrap();
    database
        .execute(
            "UPDATE study_system_attributes SET value_json = '[\"weighted_f1\"]' WHERE study_id = 13",
            [],
        )
        .unwrap();
    drop(database);
    world.run(&format!("{tune} --study named"), 0);
    assert_eq!(world.json("study show --storage o.db --study named --json")["n_finished"], 5);
}
