//! `headsmith report`: the page, the card and the PDF of a run, made again from its folder.

use crate::world::World;

const RUN: &str = "run --recipe notebook --train train.csv --val val.csv --out out --epochs 4 --neurons0 4 --layers1 0 --layers2 0 --trials 3 \
                   --forest-n-estimators 5 --quiet";

#[test]
fn page_and_card_are_made_again_to_the_byte() {
    let world = World::with_tables();
    world.run(RUN, 0);
    let (page, card) = (world.bytes("out/report.html"), world.bytes("out/model-card.md"));
    let told = world.json("report out -o again.html --json");
    assert_eq!(told, serde_json::json!({ "files": ["again.html"], "unfinished": null }));
    assert_eq!(world.bytes("again.html"), page);
    world.run("report out --card -o card.md --quiet", 0);
    assert_eq!(world.bytes("card.md"), card);
    assert!(world.read("card.md").starts_with("# Model card: "));
    let error = world.error("report out --card -o out/report.json", 2);
    assert!(error.contains("is read and cannot be written as well"), "{error}");
    // A folder may be moved, its database with it.
    std::fs::rename(world.path("out"), world.path("moved")).unwrap();
    world.run("report moved", 0);
    assert_eq!(world.bytes("moved/report.html"), page);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let world = World::with_tables();
    assert!(world.error("report .", 2).contains("neither report.json nor events.jsonl"));
    world.run(RUN, 0);
    world.write("out.pdf", "of an earlier run");
    let output = world
        .command("report out --pdf out.pdf")
        .env("HEADSMITH_CHROMIUM", "no-such-browser")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no PDF was written") && said.contains("HEADSMITH_CHROMIUM"), "{said}");
    assert_eq!(world.bytes("out.pdf"), b"of an earlier run");
}

#[test]
fn a_study_is_shown_with_its_history() {
    let world = World::with_tables();
    world.run(RUN, 0);
    let output = world
        .command("study show --storage out/study.db")
        .env("LC_ALL", "C")
        .env("COLUMNS", "60")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let drawn = text.split("history: weighted F1 of each trial").nth(1).unwrap();
    assert!(text.is_ascii() && drawn.contains(" |o") && text.lines().all(|line| line.len() <= 80), "{text}");
}
