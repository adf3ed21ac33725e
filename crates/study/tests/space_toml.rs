//! Spaces in TOML: valid and invalid texts, messages, and round trips.

// Clippy lets tests unwrap, but not the functions they call.
#![allow(clippy::unwrap_used)]

use headsmith_study::{Choice, Condition, Distribution, Space, SpaceParam, overlay_toml, to_toml};
use proptest::prelude::*;

fn read(text: &str) -> Space {
    overlay_toml(&Space::default(), text, "space.toml").unwrap()
}

fn default_space() -> Space {
    read(
        r#"
[layers]
type = "int"
low = 0
high = 3
[neurons]
type = "int"
low = 16
high = 2_048
log = true
when = { layers = [1, 2, 3] }
[lr]
type = "float"
low = 1e-5
high = 0.1
log = true
[activation]
type = "categorical"
choices = ["relu", "tanh"]
"#,
    )
}

fn overlaid(text: &str) -> Space {
    overlay_toml(&default_space(), text, "space.toml").unwrap()
}

fn message(text: &str) -> String {
    overlay_toml(&default_space(), text, "space.toml").unwrap_err().to_string()
}

#[test]
fn missing_keys_keep_their_values() {
    assert_eq!(overlaid(""), default_space());
    let space =
        overlaid("activation = \"gelu\"\n[lr]\nhigh = 1\n[neurons]\nlog = false\nstep = 16\nwhen = {}\n");
    let of = |name: &str| space.get(name).unwrap();
    assert_eq!(of("lr").distribution, Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None });
    assert_eq!(of("neurons").distribution, Distribution::Int { low: 16, high: 2048, log: false, step: 16 });
    assert_eq!(of("neurons").when, None);
    let gelu = vec![Choice::Text("gelu".into())];
    assert_eq!(of("activation").distribution, Distribution::Categorical { choices: gelu });
    let names: Vec<&str> = space.params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["layers", "neurons", "lr", "activation"]);
}

#[test]
fn values_are_fixed_in_the_parameters_own_kind() {
    let space = overlaid("lr = 1\nlayers = 0x2\n[neurons]\nvalue = 100\nwhen = { layers = 2 }\n");
    let of = |name: &str| space.get(name).unwrap();
    assert_eq!(of("lr").distribution, Distribution::Float { low: 1.0, high: 1.0, log: false, step: None });
    assert_eq!(of("layers").distribution, Distribution::Int { low: 2, high: 2, log: false, step: 1 });
    assert_eq!(of("neurons").when.as_ref().unwrap().is_one_of, [Choice::Int(2)]);
}

#[test]
fn another_type_replaces_the_distribution() {
    let space = overlaid("[lr]\ntype = \"categorical\"\nchoices = [0.1, -1, true, {}, nan]\n");
    let Distribution::Categorical { choices } = &space.get("lr").unwrap().distribution else { panic!() };
    assert_eq!(choices[..4], [Choice::Float(0.1), Choice::Int(-1), Choice::Bool(true), Choice::Null]);
    assert_eq!(message("[lr]\ntype = \"int\"\nlow = 1"), "space.toml:1: lr: there is no `high`; give one");
}

