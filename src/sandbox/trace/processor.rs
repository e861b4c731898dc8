//! A plain processor of the level x86-64-v3: what cpuid answers on it, and what `/proc/cpuinfo` says.
//!
//! It has the features of that level and none beyond, and calls itself what QEMU's `Haswell-noTSX` does; every
//! program sees it alone in its package, whichever processor runs it. A feature that the machine lacks it
//! lacks, too. One fact is the machine's own: how much memory the registers take that XSAVE stores (leaf 0xd),
//! for what the machine stores there does not ask cpuid.

use std::cell::LazyCell;
use std::fmt::Write as _;

/// What cpuid answers: eax, ebx, ecx, edx.
pub(super) type Answer = [u32; 4];
/// The machine's own cpuid, of a leaf and a subleaf.
pub(super) type Host<'a> = &'a dyn Fn(u32, u32) -> Answer;

const EBX: usize = 1;
const ECX: usize = 2;
const EDX: usize = 3;
const FAMILY: u32 = 6;
const MODEL: u32 = 60;
const STEPPING: u32 = 1;
const VENDOR: &str = "GenuineIntel";
const BRAND: &str = "Intel Core Processor (Haswell, no TSX)";
const LAST_LEAF: u32 = 0xd;
const LAST_EXTENDED_LEAF: u32 = 0x8000_0008;
/// The components that XSAVE stores for this level: x87, SSE and AVX.
const STATES: u32 = 0b111;

/// `(leaf, register, bit, name)`, in the order and with the names of `/proc/cpuinfo`, which leaves some out.
const FEATURES: [(u32, usize, u32, &str); 43] = [
    (1, EDX, 0, "fpu"),
    (1, EDX, 1, "vme"),
    (1, EDX, 2, "de"),
    (1, EDX, 3, "pse"),
    (1, EDX, 4, "tsc"),
    (1, EDX, 5, "msr"),
    (1, EDX, 6, "pae"),
    (1, EDX, 7, "mce"),
    (1, EDX, 8, "cx8"),
    (1, EDX, 9, "apic"),
    (1, EDX, 11, "sep"),
    (1, EDX, 12, "mtrr"),
    (1, EDX, 13, "pge"),
    (1, EDX, 14, "mca"),
    (1, EDX, 15, "cmov"),
    (1, EDX, 16, "pat"),
    (1, EDX, 17, "pse36"),
    (1, EDX, 19, "clflush"),
    (1, EDX, 23, "mmx"),
    (1, EDX, 24, "fxsr"),
    (1, EDX, 25, "sse"),
    (1, EDX, 26, "sse2"),
    (0x8000_0001, EDX, 11, "syscall"),
    (0x8000_0001, EDX, 20, "nx"),
    (0x8000_0001, EDX, 27, "rdtscp"),
    (0x8000_0001, EDX, 29, "lm"),
    (1, ECX, 0, "pni"),
    (1, ECX, 9, "ssse3"),
    (1, ECX, 12, "fma"),
    (1, ECX, 13, "cx16"),
    (1, ECX, 19, "sse4_1"),
    (1, ECX, 20, "sse4_2"),
    (1, ECX, 22, "movbe"),
    (1, ECX, 23, "popcnt"),
    (1, ECX, 26, "xsave"),
    (1, ECX, 27, ""), // osxsave
    (1, ECX, 28, "avx"),
    (1, ECX, 29, "f16c"),
    (0x8000_0001, ECX, 0, "lahf_lm"),
    (0x8000_0001, ECX, 5, "abm"),
    (7, EBX, 3, "bmi1"),
    (7, EBX, 5, "avx2"),
    (7, EBX, 8, "bmi2"),
];

