//! Named arrays: the form in which a fitted head is handed to a file and taken back.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// An array with its shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The values in row-major order: as many as the product of `shape`.
    pub values: Values,
}

/// The values of a [`Tensor`], by type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 32-bit unsigned integers.
    U32(Vec<u32>),
}

/// Arrays by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensors(BTreeMap<String, Tensor>);

impl Values {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(v) => v.len(),
            Values::F64(v) => v.len(),
            Values::U32(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn type_name(&self) -> &'static str {
        match self {
            Values::F32(_) => "f32",
            Values::F64(_) => "f64",
            Values::U32(_) => "u32",
        }
    }
}

/// Declares a `take_*` method: the named tensor, if it is of the type and shape asked for.
macro_rules! take {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// When there is none of that name, or it is of another type or shape.
        pub fn $name(&mut self, name: &str, shape: &[usize]) -> Result<Vec<$type>> {
            match self.take(name, shape)? {
                Values::$variant(values) => Ok(values),
                other => Err(Error::stored(format!(
                    "tensor `{name}` holds {}, expected {}", other.type_name(), stringify!($type)
                ))),
            }
        }
    };
}

impl Tensors {
    /// No tensors.
    pub fn new() -> Tensors {
        Tensors::default()
    }

    /// Adds or replaces the tensor `name`.
    ///
    /// # Panics
    /// When the number of values is not the product of `shape`.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: Values) {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "shape {shape:?}");
        self.0.insert(name.into(), Tensor { shape: shape.to_vec(), values });
    }

    /// The tensor `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// Takes out the tensor `name`.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.0.remove(name)
    }

    /// The shape of the tensor `name`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn shape(&self, name: &str) -> Result<&[usize]> {
        self.0.get(name).map(|t| t.shape.as_slice()).ok_or_else(|| missing(name))
    }

    take! {
        /// Takes out the 32-bit floats of `name`.
        take_f32, F32, f32
    }
    take! {
        /// Takes out the 64-bit floats of `name`.
        take_f64, F64, f64
    }
    take! {
        /// Takes out the 32-bit unsigned integers of `name`.
        take_u32, U32, u32
    }

    /// The shape of the tensor `name`, a matrix with at least one row and one column.
    ///
    /// # Errors
    /// When there is none of that name, or it is no such matrix.
    pub fn matrix_shape(&self, name: &str) -> Result<[usize; 2]> {
        match self.shape(name)? {
            [n_rows, n_cols] if *n_rows > 0 && *n_cols > 0 => Ok([*n_rows, *n_cols]),
            shape => Err(Error::stored(format!(
                "tensor `{name}` has shape {shape:?}, expected a matrix with rows and columns"
            ))),
        }
    }

    /// Takes out the 32-bit floats of `name`, all finite.
    ///
    /// # Errors
    /// When there is none of that name, it is of another type or shape, or a value is not finite.
    pub fn take_finite(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let values = self.take_f32(name, shape)?;
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(i) => Err(Error::stored(format!(
                "tensor `{name}` holds {} at {i}, expected a finite number",
                values[i]
            ))),
        }
    }

    /// Refuses unused tensors; `head` is the head's name in messages.
    ///
    /// # Errors
    /// When one is left.
    pub fn check_empty(&self, head: &str) -> Result<()> {
        match self.names().next() {
            None => Ok(()),
            Some(name) => Err(Error::stored(format!("tensor `{name}` does not belong to {head}"))),
        }
    }

    /// The tensors in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The names that are left, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Takes out every tensor whose name begins with `prefix`, without the prefix.
    pub fn take_prefix(&mut self, prefix: &str) -> Tensors {
        let (inside, outside) =
            std::mem::take(&mut self.0).into_iter().partition(|(n, _)| n.starts_with(prefix));
        self.0 = outside;
        let inside: BTreeMap<String, Tensor> = inside;
        Tensors(inside.into_iter().map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor)).collect())
    }

    /// Adds every tensor of `other` with `prefix` before its name.
    pub fn extend_with_prefix(&mut self, prefix: &str, other: Tensors) {
        self.0.extend(other.0.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Values> {
        let found = self.0.get(name).ok_or_else(|| missing(name))?;
        if found.shape != shape {
            return Err(Error::stored(format!(
                "tensor `{name}` has shape {:?}, expected {shape:?}",
                found.shape
            )));
        }
        self.0.remove(name).map(|t| t.values).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> Error {
    Error::stored(format!("tensor `{name}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_once() {
        let mut tensors = Tensors::new();
        tensors.insert("a", &[2, 1], Values::F32(vec![1.0, 2.0]));
        assert!(tensors.take_f64("a", &[2, 1]).unwrap_err().to_string().contains("holds f32, expected f64"));
        tensors.insert("a", &[2, 1], Values::F32(vec![1.0, 2.0]));
        assert!(
            tensors.take_f32("a", &[2]).unwrap_err().to_string().contains("has shape [2, 1], expected [2]")
        );
        assert_eq!(tensors.take_f32("a", &[2, 1]).unwrap(), [1.0, 2.0]);
        assert_eq!(tensors.take_f32("a", &[2, 1]).unwrap_err(), missing("a"));
    }

    #[test]
    fn prefixes_nest() {
        let mut inner = Tensors::new();
        inner.insert("w", &[1], Values::U32(vec![7]));
        let mut outer = Tensors::new();
        outer.extend_with_prefix("0/", inner.clone());
        assert_eq!(outer.take_prefix("0/"), inner);
        assert_eq!(outer.names().count(), 0);
    }
}
