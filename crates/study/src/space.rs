//! The space of a study: its parameters, and the conditions between them.

use serde_json::{Value, json};

use crate::distribution::{Choice, Distribution};
use crate::error::{Error, Kind, Result};
use crate::trial::{Attributes, Params};

/// Parameters in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Space {
    /// The parameters; a condition refers to an earlier one.
    pub params: Vec<SpaceParam>,
}

/// One parameter of a space.
#[derive(Debug, Clone, PartialEq)]
pub struct SpaceParam {
    /// Its name.
    pub name: String,
    /// Its values.
    pub distribution: Distribution,
    /// The condition under which it is active; `None` for always.
    pub when: Option<Condition>,
}

/// Holds if an active parameter has one of these values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The parameter that it depends on.
    pub param: String,
    /// The values for which it holds.
    pub is_one_of: Vec<Choice>,
}

/// The longest name in Optuna's schema, in characters.
const LONGEST_NAME: usize = 512;

impl SpaceParam {
    /// Whether the parameter is active, given the values of the earlier ones.
    pub fn is_active(&self, drawn: &Params) -> bool {
        self.when.as_ref().is_none_or(|when| {
            drawn.get(&when.param).is_some_and(|(distribution, value)| {
                let value = distribution.external(*value);
                when.is_one_of.iter().any(|wanted| wanted.same(&value))
            })
        })
    }
}

impl Space {
    /// A space of these parameters. As in Optuna, `high` is lowered to the last value that the step reaches.
    ///
    /// # Errors
    /// An invalid parameter; the message names it, the fault and the fix.
    pub fn new(params: Vec<SpaceParam>) -> Result<Space> {
        let mut space = Space::default();
        for param in params {
            check_name(&space, &param.name)?;
            let distribution = param.distribution.checked(&param.name)?;
            check_choices(&param.name, &distribution)?;
            if let Some(when) = &param.when {
                check_condition(&space, &param.name, when)?;
            }
            space.params.push(SpaceParam { distribution, ..param });
        }
        Ok(space)
    }

    /// The parameter of this name.
    pub fn get(&self, name: &str) -> Option<&SpaceParam> {
        self.params.iter().find(|param| param.name == name)
    }

    /// A value for each active parameter: the fixed one if there is one, else the result of `draw`, which is called in
    /// the declared order. Fixed values of inactive parameters are left out.
    pub fn complete(&self, fixed: &Params, mut draw: impl FnMut(&SpaceParam) -> f64) -> Params {
        let mut params = Params::new();
        for param in &self.params {
            if param.is_active(&params) {
                let fixed = fixed.get(&param.name).map(|(_, value)| *value);
                let value = fixed.unwrap_or_else(|| draw(param));
                params.insert(param.name.clone(), (param.distribution.clone(), value));
            }
        }
        params
    }

    /// Converts values from a user (an enqueued trial, a list of settings), which may leave parameters out.
    ///
    /// # Errors
    /// An unknown parameter, or an invalid value; the message names the parameter.
    pub fn internal(&self, values: &Attributes) -> Result<Params> {
        let mut params = Params::new();
        for (name, value) in values {
            let param = self.get(name).ok_or_else(|| {
                let names: Vec<&str> = self.params.iter().map(|param| param.name.as_str()).collect();
                refused(
                    name,
                    &format!("there is no such parameter in the space; there are {}", names.join(", ")),
                )
            })?;
            let choice = serde_json::from_value(value.clone())
                .map_err(|_| refused(name, &format!("{value} is not a number, word, true, false or null")))?;
            let value = param.distribution.internal(name, &choice)?;
            params.insert(name.clone(), (param.distribution.clone(), value));
        }
        Ok(params)
    }

    /// The space as JSON: equal spaces give equal JSON. A study stores it to compare spaces.
    pub fn to_json(&self) -> Value {
        let params = self.params.iter().map(|param| {
            let when =
                param.when.as_ref().map(|when| json!({"param": when.param, "is_one_of": when.is_one_of}));
            json!({"name": param.name, "distribution": param.distribution.to_json(), "when": when})
        });
        params.collect()
    }

