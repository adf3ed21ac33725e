//! The register kernels, and the loops over one piece of a product.

use std::sync::OnceLock;

use gemm_common::microkernel::MicroKernelFn;

use super::K_BLOCK;

/// Rows of the product that every register kernel computes at once.
pub(super) const HEIGHT: usize = 6;

/// A register kernel: what it computes at once is `HEIGHT` rows by `width` columns.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    pub(super) width: usize,
    /// Columns in a vector register.
    lanes: usize,
    /// By registers of columns, then by rows, each less one.
    table: &'static [[MicroKernelFn<f32>; HEIGHT]],
}

static PORTABLE: [[MicroKernelFn<f32>; HEIGHT]; 1] =
    [[portable::<1>, portable::<2>, portable::<3>, portable::<4>, portable::<5>, portable::<6>]];
#[cfg(target_arch = "x86_64")]
static FMA: [[MicroKernelFn<f32>; HEIGHT]; 2] = gemm_f32::microkernel::fma::f32::UKR;
#[cfg(target_arch = "x86_64")]
static AVX512: [[MicroKernelFn<f32>; HEIGHT]; 4] = gemm_f32::microkernel::avx512f::f32::UKR;

impl Kernel {
    /// The kernels this machine can run, the best first.
    pub(super) fn all() -> Vec<Kernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                kernels.push(Kernel { width: 64, lanes: 16, table: &AVX512 });
            }
            if is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2") {
                kernels.push(Kernel { width: 16, lanes: 8, table: &FMA });
            }
        }
        kernels.push(Kernel { width: 16, lanes: 16, table: &PORTABLE });
        kernels
    }

    /// The best kernel this machine can run.
    pub(super) fn best() -> Kernel {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| Kernel::all()[0])
    }

    /// Computes the piece `rows` of a product that is `n` columns wide, with a sum of `k` terms. `left(i)` gives
    /// the left operand from row `i` of the piece on, with its strides along the sum and from row to row;
    /// `right(j)` the right one from column `j` on, with its stride along the sum.
    pub(super) fn piece<'a>(
        self,
        rows: &mut [f32],
        n: usize,
        k: usize,
        left: impl Fn(usize) -> (&'a [f32], usize, usize),
        right: impl Fn(usize) -> (&'a [f32], usize),
    ) {
        if k == 0 {
            rows.fill(0.0);
        }
        for start in (0..k).step_by(K_BLOCK) {
            let sum = Sum { start, len: K_BLOCK.min(k - start) };
            for column in (0..n).step_by(self.width) {
                for (tile, block) in rows.chunks_mut(HEIGHT * n).enumerate() {
                    self.tile(
                        &mut block[column..],
                        n,
                        self.width.min(n - column),
                        sum,
                        left(tile * HEIGHT),
                        right(column),
                    );
                }
            }
        }
    }

    /// Adds a stretch of the sum to one tile, or sets it, if it is the first stretch. `block` begins at the tile's
    /// first element and ends with the last row of the tile.
    fn tile(
        self,
        block: &mut [f32],
        row_stride: usize,
        n_cols: usize,
        sum: Sum,
        (left, left_k, left_row): (&[f32], usize, usize),
        (right, right_k): (&[f32], usize),
    ) {
        let n_rows = block.len().div_ceil(row_stride);
        let n_registers = n_cols.div_ceil(self.lanes);
        let last = sum.start + sum.len - 1;
        assert!((1..=HEIGHT).contains(&n_rows) && (n_rows - 1) * row_stride + n_cols <= block.len());
        assert!(last * left_k + (n_rows - 1) * left_row < left.len());
        assert!(last * right_k + n_registers * self.lanes <= right.len());
        let register_kernel = self.table[n_registers - 1][n_rows - 1];
        // SAFETY: the kernel reads `n_registers` registers of the right operand and `n_rows` values of the left one
        // for each term of the stretch, and writes `n_rows` rows of `n_cols` values: all checked above to lie
        // within their slices. The CPU has the kernel's instructions: `all` asked.
        unsafe {
            register_kernel(
                n_cols,
                n_rows,
                sum.len,
                block.as_mut_ptr(),
                right.as_ptr().add(sum.start * right_k),
                left.as_ptr().add(sum.start * left_k),
                row_stride as isize,
                1,
                right_k as isize,
                left_k as isize,
                left_row as isize,
                1.0,
                1.0,
                u8::from(sum.start > 0),
                false,
                false,
                false,
                std::ptr::null(),
            );
        }
    }
}

/// A stretch of the sum.
#[derive(Clone, Copy)]
struct Sum {
    start: usize,
    len: usize,
}

/// The register kernel for machines without one of their own, with the calling convention of the others: `dst`
/// gets `n` rows, `dst_cs` apart, of `m` columns; `add` says whether to add to it.
#[allow(clippy::too_many_arguments)] // the convention of `MicroKernelFn`
unsafe fn portable<const ROWS: usize>(
    m: usize,
    n: usize,
    k: usize,
    dst: *mut f32,
    right: *const f32,
    left: *const f32,
    dst_cs: isize,
    _dst_rs: isize,
    right_k: isize,
    left_k: isize,
    left_row: isize,
    _alpha: f32,
    _beta: f32,
    add: u8,
    _conj_dst: bool,
    _conj_lhs: bool,
    _conj_rhs: bool,
    _next: *const f32,
) {
    debug_assert!(m <= 16 && n == ROWS);
    let mut sums = [[0.0f32; 16]; ROWS];
    for p in 0..k as isize {
        // SAFETY: the caller vouches for 16 values of the right operand at each of `k` steps.
        let b = unsafe { right.offset(p * right_k).cast::<[f32; 16]>().read_unaligned() };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller vouches for `n` values of the left operand at each of `k` steps.
            let a = unsafe { *left.offset(p * left_k + row as isize * left_row) };
            for (sum, b) in sums.iter_mut().zip(&b) {
                *sum = multiply_add(a, *b, *sum);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (column, sum) in sums[..m].iter().enumerate() {
            // SAFETY: the caller vouches for `n` rows of `m` values.
            unsafe {
                let to = dst.offset(row as isize * dst_cs + column as isize);
                *to = if add == 0 { *sum } else { *to + *sum };
            }
        }
    }
}

/// `a * b + c`, fused where that is one instruction of the baseline.
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "aarch64") { a.mul_add(b, c) } else { a * b + c }
}
