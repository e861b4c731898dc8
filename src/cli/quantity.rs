//! Sizes and ages as people write them: `20GB`, `1.5 GiB`, `30d`.

use std::time::Duration;

/// Units of bytes: powers of 1000, and with `i` of 1024.
const SIZES: [(&str, u64); 12] = [
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("kib", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("tb", 1_000_000_000_000),
];

/// Units of time in seconds.
const AGES: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600), ("w", 7 * 24 * 3600)];

/// Bytes.
pub fn size(text: &str) -> Result<u64, String> {
    measure(text, &SIZES)
        .map(|bytes| bytes as u64)
        .ok_or_else(|| "write a size such as 20GB, 500MB or 1.5GiB".to_owned())
}

/// A time span.
pub fn age(text: &str) -> Result<Duration, String> {
    let seconds = if text == "0" { Some(0.0) } else { measure(text, &AGES) };
    seconds
        .map(|seconds| Duration::from_secs(seconds as u64))
        .ok_or_else(|| "write an age such as 30d, 12h or 2w; 0 is now".to_owned())
}

/// A number that is not negative, times its unit.
fn measure(text: &str, units: &[(&str, u64)]) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    Some(number.parse::<f64>().ok()? * *factor as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, want) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("20GB", Some(20_000_000_000)),
            ("1.5 GiB", Some(1_610_612_736)),
            ("10m", Some(10_000_000)),
            ("GB", None),
            ("-1", None),
            ("1.2.3G", None),
            ("20 parsecs", None),
        ] {
            assert_eq!(size(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn ages() {
        for (text, want) in [
            ("0", Some(0)),
            ("90s", Some(90)),
            ("30d", Some(30 * 24 * 3600)),
            ("0.5h", Some(1800)),
            ("2 w", Some(14 * 24 * 3600)),
            ("30", None),
            ("d", None),
        ] {
            assert_eq!(age(text).ok(), want.map(Duration::from_secs), "{text}");
        }
    }
}
