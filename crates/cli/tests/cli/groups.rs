//! `--group-column`: rows that belong together are not split.

use std::fmt::Write;

use serde_json::Value;

use crate::world::World;

/// 40 sites of 6 rows: rows of a site are nearly alike and their labels depend on the site alone, by nothing that another
/// site could tell.
fn sites(world: &World) {
    let mut text = String::from("f0,f1,f2,site,label\n");
    for row in 0..240usize {
        let site = row % 40;
        let of_site = |k: usize| (((site * 7919 + k * 104_729) * 2_654_435_761) >> 7) % 1000;
        let label = ["a", "b"][of_site(9) % 2];
        let near = row as f64 * 1e-6;
        writeln!(text, "{},{},{},{},{label}", of_site(0) as f64 + near, of_site(1), of_site(2), 100 + site)
            .unwrap();
    }
    world.write("sites.csv", &text);
}

fn f1(fitted: &Value) -> f64 {
    fitted["val"]["weighted_f1"].as_f64().unwrap()
}

#[test]
fn a_group_is_on_one_side_and_its_column_is_no_feature() {
    let world = World::with_tables();
    sites(&world);
    let fit = "fit forest --train sites.csv --n-estimators 20 --json --quiet";
    let leaky = world.json(&format!("{fit} --drop site --model leaky.safetensors"));
    // With rows of each site to learn from, the forest knows the sites by heart.
    assert!(f1(&leaky) > 0.95, "{}", f1(&leaky));
    let honest = world.json(&format!("{fit} --group-column site --events e.jsonl --model m.safetensors"));
    assert!(f1(&honest) < 0.8, "{}", f1(&honest));
    assert_eq!(honest["structure"]["feature_importances"].as_array().unwrap().len(), 3);
    let events = world.read("e.jsonl");
    let split = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let split = split.into_iter().find(|event| event["event"] == "split").unwrap()["split"].clone();
    let n_val = split["n_val"].as_u64().unwrap();
    assert_eq!(split["groups"]["column"], "site");
    assert_eq!(split["groups"]["n_groups"], 40);
    assert_eq!(split["groups"]["n_val"].as_u64().unwrap() * 6, n_val);
    assert!((36..=60).contains(&n_val), "{n_val}");
    // The model expects the features alone, whether a table has the column or not.
    let without: String = world
        .read("sites.csv")
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{}\n", [cells[0], cells[1], cells[2]].join(","))
        })
        .collect();
    world.write("without.csv", &without);
    for table in ["sites", "without"] {
        let to = format!("--data {table}.csv --out {table}-p.csv --columns label --quiet");
        world.run(&format!("predict --model m.safetensors {to}"), 0);
    }
    assert_eq!(world.bytes("sites-p.csv"), world.bytes("without-p.csv"));
    let evaluated = world.json("evaluate --model m.safetensors --data sites.csv --json");
    assert_eq!(evaluated["n_samples"], 240);
}

#[test]
fn a_run_says_its_groups_and_gives_the_same_for_any_number_of_threads() {
    let world = World::with_tables();
    sites(&world);
    let run = "run --recipe notebook --train sites.csv --group-column site --trials 2 --epochs 2 --forest-n-estimators 3";
    let output = world.run(&format!("{run} --out a --jobs 1 --hold-back 0.3"), 0);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("groups by \"site\""), "{stderr}");
    world.run(&format!("{run} --out b --jobs 3 --hold-back 0.3"), 0);
    assert_eq!(world.bytes("a/model.safetensors"), world.bytes("b/model.safetensors"));
    let report: Value = serde_json::from_str(&world.read("a/report.json")).unwrap();
    assert_eq!(report["split"]["groups"]["n_groups"], 40);
    // Neither does the part that is held back split a site.
    let held_back =
        report["heads"].as_array().unwrap().iter().find(|head| head["held_back"].is_object()).unwrap();
    let n = held_back["held_back"]["n_samples"].as_u64().unwrap();
    assert!(n > 0 && n.is_multiple_of(6), "{n}");
    assert!(
        world
            .read("a/report.html")
            .contains("No group of rows with the same value in column \u{201c}site\u{201d}")
    );
}

#[test]
fn a_worker_has_the_groups_of_the_plan() {
    let world = World::with_tables();
    sites(&world);
    let tune = "tune --train sites.csv --epochs 2 --storage s.db --study one";
    world.run(&format!("{tune} --group-column site --trials 1"), 0);
    let worked = world.run("worker --storage s.db --study one --trials 2", 0);
    let stderr = String::from_utf8_lossy(&worked.stderr);
    assert!(stderr.contains("groups by \"site\""), "{stderr}");
    let error = world.error(&format!("{tune} --drop site --trials 3"), 2);
    assert!(error.contains("group column: \"site\" in the study, none asked for"), "{error}");
}

#[test]
fn groups_in_both_tables_are_warned_of() {
    let world = World::with_tables();
    let fit =
        "fit forest --train t.csv --val v.csv --n-estimators 2 --group-column who --model m.safetensors";
    world.write("t.csv", "f0,who,label\n1,ann,a\n2,bob,b\n3,ann,a\n4,eve,b\n");
    world.write("v.csv", "f0,who,label\n5,zoe,a\n6,bob,b\n");
    let warned = world.error(fit, 0);
    assert!(
        warned.contains("val: 1 of 2 groups of column \"who\" is in train too, with 1 row here, first \"bob\" at line 3, which is at line 3 there"),
        "{warned}"
    );
    world.write("v.csv", "f0,label\n5,a\n6,b\n");
    let warned = world.error(fit, 0);
    assert!(warned.contains("val has no column \"who\""), "{warned}");
}

#[test]
fn groups_that_cannot_be_split_are_refused() {
    let world = World::with_tables();
    let refused = |rows: &str, column: &str| {
        world.write("g.csv", &format!("f0,who,label\n{rows}"));
        world.error(&format!("fit forest --train g.csv --group-column {column} --model m.safetensors"), 1)
    };
    let error = refused("1,ann,a\n2,ann,b\n3,ann,a\n", "who");
    assert!(error.contains("all rows are of one group, \"ann\" in column \"who\""), "{error}");
    let error = refused("1,ann,a\n2,bob,b\n3,eve,a\n", "who");
    assert!(error.contains("1 of 2 classes is in one group alone"), "{error}");
    assert!(error.contains("class \"b\" in \"bob\""), "{error}");
    let error = refused("1,ann,a\n1,bob,b\n1,eve,a\n", "who");
    assert!(error.contains("rows with the same features join them all"), "{error}");
    let error = refused("1,ann,a\n2,,b\n3,eve,a\n", "who");
    assert!(error.contains("g.csv: line 3, column \"who\": expected a group, found nothing"), "{error}");
    let error = refused("1,ann,a\n2,bob,b\n3,eve,a\n", "woh");
    assert!(error.contains("there is no group column \"woh\""), "{error}");
    assert!(!world.path("m.safetensors").exists());
}
