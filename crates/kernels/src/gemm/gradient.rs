//! `aᵀ b`, part by part in the order of panels, each passed on while it is in the cache.

use std::mem::MaybeUninit;

use super::kernel::{Kernel, MAX_WIDTH};
use super::{MIN_PIECE_WORK, N_PIECES, Workspace, pack};
use crate::buffer::LINE;
use crate::{MatRef, Pool};

/// Values of the right operand that stay in the cache while a gradient is computed.
const RIGHT_VALUES: usize = 1 << 15;
/// The number of multiply-adds that take as long as the optimizer's work for a weight: a square root and a division.
const WORK_OF_A_STEP: usize = 40;
/// Rows of a gradient that are computed before the optimizer gets them.
const GRADIENT_ROWS: usize = 48;

pub(super) fn transposed_product<const N: usize>(
    kernel: Kernel,
    panels: [&mut [f32]; N],
    a: MatRef<'_>,
    b: MatRef<'_>,
    workspace: &mut Workspace,
    pool: &Pool,
    finish: impl Fn([&mut [f32]; N], &[f32]) + Sync,
) {
    let (m, k, n) = (a.n_rows(), a.n_cols(), b.n_cols());
    assert_eq!(m, b.n_rows(), "the length of the sum");
    let n_panels = n.div_ceil(kernel.width);
    let panel = k * kernel.width;
    assert!(panels.iter().all(|values| values.len() == n_panels * panel), "the shape of the product");
    if panel == 0 || n_panels == 0 {
        return;
    }
    let left = workspace.left.first(k.next_multiple_of(kernel.height) * m);
    pack::columns(left, a, kernel.height, pool);
    let right = workspace.right.first(n_panels * kernel.width * m);
    pack::columns(right, b, kernel.width, pool);
    let (left, right) = (&*left, &*right);
    let worth_it = MIN_PIECE_WORK.div_ceil(panel * (m + WORK_OF_A_STEP));
    let group = (RIGHT_VALUES / (m * kernel.width).max(1)).min(n_panels.div_ceil(N_PIECES)).max(worth_it);
    let group = group.clamp(1, n_panels);
    pool.for_each_chunk_of(panels, group * panel, |piece, mut panels| {
        let right = &right[piece * group * kernel.width * m..];
        // Not initialised: it would take as long as the product of a small batch.
        let mut gradient = MaybeUninit::<[f32; GRADIENT_ROWS * MAX_WIDTH]>::uninit();
        let gradient = gradient.as_mut_ptr().cast::<f32>();
        for row in (0..k).step_by(GRADIENT_ROWS) {
            let n_rows = GRADIENT_ROWS.min(k - row);
            for column in 0..panels[0].len() / panel {
                let n_columns = kernel.width.min(n - (piece * group + column) * kernel.width);
                let right = &right[column * kernel.width * m..];
                if n_columns < kernel.width {
                    // The kernel leaves out the padding of the last panel.
                    // SAFETY: `gradient` has room for GRADIENT_ROWS rows as wide as the kernel.
                    unsafe { gradient.write_bytes(0, GRADIENT_ROWS * kernel.width) };
                }
                for tile in (0..n_rows).step_by(kernel.height) {
                    let left = (&left[(row + tile) * m..], kernel.height, 1);
                    let to = gradient.wrapping_add(tile * kernel.width);
                    let shape = (kernel.height.min(n_rows - tile), n_columns, m);
                    let soon = column * panel + (row + tile) * kernel.width;
                    // With shorter sums there is no time for it.
                    for values in panels.iter().filter(|_| m >= 32) {
                        prefetch(&values[soon..soon + shape.0 * kernel.width]);
                    }
                    // SAFETY: as above.
                    unsafe { kernel.tile(shape, left, right, to, kernel.width) };
                }
                let range =
                    column * panel + row * kernel.width..column * panel + (row + n_rows) * kernel.width;
                let stretch = panels.each_mut().map(|values| &mut values[range.clone()]);
                // SAFETY: the tiles, and the zeros before them, have filled these rows.
                finish(stretch, unsafe { std::slice::from_raw_parts(gradient, n_rows * kernel.width) });
            }
        }
    });
}

/// Prefetches the values into the cache, if the machine supports it.
fn prefetch(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 machine has the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
