//! Compiles an algorithm for several instruction sets, and picks the best one of the machine at run time.
//!
//! The arithmetic is written once, without fused multiply-adds and with sums cut into fixed lanes
//! ([`lanes`](crate::lanes)), so every version gives the same bytes; wider registers only make it faster.

/// Declares functions whose bodies are compiled for AVX-512, AVX2 and the baseline.
macro_rules! multiversion {
    ($($(#[$attribute:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {$(
        $(#[$attribute])*
        $vis fn $name($($argument: $type),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn generic($($argument: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($argument: $type),*) {
                    generic($($argument),*)
                }
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($argument: $type),*) {
                    generic($($argument),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    // SAFETY: the machine has the instructions; the body is safe code.
                    return unsafe { avx512($($argument),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the machine has the instructions; the body is safe code.
                    return unsafe { avx2($($argument),*) };
                }
            }
            generic($($argument),*)
        }
    )*};
}

pub(crate) use multiversion;
