//! The walk in vectors of AVX-512: sixteen rows step at once, and up to sixteen such groups in turns, so that loads of one are under way
//! while another waits for its own.

use std::arch::x86_64::*;

use super::{FIRST_STEPS, MANY_ROWS as ROWS, Node, STEPS, TOP, Tree};

/// Rows of a vector.
const LANES: usize = 16;

/// Some rows on their way: the number of each in the piece, and its node.
#[derive(Clone, Copy)]
struct Group {
    rows: __m512i,
    at: __m512i,
    /// Lanes that were not in a leaf before the last step.
    moved: __mmask16,
}

/// Rows that have not arrived, with room for a vector behind the last.
struct Listed {
    rows: [u32; ROWS + LANES],
    at: [u32; ROWS + LANES],
    n: usize,
}

/// Continues with the first `n_rows` of a piece or more, each from its node `at`, to its leaf; the top levels are passed, or not.
///
/// # Safety
/// The machine has AVX-512F, `at` are nodes of the tree, and `keys` has [`ROWS`] keys of each of the tree's features.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn walk(tree: &Tree, keys: &[u32], n_rows: usize, at: &mut [u32; ROWS]) {
    // SAFETY: as the caller guarantees.
    unsafe {
        match n_rows.div_ceil(4 * LANES) {
            0 | 1 => walk_groups::<4>(tree, keys, at),
            2 => walk_groups::<8>(tree, keys, at),
            3 => walk_groups::<12>(tree, keys, at),
            _ => walk_groups::<16>(tree, keys, at),
        }
    }
}

/// Continues with the rows of the first `N` vectors.
///
/// # Safety
/// As for [`walk`].
#[target_feature(enable = "avx512f")]
unsafe fn walk_groups<const N: usize>(tree: &Tree, keys: &[u32], at: &mut [u32; ROWS]) {
    const { assert!(N * LANES <= ROWS) };
    let rows: [u32; ROWS] = std::array::from_fn(|row| row as u32);
    let n_steps = FIRST_STEPS - if tree.is_top_full { TOP.count_ones() as usize } else { 0 };
    // SAFETY: both arrays have N vectors.
    let mut groups: [Group; N] = std::array::from_fn(|g| unsafe { load(&rows, at, g) });
    let mut listed = Listed { rows: [0; ROWS + LANES], at: [0; ROWS + LANES], n: 0 };
    // SAFETY: rows are below ROWS, and walks go from node to node.
    unsafe { advance(&tree.nodes, keys, &mut groups, n_steps) };
    for (g, group) in groups.iter().enumerate() {
        // SAFETY: as above; the list has room for all rows and a vector.
        unsafe {
            _mm512_storeu_si512(at.as_mut_ptr().add(g * LANES).cast(), group.at);
            list(&mut listed, group, group.moved);
        }
    }
    while listed.n > 0 {
        // SAFETY: the list has rows and nodes of those above.
        unsafe {
            match listed.n.div_ceil(LANES) {
                1 => walk_listed::<1>(tree, keys, &mut listed, at),
                2 => walk_listed::<2>(tree, keys, &mut listed, at),
                3 => walk_listed::<3>(tree, keys, &mut listed, at),
                4 => walk_listed::<4>(tree, keys, &mut listed, at),
                5 | 6 => walk_listed::<6>(tree, keys, &mut listed, at),
                7 | 8 => walk_listed::<8>(tree, keys, &mut listed, at),
                9..=12 => walk_listed::<12>(tree, keys, &mut listed, at),
                _ => walk_listed::<16>(tree, keys, &mut listed, at),
            }
        }
    }
}

