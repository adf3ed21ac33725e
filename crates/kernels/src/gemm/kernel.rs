//! The register kernels: a tile of the product, held in registers along a whole block of the sum.

use std::sync::OnceLock;

/// The number of terms after which a sum in registers is added to the one in memory, which limits the rounding error
/// of long sums. It is far larger than the caches require: panels stream from the second level as fast as they are
/// used.
pub(super) const K_BLOCK: usize = 1024;
/// The columns of the widest tile.
pub(super) const MAX_WIDTH: usize = 32;
/// The values of the largest tile.
pub(super) const MAX_TILE: usize = 12 * MAX_WIDTH;

/// `to[r * stride + c] = sum over p of left[p * left_k + r * left_row] * right[p * width + c]`, added to the old value
/// if `add`, for the rows and vector registers of columns that the kernel is made for.
///
/// Safety: these reads and writes must be within allocations, and the machine must have the instructions.
type TileFn = unsafe fn(k: usize, left: Left, right: *const f32, to: *mut f32, stride: usize, add: bool);

/// A left operand: its first value, and the strides along the sum and from row to row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    values: *const f32,
    along_k: usize,
    along_rows: usize,
}

/// A kernel, which computes at most `height` rows by `width` columns at once.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Columns in a vector register.
    lanes: usize,
    /// By registers of columns, then by rows, each less one.
    table: &'static [&'static [TileFn]],
}

macro_rules! by_rows {
    ($tile:ident, $registers:literal; $($rows:literal)*) => { &[$($tile::<$rows, $registers>),*] };
}

static PORTABLE: [&[TileFn]; 1] = [by_rows!(portable, 1; 1 2 3 4 5 6)];
#[cfg(target_arch = "x86_64")]
static AVX2: [&[TileFn]; 2] = [by_rows!(avx2, 1; 1 2 3 4 5 6), by_rows!(avx2, 2; 1 2 3 4 5 6)];
#[cfg(target_arch = "x86_64")]
static AVX512: [&[TileFn]; 2] =
    [by_rows!(avx512, 1; 1 2 3 4 5 6 7 8 9 10 11 12), by_rows!(avx512, 2; 1 2 3 4 5 6 7 8 9 10 11 12)];

impl Kernel {
    /// The kernels that this machine can run, the best first.
    pub(super) fn all() -> Vec<Kernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                kernels.push(Kernel { width: 32, height: 12, lanes: 16, table: &AVX512 });
            }
            if is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2") {
                kernels.push(Kernel { width: 16, height: 6, lanes: 8, table: &AVX2 });
            }
        }
        kernels.push(Kernel { width: 16, height: 6, lanes: 16, table: &PORTABLE });
        kernels
    }

    /// The best kernel that this machine can run.
    pub(super) fn best() -> Kernel {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| Kernel::all()[0])
    }

    /// Computes a tile of `n_rows x n_columns` over a sum of `k` terms. `left` begins at the tile's first row,
    /// `right` is a packed panel.
    ///
    /// # Safety
    /// `to` points to `n_rows` rows, `stride` apart, each with as many values as the registers for `n_columns` hold;
    /// the caller has exclusive access to them.
    pub(super) unsafe fn tile(
        self,
        (n_rows, n_columns, k): (usize, usize, usize),
        (left, along_k, along_rows): (&[f32], usize, usize),
        right: &[f32],
        to: *mut f32,
        stride: usize,
    ) {
        let n_registers = n_columns.div_ceil(self.lanes);
        assert!((1..=self.height).contains(&n_rows) && (1..=self.width / self.lanes).contains(&n_registers));
        let last = k.saturating_sub(1);
        assert!(k == 0 || last * along_k + (n_rows - 1) * along_rows < left.len());
        assert!(k * self.width <= right.len());
        let tile = self.table[n_registers - 1][n_rows - 1];
        for start in (0..k.max(1)).step_by(K_BLOCK) {
            // SAFETY: the last values read, checked above, are within their slices, and the caller guarantees the
            // written ones. The CPU has the kernel's instructions: `all` checked it.
            unsafe {
                let values = left.as_ptr().wrapping_add(start * along_k);
                let right = right.as_ptr().wrapping_add(start * self.width);
                tile(
                    K_BLOCK.min(k - start),
                    Left { values, along_k, along_rows },
                    right,
                    to,
                    stride,
                    start > 0,
                );
            }
        }
    }

    /// Whether the kernel writes exactly `n_columns` columns, and no further ones.
    pub(super) fn is_exact(self, n_columns: usize) -> bool {
        n_columns.is_multiple_of(self.lanes)
    }
}

