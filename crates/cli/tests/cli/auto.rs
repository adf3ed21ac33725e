//! `headsmith auto`: the search for the best model.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::patience::wait_until;
use crate::world::{World, names};

/// Two steps of the kernel's screen, and what is cheap.
const QUICK: &str = "--heads gaussian,ridge,knn --quiet";

fn chosen(report: &Value) -> &Value {
    let chosen = &report["chosen"];
    report["heads"].as_array().unwrap().iter().find(|head| head["head"] == *chosen).unwrap()
}

#[test]
fn auto_writes_a_model_that_predicts_what_was_reported() {
    let world = World::with_tables();
    let report = world.json(&format!(
        "auto --train train.csv --val val.csv --test test.csv --out out --steps 40 {QUICK} --json"
    ));
    assert_eq!(
        names(&world.path("out")),
        [
            ".headsmith.lock",
            "events.jsonl",
            "model-card.md",
            "model.safetensors",
            "predictions.csv",
            "report.html",
            "report.json"
        ]
    );
    let auto = &report["auto"];
    let heads: Vec<&str> =
        auto["candidates"].as_array().unwrap().iter().map(|c| c["head"].as_str().unwrap()).collect();
    assert_eq!(heads, ["gaussian", "knn", "ridge"]);
    assert_eq!((&auto["n_rows"], &auto["n_fitted"]), (&240.into(), &330.into()));
    assert!(auto["candidates"].as_array().unwrap().iter().any(|c| c["weight"].as_f64().unwrap() > 0.0));
    let head = chosen(&report);
    assert!(head["val"]["used_for"].as_array().unwrap().is_empty(), "{}", head["val"]["used_for"]);
    assert!(head["out_of_fold"]["intervals"].is_object());
    // All of the test table's columns, with the label filled in.
    let predictions = world.read("out/predictions.csv");
    assert_eq!(predictions.lines().count(), 61);
    let again =
        world.json("predict --model out/model.safetensors --data test.csv --out again.csv --json --quiet");
    assert_eq!(again["n_rows"], 60);
    assert_eq!(world.read("again.csv"), predictions);
}

#[test]
fn the_same_steps_are_the_same_bytes_for_any_number_of_threads() {
    let world = World::with_tables();
    let files = |jobs: usize, out: &str| {
        let args = format!(
            "auto --train train.csv --val val.csv --test test.csv --out {out} --steps 30 --heads \
             gaussian,kernel,linear,forest --jobs {jobs} --quiet"
        );
        world.run(&args, 0);
        [world.bytes(&format!("{out}/model.safetensors")), world.bytes(&format!("{out}/predictions.csv"))]
    };
    let one = files(1, "one");
    assert!(one == files(2, "two"));
    assert!(one == files(3, "three"));
}

#[test]
fn a_time_that_is_too_short_still_gives_a_model_and_the_steps_that_repeat_it() {
    let world = World::with_tables();
    let report = world.json("auto --train train.csv --out out --time 1ms --json --quiet");
    let repeat = report["auto"]["repeat"].as_str().unwrap();
    let n_steps = report["auto"]["n_steps"].as_u64().unwrap();
    assert!(repeat.starts_with(&format!("--steps {n_steps}")), "{repeat}");
    world.run(&format!("auto --train train.csv --out again {repeat} --quiet"), 0);
    assert!(world.bytes("out/model.safetensors") == world.bytes("again/model.safetensors"));
}

