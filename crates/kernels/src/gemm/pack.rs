//! Operands of a product, and their packing into panels.

use std::ops::Range;

use super::kernel::HEIGHT;
use crate::{MatRef, Pool};

/// A cache line: packed panels begin at its multiples, so that no vector load straddles two.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([f32; LINE]);

const LINE: usize = 16;
/// Panels that are packed at a time: their columns stand beside each other, so a row's are read in one go.
const GROUP: usize = 4;

/// An operand of a product: element `p` of the sum for row or column `i` of the product is
/// `data[p * k_stride + i * stride]`. One of the strides is 1.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    pub(super) data: &'a [f32],
    pub(super) k_stride: usize,
    pub(super) stride: usize,
}

impl<'a> Operand<'a> {
    /// The sum runs along the rows of `x`.
    pub(super) fn rows(x: MatRef<'a>) -> Operand<'a> {
        Operand { data: x.as_slice(), k_stride: 1, stride: x.n_cols() }
    }

    /// The sum runs down the columns of `x`.
    pub(super) fn columns(x: MatRef<'a>) -> Operand<'a> {
        Operand { data: x.as_slice(), k_stride: x.n_cols(), stride: 1 }
    }
}

/// Packs what `range` of the operand holds into panels of `width`: element `p` of the sum for `range.start + i` is
/// at `(i / width * k + p) * width + i % width`. What is missing from the last panel is zero.
pub(super) fn panels<'w>(
    buffer: &'w mut Vec<Line>,
    source: Operand<'_>,
    range: Range<usize>,
    k: usize,
    width: usize,
    pool: &Pool,
) -> &'w [f32] {
    let n_values = range.len().div_ceil(width) * width * k;
    let n_lines = n_values.div_ceil(LINE);
    if buffer.len() < n_lines {
        buffer.resize(n_lines, Line([0.0; LINE]));
    }
    let packed = &mut values_mut(buffer)[..n_values];
    if !packed.is_empty() {
        pool.for_each_chunk(packed, GROUP * width * k, |group, chunk| {
            let first = range.start + group * GROUP * width;
            let group = first..range.end.min(first + GROUP * width);
            if source.stride == 1 {
                copy(chunk, source, group, width)
            } else {
                transpose(chunk, source, group, width)
            }
        });
    }
    packed
}

/// Packs a group of panels whose columns stand beside each other in the source.
fn copy(packed: &mut [f32], source: Operand<'_>, group: Range<usize>, width: usize) {
    let k = packed.len() / (group.len().div_ceil(width) * width);
    for p in 0..k {
        let row = &source.data[p * source.k_stride + group.start..p * source.k_stride + group.end];
        for (panel, values) in row.chunks(width).enumerate() {
            let to = &mut packed[(panel * k + p) * width..][..width];
            if !copied::<16>(to, values) && !copied::<{ HEIGHT }>(to, values) {
                to[..values.len()].copy_from_slice(values);
                to[values.len()..].fill(0.0);
            }
        }
    }
}

/// Copies `N` values, if both have that many: a length known to the compiler is moved without a call.
#[inline(always)]
fn copied<const N: usize>(to: &mut [f32], values: &[f32]) -> bool {
    match (<&mut [f32; N]>::try_from(to), <&[f32; N]>::try_from(values)) {
        (Ok(to), Ok(values)) => {
            *to = *values;
            true
        }
        _ => false,
    }
}

/// Packs a group of panels whose sums stand beside each other in the source.
fn transpose(packed: &mut [f32], source: Operand<'_>, group: Range<usize>, width: usize) {
    let n_panels = group.len().div_ceil(width);
    let k = packed.len() / (n_panels * width);
    for (panel, packed) in packed.chunks_exact_mut(k * width).enumerate() {
        let first = group.start + panel * width;
        let n_filled = width.min(group.end - first);
        for i in 0..width {
            if i >= n_filled {
                packed.iter_mut().skip(i).step_by(width).for_each(|to| *to = 0.0);
                continue;
            }
            let values = &source.data[(first + i) * source.stride..][..k];
            for (to, value) in packed.iter_mut().skip(i).step_by(width).zip(values) {
                *to = *value;
            }
        }
    }
}

fn values_mut(lines: &mut [Line]) -> &mut [f32] {
    // SAFETY: a `Line` is exactly LINE floats without padding (`repr(C)`, size 64), and stricter aligned.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LINE) }
}

const _: () = assert!(size_of::<Line>() == LINE * size_of::<f32>());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    #[test]
    fn both_strides_pack_to_the_same_panels() {
        for (n, k, width) in [(1, 1, 16), (40, 7, 16), (64, 3, 6), (150, 5, 16), (13, 9, 6)] {
            let by_rows = Matrix::new((0..n * k).map(|v| v as f32 + 1.0).collect(), n, k);
            let values = (0..k).flat_map(|p| (0..n).map(move |i| (i * k + p) as f32 + 1.0));
            let by_columns = Matrix::new(values.collect(), k, n);
            for start in [0, n / 2] {
                let expected: Vec<f32> = (start..start + (n - start).next_multiple_of(width))
                    .collect::<Vec<_>>()
                    .chunks(width)
                    .flat_map(|panel| (0..k).flat_map(move |p| panel.iter().map(move |i| (*i, p))))
                    .map(|(i, p)| if i < n { (i * k + p) as f32 + 1.0 } else { 0.0 })
                    .collect();
                for source in [Operand::rows(by_rows.view()), Operand::columns(by_columns.view())] {
                    let mut buffer = vec![Line([f32::NAN; LINE]); 400];
                    assert_eq!(panels(&mut buffer, source, start..n, k, width, &Pool::inline()), expected);
                }
            }
        }
    }
}
