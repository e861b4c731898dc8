//! Numbers as people read them, and words that they may have meant.

use std::cmp::Reverse;

/// `12.3 MB`: a number of bytes.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 unit`, `2 units`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `12.3 s`, `4.5 min`: how long something took.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if seconds < 59.95 { format!("{seconds:.1} s") } else { format!("{:.1} min", seconds / 60.0) }
}

/// Of `known` the one that `word` may be a slip of; of equally near ones the longest, as letters are lost more often
/// than added.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |other: &str| strsim::damerau_levenshtein(word, other);
    let near = known.into_iter().min_by_key(|other| (slips(other), Reverse(other.len()), *other))?;
    (slips(near) <= (word.chars().count() / 3).max(1)).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (71_234_567, "71.2 MB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn counts() {
        assert_eq!([count(0, "unit"), count(1, "unit"), count(2, "unit")], ["0 units", "1 unit", "2 units"]);
    }

    #[test]
    fn durations() {
        for (seconds, text) in [(0.0, "0.0 s"), (59.9, "59.9 s"), (59.96, "1.0 min"), (312.0, "5.2 min")] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn slips() {
        let known = ["steps", "sources", "outputs", "gcc"];
        for (word, near) in [("step", Some("steps")), ("soruces", Some("sources")), ("zzz", None), ("gc", Some("gcc"))]
        {
            assert_eq!(nearest(word, known), near, "{word}");
        }
    }
}