macro_rules! x86_kernel {
    ($name:ident, $features:literal, $lanes:literal, $zero:ident, $load:ident, $set:ident, $fma:ident, $add:ident, $store:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe fn $name<const ROWS: usize, const REGISTERS: usize>(
            k: usize,
            left: Left,
            mut right: *const f32,
            to: *mut f32,
            stride: usize,
            add: bool,
        ) {
            use std::arch::x86_64::*;
            const LANES: usize = $lanes;
            const PANEL: usize = 2 * LANES;
            let mut sums = [[$zero(); REGISTERS]; ROWS];
            let mut values = left.values;
            for row in 0..ROWS {
                // A prefetch of any address is allowed.
                _mm_prefetch::<_MM_HINT_T0>(to.wrapping_add(row * stride).cast());
            }
            for _ in 0..k {
                // SAFETY: the caller guarantees a panel's row of the right operand and ROWS values of the left one at
                // each of `k` terms. The pointers are moved with wrapping, because after the last term they may point
                // beyond.
                unsafe {
                    let mut b = [$zero(); REGISTERS];
                    for (i, b) in b.iter_mut().enumerate() {
                        *b = $load(right.add(i * LANES));
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let a = $set(*values.add(row * left.along_rows));
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum = $fma(a, b, *sum);
                        }
                    }
                }
                right = right.wrapping_add(PANEL);
                values = values.wrapping_add(left.along_k);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (i, sum) in sums.iter().enumerate() {
                    // SAFETY: the caller guarantees ROWS rows of REGISTERS registers, `stride` apart.
                    unsafe {
                        let to = to.add(row * stride + i * LANES);
                        $store(to, if add { $add($load(to), *sum) } else { *sum });
                    }
                }
            }
        }
    };
}

x86_kernel!(
    avx2,
    "avx2,fma",
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_storeu_ps
);
x86_kernel!(
    avx512,
    "avx512f",
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_storeu_ps
);

/// The kernel for machines without a special one; for NEON the compiler turns it into fused multiply-adds.
unsafe fn portable<const ROWS: usize, const REGISTERS: usize>(
    k: usize,
    left: Left,
    right: *const f32,
    to: *mut f32,
    stride: usize,
    add: bool,
) {
    const { assert!(REGISTERS == 1) };
    let mut sums = [[0.0f32; 16]; ROWS];
    for p in 0..k {
        // SAFETY: the caller guarantees a panel's row of the right operand at each of `k` terms.
        let b = unsafe { right.add(p * 16).cast::<[f32; 16]>().read_unaligned() };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller guarantees ROWS values of the left operand at each of `k` terms.
            let a = unsafe { *left.values.add(p * left.along_k + row * left.along_rows) };
            for (sum, b) in sums.iter_mut().zip(&b) {
                *sum = multiply_add(a, *b, *sum);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (column, sum) in sums.iter().enumerate() {
            // SAFETY: the caller guarantees ROWS rows of 16 values, `stride` apart.
            unsafe {
                let to = to.add(row * stride + column);
                *to = if add { *to + *sum } else { *sum };
            }
        }
    }
}

/// `a * b + c`, fused if the baseline has an instruction for it.
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "aarch64") { a.mul_add(b, c) } else { a * b + c }
}