#[test]
fn a_search_that_is_killed_again_and_again_ends_with_the_same_bytes() {
    let world = World::with_tables();
    let args = |out: &str| {
        format!(
            "auto --train train.csv --test test.csv --out {out} --steps 34 --heads gaussian,kernel,knn,ridge --quiet"
        )
    };
    world.run(&args("whole"), 0);
    // The end of a search removes the folder, at any moment.
    let kept = || match std::fs::read_dir(world.path("out/search")) {
        Ok(entries) => {
            entries.flatten().filter(|e| e.path().extension().is_some_and(|e| e == "json")).count()
        }
        Err(_) => 0,
    };
    let mut n_kills = 0;
    for n_candidates in 1.. {
        let mut child = world.command(&args("out")).stderr(Stdio::null()).spawn().unwrap();
        while kept() < n_candidates && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if child.try_wait().unwrap().is_some_and(|status| status.success()) {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        n_kills += 1;
    }
    assert!(n_kills > 0, "the search was over before it was killed");
    for file in ["model.safetensors", "predictions.csv"] {
        assert!(world.bytes(&format!("out/{file}")) == world.bytes(&format!("whole/{file}")), "{file}");
    }
    assert!(!world.path("out/search").exists());
}

/// So the steps of a search whose study the time ended repeat it.
#[test]
fn a_study_leaves_the_steps_that_its_folds_need() {
    let world = World::with_tables();
    let report =
        world.json("auto --train train.csv --out out --steps 12 --heads gaussian,mlp --quiet --json");
    let candidates = report["auto"]["candidates"].as_array().unwrap();
    let steps: Vec<u64> = candidates.iter().map(|c| c["n_steps"].as_u64().unwrap()).collect();
    assert_eq!(steps, [1, 5, 1 + 5]);
    assert_eq!(report["study"]["n_finished"], 4);
    // As many trials and nothing that ends the search.
    let args = "auto --train train.csv --out again --time 1h --trials 4 --heads gaussian,mlp --quiet --json";
    let again = world.json(args);
    assert_eq!(again["auto"]["n_steps"], 12);
    assert!(world.bytes("out/model.safetensors") == world.bytes("again/model.safetensors"));
    let none = world
        .json("auto --train train.csv --out none --time 1h --trials 0 --heads gaussian,mlp --quiet --json");
    // The head that the study would begin with is a candidate already.
    assert_eq!(none["auto"]["n_steps"], 6);
    assert!(none["study"].is_null());
}

#[test]
fn validation_rows_judge_or_train_or_choose() {
    let world = World::with_tables();
    let report = |more: &str, out: &str| {
        let args = format!("auto --train train.csv --val val.csv --out {out} {QUICK} --json {more}");
        world.json(&args)
    };
    let train = report("--val-is train", "train");
    assert_eq!((&train["auto"]["n_rows"], &train["auto"]["n_fitted"]), (&330.into(), &330.into()));
    assert!(chosen(&train)["val"].is_null());
    let choose = report("--val-is choose", "choose");
    assert_eq!((&choose["auto"]["n_rows"], &choose["auto"]["n_fitted"]), (&90.into(), &330.into()));
    let used_for = chosen(&choose)["val"]["used_for"].as_array().unwrap();
    assert!(used_for.contains(&"members".into()) && used_for.contains(&"decision".into()), "{used_for:?}");
    let kept = report("--no-refit", "kept");
    assert_eq!(kept["auto"]["n_fitted"], 240);
}

#[test]
fn validation_rows_that_the_model_has_learnt_from_are_no_evidence() {
    let world = World::with_tables();
    let evaluated = |more: &str, out: &str| {
        world.json(&format!("auto --train train.csv --val val.csv --out {out} {QUICK} --json {more}"));
        world.json(&format!("evaluate --model {out}/model.safetensors --data val.csv --json"))
    };
    let learnt = evaluated("", "learnt");
    assert_eq!(learnt["used_for"], serde_json::json!(["weights"]));
    assert!(learnt["intervals"].is_null());
    let kept = evaluated("--no-refit", "kept");
    assert_eq!(kept["used_for"], serde_json::json!([]));
    assert!(kept["intervals"].is_object());
}

#[test]
fn a_simpler_head_that_is_not_worse_is_offered_and_taken() {
    let world = World::with_tables();
    let args = "auto --train train.csv --heads gaussian,knn,forest --quiet --json";
    let best = world.json(&format!("{args} --out best"));
    let simple = world.json(&format!("{args} --out simple --prefer simple"));
    let (offered, taken) = (&best["auto"]["simpler"], &simple["auto"]["simpler"]);
    let is_offered = offered["is_as_good"] == true;
    assert_eq!(taken["is_taken"] == true, is_offered);
    if is_offered {
        let title = &best["auto"]["candidates"][offered["candidate"].as_u64().unwrap() as usize]["title"];
        assert_eq!(&chosen(&simple)["title"], title);
    }
}

#[test]
fn bounds_hold_or_the_error_names_them() {
    let world = World::with_tables();
    let args = format!("auto --train train.csv --out out {QUICK}");
    let report = world.json(&format!("{args} --max-model-size 4k --json"));
    assert!(world.bytes("out/model.safetensors").len() <= 4_096, "{}", report["auto"]);
    // The final model, which has learnt from the validation rows and keeps its training rows, is within it, too; its size is that of the file.
    for bound in ["14k", "60k"] {
        let kept = format!(
            "auto --train train.csv --val val.csv --out kept --steps 2 --heads knn,centroid --quiet --max-model-size {bound} --json"
        );
        let report = world.json(&kept);
        let n_bytes = world.bytes("kept/model.safetensors").len();
        assert_eq!(report["auto"]["n_bytes"], n_bytes);
        assert!(n_bytes <= if bound == "14k" { 14_000 } else { 60_000 }, "{n_bytes}");
    }
    let error = world.error(&format!("{args} --max-model-size 10"), 1);
    assert!(error.contains("--max-model-size") && error.contains("bytes"), "{error}");
    let error = world.error(&format!("{args} --memory 1k"), 1);
    assert!(error.contains("--memory"), "{error}");
}

#[test]
fn rows_without_folds_are_one_error() {
    let world = World::with_tables();
    let table = |n: usize, value: fn(usize) -> usize| {
        let row = |i: usize| format!("\"[1, {}]\",{},{}\n", value(i), ["a", "b"][i % 2], i % 3);
        format!("embeddings,label,speaker\n{}", (0..n).map(row).collect::<String>())
    };
    for (rows, flags, expected) in [
        (table(60, |_| 2), "", "all 60 training rows have the same features"),
        (
            table(12, |i| i % 4),
            "",
            "have 4 different feature vectors, and a search scores heads in 5 folds: use --folds 4",
        ),
        (table(60, |i| i), "--group-column speaker", "has 3 groups (groups that share rows are one)"),
    ] {
        world.write("few.csv", &rows);
        let error = world.error(&format!("auto --train few.csv --out out {flags} --quiet"), 1);
        assert!(error.contains(expected) && !error.contains("left out"), "{error}");
    }
}

#[test]
fn wrong_flags_are_named() {
    let world = World::with_tables();
    let base = "auto --train train.csv --out out";
    for (flags, expected) in [
        ("--heads nosuch", "nosuch"),
        ("--folds 1", "--folds"),
        ("--time never", "--time"),
        ("--steps 2.5", "--steps"),
        ("--max-model-size big", "--max-model-size"),
        ("--val-is both", "--val-is"),
        ("--val-is train", "give --val FILE"),
        ("--columns id,label", "give --test FILE"),
    ] {
        let error = world.error(&format!("{base} {flags}"), 2);
        assert!(error.contains(expected), "{flags}: {error}");
    }
    // A configuration gives tables, too, and may have values for other commands.
    world.write("h.toml", "val = \"val.csv\"\ncolumns = \"label\"\n");
    world.run(&format!("auto --train train.csv --out of-config --config h.toml --val-is train {QUICK}"), 0);
    let run = "run --train train.csv --val val.csv --out out";
    for (flags, expected) in
        [("--hold-back 0.2", "--hold-back"), ("--recipe auto --head ridge,knn", "--heads")]
    {
        let error = world.error(&format!("{run} {flags}"), 2);
        assert!(error.contains(expected), "{flags}: {error}");
    }
    assert!(!world.path("out").exists());
}

#[test]
fn run_searches_after_the_forest_and_the_notebooks_recipe_does_not() {
    let world = World::with_tables();
    let small =
        "--epochs 2 --neurons0 4 --layers1 0 --layers2 0 --forest-n-estimators 5 --trials 0 --quiet --json";
    let args = format!("run --train train.csv --val val.csv --test test.csv {small}");
    let auto = world.json(&format!("{args} --out auto --steps 3"));
    assert_eq!(auto["heads"].as_array().unwrap().len(), 2);
    assert_eq!(auto["heads"][0]["head"], "forest");
    assert_eq!(auto["comparison"]["baseline"], "forest");
    assert!(auto["auto"]["n_steps"].as_u64().unwrap() >= 1);
    assert!(world.path("auto/submission.zip").is_file());
    let notebook = world.json(&format!("{args} --out notebook --recipe notebook"));
    let heads: Vec<&Value> = notebook["heads"].as_array().unwrap().iter().map(|head| &head["head"]).collect();
    assert_eq!(heads, ["forest", "mlp"]);
    assert!(notebook["auto"].is_null());
    for flag in ["--distil linear", "--heads ridge", "--time 5s", "--no-refit", "--max-model-size 1M"] {
        let error = world.error(&format!("{args} --out refused --recipe notebook {flag}"), 2);
        assert!(
            error.contains(flag.split(' ').next().unwrap()) && error.contains("--recipe auto"),
            "{error}"
        );
    }
    let named = world.json(&format!("{args} --out named --head forest,mlp --preset classic"));
    assert!(named["auto"].is_null());
    assert!(world.bytes("notebook/model.safetensors") == world.bytes("named/model.safetensors"));
}

#[test]
fn the_best_candidate_is_searched_around_in_a_study() {
    let world = World::with_tables();
    let search = |out: &str, more: &str| {
        world.json(&format!(
            "auto --train train.csv --out {out} --heads gaussian,kernel --quiet --json {more}"
        ))
    };
    let report = search("out", "--steps 1000 --jobs 1");
    let candidates = report["auto"]["candidates"].as_array().unwrap();
    let last = &candidates[candidates.len() - 1];
    // Two studies of 24 trials, four of which are a step, each with the fit of the best.
    assert_eq!((&last["head"], &last["n_steps"]), (&"kernel".into(), &7.into()));
    let studies = world.json("study list --storage out/study.db --json");
    let counts: Vec<u64> =
        studies.as_array().unwrap().iter().map(|study| study["n_trials"].as_u64().unwrap()).collect();
    assert_eq!(counts, [24, 24]);
    // It may fit with what no portfolio tries.
    let [before, after] =
        [&candidates[1], last].map(|candidate| candidate["params"]["gamma"].as_f64().unwrap());
    assert!(after != before && after > before / 3.1 && after < before * 3.1, "{before}, {after}");
    // The steps of a search that ended within a study repeat it, for any number of threads.
    let n_steps = report["auto"]["n_steps"].as_u64().unwrap();
    let [one, two] = ["1", "2"].map(|jobs| {
        let out = format!("jobs{jobs}");
        let report = search(&out, &format!("--steps {} --jobs {jobs}", n_steps - 2));
        assert_eq!(report["auto"]["n_steps"], n_steps - 2);
        world.bytes(&format!("{out}/model.safetensors"))
    });
    assert!(one == two);
}

#[test]
fn the_answer_is_distilled_to_a_small_head() {
    let world = World::with_tables();
    let distilled = |head: &str, out: &str, more: &str| {
        let args = format!(
            "auto --train train.csv --out {out} --heads gaussian,ridge,knn --steps 3 --distil {head} --quiet --json {more}"
        );
        world.json(&args)["auto"]["distilled"].clone()
    };
    for (head, more, judges) in [
        ("linear", "", 240 / 5),
        ("mlp", "--val val.csv", 90),
        ("linear", "--val val.csv --val-is train", 330 / 5),
    ] {
        let of = distilled(head, "out", more);
        assert_eq!((&of["head"], &of["is_judged_on_val"]), (&head.into(), &(judges == 90).into()));
        let n_judged = of["n_judged"].as_u64().unwrap();
        assert!(n_judged.abs_diff(judges) < 5, "{n_judged}");
        assert_eq!(of["n_fitted"], if more.is_empty() { 240 } else { 330 });
        let loss = |of_whom: &str| of[of_whom]["log_loss"].as_f64().unwrap();
        // The better of the two is in the file.
        assert_eq!(of["is_student"].as_bool().unwrap(), loss("student") <= loss("plain"));
        let evaluated = world.json("evaluate --model out/distilled.safetensors --data train.csv --json");
        assert_eq!(evaluated["head"], head);
        let small = world.bytes("out/distilled.safetensors").len() as u64;
        assert!(small.abs_diff(of["n_bytes"].as_u64().unwrap()) < 4096, "{small}");
        if head == "linear" {
            assert!(small < world.bytes("out/model.safetensors").len() as u64, "{small}");
        }
    }
    // The same bytes for any number of threads.
    distilled("mlp", "one", "--jobs 1");
    distilled("mlp", "two", "--jobs 2");
    assert!(world.bytes("one/distilled.safetensors") == world.bytes("two/distilled.safetensors"));
    let args = "auto --train train.csv --val val.csv --val-is choose --out no --distil linear";
    let refused = world.run(args, 2);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("expected judge or train"));
}

