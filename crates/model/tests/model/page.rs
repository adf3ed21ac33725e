//! The format's page names everything that stands in a file.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::samples;

/// The keys of all objects in `value`, but for those of the record's free parts.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key.clone());
                if !["params", "metrics", "extra", "shared"].contains(&key.as_str()) {
                    keys(value, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_page_names_every_key_and_tensor() {
    let page = include_str!("../../../../docs/formats/model.md");
    let mut names = BTreeSet::new();
    let others =
        [("decided", samples::decided()), ("shared", samples::shared()), ("sets", samples::with_sets())];
    for (_, model) in samples::golden().into_iter().chain(samples::combined()).chain(others) {
        let bytes = model.to_bytes().unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        keys(&serde_json::from_str(&metadata.metadata().as_ref().unwrap()["headsmith"]).unwrap(), &mut names);
        let without_path =
            |name: &str| name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/').to_owned();
        // `dense_2` is the third of a kind of which the page shows the first two.
        names.extend(file.names().into_iter().map(without_path).filter(|name| !name.starts_with("dense_2")));
    }
    let missing: Vec<&String> = names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(names.len() > 40 && missing.is_empty(), "{missing:?}");
}
