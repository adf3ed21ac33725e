//! A row's class and the number of times it was drawn, in as few bits as they need: this is what moves through the
//! caches while cuts are compared.

/// A class and a count.
pub(super) trait Entry: Copy + Default + PartialEq {
    /// Whether the weight of a row is that of its class times its count.
    const IS_COUNTED: bool = true;
    /// Whether a class and a count fit.
    fn fits(class: usize, count: u32) -> bool;
    fn new(class: u32, count: u32) -> Self;
    fn class(self) -> usize;
    fn count(self) -> u32;

    /// The weight of the row, where one of its class that was drawn once weighs 1.
    #[inline(always)]
    fn weight(self) -> f64 {
        f64::from(self.count())
    }
}

/// A row with a weight of its own, drawn once.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Weighted {
    pub(super) class: u32,
    pub(super) weight: f64,
}

impl Entry for Weighted {
    const IS_COUNTED: bool = false;

    fn fits(_: usize, _: u32) -> bool {
        true
    }

    fn new(class: u32, count: u32) -> Weighted {
        Weighted { class, weight: f64::from(count) }
    }

    fn class(self) -> usize {
        self.class as usize
    }

    fn count(self) -> u32 {
        1
    }

    fn weight(self) -> f64 {
        self.weight
    }
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
