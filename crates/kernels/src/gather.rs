//! Copies some rows of a row-major table into columns.
//!
//! Eight rows are read in parallel from their first column to their last, so every fetched cache line is used
//! completely; squares of eight by eight are transposed in registers and written as pieces of eight columns.

#![allow(unsafe_code)]

/// The rows and columns of a square that is transposed in registers.
const SIDE: usize = 8;

/// The size of a cache line in bytes. Enough rows are processed together that each piece of a column is a line that is
/// written once.
pub const LINE: usize = 64;

/// Copies `rows` of `table`, which has `n_cols` columns, into columns: the value in column `j` of the `i`-th of the rows
/// goes to `columns[j * stride + i]`. Values between the columns are not changed.
///
/// # Panics
/// If a row does not exist, or `columns` is too short.
pub fn columns_u16(table: &[u16], n_cols: usize, rows: &[u32], columns: &mut [u16], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine has SSE2, and `gather` hands out squares that lie within.
    return gather(table, n_cols, rows, columns, stride, |from, to, stride| unsafe {
        x86::transpose_u16(from, to, stride);
    });
    #[cfg(not(target_arch = "x86_64"))]
    gather(table, n_cols, rows, columns, stride, transpose);
}

/// [`columns_u16`] for values of 32 bits.
///
/// # Panics
/// If a row does not exist, or `columns` is too short.
pub fn columns_u32(table: &[u32], n_cols: usize, rows: &[u32], columns: &mut [u32], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2, and `gather` hands out squares that lie within.
        return gather(table, n_cols, rows, columns, stride, |from, to, stride| unsafe {
            x86::transpose_u32(from, to, stride);
        });
    }
    gather(table, n_cols, rows, columns, stride, transpose);
}

/// Calls `transpose(from, to, stride)` for each square: [`SIDE`] values may be read at each of `from`, and written at
/// `to` and at each of the following strides, [`SIDE`] times.
#[inline(always)]
fn gather<T: Copy>(
    table: &[T],
    n_cols: usize,
    rows: &[u32],
    columns: &mut [T],
    stride: usize,
    transpose: impl Fn([*const T; SIDE], *mut T, usize),
) {
    assert!(n_cols > 0 && rows.len() <= stride, "{} rows of {n_cols} columns", rows.len());
    let columns = &mut columns[..n_cols * stride];
    let row = |row: u32| &table[row as usize * n_cols..][..n_cols];
    let squares = n_cols - n_cols % SIDE;
    let a_line = LINE / size_of::<T>();
    for (k, group) in rows.chunks(a_line).enumerate() {
        let (eights, rest) = group.as_chunks::<SIDE>();
        let behind = rows[k * a_line..].chunks(a_line).nth(1).unwrap_or_default();
        for j in (0..squares).step_by(SIDE) {
            if j % a_line == 0 {
                behind.iter().for_each(|&next| prefetch(&row(next)[j]));
            }
            for (i, eight) in eights.iter().enumerate() {
                let from = eight.map(|number| row(number)[j..j + SIDE].as_ptr());
                let first = j * stride + k * a_line + i * SIDE;
                let to = &mut columns[first..][..(SIDE - 1) * stride + SIDE];
                transpose(from, to.as_mut_ptr(), stride);
            }
        }
        for (i, &number) in group.iter().enumerate() {
            let first = if i < group.len() - rest.len() { squares } else { 0 };
            for (j, &value) in row(number).iter().enumerate().skip(first) {
                columns[j * stride + k * a_line + i] = value;
            }
        }
    }
}

