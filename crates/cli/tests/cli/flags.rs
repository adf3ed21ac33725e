//! Wrong usage, configuration files, help.

use crate::world::World;

const RUN: &str = "run --recipe notebook --train train.csv --val val.csv --test test.csv --out out --trials 0 --epochs 2 --forest-n-estimators 3";

#[test]
fn wrong_usage_ends_with_2_and_names_the_mend() {
    let world = World::with_tables();
    let cases = [
        ("fit mlp --train train.csv --model m --neurons 3", "--neurons2"),
        (
            "fit mlp --train train.csv --model m --neurons0 0",
            "neurons0 is 0, expected an integer in 1..65536",
        ),
        (
            "fit forest --train train.csv --model m --max-features 1.5",
            "max_features is 1.5, expected a count or",
        ),
        ("fit forest --model m", "--train <FILE>"),
        (
            "fit forest --train train.csv --val val.csv --val-share 0.3 --model m",
            "--val-share splits validation rows off --train, and --val gives them",
        ),
        ("evalute --model m --data d", "'evaluate'"),
        ("fit mlp --train train.csv --model m --scale divide:0", "scale is divide:0, expected"),
        ("run --recipe notebook --config none.toml", "cannot read the configuration file none.toml"),
    ];
    for (args, expected) in cases {
        let status = if args.contains("none.toml") { 1 } else { 2 };
        let stderr = world.error(args, status);
        assert!(stderr.contains(expected), "headsmith {args}\n{stderr}");
    }
    assert_eq!(world.names(), ["test.csv", "train.csv", "val.csv"]);
}

#[test]
fn a_configuration_file_stands_below_the_flags() {
    let world = World::with_tables();
    std::fs::create_dir(world.path("conf")).unwrap();
    world.write(
        "conf/headsmith.toml",
        "train = \"../train.csv\"\nval = \"../val.csv\"\nout = \"out\"\nseed = 7\ntrials = 0\njson = true\n\
         [mlp]\nepochs = 3\nneurons0 = 8\nlayers2 = 0\nlr = 1e-2\n[forest]\nn-estimators = 4\n",
    );
    let report = world.json("run --recipe notebook --config conf/headsmith.toml --neurons0 9");
    assert_eq!(report["seed"], 7);
    let (forest, mlp) = (&report["heads"][0], &report["heads"][1]);
    assert_eq!(forest["params"]["n_estimators"], 4);
    assert_eq!(mlp["params"]["epochs"], 3);
    assert_eq!(mlp["params"]["neurons0"], 9);
    assert_eq!(mlp["params"]["lr"], 0.01);
    assert!(world.path("out/report.json").exists(), "outputs are relative to the working folder");

    let fitted = world.json("fit mlp --config conf/headsmith.toml --model m.safetensors --epochs 1");
    assert_eq!((&fitted["params"]["epochs"], &fitted["params"]["neurons0"]), (&1.into(), &8.into()));
}

#[test]
fn every_command_reads_its_keys_of_a_configuration_file() {
    let world = World::with_tables();
    world.write(
        "h.toml",
        "train = \"train.csv\"\nval = \"val.csv\"\nout = \"wanted\"\nhold_back = 0.25\ntrials = 1\nsteps = 3\n\
         heads = [\"gaussian\", \"centroid\"]\n\
         [mlp]\nlr = 0.003\nepochs = 2\ntransform = \"standardise\"\n[extra-trees]\nn_estimators = 3\n",
    );
    let study = world.json("tune --config h.toml --json");
    assert!(study["best"]["params"].get("lr").is_none(), "a parameter of the file is fixed: {study}");
    assert!(study["held_back"].is_object(), "{study}");
    let fitted = world.json("fit extra-trees --config h.toml --model m.safetensors --json");
    assert_eq!(fitted["params"]["n_estimators"], 3);
    world.run("auto --config h.toml", 0);
    assert!(world.path("wanted/model.safetensors").exists());
    world.write(
        "run.toml",
        "train = \"train.csv\"\nval = \"val.csv\"\ntrials = 0\nhead = [\"gaussian\", \"centroid\"]\n",
    );
    let report = world.json("run --config run.toml --json");
    assert_eq!((&report["heads"][1]["head"], report.get("auto")), (&"centroid".into(), None), "{report}");
}

#[test]
fn a_wrong_configuration_file_is_named_with_the_key() {
    let world = World::with_tables();
    let cases = [
        ("sede = 1", "h.toml: unknown key `sede`; did you mean `seed`?"),
        ("[mlp]\nnuerons0 = 1", "h.toml: unknown key `mlp.nuerons0`; did you mean `mlp.neurons0`?"),
        ("[mlp]\nlr = -1", "h.toml: `mlp.lr`: lr is -1.0, expected a number"),
        (
            "[forest]\ncriterion = \"ginni\"",
            "h.toml: `forest.criterion`: criterion is ginni, expected one of",
        ),
        ("lr = 0.1", "unknown key `lr`; a parameter belongs into the table of its head: [mlp]"),
        ("seed = [1]", "h.toml: `seed` is array, expected a string, a number or true/false"),
        ("seed = ", "h.toml: not valid TOML"),
    ];
    for (text, expected) in cases {
        world.write("h.toml", text);
        let stderr = world.error(&format!("{RUN} --config h.toml").replace("--epochs 2", ""), 2);
        assert!(stderr.contains(expected), "{text}\n{stderr}");
    }
}

#[test]
fn help_names_every_parameter_with_its_default() {
    let world = World::with_tables();
    let help = String::from_utf8(world.run("fit mlp --help", 0).stdout).unwrap();
    for flag in "neurons0 neurons1 neurons2 layers1 layers2 layer-norms dropout noise lr batch-size epochs patience transform"
        .split(' ')
    {
        assert!(help.contains(&format!("--{flag} <")), "--{flag} in\n{help}");
    }
    // A narrow terminal breaks the line anywhere.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("default: 0.002]") && help.contains("[alias: --scale]"));
    let bash = String::from_utf8(world.run("completions bash", 0).stdout).unwrap();
    assert!(bash.contains("--layer-norms") && bash.contains("--forest-n-estimators"));
}
