//! The rounds of Philox for eight blocks at once, in one vector, with the bits as in [`avx2`](super::avx2).

use std::arch::x86_64::*;

use super::{LANES, M0, M1, ROUNDS_OF_LANES, W0, W1};

/// See [`Philox::words_of_lanes`](super::Philox::words_of_lanes).
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn words_of_lanes(
    mut key: [u32; 2],
    epoch: u32,
    step: u32,
    first_block: u64,
) -> [[u32; LANES]; 4] {
    let all = |value: u32| _mm512_set1_epi64(i64::from(value));
    let lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    let blocks = _mm512_add_epi64(_mm512_set1_epi64(first_block as i64), lanes);
    let mut counter = [blocks, _mm512_srli_epi64::<32>(blocks), all(step), all(epoch)];
    let (m0, m1) = (all(M0), all(M1));
    // The exclusive or of three.
    let mix = |p, c, key| _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(p), c, all(key));
    for _ in 0..ROUNDS_OF_LANES {
        let [c0, c1, c2, c3] = counter;
        let (p0, p1) = (_mm512_mul_epu32(m0, c0), _mm512_mul_epu32(m1, c2));
        counter = [mix(p1, c1, key[0]), p1, mix(p0, c3, key[1]), p0];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
    }
    counter.map(|words| {
        // SAFETY: both are 256 bits, and any bits are a word.
        unsafe { std::mem::transmute::<__m256i, [u32; LANES]>(_mm512_cvtepi64_epi32(words)) }
    })
}
