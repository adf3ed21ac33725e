//! A block of a product that has just been computed, for its epilogue.

use std::marker::PhantomData;

/// Rows and columns of a row-major matrix, and of a byte matrix of the same shape.
#[derive(Debug)]
pub struct Block<'a> {
    values: *mut f32,
    /// Null if there is none.
    mask: *mut u8,
    /// The width of the whole matrix.
    width: usize,
    first_row: usize,
    first_column: usize,
    n_rows: usize,
    n_columns: usize,
    lifetime: PhantomData<&'a mut f32>,
}

impl<'a> Block<'a> {
    /// Whole rows of `width`, the first of which is row `first_row` of its matrix. `mask` has one byte per value, or
    /// is empty.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn of_rows(values: &'a mut [f32], mask: &'a mut [u8], width: usize, first_row: usize) -> Block<'a> {
        assert!(mask.is_empty() || mask.len() == values.len());
        let mask = if mask.is_empty() { std::ptr::null_mut() } else { mask.as_mut_ptr() };
        let n_rows = values.len() / width;
        // SAFETY: the rows are borrowed as a whole for the lifetime of the block.
        unsafe { Block::new((values.as_mut_ptr(), mask, width), (first_row, n_rows), (0, width)) }
    }

    /// A block from pointers to its first value and mask byte.
    ///
    /// # Safety
    /// For the lifetime of the block, its rows and columns must exist, and nothing else may access them.
    pub(super) unsafe fn new(
        (values, mask, width): (*mut f32, *mut u8, usize),
        (first_row, n_rows): (usize, usize),
        (first_column, n_columns): (usize, usize),
    ) -> Block<'a> {
        Block { values, mask, width, first_row, first_column, n_rows, n_columns, lifetime: PhantomData }
    }

    /// The index of the first row in the matrix.
    #[inline]
    pub fn first_row(&self) -> usize {
        self.first_row
    }

    /// The index of the first column in the matrix: a multiple of [`BLOCK_COLUMNS`](super::BLOCK_COLUMNS).
    #[inline]
    pub fn first_column(&self) -> usize {
        self.first_column
    }

    /// The number of rows.
    #[inline]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of columns.
    #[inline]
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The width of the whole matrix.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The block's part of row `i`, and of the mask's; empty if there is no mask.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub fn row(&mut self, i: usize) -> (&mut [f32], &mut [u8]) {
        assert!(i < self.n_rows);
        let n_bytes = if self.mask.is_null() { 0 } else { self.n_columns };
        let mask = if self.mask.is_null() {
            std::ptr::dangling_mut()
        } else {
            self.mask.wrapping_add(i * self.width)
        };
        // SAFETY: row `i` is within the block, which has exclusive access to its rows and columns.
        unsafe {
            (
                std::slice::from_raw_parts_mut(self.values.add(i * self.width), self.n_columns),
                std::slice::from_raw_parts_mut(mask, n_bytes),
            )
        }
    }
}