#[test]
fn a_study_is_a_stage_of_the_search() {
    let world = World::with_tables();
    let args = "run --train train.csv --val val.csv --out out --epochs 3 --neurons1 4 --layers2 0 --trials 5 \
                --forest-n-estimators 5 --heads gaussian,mlp --time 1h --quiet --json";
    let report = world.json(args);
    assert_eq!(report["study"]["states"].as_array().map(Vec::is_empty), Some(false));
    let heads: Vec<&Value> =
        report["auto"]["candidates"].as_array().unwrap().iter().map(|c| &c["head"]).collect();
    assert_eq!(heads, ["gaussian", "mlp", "mlp"]);
    // Both have the parameters of the command.
    let mlps = &report["auto"]["candidates"].as_array().unwrap()[1..];
    assert!(mlps.iter().all(|mlp| mlp["params"]["epochs"] == 3), "{mlps:?}");
    assert!(world.path("out/study.db").is_file());
}

#[test]
fn a_search_that_was_killed_resumes_in_another_process() {
    let world = World::with_tables();
    let train = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sentences/train.parquet");
    let search = format!("auto --train {train} --out out --heads gaussian,mlp");
    // The MLP takes seconds on these rows: long enough to be killed in.
    let mut child = world
        .command(&format!("{search} --time 10m"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let is_kept = || world.path("out/search/candidate-000.json").exists();
    wait_until("a candidate, or the end", || is_kept() || child.try_wait().unwrap().is_some());
    assert!(is_kept(), "the search ended before it was killed");
    child.kill().unwrap();
    child.wait().unwrap();
    let output = world.run(&format!("{search} --time 2s"), 0);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("resuming with the candidates in out/search"), "{stderr}");
    assert!(!world.path("out/search").exists());
}