/// `(leaf, subleaf, answer)` of what is no feature: signature, caches, address sizes.
const FACTS: [(u32, u32, Answer); 9] = [
    (1, 0, [FAMILY << 8 | (MODEL >> 4) << 16 | (MODEL & 0xf) << 4 | STEPPING, 0x0001_0800, 0, 0]),
    (2, 0, [0x7603_6301, 0x00f0_b5ff, 0, 0x00c1_0000]),
    (4, 0, [0x0000_0121, 0x01c0_003f, 0x0000_003f, 0]),
    (4, 1, [0x0000_0122, 0x01c0_003f, 0x0000_003f, 0]),
    (4, 2, [0x0000_0143, 0x01c0_003f, 0x0000_01ff, 0]),
    (4, 3, [0x0000_0163, 0x02c0_003f, 0x0000_1fff, 0]),
    (0x8000_0000, 0, [LAST_EXTENDED_LEAF, 0, 0, 0]),
    (0x8000_0006, 0, [0, 0, 0x0100_6040, 0]),
    (0x8000_0008, 0, [0x0000_3027, 0, 0, 0]),
];

/// What cpuid answers on the plain processor. Only leaves 4, 7 and 0xd have subleaves.
pub(super) fn cpuid(leaf: u32, subleaf: u32, host: Host<'_>) -> Answer {
    let subleaf = if matches!(leaf, 4 | 7 | 0xd) { subleaf } else { 0 };
    match (leaf, subleaf) {
        (0, _) => vendor(),
        (0xd, _) => states(subleaf, host),
        (0x8000_0002..=0x8000_0004, _) => brand(leaf - 0x8000_0002),
        _ => features(leaf, subleaf, host),
    }
}

fn features(leaf: u32, subleaf: u32, host: Host<'_>) -> Answer {
    let fact = FACTS.iter().find(|(of, sub, _)| (*of, *sub) == (leaf, subleaf));
    let mut answer = fact.map_or([0; 4], |(_, _, answer)| *answer);
    let own = FEATURES.iter().filter(|(of, ..)| (*of, 0) == (leaf, subleaf));
    let host = LazyCell::new(|| host(leaf, 0)); // asking takes long on a virtual machine
    own.for_each(|(_, register, bit, _)| answer[*register] |= host[*register] & 1 << bit);
    answer
}

fn vendor() -> Answer {
    let [b, d, c] = words(VENDOR);
    [LAST_LEAF, b, c, d]
}

fn brand(part: u32) -> Answer {
    let words: [u32; 12] = words(BRAND);
    let start = 4 * part as usize;
    [words[start], words[start + 1], words[start + 2], words[start + 3]]
}

/// A text as the registers hold it, padded with zeros.
fn words<const COUNT: usize>(text: &str) -> [u32; COUNT] {
    std::array::from_fn(|word| {
        let byte = |place: usize| text.as_bytes().get(4 * word + place).copied().unwrap_or(0);
        u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
    })
}

fn states(subleaf: u32, host: Host<'_>) -> Answer {
    let [supported, bytes, ..] = host(0xd, subleaf);
    match subleaf {
        0 => [supported & STATES, bytes, bytes, 0],
        2 => [supported, bytes, 0, 0],
        _ => [0; 4],
    }
}

/// The features that the kernel tells every program: leaf 1, edx.
pub(super) fn hwcap(host: Host<'_>) -> u64 {
    cpuid(1, 0, host)[EDX].into()
}

