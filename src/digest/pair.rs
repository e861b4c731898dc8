//! The compression function of SHA-256 on two independent states at once.
//!
//! The rounds of one message wait for each other, which leaves the processor's SHA unit idle half
//! of the time; the rounds of a second message fill the gaps. On processors without SHA
//! instructions (or AVX, whose three-operand forms need no copies between the rounds) the two are
//! compressed one after the other.
//!
//! FIPS 180-4 §6.2; the instructions: Intel, "SHA Extensions" (2013).

use sha2::block_api::compress256;

/// The words of a hash between two blocks.
pub(super) type State = [u32; 8];

/// What one compression takes in.
pub(super) type Block = [u8; 64];

/// Compresses as many blocks of each side into its state; both sides have the same number.
pub(super) fn compress(states: [&mut State; 2], blocks: [&[Block]; 2]) {
    debug_assert_eq!(blocks[0].len(), blocks[1].len());
    #[cfg(target_arch = "x86_64")]
    if shani::available() {
        return shani::compress(states, blocks);
    }
    states.into_iter().zip(blocks).for_each(|(state, blocks)| compress256(state, blocks));
}

#[cfg(target_arch = "x86_64")]
mod shani {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
    };
    use std::array;

    use super::{Block, State};

    /// The round constants, four to a step: the first 32 bits of the fractional parts of the cube
    /// roots of the first 64 primes.
    const CONSTANTS: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];

    /// A state as the instructions want it: its words a, b, e, f and c, d, g, h.
    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
    }

    pub(super) fn available() -> bool {
        is_x86_feature_detected!("sha") && is_x86_feature_detected!("avx")
    }

    #[allow(unsafe_code)]
    pub(super) fn compress(states: [&mut State; 2], blocks: [&[Block]; 2]) {
        assert!(available(), "BUG: asked for instructions that the processor lacks");
        // SAFETY: the function is safe but for the processor's features, which were just looked for.
        unsafe { run(states, blocks) }
    }

    #[target_feature(enable = "sha,avx")]
    #[allow(clippy::needless_range_loop, reason = "zipped slices take a seventh longer")]
    fn run(states: [&mut State; 2], blocks: [&[Block]; 2]) {
        let mut lanes: [Lane; 2] = array::from_fn(|side| pack(&*states[side]));
        for at in 0..blocks[0].len() {
            let before = lanes;
            rounds(&mut lanes, array::from_fn(|side| words(&blocks[side][at])));
            for (lane, before) in lanes.iter_mut().zip(before) {
                lane.abef = _mm_add_epi32(lane.abef, before.abef);
                lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
            }
        }
        for (state, lane) in states.into_iter().zip(lanes) {
            *state = unpack(lane);
        }
    }

    /// All 64 rounds of both lanes. `words` are the next 16 words of the schedule: four rounds use up
    /// the first four, and the four that come after all others are put at the end.
    #[inline]
    #[target_feature(enable = "sha,avx")]
    fn rounds(lanes: &mut [Lane; 2], mut words: [[__m128i; 4]; 2]) {
        let (scheduling, last) = CONSTANTS.split_at(12);
        for constants in scheduling {
            for (lane, words) in lanes.iter_mut().zip(&mut words) {
                four_rounds(lane, words[0], constants);
                *words = [words[1], words[2], words[3], schedule(*words)];
            }
        }
        for (at, constants) in last.iter().enumerate() {
            for (lane, words) in lanes.iter_mut().zip(&words) {
                four_rounds(lane, words[at], constants);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "sha,avx")]
    fn four_rounds(Lane { abef, cdgh }: &mut Lane, words: __m128i, constants: &[u32; 4]) {
        let [a, b, c, d] = constants.map(u32::cast_signed);
        let input = _mm_add_epi32(words, _mm_set_epi32(d, c, b, a));
        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, input);
        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(input, 0x0e));
    }

    /// The four words that follow 16 words of the schedule.
    #[inline]
    #[target_feature(enable = "sha,avx")]
    fn schedule([first, second, third, fourth]: [__m128i; 4]) -> __m128i {
        let sum = _mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8(fourth, third, 4));
        _mm_sha256msg2_epu32(sum, fourth)
    }

    /// A block as 16 big-endian words.
    #[inline]
    #[target_feature(enable = "sha,avx")]
    fn words(block: &Block) -> [__m128i; 4] {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let (halves, _) = block.as_chunks().0.as_chunks::<2>();
        let word = |[low, high]: [[u8; 8]; 2]| _mm_set_epi64x(i64::from_le_bytes(high), i64::from_le_bytes(low));
        array::from_fn(|at| _mm_shuffle_epi8(word(halves[at]), swap))
    }

    #[target_feature(enable = "sha,avx")]
    fn pack(state: &State) -> Lane {
        let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
        Lane { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
    }

    #[target_feature(enable = "sha,avx")]
    fn unpack(Lane { abef, cdgh }: Lane) -> State {
        let split = |pair: __m128i| {
            [
                _mm_extract_epi32::<3>(pair),
                _mm_extract_epi32::<2>(pair),
                _mm_extract_epi32::<1>(pair),
                _mm_extract_epi32::<0>(pair),
            ]
        };
        let ([a, b, e, f], [c, d, g, h]) = (split(abef), split(cdgh));
        [a, b, c, d, e, f, g, h].map(i32::cast_unsigned)
    }
}