#[test]
fn errors_name_the_line_and_the_fix() {
    assert_eq!(
        message("\n[neuron]\nlow = 1\n"),
        "space.toml:2: neuron: there is no such parameter; did you mean `neurons`?; there are layers, neurons, lr, \
         activation"
    );
    assert_eq!(
        message("[lr]\nlow = 1e-4\nhihg = 1\n"),
        "space.toml:3: lr: hihg: there is no such key; did you mean `high`?; there are type, low, high, log, step, \
         choices, value, when"
    );
    assert_eq!(
        message("[lr]\nlow = \"small\"\n"),
        "space.toml:2: lr: low: expected a number, found \"small\""
    );
    assert_eq!(
        message("[layers]\nlow = 0.5\n"),
        "space.toml:2: layers: low: expected a whole number, found a value of type float"
    );
    assert_eq!(
        message("[lr]\ntype = \"flaot\"\n"),
        "space.toml:2: lr: type: expected \"int\", \"float\" or \"categorical\", found \"flaot\""
    );
    assert_eq!(
        message("[lr]\nchoices = [1]\n"),
        "space.toml:2: lr: choices: a parameter of type float has none; it has low, high, log, step"
    );
    assert!(
        message("[lr]\nvalue = 1\nhigh = 2\n")
            .starts_with("space.toml:3: lr: high: a parameter with a `value`")
    );
    assert!(message("layers = 1.5\n").contains("layers: expected a whole number, found float"));
    assert!(
        message("layers = [1]\n").contains("layers: expected a number, a word, true or false, found array")
    );
    assert!(message("[lr]\nlow = 1\nhigh\n").starts_with("space.toml:3: this is not TOML: "));
    assert!(message("[lr]\nlow = 3\n").starts_with("space.toml:1: lr: "));
    assert!(message("[lr]\nwhen = 3\n").contains("lr: when: expected one parameter with the values"));
    assert!(message("[lr]\nwhen = { layers = 1, neurons = 20 }\n").contains("one parameter too many"));
    assert!(message("[layers]\nwhen = { lr = 1 }\n").starts_with("space.toml:1: layers: "));
    assert!(message("[layers]\nlow = 99999999999999999999\n").contains("expected a whole number"));
    let nothing = overlay_toml(&Space::default(), "[x]\nlow = 1\n", "s").unwrap_err().to_string();
    assert_eq!(
        nothing,
        "s:1: x: there is no `type`; write \"int\", \"float\" or \"categorical\", or a `value`"
    );
}

fn a_choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Null),
        any::<bool>().prop_map(Choice::Bool),
        any::<i32>().prop_map(|n| Choice::Int(n.into())),
        any::<f64>().prop_filter("NaN is not itself", |x| !x.is_nan()).prop_map(Choice::Float),
        any::<String>().prop_map(Choice::Text),
    ]
}

fn a_distribution() -> impl Strategy<Value = Distribution> {
    prop_oneof![
        (1i64..1000, 0i64..1000, 1i64..9).prop_map(|(low, more, step)| Distribution::Int {
            low,
            high: low + more * step,
            log: false,
            step
        }),
        (1i64..1000, 0i64..1000).prop_map(|(low, more)| Distribution::Int {
            low,
            high: low + more,
            log: true,
            step: 1
        }),
        (-1e9..1e9, 0.0..1e9).prop_map(|(low, more)| Distribution::Float {
            low,
            high: low + more,
            log: false,
            step: None
        }),
        (1e-300..1e9, 0.0..1e9).prop_map(|(low, more)| Distribution::Float {
            low,
            high: low + more,
            log: true,
            step: None
        }),
        (0i32..100, 1i32..100).prop_map(|(low, n)| Distribution::Float {
            low: low.into(),
            high: f64::from(low) + 0.25 * f64::from(n),
            log: false,
            step: Some(0.25)
        }),
        proptest::collection::vec(a_choice(), 1..5).prop_map(|choices| Distribution::Categorical { choices }),
    ]
}

/// A space of these parameters, if they are valid: each may depend on the one before.
fn space_of(params: Vec<(String, Distribution, bool)>) -> Option<Space> {
    let mut made: Vec<SpaceParam> = Vec::new();
    for (name, distribution, hangs) in params {
        let when = made.last().filter(|_| hangs).map(|before| Condition {
            param: before.name.clone(),
            is_one_of: vec![before.distribution.external(before.distribution.nth(0))],
        });
        made.push(SpaceParam { name, distribution, when });
    }
    Space::new(made).ok()
}

proptest! {
    #[test]
    fn spaces_round_trip(
        params in proptest::collection::vec((any::<String>(), a_distribution(), any::<bool>()), 0..5)
    ) {
        if let Some(space) = space_of(params) {
            let text = to_toml(&space);
            let back = overlay_toml(&Space::default(), &text, "space.toml");
            prop_assert_eq!(back.map_err(|e| format!("{e}\n{text}")), Ok(space.clone()));
            prop_assert_eq!(overlay_toml(&space, &text, "space.toml").map_err(|e| e.to_string()), Ok(space));
        }
    }

    /// Any text gives a space, or a message with a place.
    #[test]
    fn nothing_panics(text in r#"(\[?[a-z]{1,6}\]?( = (-?[0-9.e]{1,5}|"[a-z]*"|\[[0-9, ]*\]|\{ ?[a-z]* ?= ?[0-9] ?\}|true))?\n){0,6}"#) {
        if let Err(error) = overlay_toml(&default_space(), &text, "space.toml") {
            prop_assert!(error.to_string().starts_with("space.toml:"), "{}", error);
        }
    }
}
