//! The middle of what was measured, and how far it spreads.

use serde::Serialize;

/// The median of some numbers, and between which two lie eight of ten.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub p10: f64,
    pub median: f64,
    pub p90: f64,
}

impl Spread {
    /// Of at least one number.
    pub fn of(numbers: &[f64]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Spread { p10: at(0.1), median: at(0.5), p90: at(0.9) }
    }

    /// How many times the small ones the large ones are.
    pub fn noise(self) -> f64 {
        self.p90 / self.p10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_between_numbers() {
        let spread = Spread::of(&[5.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!((spread.p10, spread.median, spread.p90), (1.4, 3.0, 4.6));
        assert_eq!(Spread::of(&[2.0, 1.0]).median, 1.5);
        assert_eq!(Spread::of(&[7.0]).noise(), 1.0);
    }
}
