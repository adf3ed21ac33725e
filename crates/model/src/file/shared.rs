//! Tensors that several nodes have in common, such as the training rows of kernel machines: they are written once.

use std::collections::BTreeMap;

use headsmith_heads::tensors::{Tensor, Tensors, Values};

use crate::error::{Error, Result};

/// Tensors of fewer values are written again.
const LEAST_VALUES: usize = 1024;
/// The most bytes of shared tensors, as a multiple of the file's.
pub(super) const MOST_TIMES: usize = 16;

/// The name of a tensor, and that of the one before it which it equals.
pub(super) type Shared = BTreeMap<String, String>;

/// Takes out large tensors that equal one before them, in the order of their names.
pub(super) fn take_out(tensors: &mut Tensors) -> Shared {
    let mut first: BTreeMap<Part, Vec<&str>> = BTreeMap::new();
    let mut shared = Shared::new();
    for (name, tensor) in tensors.iter().filter(|(_, tensor)| tensor.values.len() >= LEAST_VALUES) {
        let same = first.entry(Part::of(tensor)).or_default();
        match same.iter().find(|other| tensors.get(other) == Some(tensor)) {
            Some(other) => _ = shared.insert(name.to_owned(), (*other).to_owned()),
            None => same.push(name),
        }
    }
    for name in shared.keys() {
        tensors.remove(name);
    }
    shared
}

/// A large tensor of a model. Equal tensors have equal parts, and a file holds them once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// Its bytes in a file.
    pub n_bytes: u64,
    /// A hash of its type, its shape and its values.
    pub digest: u64,
}

impl Part {
    fn of(tensor: &Tensor) -> Part {
        // FNV-1a over words instead of bytes.
        let mut digest = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |word: u64| digest = (digest ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
        tensor.shape.iter().for_each(|axis| add(*axis as u64));
        let size = match &tensor.values {
            Values::F64(values) => {
                values.iter().for_each(|v| add(v.to_bits()));
                8
            }
            Values::F32(values) => {
                values.iter().for_each(|v| add(u64::from(v.to_bits())));
                4
            }
            Values::U32(values) => {
                values.iter().for_each(|v| add(u64::from(*v) | 1 << 32));
                4
            }
            _ => 0,
        };
        Part { n_bytes: size * tensor.values.len() as u64, digest }
    }
}

/// The large tensors among these.
pub(super) fn parts(tensors: &Tensors) -> Vec<Part> {
    let large = tensors.iter().filter(|(_, tensor)| tensor.values.len() >= LEAST_VALUES);
    large.map(|(_, tensor)| Part::of(tensor)).collect()
}

/// Whether each name is missing from the file, and the tensor that it equals is in it.
///
/// # Errors
/// When not.
pub(super) fn check(shared: &Shared, is_there: impl Fn(&str) -> bool) -> Result<()> {
    for (name, other) in shared {
        if is_there(name) {
            return Err(Error::damaged(format!(
                "`shared` of the metadata names tensor `{name}`, which is in the file"
            )));
        }
        if !is_there(other) {
            return Err(Error::damaged(format!(
                "`shared` of the metadata says that tensor `{name}` equals `{other}`, which is not in the file"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_equal_tensors_are_taken_out() {
        let mut tensors = Tensors::new();
        let large = |first: f32| (0..LEAST_VALUES).map(|i| first + i as f32).collect::<Vec<f32>>();
        tensors.insert("a", &[LEAST_VALUES], Values::F32(large(0.0)));
        tensors.insert("b", &[LEAST_VALUES], Values::F32(large(1.0)));
        tensors.insert("c", &[LEAST_VALUES], Values::F32(large(0.0)));
        tensors.insert("d", &[2, LEAST_VALUES / 2], Values::F32(large(0.0)));
        tensors.insert("e", &[2], Values::F32(vec![1.0, 2.0]));
        tensors.insert("f", &[2], Values::F32(vec![1.0, 2.0]));
        let bits = large(0.0).iter().map(|v| v.to_bits()).collect();
        tensors.insert("g", &[LEAST_VALUES], Values::U32(bits));
        tensors.insert("h", &[LEAST_VALUES], Values::F32(large(1.0)));
        let all = parts(&tensors);
        assert_eq!(all.len(), 6);
        assert!(all[0] == all[2] && all[1] == all[5] && all[0].n_bytes == 4096);
        let shared = take_out(&mut tensors);
        let pairs: Vec<_> = shared.iter().map(|(name, other)| (name.as_str(), other.as_str())).collect();
        assert_eq!(pairs, [("c", "a"), ("h", "b")]);
        assert_eq!(tensors.names().collect::<Vec<_>>(), ["a", "b", "d", "e", "f", "g"]);
    }

    #[test]
    fn names_must_fit_the_file() {
        let shared = |name: &str, other: &str| Shared::from([(name.to_owned(), other.to_owned())]);
        let is_there = |name: &str| name == "a";
        assert!(check(&shared("b", "a"), is_there).is_ok());
        assert!(check(&shared("a", "a"), is_there).unwrap_err().to_string().contains("which is in the file"));
        assert!(
            check(&shared("b", "c"), is_there).unwrap_err().to_string().contains("which is not in the file")
        );
    }
}