/// Fetches a cache line that will be read soon.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine can fetch ahead, which reads nothing.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
            std::ptr::from_ref(value).cast(),
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// The version for machines without a vector version.
fn transpose<T: Copy>(from: [*const T; SIDE], to: *mut T, stride: usize) {
    for (i, from) in from.into_iter().enumerate() {
        for j in 0..SIDE {
            // SAFETY: `gather` promises SIDE values at each of `from`, and room for SIDE at each of SIDE columns.
            unsafe { *to.add(j * stride + i) = *from.add(j) };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::SIDE;

    /// # Safety
    /// SIDE values can be read at each of `from`, and written at `to + j * stride` for `j` below SIDE.
    #[inline]
    pub(super) unsafe fn transpose_u16(from: [*const u16; SIDE], to: *mut u16, stride: usize) {
        // SAFETY: SSE2 exists on every x86-64 machine; the caller guarantees the reads and writes.
        unsafe {
            let r = from.map(|from| _mm_loadu_si128(from.cast()));
            let pairs: [__m128i; 8] = std::array::from_fn(|i| {
                let (a, b) = (r[i / 2 * 2], r[i / 2 * 2 + 1]);
                if i % 2 == 0 { _mm_unpacklo_epi16(a, b) } else { _mm_unpackhi_epi16(a, b) }
            });
            // Two columns of four rows each: columns 0 1, 2 3, 4 5, 6 7 of the upper rows, then of the lower ones.
            let fours: [__m128i; 8] = std::array::from_fn(|i| {
                let (half, pair) = (i / 4 * 4, i % 4);
                let (a, b) = (pairs[half + pair / 2], pairs[half + 2 + pair / 2]);
                if pair % 2 == 0 { _mm_unpacklo_epi32(a, b) } else { _mm_unpackhi_epi32(a, b) }
            });
            for j in 0..SIDE {
                let (upper, lower) = (fours[j / 2], fours[4 + j / 2]);
                let column = if j % 2 == 0 {
                    _mm_unpacklo_epi64(upper, lower)
                } else {
                    _mm_unpackhi_epi64(upper, lower)
                };
                _mm_storeu_si128(to.add(j * stride).cast(), column);
            }
        }
    }

    /// # Safety
    /// The machine has AVX2; SIDE values can be read at each of `from`, and written at `to + j * stride` for `j` below SIDE.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn transpose_u32(from: [*const u32; SIDE], to: *mut u32, stride: usize) {
        // SAFETY: the caller guarantees the reads.
        let r = from.map(|from| unsafe { _mm256_loadu_si256(from.cast()) });
        let mut pairs = r;
        let mut fours = r;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
        }
        // Four rows of columns j and j + 4.
        for half in [0, 4] {
            for j in 0..2 {
                let (a, b) = (pairs[half + j], pairs[half + 2 + j]);
                fours[half + 2 * j] = _mm256_unpacklo_epi64(a, b);
                fours[half + 2 * j + 1] = _mm256_unpackhi_epi64(a, b);
            }
        }
        for j in 0..4 {
            let (upper, lower) = (fours[j], fours[4 + j]);
            let low = _mm256_permute2x128_si256::<0x20>(upper, lower);
            let high = _mm256_permute2x128_si256::<0x31>(upper, lower);
            // SAFETY: the caller guarantees the writes.
            unsafe {
                _mm256_storeu_si256(to.add(j * stride).cast(), low);
                _mm256_storeu_si256(to.add((j + 4) * stride).cast(), high);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_match_a_copy_value_by_value() {
        for seed in 0..60 {
            let mut random = crate::Philox::new(seed, 0, 0).sequence(0, 0);
            let (n_rows, n_cols) = (1 + random.below(40), 1 + random.below(40) as usize);
            let table: Vec<u32> = (0..n_rows as usize * n_cols).map(|_| random.next_u32()).collect();
            let rows: Vec<u32> = (0..random.below(50)).map(|_| random.below(n_rows)).collect();
            let stride = rows.len() + random.below(3) as usize;
            let mut expected = vec![7; n_cols * stride + 3];
            for (i, &row) in rows.iter().enumerate() {
                for j in 0..n_cols {
                    expected[j * stride + i] = table[row as usize * n_cols + j];
                }
            }
            let (mut found, mut portable) = (vec![7; expected.len()], vec![7; expected.len()]);
            columns_u32(&table, n_cols, &rows, &mut found, stride);
            gather(&table, n_cols, &rows, &mut portable, stride, transpose);
            assert_eq!(found, expected);
            assert_eq!(portable, expected);
            let narrow = |values: &[u32]| values.iter().map(|&v| v as u16).collect::<Vec<u16>>();
            let mut found = vec![7; expected.len()];
            columns_u16(&narrow(&table), n_cols, &rows, &mut found, stride);
            assert_eq!(found, narrow(&expected));
        }
    }

    #[test]
    #[should_panic(expected = "range")]
    fn a_missing_row_is_refused() {
        columns_u16(&[1, 2, 3, 4], 2, &[2], &mut [0; 4], 1);
    }
}
