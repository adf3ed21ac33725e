//! The tree of nodes in a file: its JSON, and its tensors by the paths of the nodes.
//!
//! The root's path is `0/`; child i of the node at path P is at `P` + `i/`. A node's tensors carry its path before
//! their names.

use headsmith_heads::calibration::ProbabilityCalibration;
use headsmith_heads::pool::LogLinear;
use headsmith_heads::tensors::Tensors;
use headsmith_heads::transform::Spec;
use headsmith_heads::{HEADS, Head};
use serde_json::{Map, Value, json};

use super::container::Container;
use crate::error::{Error, Result};
use crate::node::{Node, check_size};

/// The path of the root.
pub(super) const ROOT: &str = "0/";

/// The JSON of the tree under `node`.
pub(super) fn describe(node: &Node) -> Result<Value> {
    Ok(match node {
        Node::Transform { transform, then } => {
            json!({ "kind": "transform", "scaling": transform.spec().to_string(), "then": describe(then)? })
        }
        Node::Head(head) => {
            // The key `kind` is the first: the order of the keys is part of the bytes.
            let mut object = Map::from_iter([("kind".to_owned(), Value::from(head.head()))]);
            object.extend(head.config());
            object.into()
        }
        Node::Ensemble(members) => {
            let member =
                |(weight, node): &(f64, Node)| Ok(json!({ "weight": weight, "node": describe(node)? }));
            json!({ "kind": "ensemble", "members": members.iter().map(member).collect::<Result<Vec<_>>>()? })
        }
        Node::Pool { members, .. } => {
            json!({ "kind": "pool", "members": members.iter().map(describe).collect::<Result<Vec<_>>>()? })
        }
        Node::Calibrated { calibration, then } => {
            json!({ "kind": "calibrated", "form": calibration.form().name(), "then": describe(then)? })
        }
    })
}

/// Adds the tensors of the tree under `node`, which is at `path`.
pub(super) fn collect(node: &Node, path: &str, tensors: &mut Tensors) {
    match node {
        Node::Transform { transform, .. } => tensors.extend_with_prefix(path, transform.tensors()),
        Node::Head(head) => tensors.extend_with_prefix(path, head.tensors()),
        Node::Pool { pool, .. } => tensors.extend_with_prefix(path, pool.tensors()),
        Node::Calibrated { calibration, .. } => tensors.extend_with_prefix(path, calibration.tensors()),
        Node::Ensemble(_) => {}
    }
    for (i, child) in node.children().into_iter().enumerate() {
        collect(child, &child_path(path, i), tensors);
    }
}

/// Rebuilds a tree from a file.
pub(super) struct Restorer<'a, 'b> {
    container: &'a Container<'b>,
    n_nodes: usize,
    n_tensors: usize,
}

impl<'a, 'b> Restorer<'a, 'b> {
    /// The tree that `description` tells of, with the tensors of `container`, of which none may be left over.
    pub(super) fn restore(container: &'a Container<'b>, description: Value) -> Result<Node> {
        let mut restorer = Restorer { container, n_nodes: 0, n_tensors: 0 };
        let root = restorer.node(description, ROOT, 0)?;
        if restorer.n_tensors != container.len() {
            return Err(Error::damaged(format!(
                "the file has {} tensors, but the nodes of the model own {}",
                container.len(),
                restorer.n_tensors
            )));
        }
        Ok(root)
    }

    fn node(&mut self, description: Value, path: &str, depth: usize) -> Result<Node> {
        check_size(path, depth, &mut self.n_nodes).map_err(Error::into_damaged)?;
        match description.get("kind").and_then(Value::as_str) {
            Some("transform") => self.transform(description, path, depth),
            Some("ensemble") => self.ensemble(description, path, depth),
            Some("pool") => self.pool(description, path, depth),
            Some("calibrated") => self.calibrated(description, path, depth),
            Some(kind) => match HEADS.iter().find(|head| head.name() == kind) {
                Some(head) => self.head(*head, description, path),
                None => Err(Error::unsupported(format!(
                    "node {path} is of kind `{kind}`; this program knows {}: a newer Headsmith may read the file",
                    kinds()
                ))),
            },
            None => Err(Error::damaged(format!("node {path} has no `kind`, expected one of {}", kinds()))),
        }
    }

