//! The rounds of Philox for eight blocks at once, four in each vector: their 32 bits are in the lower halves of 64
//! bits, as the multiplication needs them, and the upper halves are ignored.

use std::arch::x86_64::*;

use super::{LANES, M0, M1, ROUNDS_OF_LANES, W0, W1};

/// See [`Philox::words_of_lanes`](super::Philox::words_of_lanes).
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn words_of_lanes(
    mut key: [u32; 2],
    epoch: u32,
    step: u32,
    first_block: u64,
) -> [[u32; LANES]; 4] {
    let all = |value: u32| _mm256_set1_epi64x(i64::from(value));
    let first = _mm256_set1_epi64x(first_block as i64);
    let blocks = [
        _mm256_add_epi64(first, _mm256_setr_epi64x(0, 1, 2, 3)),
        _mm256_add_epi64(first, _mm256_setr_epi64x(4, 5, 6, 7)),
    ];
    let high = blocks.map(|block| _mm256_srli_epi64::<32>(block));
    let mut counter = [blocks, high, [all(step); 2], [all(epoch); 2]];
    let (m0, m1) = (all(M0), all(M1));
    for _ in 0..ROUNDS_OF_LANES {
        let [c0, c1, c2, c3] = counter;
        for half in 0..2 {
            let (p0, p1) = (_mm256_mul_epu32(m0, c0[half]), _mm256_mul_epu32(m1, c2[half]));
            let mix = |p, c, key| _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64::<32>(p), c), all(key));
            counter[0][half] = mix(p1, c1[half], key[0]);
            counter[1][half] = p1;
            counter[2][half] = mix(p0, c3[half], key[1]);
            counter[3][half] = p0;
        }
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
    }
    counter.map(|[low, high]| {
        let mixed = _mm256_shuffle_ps::<0x88>(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
        let words = _mm256_permute4x64_epi64::<0xd8>(_mm256_castps_si256(mixed));
        // SAFETY: both are 256 bits, and any bits are a word.
        unsafe { std::mem::transmute::<__m256i, [u32; LANES]>(words) }
    })
}