/// Continues with the rows listed, which fill `N` vectors, and lists those that have not arrived.
///
/// # Safety
/// As for [`walk`], and for the rows and nodes listed.
#[target_feature(enable = "avx512f")]
unsafe fn walk_listed<const N: usize>(tree: &Tree, keys: &[u32], listed: &mut Listed, at: &mut [u32; ROWS]) {
    let n = listed.n;
    // Lanes behind the last row take the way of row 0 from the root, which nobody sees.
    listed.rows[n..N * LANES].fill(0);
    listed.at[n..N * LANES].fill(0);
    // SAFETY: the list has N vectors.
    let mut groups: [Group; N] = std::array::from_fn(|g| unsafe { load(&listed.rows, &listed.at, g) });
    // SAFETY: rows are below ROWS, and walks go from node to node.
    unsafe { advance(&tree.nodes, keys, &mut groups, STEPS) };
    listed.n = 0;
    for (g, group) in groups.iter().enumerate() {
        let n_here = n.saturating_sub(g * LANES).min(LANES);
        let here = ((1u32 << n_here) - 1) as __mmask16;
        // SAFETY: rows are below ROWS; the list has room for all of them and a vector.
        unsafe {
            _mm512_mask_i32scatter_epi32::<4>(at.as_mut_ptr().cast(), here, group.rows, group.at);
            list(listed, group, group.moved & here);
        }
    }
}

/// The `g`-th vector of rows.
///
/// # Safety
/// Both have so many vectors.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load(rows: &[u32], at: &[u32], g: usize) -> Group {
    // SAFETY: the caller guarantees it.
    let vector = |values: &[u32]| unsafe { _mm512_loadu_si512(values.as_ptr().add(g * LANES).cast()) };
    Group { rows: vector(rows), at: vector(at), moved: 0 }
}

/// Lists the rows of a group in `which`, behind those that are there.
///
/// # Safety
/// The list has room for a vector.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn list(listed: &mut Listed, group: &Group, which: __mmask16) {
    // SAFETY: the caller guarantees the room.
    unsafe {
        let (rows, at) = (listed.rows.as_mut_ptr().add(listed.n), listed.at.as_mut_ptr().add(listed.n));
        _mm512_storeu_si512(rows.cast(), _mm512_maskz_compress_epi32(which, group.rows));
        _mm512_storeu_si512(at.cast(), _mm512_maskz_compress_epi32(which, group.at));
    }
    listed.n += which.count_ones() as usize;
}

/// Moves each row by so many steps, from its node to a child each; in a leaf it stays.
///
/// # Safety
/// `at` are numbers of `nodes`, rows are below [`ROWS`], and `keys` has ROWS keys of each feature in `nodes`.
#[target_feature(enable = "avx512f")]
unsafe fn advance<const N: usize>(nodes: &[Node], keys: &[u32], groups: &mut [Group; N], n_steps: usize) {
    // Of its own, so that the nodes stay in registers.
    let mut here = *groups;
    for _ in 0..n_steps {
        for group in &mut here {
            // SAFETY: the caller guarantees nodes and keys.
            let (threshold, ways, key) = unsafe {
                let (threshold, ways) = words(nodes, group.at);
                let feature = _mm512_and_si512(ways, _mm512_set1_epi32(0xffff));
                let place = _mm512_add_epi32(_mm512_slli_epi32::<{ ROWS.ilog2() }>(feature), group.rows);
                (threshold, ways, _mm512_i32gather_epi32::<4>(place, keys.as_ptr().cast()))
            };
            let ahead = _mm512_srli_epi32::<16>(ways);
            let left = _mm512_add_epi32(group.at, ahead);
            let is_right = _mm512_cmpgt_epu32_mask(key, threshold);
            group.at = _mm512_mask_add_epi32(left, is_right, left, _mm512_set1_epi32(1));
            group.moved = _mm512_test_epi32_mask(ahead, ahead);
        }
    }
    *groups = here;
}

/// The two words of the nodes `at`: thresholds, and features with ways. A gather takes as long as it has elements, so nodes are loaded whole.
///
/// # Safety
/// `at` are numbers of `nodes`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn words(nodes: &[Node], at: __m512i) -> (__m512i, __m512i) {
    const { assert!(size_of::<Node>() == 8) };
    // SAFETY: the caller guarantees the nodes, which have eight bytes.
    let (low, high) = unsafe {
        let nodes = nodes.as_ptr().cast();
        (
            _mm512_i32gather_epi64::<8>(_mm512_castsi512_si256(at), nodes),
            _mm512_i32gather_epi64::<8>(_mm512_extracti64x4_epi64::<1>(at), nodes),
        )
    };
    let first = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let second = _mm512_or_si512(first, _mm512_set1_epi32(1));
    (_mm512_permutex2var_epi32(low, first, high), _mm512_permutex2var_epi32(low, second, high))
}
