//! Suggestions for mistyped names.

/// A suggestion of the known name nearest to `name`; empty if none is near.
pub fn did_you_mean<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let near = known.map(|k| (strsim::jaro_winkler(name, k), k)).filter(|(likeness, _)| *likeness > 0.8);
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, best)) => format!("; did you mean `{best}`?"),
        None => String::new(),
    }
}
