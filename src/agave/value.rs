//! Texts that stand for numbers, ports, hosts and sizes, as the programs read them.

/// The units of sizes, in small letters.
const UNITS: [&str; 12] = ["", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib", "tb"];
/// How long a host's name and each part of it may be.
const MOST: (usize, usize) = (253, 63);

/// A whole number in digits alone.
pub(super) fn whole(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A port that one can connect to.
pub(super) fn port(text: &str) -> Option<u16> {
    whole(text).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
}

/// `FIRST-END`.
pub(super) fn ports(text: &str) -> Option<(u16, u16)> {
    let (first, end) = text.split_once('-')?;
    Some((port(first)?, port(end)?)).filter(|(first, end)| first <= end)
}

/// A number of zero or more, written in digits.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

/// A name of the DNS or an IPv4 address; the programs refuse IPv6.
pub(super) fn is_host(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if digits { is_ipv4(text) } else { text.len() <= MOST.0 && text.split('.').all(is_label) }
}

fn is_ipv4(text: &str) -> bool {
    let is_part = |part: &str| part.parse::<u8>().is_ok_and(|number| number.to_string() == part);
    text.split('.').count() == 4 && text.split('.').all(is_part)
}

fn is_label(text: &str) -> bool {
    let allowed = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    allowed && (1..=MOST.1).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
}

/// A number of bytes, with or without a unit.
pub(super) fn is_size(text: &str) -> bool {
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    decimal(number).is_some() && UNITS.contains(&unit.trim_start().to_ascii_lowercase().as_str())
}

/// A core, or a range of them with both ends.
pub(super) fn is_cpus(text: &str) -> bool {
    match text.split_once('-') {
        Some((first, last)) => whole(first).zip(whole(last)).is_some_and(|(first, last)| first <= last),
        None => whole(text).is_some(),
    }
}

/// Two of the same, with a comma between them.
pub(super) fn pair(text: &str, is_one: impl Fn(&str) -> bool) -> bool {
    text.split_once(',').is_some_and(|(low, high)| is_one(low) && is_one(high))
}