    /// Reads the output of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// JSON that is no space, or an invalid one.
    pub fn from_json(json: &Value) -> Result<Space> {
        let unreadable = || Error::new(Kind::Storage, format!("the space {json} cannot be read"));
        let params = json.as_array().ok_or_else(unreadable)?.iter().map(|param| {
            let text = |key: &str| param.get(key).and_then(Value::as_str).ok_or_else(unreadable);
            let when = match param.get("when") {
                None | Some(Value::Null) => None,
                Some(when) => Some(Condition {
                    param: when.get("param").and_then(Value::as_str).ok_or_else(unreadable)?.to_owned(),
                    is_one_of: when
                        .get("is_one_of")
                        .and_then(|choices| serde_json::from_value(choices.clone()).ok())
                        .ok_or_else(unreadable)?,
                }),
            };
            let distribution = Distribution::from_json(text("distribution")?)?;
            Ok(SpaceParam { name: text("name")?.to_owned(), distribution, when })
        });
        Space::new(params.collect::<Result<_>>()?)
    }

    /// A hash of the space (FNV-1a of its JSON), for names: equal for equal spaces, on every machine.
    pub fn fingerprint(&self) -> u64 {
        let bytes = self.to_json().to_string().into_bytes();
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The differences between this space and `other`, for a message: each is a parameter (empty for the order of
    /// all), its text here, and its text there.
    pub fn differences(&self, other: &Space) -> Vec<[String; 3]> {
        let mut differences = Vec::new();
        let mut add = |what: &str, here: &str, there: &str| {
            differences.push([what, here, there].map(str::to_owned));
        };
        const NONE: &str = "not searched";
        for here in &self.params {
            let name = here.name.as_str();
            match other.get(name) {
                None => add(name, &here.distribution.to_string(), NONE),
                Some(there) if !there.distribution.same(&here.distribution) => {
                    add(name, &here.distribution.to_string(), &there.distribution.to_string());
                }
                Some(there) if there.when != here.when => {
                    add(name, &condition(&here.when), &condition(&there.when));
                }
                Some(_) => (),
            }
        }
        for there in other.params.iter().filter(|there| self.get(&there.name).is_none()) {
            add(&there.name, NONE, &there.distribution.to_string());
        }
        if differences.is_empty() && self != other {
            let order = |space: &Space| {
                space.params.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ")
            };
            differences.push([String::new(), order(self), order(other)]);
        }
        differences
    }
}

fn condition(when: &Option<Condition>) -> String {
    let Some(when) = when else { return "always".to_owned() };
    let values: Vec<String> = when.is_one_of.iter().map(Choice::to_string).collect();
    format!("only when {} is one of {}", when.param, values.join(", "))
}

fn refused(name: &str, wrong: &str) -> Error {
    Error::new(Kind::Configuration, format!("{name}: {wrong}"))
}

fn check_name(before: &Space, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(Kind::Configuration, "a parameter of the space has no name; give it one"));
    }
    if name.chars().count() > LONGEST_NAME {
        let start: String = name.chars().take(30).collect();
        return Err(refused(
            &start,
            &format!("its name is longer than {LONGEST_NAME} characters; shorten it"),
        ));
    }
    if before.get(name).is_some() {
        return Err(refused(name, "it is declared twice in the space; remove one, or rename it"));
    }
    Ok(())
}

fn check_choices(name: &str, distribution: &Distribution) -> Result<()> {
    if let Distribution::Categorical { choices } = distribution {
        for (i, choice) in choices.iter().enumerate() {
            if choices[..i].iter().any(|before| before.same(choice)) {
                return Err(refused(name, &format!("the choice {choice} occurs twice; remove one")));
            }
        }
    }
    Ok(())
}