/// `/proc/cpuinfo` of a machine with so many plain processors.
pub(super) fn cpuinfo(processors: usize, host: Host<'_>) -> String {
    let has = |leaf, register: usize, bit| cpuid(leaf, 0, host)[register] >> bit & 1 == 1;
    let shown = FEATURES.iter().filter(|(leaf, register, bit, name)| !name.is_empty() && has(*leaf, *register, *bit));
    let flags = shown.map(|(.., name)| *name).collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    for number in 0..processors {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "processor\t: {number}\nvendor_id\t: {VENDOR}\ncpu family\t: {FAMILY}\nmodel\t\t: {MODEL}\n\
             model name\t: {BRAND}\nstepping\t: {STEPPING}\nmicrocode\t: 0x1\ncpu MHz\t\t: 2000.000\n\
             cache size\t: 6144 KB\nphysical id\t: 0\nsiblings\t: {processors}\ncore id\t\t: {number}\n\
             cpu cores\t: {processors}\napicid\t\t: {number}\ninitial apicid\t: {number}\nfpu\t\t: yes\n\
             fpu_exception\t: yes\ncpuid level\t: {LAST_LEAF}\nwp\t\t: yes\nflags\t\t: {flags}\nbugs\t\t:\n\
             bogomips\t: 4000.00\nclflush size\t: 64\ncache_alignment\t: 64\n\
             address sizes\t: 39 bits physical, 48 bits virtual\npower management:\n\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that has everything, and stores 11008 bytes.
    fn everything(leaf: u32, subleaf: u32) -> Answer {
        match (leaf, subleaf) {
            (0xd, 0) => [0x6_02e7, 11008, 11008, 0],
            (0xd, 2) => [256, 576, 0, 0],
            _ => [u32::MAX; 4],
        }
    }

    #[test]
    fn a_plain_processor_on_a_machine_that_has_everything() {
        for (leaf, subleaf, want) in [
            (0, 9, [0xd, 0x756e_6547, 0x6c65_746e, 0x4965_6e69]),
            (1, 7, [0x0003_06c1, 0x0001_0800, 0x3cd8_3201, 0x078b_fbff]),
            (4, 0, [0x121, 0x01c0_003f, 0x3f, 0]),
            (4, 4, [0; 4]),
            (6, 0, [0; 4]),
            (7, 0, [0, 0x128, 0, 0]),
            (7, 1, [0; 4]),
            (0xb, 0, [0; 4]),
            (0xd, 0, [7, 11008, 11008, 0]),
            (0xd, 1, [0; 4]),
            (0xd, 2, [256, 576, 0, 0]),
            (0xd, 18, [0; 4]),
            (0x14, 0, [0; 4]),
            (0x1e, 0, [0; 4]),
            (0x24, 0, [0; 4]),
            (0x4000_0000, 0, [0; 4]),
            (0x8000_0000, 0, [0x8000_0008, 0, 0, 0]),
            (0x8000_0001, 0, [0, 0, 0x21, 0x2810_0800]),
            (0x8000_0008, 0, [0x3027, 0, 0, 0]),
            (0x8000_001d, 0, [0; 4]),
        ] {
            assert_eq!(cpuid(leaf, subleaf, &everything), want, "leaf {leaf:#x}.{subleaf}");
        }
    }

    #[test]
    fn what_the_machine_lacks_it_lacks() {
        let without_avx2 = |leaf, _| if leaf == 7 { [0, !(1 << 5), 0, 0] } else { [u32::MAX; 4] };
        assert_eq!(cpuid(7, 0, &without_avx2), [0, 0x108, 0, 0]);
        assert!(!cpuinfo(1, &without_avx2).contains("avx2"));
    }

    #[test]
    fn the_brand_is_a_text() {
        let parts = (0x8000_0002..=0x8000_0004).flat_map(|leaf| cpuid(leaf, 0, &everything));
        let bytes: Vec<u8> = parts.flat_map(u32::to_le_bytes).collect();
        assert_eq!(std::str::from_utf8(&bytes).expect("text").trim_end_matches('\0'), BRAND);
    }

    #[test]
    fn cpuinfo_says_the_same() {
        let text = cpuinfo(2, &everything);
        let (first, second) = text.split_once("\n\n").expect("two");
        assert!(first.starts_with("processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 60\n"));
        assert!(second.starts_with("processor\t: 1\n") && second.ends_with("power management:\n\n"));
        let flags = "flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr \
                     sse sse2 syscall nx rdtscp lm pni ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt xsave avx f16c lahf_lm \
                     abm bmi1 avx2 bmi2\n";
        assert!(first.contains(flags), "{first}");
    }
}
