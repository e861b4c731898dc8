//! Numbers as people read them.

/// A number, rounded, in groups of three digits.
pub fn number(number: f64) -> String {
    let digits = format!("{number:.0}");
    let group = |(place, digit): (usize, char)| {
        let is_first = place > 0 && (digits.len() - place).is_multiple_of(3);
        [is_first.then_some(','), Some(digit)].into_iter().flatten()
    };
    digits.chars().enumerate().flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (value, words) in [(0.0, "0"), (999.0, "999"), (1000.0, "1,000"), (1234567.4, "1,234,567")] {
            assert_eq!(number(value), words);
        }
    }
}
