//! A row's class and the number of times it was drawn, in as few bits as they need: this is what moves through the
//! caches while cuts are compared.

/// A class and a count.
pub(super) trait Entry: Copy + Default {
    /// Whether a class and a count fit.
    fn fits(class: usize, count: u32) -> bool;
    fn new(class: u32, count: u32) -> Self;
    fn class(self) -> usize;
    fn count(self) -> u32;
}

/// Eight bits each.
impl Entry for u16 {
    fn fits(class: usize, count: u32) -> bool {
        class < 256 && count < 256
    }

    #[inline(always)]
    fn new(class: u32, count: u32) -> u16 {
        (count << 8 | class) as u16
    }

    #[inline(always)]
    fn class(self) -> usize {
        usize::from(self & 255)
    }

    #[inline(always)]
    fn count(self) -> u32 {
        u32::from(self >> 8)
    }
}

/// 32 bits each.
impl Entry for u64 {
    fn fits(_: usize, _: u32) -> bool {
        true
    }

    #[inline(always)]
    fn new(class: u32, count: u32) -> u64 {
        u64::from(count) << 32 | u64::from(class)
    }

    #[inline(always)]
    fn class(self) -> usize {
        self as u32 as usize
    }

    #[inline(always)]
    fn count(self) -> u32 {
        (self >> 32) as u32
    }
}
