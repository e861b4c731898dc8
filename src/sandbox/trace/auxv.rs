//! The auxiliary vector: what the kernel tells a new program on its stack, beyond arguments and environment.
//!
//! ```text
//! stack pointer → count, arguments, 0, environment, 0, (kind, value), …, (0, 0), strings
//! ```

/// Ends the vector.
const NULL: u64 = 0;
/// An entry that is skipped.
const IGNORE: u64 = 1;
/// Where the vDSO is: the kernel's code in every program, which reads the clock without a system call.
const VDSO: u64 = 33;

/// The processor's features, as two sets.
const FEATURES: u64 = 16;
const MORE_FEATURES: u64 = 26;

/// Finds the vector in the words from the stack pointer on: the index of its first kind and of its end.
/// `None` when `words` end before it does.
pub(super) fn find(words: &[u64]) -> Option<std::ops::Range<usize>> {
    let arguments = usize::try_from(*words.first()?).ok()?.checked_add(2)?;
    let environment = words.get(arguments..)?.iter().position(|&word| word == 0)?;
    let start = arguments + environment + 1;
    let entries = words[start..].chunks_exact(2).position(|entry| entry[0] == NULL)?;
    Some(start..start + 2 * entries)
}

/// Takes away what says where the vDSO is, so that reading the clock is a system call.
pub(super) fn hide_vdso(vector: &mut [u64]) {
    vector.chunks_exact_mut(2).filter(|entry| entry[0] == VDSO).for_each(|entry| entry[0] = IGNORE);
}

/// Says which features the processor has.
pub(super) fn set_features(vector: &mut [u64], features: u64) {
    for entry in vector.chunks_exact_mut(2) {
        match entry[0] {
            FEATURES => entry[1] = features,
            MORE_FEATURES => entry[1] = 0,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `program x`, one variable, then a vDSO, a page size and the end.
    const STACK: [u64; 13] = [2, 0x100, 0x200, 0, 0x300, 0, 33, 0x7000, 6, 4096, 0, 0, 0x0070_726f_6772_616d];

    #[test]
    fn the_vector_follows_arguments_and_environment() {
        for (words, want) in [
            (&STACK[..], Some(6..10)),
            (&STACK[..12], Some(6..10)),
            (&STACK[..10], None),
            (&STACK[..5], None),
            (&[], None),
            (&[u64::MAX, 0, 0], None),
            (&[0, 0, 0, 0, 0], Some(3..3)),
        ] {
            assert_eq!(find(words), want, "{words:x?}");
        }
    }

    #[test]
    fn only_the_vdso_is_hidden() {
        let mut stack = STACK;
        hide_vdso(&mut stack[6..10]);
        assert_eq!(stack[6..10], [IGNORE, 0x7000, 6, 4096]);
    }

    #[test]
    fn features_are_set() {
        let mut vector = [16, 0xffff_ffff, 6, 4096, 26, 3];
        set_features(&mut vector, 0x078b_fbff);
        assert_eq!(vector, [16, 0x078b_fbff, 6, 4096, 26, 0]);
    }
}
