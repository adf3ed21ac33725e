//! The modules of the façade, and those of the command, depend on one another in one direction only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The folders of sources, each with a number of modules that it has at least.
const FOLDERS: [(&str, usize); 2] = [("crates/headsmith/src", 20), ("crates/cli/src", 5)];

/// The files that hold a crate together.
const ROOTS: [&str; 2] = ["lib", "main"];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules that `text` uses: what follows `crate::` before its unit tests.
fn uses(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1)).flat_map(|rest| {
        let (list, rest) = match rest.strip_prefix('{') {
            Some(list) => (list.split('}').next().unwrap_or_default(), ""),
            None => ("", rest),
        };
        let name = |text: &'_ str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        list.split(',').map(str::trim).chain([rest]).map(move |text| &text[..name(text)]).filter(|name| !name.is_empty())
    })
}

/// The top modules of a folder, each with those that it or a module in it uses.
fn graph(folder: &str) -> Graph {
    let mut graph = Graph::new();
    for file in super::files() {
        let Ok(inside) = file.strip_prefix(folder) else { continue };
        let first = inside.iter().next().expect("a file has a name").to_string_lossy();
        let module = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
        if ROOTS.contains(&module.as_str()) || inside.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        let text = fs::read_to_string(super::root().join(&file)).expect("a source file reads");
        graph.entry(module).or_default().extend(uses(&text).map(str::to_owned));
    }
    let names: BTreeSet<String> = graph.keys().cloned().collect();
    for (module, to) in &mut graph {
        to.retain(|other| other != module && names.contains(other));
    }
    graph
}

/// The modules that are left when those that use no other are taken away, again and again: they use each other in a circle, or
/// use those that do.
fn knot(mut graph: Graph) -> Vec<String> {
    loop {
        let leaves: BTreeSet<String> =
            graph.iter().filter(|(_, to)| to.is_empty()).map(|(name, _)| name.clone()).collect();
        if leaves.is_empty() {
            return graph.into_keys().collect();
        }
        graph.retain(|name, _| !leaves.contains(name));
        graph.values_mut().for_each(|to| to.retain(|name| !leaves.contains(name)));
    }
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    for (folder, least) in FOLDERS {
        let graph = graph(folder);
        assert!(graph.len() >= least, "the modules of {folder} were not found: {graph:?}");
        let knot = knot(graph);
        assert!(knot.is_empty(), "{folder}: modules that use each other in a circle, or use those that do: {knot:?}");
    }
}

#[test]
fn a_circle_is_found() {
    let graph = |edges: &[(&str, &[&str])]| -> Graph {
        let edge = |(from, to): &(&str, &[&str])| ((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect());
        edges.iter().map(edge).collect()
    };
    assert!(knot(graph(&[("a", &["b"]), ("b", &[])])).is_empty());
    assert_eq!(knot(graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])])), ["a", "b", "c"]);
    assert_eq!(uses("use crate::{fit, run::{self}};").collect::<Vec<_>>(), ["fit", "run"]);
    assert_eq!(uses("use crate::fit::{self};\n// crate::no\nlet a = crate::run::b();").collect::<Vec<_>>(), ["fit", "run"]);
}