fn check_condition(before: &Space, name: &str, when: &Condition) -> Result<()> {
    let Some(parent) = before.get(&when.param) else {
        let parent = &when.param;
        return Err(refused(
            name,
            &format!(
                "its condition refers to {parent}, which is not declared before it; correct the name or the order"
            ),
        ));
    };
    if when.is_one_of.is_empty() {
        return Err(refused(
            name,
            "its condition has no values, so it is never there; give values or take it away",
        ));
    }
    for value in &when.is_one_of {
        if parent.distribution.internal(&when.param, value).is_err() {
            let (parent, values) = (&when.param, &parent.distribution);
            return Err(refused(
                name,
                &format!("its condition asks whether {parent} is {value}, which it cannot be ({values})"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(choices: &[&str]) -> Distribution {
        Distribution::Categorical { choices: choices.iter().map(|&c| Choice::Text(c.into())).collect() }
    }

    fn param(name: &str, distribution: Distribution, when: Option<(&str, &str)>) -> SpaceParam {
        let when = when.map(|(param, value)| Condition {
            param: param.into(),
            is_one_of: vec![Choice::Text(value.into())],
        });
        SpaceParam { name: name.into(), distribution, when }
    }

    fn rate() -> Distribution {
        Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None }
    }

    /// A head; its optimizer if it is an MLP; the optimizer's decay if that is `adamw`.
    fn chain() -> Space {
        Space::new(vec![
            param("head", texts(&["mlp", "forest"]), None),
            param("optimizer", texts(&["sgd", "adamw"]), Some(("head", "mlp"))),
            param("decay", rate(), Some(("optimizer", "adamw"))),
        ])
        .unwrap()
    }

    #[test]
    fn wrong_spaces_name_the_key_and_the_fix() {
        let ab = || texts(&["a", "b"]);
        for (params, message) in [
            (vec![param("", ab(), None)], "a parameter of the space has no name; give it one"),
            (
                vec![param("x", ab(), None), param("x", rate(), None)],
                "x: it is declared twice in the space; remove one, or rename it",
            ),
            (vec![param("x", texts(&["a", "b", "a"]), None)], "x: the choice a occurs twice; remove one"),
            (
                vec![param("x", rate(), Some(("y", "a"))), param("y", ab(), None)],
                "x: its condition refers to y, which is not declared before it; correct the name or the order",
            ),
            (
                vec![param("y", ab(), None), param("x", rate(), Some(("y", "c")))],
                "x: its condition asks whether y is c, which it cannot be (one of a, b)",
            ),
            (
                vec![param("x", Distribution::Int { low: 3, high: 1, log: false, step: 1 }, None)],
                "x: low must not be above high, found 3 and 1; exchange them",
            ),
        ] {
            assert_eq!(Space::new(params).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn conditions_are_evaluated_in_the_declared_order() {
        let space = chain();
        let drawn = |head, optimizer| {
            let mut order = Vec::new();
            let params = space.complete(&Params::new(), |param| {
                order.push(param.name.clone());
                if param.name == "head" { head } else { optimizer }
            });
            assert_eq!(params.len(), order.len());
            order.join(" ")
        };
        assert_eq!(drawn(1.0, 1.0), "head");
        assert_eq!(drawn(0.0, 0.0), "head optimizer");
        assert_eq!(drawn(0.0, 1.0), "head optimizer decay");
    }

    #[test]
    fn fixed_values_are_kept_where_they_apply() {
        let space = chain();
        let values = serde_json::from_str(r#"{"head": "forest", "decay": 0.5}"#).unwrap();
        let fixed = space.internal(&values).unwrap();
        let params = space.complete(&fixed, |_| unreachable!());
        assert_eq!(params.keys().collect::<Vec<_>>(), ["head"]);
        for (values, message) in [
            (r#"{"lr": 1}"#, "lr: there is no such parameter in the space; there are head, optimizer, decay"),
            (r#"{"decay": 2}"#, "decay: 2 is not among its values (float 1e-5 to 1.0, log)"),
            (r#"{"decay": [2]}"#, "decay: [2] is not a number, word, true, false or null"),
        ] {
            let values = serde_json::from_str(values).unwrap();
            assert_eq!(space.internal(&values).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn spaces_round_trip_and_list_their_differences() {
        let space = chain();
        assert_eq!(Space::from_json(&space.to_json()).unwrap(), space);
        assert!(space.differences(&space).is_empty());
        let mut other = space.clone();
        other.params[2].distribution = Distribution::Float { low: 1e-5, high: 0.5, log: true, step: None };
        assert_ne!(other.fingerprint(), space.fingerprint());
        let both = ["float 1e-5 to 1.0, log", "float 1e-5 to 0.5, log"];
        assert_eq!(space.differences(&other), [["decay", both[0], both[1]]]);
        let mut unconditional = space.clone();
        unconditional.params[1].when = None;
        let said = space.differences(&unconditional);
        assert!(
            said.len() == 1 && said[0][1].starts_with("only when ") && said[0][2] == "always",
            "{said:?}"
        );
        other.params.pop();
        assert_eq!(space.differences(&other), [["decay", both[0], "not searched"]]);
        assert_eq!(other.differences(&space), [["decay", "not searched", both[0]]]);
        let mut turned = Space { params: space.params.iter().take(1).cloned().collect() };
        turned.params.push(SpaceParam { name: "z".to_owned(), ..space.params[0].clone() });
        let mut back = turned.clone();
        back.params.reverse();
        let first = &space.params[0].name;
        let orders = [String::new(), format!("{first}, z"), format!("z, {first}")];
        assert_eq!(turned.differences(&back), [orders]);
        assert!(Space::from_json(&json!([{"name": 3}])).is_err());
    }
}
