//! How values are drawn: most mistakes are at the edges, so most values are there.

use fastrand::Rng;

/// One of the values.
pub(super) fn pick<T: Copy>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.usize(..values.len())]
}

/// True once in `count` times.
pub(super) fn one_in(rng: &mut Rng, count: u32) -> bool {
    rng.u32(..count) == 0
}

/// The value, or the one before or behind it.
pub(super) fn near(rng: &mut Rng, value: u16) -> u16 {
    match rng.u8(..4) {
        0 => value.saturating_sub(1),
        1 => value.saturating_add(1),
        _ => value,
    }
}

/// The same for a byte.
pub(super) fn near_byte(rng: &mut Rng, value: u8) -> u8 {
    match rng.u8(..4) {
        0 => value.wrapping_sub(1),
        1 => value.wrapping_add(1),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_drawn() {
        let mut rng = Rng::with_seed(1);
        let drawn: std::collections::BTreeSet<u16> = (0..99).map(|_| near(&mut rng, 1024)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [1023, 1024, 1025]);
        assert!((0..99).all(|_| near(&mut rng, 0) < 2));
    }
}