    fn transform(&mut self, description: Value, path: &str, depth: usize) -> Result<Node> {
        let [_, scaling, then] = fields(description, &format!("node {path}"), ["kind", "scaling", "then"])?;
        let spec: Spec = scaling
            .as_str()
            .unwrap_or_default()
            .parse()
            .map_err(|error| Error::damaged(format!("`scaling` of node {path}: {error}")))?;
        let tensors = self.own_tensors(path)?;
        let transform = spec
            .restore(tensors)
            .map_err(|error| Error::damaged(format!("node {path} (transform): {error}")))?;
        let then = Box::new(self.node(then, &child_path(path, 0), depth + 1)?);
        Ok(Node::Transform { transform, then })
    }

    fn head(&mut self, head: &dyn Head, description: Value, path: &str) -> Result<Node> {
        let Value::Object(mut config) = description else {
            return Err(Error::damaged(format!("node {path} is not a JSON object")));
        };
        config.remove("kind");
        let tensors = self.tensors(path, |_| true)?;
        let fitted = head
            .restore(config, tensors)
            .map_err(|error| Error::damaged(format!("node {path} ({}): {error}", head.name())))?;
        Ok(Node::Head(fitted))
    }

    fn ensemble(&mut self, description: Value, path: &str, depth: usize) -> Result<Node> {
        let [_, members] = fields(description, &format!("node {path}"), ["kind", "members"])?;
        let Value::Array(members) = members else {
            return Err(Error::damaged(format!("`members` of node {path} is not an array")));
        };
        let mut restored = Vec::new();
        for (i, member) in members.into_iter().enumerate() {
            let path = child_path(path, i);
            let [weight, node] = fields(member, &format!("member {path}"), ["weight", "node"])?;
            let weight = weight
                .as_f64()
                .ok_or_else(|| Error::damaged(format!("`weight` of node {path} is not a number")))?;
            restored.push((weight, self.node(node, &path, depth + 1)?));
        }
        Ok(Node::Ensemble(restored))
    }

    fn pool(&mut self, description: Value, path: &str, depth: usize) -> Result<Node> {
        let [_, members] = fields(description, &format!("node {path}"), ["kind", "members"])?;
        let Value::Array(members) = members else {
            return Err(Error::damaged(format!("`members` of node {path} is not an array")));
        };
        let pool = LogLinear::restore(self.own_tensors(path)?)
            .map_err(|error| Error::damaged(format!("node {path} (pool): {error}")))?;
        let member = |(i, member): (usize, Value)| self.node(member, &child_path(path, i), depth + 1);
        let members = members.into_iter().enumerate().map(member).collect::<Result<Vec<_>>>()?;
        Ok(Node::Pool { members, pool })
    }

    fn calibrated(&mut self, description: Value, path: &str, depth: usize) -> Result<Node> {
        let [_, form, then] = fields(description, &format!("node {path}"), ["kind", "form", "then"])?;
        let tensors = self.own_tensors(path)?;
        let calibration = ProbabilityCalibration::restore(form.as_str().unwrap_or_default(), tensors)
            .map_err(|error| Error::damaged(format!("node {path} (calibrated): {error}")))?;
        let then = Box::new(self.node(then, &child_path(path, 0), depth + 1)?);
        Ok(Node::Calibrated { calibration, then })
    }

    /// The tensors of a node without those of the nodes below it.
    fn own_tensors(&mut self, path: &str) -> Result<Tensors> {
        self.tensors(path, |name| !name.contains('/'))
    }

    fn tensors(&mut self, path: &str, wanted: impl Fn(&str) -> bool) -> Result<Tensors> {
        let tensors = self.container.tensors(path, wanted)?;
        self.n_tensors += tensors.names().count();
        Ok(tensors)
    }
}

/// The kinds of nodes, for messages.
fn kinds() -> String {
    let heads: Vec<&str> = HEADS.iter().map(|head| head.name()).collect();
    format!("transform, {}, ensemble, pool and calibrated", heads.join(", "))
}

fn child_path(path: &str, child: usize) -> String {
    format!("{path}{child}/")
}

/// The values of exactly the keys `names` of an object at `place`.
pub(super) fn fields<const N: usize>(object: Value, place: &str, names: [&str; N]) -> Result<[Value; N]> {
    let mut object = match object {
        Value::Object(object) => object,
        _ => return Err(Error::damaged(format!("{place} is not a JSON object"))),
    };
    let mut values = [const { Value::Null }; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = object
            .remove(name)
            .ok_or_else(|| Error::damaged(format!("{place} has no `{name}`, which it must have")))?;
    }
    match object.keys().next() {
        Some(key) => Err(Error::damaged(format!(
            "{place} has the key `{key}`, expected {} and no others",
            names.join(", ")
        ))),
        None => Ok(values),
    }
}
