//! The numbers of a report, named by their path.

use serde::Serialize;
use serde_json::Value;

/// All numbers of `of` outside of lists: `prefix/weighted_f1`, and its interval's `prefix/weighted_f1_low`.
pub(super) fn of(prefix: &str, of: &impl Serialize) -> Vec<(String, f64)> {
    let mut numbers = Vec::new();
    // A value that is no JSON has no numbers.
    collect(prefix, &serde_json::to_value(of).unwrap_or_default(), &mut numbers);
    numbers
}

fn collect(name: &str, value: &Value, numbers: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => numbers.extend(number.as_f64().map(|number| (name.to_owned(), number))),
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    // Parameters are no results.
                    "params" => (),
                    "intervals" => collect(name, value, numbers),
                    "low" | "high" => collect(&format!("{name}_{key}"), value, numbers),
                    _ => collect(&format!("{name}/{key}"), value, numbers),
                }
            }
        }
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn names_are_paths_of_numbers() {
        let report = json!({
            "used_for": ["epoch"], "f1": 0.5, "intervals": { "f1": { "low": 0.25, "high": 1 } },
            "none": null, "best": { "value": 2, "params": { "lr": 0.1 } }, "per_class": [{ "f1": 1 }],
        });
        let named = [("v/f1", 0.5), ("v/f1_low", 0.25), ("v/f1_high", 1.0), ("v/best/value", 2.0)];
        let named: Vec<(String, f64)> = named.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(super::of("v", &report), named);
    }
}
