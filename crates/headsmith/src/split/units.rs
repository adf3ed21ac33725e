//! Units of rows that must not be split: those with the same features, and those of one group, joined if they overlap.

use std::collections::HashMap;
use std::hash::Hash;

use headsmith_data::{Groups, checks};
use headsmith_kernels::{MatRef, Pool};

use crate::rows::Rows;

/// The unit of each row of `x`, numbered from 0 in order of first occurrence.
pub(crate) fn of(x: MatRef<'_>, groups: Option<&Groups>, pool: &Pool) -> Vec<u32> {
    of_codes(x, groups.map(Groups::codes), pool)
}

/// The same with the number of the group of each row.
pub(crate) fn of_codes(x: MatRef<'_>, groups: Option<&[u32]>, pool: &Pool) -> Vec<u32> {
    let same = numbered(checks::row_hashes(x, pool));
    match groups {
        None => same,
        Some(groups) => joined(&same, groups),
    }
}

/// The units of `rows`, numbered in the same way: those of a column, or rows with the same features together.
pub(crate) fn of_rows<'d>(rows: impl Into<Rows<'d>>, pool: &Pool) -> Vec<u32> {
    let rows = rows.into();
    of_column(rows).unwrap_or_else(|| of(rows.x, None, pool))
}

/// The units of `rows`, if a column makes them.
pub(crate) fn of_column<'d>(rows: impl Into<Rows<'d>>) -> Option<Vec<u32>> {
    // A part of a table has not all of its units.
    rows.into().units.map(|units| numbered(units.iter().copied()))
}

/// The number of each key, from 0 in order of first occurrence.
pub(crate) fn numbered<K: Eq + Hash>(keys: impl IntoIterator<Item = K>) -> Vec<u32> {
    let mut number_of = HashMap::new();
    let number = |key| {
        let next = number_of.len() as u32;
        *number_of.entry(key).or_insert(next)
    };
    keys.into_iter().map(number).collect()
}

/// The number of units, which are numbered from 0.
pub(crate) fn count(units: &[u32]) -> usize {
    units.iter().max().map_or(0, |&most| most as usize + 1)
}

/// The number of rows in each unit.
pub(crate) fn sizes(units: &[u32]) -> Vec<usize> {
    let mut sizes = vec![0; count(units)];
    units.iter().for_each(|&unit| sizes[unit as usize] += 1);
    sizes
}

/// Joins groups with a common row.
fn joined(same: &[u32], groups: &[u32]) -> Vec<u32> {
    let mut parents: Vec<usize> = (0..count(groups)).collect();
    let mut group_of: HashMap<u32, usize> = HashMap::new();
    for (&row, &group) in same.iter().zip(groups) {
        let first = *group_of.entry(row).or_insert(group as usize);
        let (a, b) = (root(&mut parents, first), root(&mut parents, group as usize));
        parents[a.max(b)] = a.min(b);
    }
    numbered(groups.iter().map(|&group| root(&mut parents, group as usize)))
}

/// The representative of the groups joined with `group`; halves the path to it.
fn root(parents: &mut [usize], mut group: usize) -> usize {
    while parents[group] != group {
        parents[group] = parents[parents[group]];
        group = parents[group];
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_with_a_row_in_common_are_one_unit() {
        // Groups 0 and 2 share row 7, 2 and 4 share row 9; 1 and 3 are separate.
        let same = [7, 1, 7, 9, 9, 2, 3, 4];
        let groups = [0, 1, 2, 2, 4, 3, 1, 4];
        assert_eq!(joined(&same, &groups), [0, 1, 0, 0, 0, 2, 1, 0]);
        assert_eq!(count(&joined(&same, &groups)), 3);
        assert_eq!(joined(&[0, 1, 2], &[0, 0, 0]), [0, 0, 0]);
    }
}
