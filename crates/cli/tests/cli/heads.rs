//! Several heads in one run, a head of one's own choice, and transforms.

use crate::world::World;

const RUN: &str = "run --recipe notebook --train train.csv --val val.csv --seed 4";

#[test]
fn a_run_fits_the_named_heads_and_compares_them_with_the_first() {
    let world = World::with_tables();
    let run = format!("{RUN} --head forest,linear,centroid --trials 3 --forest-n-estimators 10 --out out");
    let text = String::from_utf8(world.run(&format!("{run} --quiet"), 0).stdout).unwrap();
    for line in ["linear - forest: weighted F1 ", "centroid - forest: weighted F1 ", "chosen: "] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let report: serde_json::Value = serde_json::from_str(&world.read("out/report.json")).unwrap();
    let heads: Vec<&str> =
        report["heads"].as_array().unwrap().iter().map(|h| h["head"].as_str().unwrap()).collect();
    assert_eq!(heads, ["forest", "linear", "centroid"]);
    // Nearest centroid has nothing to search: the only study is that of the logistic regression.
    assert!(report["study"]["name"].as_str().unwrap().starts_with("linear-"));
    assert_eq!(report["study"]["n_trials"], 3);
    assert_eq!(report["comparisons"].as_array().unwrap().len(), 2);
    assert!(report["comparison"].is_null());
    assert!(world.read("out/report.html").contains("ogistic regression"));
}

#[test]
fn one_head_is_tuned_and_compared_with_nothing() {
    let world = World::with_tables();
    let text =
        String::from_utf8(world.run(&format!("{RUN} --head linear --trials 2 --out out --quiet"), 0).stdout)
            .unwrap();
    assert!(text.contains("chosen: linear (the only head)"), "{text}");
    let report: serde_json::Value = serde_json::from_str(&world.read("out/report.json")).unwrap();
    assert_eq!(
        (report["heads"].as_array().unwrap().len(), report["study"]["n_trials"].as_u64()),
        (1, Some(2))
    );
}

#[test]
fn parameters_of_any_head_are_set_and_those_without_effect_refused() {
    let world = World::with_tables();
    let run = format!("{RUN} --head centroid,linear --trials 0 --out out --quiet");
    world.run(&format!("{run} --set linear.c=0.25 --set centroid.transform=l2+standardise"), 0);
    let report: serde_json::Value = serde_json::from_str(&world.read("out/report.json")).unwrap();
    assert_eq!(report["heads"][1]["params"]["c"], 0.25);
    assert_eq!(report["heads"][0]["scaling"], "l2+standardise");
    for (wrong, expected) in [
        ("--set mlp.lr=1", "--set mlp.lr has no effect: mlp is not among the heads"),
        ("--set linear.c=-1", "c is -1.0, expected"),
        ("--set linear.d=1", "linear has no parameter `d`"),
        ("--set oracle.d=1", "there is no head `oracle`"),
        ("--set c=1", "expected HEAD.NAME=VALUE, found c=1"),
        ("--forest-n-estimators 3", "forest is not fitted here"),
        ("--head linear", "linear twice"),
    ] {
        let output = world.command(&format!("{run} {wrong}")).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(expected), "{wrong}\n{stderr}");
    }
}

#[test]
fn tune_takes_the_flags_of_its_head() {
    let world = World::with_tables();
    let tune = "tune --train train.csv --val val.csv --trials 2 --storage sqlite:///s.db --quiet --json";
    let study = world.json(&format!("{tune} --head linear --max-iter 50"));
    assert!(study["name"].as_str().unwrap().starts_with("linear-"));
    let help = String::from_utf8(world.run("tune --head linear --help", 0).stdout).unwrap();
    assert!(help.contains("--max-iter <") && !help.contains("--neurons0 <"), "{help}");
    let help = String::from_utf8(world.run("tune --help", 0).stdout).unwrap();
    assert!(help.contains("--neurons0 <") && help.contains("--forest-n-estimators <"), "{help}");
    world.run(&format!("{tune} --head linear --neurons0 5"), 2);
    let stderr = world.command(&format!("{tune} --head centroid")).output().unwrap().stderr;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert!(
        stderr.contains("the search space of centroid is empty: it has no parameter with a default range"),
        "{stderr}"
    );
}

#[test]
fn a_transform_that_changes_the_width_is_part_of_the_model() {
    let world = World::with_tables();
    for head in ["forest --n-estimators 5", "mlp --epochs 2 --neurons0 8", "linear", "centroid"] {
        let fit =
            "--train train.csv --val val.csv --model m.safetensors --transform sqrt+standardise+pca:3 --json";
        let report = world.json(&format!("fit {head} {fit}"));
        assert_eq!(report["scaling"], "sqrt+standardise+pca:3");
        let evaluated = world.json("evaluate --model m.safetensors --data val.csv --json");
        let [fitted, again] = [&report["val"]["weighted_f1"], &evaluated["judgement"]["weighted_f1"]];
        assert!(fitted.as_f64().is_some() && (again == fitted || again.is_null()), "{evaluated}");
    }
    let stderr = world.error("fit linear --train train.csv --model m.safetensors --transform pca:9", 2);
    assert!(stderr.contains("pca:9 of "), "{stderr}");
    let stderr = world.error("fit linear --train train.csv --model m.safetensors --scale cube", 2);
    assert!(stderr.contains("none, or divide:K, standardise"), "{stderr}");
}
