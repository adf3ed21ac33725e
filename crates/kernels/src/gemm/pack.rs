//! Packing: panels of the width of the register kernel, each with its rows one after another. Value `p` of the sum for
//! column `j` is at `(j / width * k + p) * width + j % width`.

use std::ops::Range;

use super::N_PIECES;
use crate::pool::MIN_PIECE;
use crate::{MatRef, Pool};

/// The maximum number of panels that are packed at once: their columns are adjacent, so a row of them is read
/// sequentially.
const GROUP: usize = 8;

/// Packs the columns of `source` into panels of `width`. The last panel is padded with zeros.
pub(super) fn columns(packed: &mut [f32], source: MatRef<'_>, width: usize, pool: &Pool) {
    let (k, n) = (source.n_rows(), source.n_cols());
    if packed.is_empty() {
        return;
    }
    let panels = n.div_ceil(width).div_ceil(N_PIECES).max(MIN_PIECE / (width * k)).clamp(1, GROUP);
    pool.for_each_chunk(packed, panels * width * k, |group, packed| {
        let first = group * panels * width;
        let end = n.min(first + panels * width);
        let n_whole = match width {
            6 => whole_panels::<6>(packed, source, first..end),
            12 => whole_panels::<12>(packed, source, first..end),
            16 => whole_panels::<16>(packed, source, first..end),
            32 => whole_panels::<32>(packed, source, first..end),
            _ => 0,
        };
        for (panel, packed) in packed.chunks_exact_mut(k * width).enumerate().skip(n_whole) {
            for (p, to) in packed.chunks_exact_mut(width).enumerate() {
                let values = &source.row(p)[first + panel * width..end.min(first + (panel + 1) * width)];
                to[..values.len()].copy_from_slice(values);
                to[values.len()..].fill(0.0);
            }
        }
    });
}

/// Packs the complete panels of a group, with a width known to the compiler; returns their number.
fn whole_panels<const WIDTH: usize>(packed: &mut [f32], source: MatRef<'_>, group: Range<usize>) -> usize {
    let (k, n_panels) = (source.n_rows(), group.len() / WIDTH);
    assert!(n_panels * k * WIDTH <= packed.len());
    for p in 0..k {
        let (panels, _) = source.row(p)[group.clone()].as_chunks::<WIDTH>();
        for (panel, values) in panels.iter().enumerate() {
            // SAFETY: `panel` is below `n_panels` and `p` below `k`, whose product with WIDTH is within `packed`.
            unsafe {
                packed
                    .as_mut_ptr()
                    .add((panel * k + p) * WIDTH)
                    .cast::<[f32; WIDTH]>()
                    .write_unaligned(*values)
            };
        }
    }
    n_panels
}

/// Undoes [`columns`].
pub(super) fn unpacked(to: &mut [f32], packed: &[f32], (k, n): (usize, usize), width: usize) {
    for (p, row) in to.chunks_exact_mut(n.max(1)).enumerate() {
        for (panel, values) in row.chunks_mut(width).enumerate() {
            values.copy_from_slice(&packed[(panel * k + p) * width..][..values.len()]);
        }
    }
}

/// Turns packed columns of a `k x n` matrix into those of its transpose, `n x k`.
pub(super) fn transposed(to: &mut [f32], packed: &[f32], (k, n): (usize, usize), width: usize, pool: &Pool) {
    if to.is_empty() {
        return;
    }
    let panels = (MIN_PIECE / (n * width)).max(1);
    pool.for_each_chunk(to, panels * n * width, |piece, to| {
        for (to, i) in to.chunks_exact_mut(n * width).zip(piece * panels..) {
            transposed_panel(to, packed, k, i, width);
        }
    });
}

/// Panel `i` of the transpose: the rows `i * width ..` of the matrix, which has `k`.
fn transposed_panel(to: &mut [f32], packed: &[f32], k: usize, i: usize, width: usize) {
    let n_rows = width.min(k - i * width);
    for (panel, to) in to.chunks_mut(width * width).enumerate() {
        let from = &packed[(panel * k + i * width) * width..][..n_rows * width];
        let n_columns = to.len() / width;
        if n_rows == width && n_columns == width && transposed_square(to, from, width) {
            continue;
        }
        for (column, to) in to.chunks_exact_mut(width).enumerate() {
            for (row, to) in to.iter_mut().enumerate() {
                *to = if row < n_rows { from[row * width + column] } else { 0.0 };
            }
        }
    }
}

/// Transposes a square of a `width` that is a multiple of 8, where the machine has the instructions for it.
fn transposed_square(to: &mut [f32], from: &[f32], width: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && width.is_multiple_of(8) {
        assert!(to.len() >= width * width && from.len() >= width * width);
        for row in (0..width).step_by(8) {
            for column in (0..width).step_by(8) {
                // SAFETY: eight rows of eight values, `width` apart, lie within both slices; the machine has AVX2.
                unsafe {
                    let from = from.as_ptr().add(row * width + column);
                    eight_by_eight(to.as_mut_ptr().add(column * width + row), from, width);
                }
            }
        }
        return true;
    }
    let _ = (to, from, width);
    false
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn eight_by_eight(to: *mut f32, from: *const f32, stride: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller guarantees eight rows of eight values, `stride` apart, at both addresses.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * stride));
        let pair = |i: usize| {
            let (a, b) = (row(i), row(i + 1));
            (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
        };
        let ((a, b), (c, d), (e, f), (g, h)) = (pair(0), pair(2), pair(4), pair(6));
        let low = |x, y| _mm256_shuffle_ps::<0x44>(x, y);
        let high = |x, y| _mm256_shuffle_ps::<0xee>(x, y);
        let upper = [low(a, c), high(a, c), low(b, d), high(b, d)];
        let lower = [low(e, g), high(e, g), low(f, h), high(f, h)];
        for i in 0..4 {
            _mm256_storeu_ps(to.add(i * stride), _mm256_permute2f128_ps::<0x20>(upper[i], lower[i]));
            _mm256_storeu_ps(to.add((i + 4) * stride), _mm256_permute2f128_ps::<0x31>(upper[i], lower[i]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    #[test]
    fn packing_round_trips() {
        for (k, n, width) in [(1, 1, 16), (7, 40, 16), (3, 64, 6), (5, 150, 16), (32, 32, 32), (48, 50, 16)] {
            let matrix = Matrix::new((0..n * k).map(|v| v as f32 + 1.0).collect(), k, n);
            let transpose = (0..n).flat_map(|j| (0..k).map(move |p| (p, j)));
            let transpose: Vec<f32> = transpose.map(|(p, j)| matrix.row(p)[j]).collect();
            let transpose = Matrix::new(transpose, n, k);
            let pack = |matrix: &Matrix| {
                let len = matrix.n_cols().next_multiple_of(width) * matrix.n_rows();
                let mut packed = vec![f32::NAN; len];
                columns(&mut packed, matrix.view(), width, &Pool::inline());
                packed
            };
            let packed = pack(&matrix);
            for (at, value) in packed.iter().enumerate() {
                let (p, j) = (at / width % k, at / width / k * width + at % width);
                assert_eq!(*value, if j < n { matrix.row(p)[j] } else { 0.0 });
            }
            let mut back = vec![0.0; n * k];
            unpacked(&mut back, &packed, (k, n), width);
            assert_eq!(back, matrix.as_slice());
            let mut turned = vec![f32::NAN; k.next_multiple_of(width) * n];
            transposed(&mut turned, &packed, (k, n), width, &Pool::inline());
            assert_eq!(turned, pack(&transpose));
        }
    }
}
