//! The permanent snapshot of Debian's archives: every state of every archive since 2005, at
//! `archive/<name>/<YYYYMMDDThhmmssZ>/`, which answers with the last state before that time.
//!
//! A release is imported some hours after its `Date`, so that asking for the `Date` itself would
//! give the state before it. A superseded file stays in the archive for more than a day. One day
//! after the `Date` is therefore a time whose state has every file of the release.

use super::location::Base;
use crate::path::Name;

const ARCHIVES: &str = "https://snapshot.debian.org/archive";

/// The archive as it was once the release of `date` (`20260912T075541Z`) had been imported; `None` if that is no date.
pub(super) fn base(archive: &Name, date: &str) -> Option<Base> {
    format!("{ARCHIVES}/{archive}/{}", next_day(date)?).parse().ok()
}

fn next_day(date: &str) -> Option<String> {
    let (day, time) = date.split_once('T')?;
    if day.len() != 8 || time.len() != 7 || !date.bytes().all(|byte| byte.is_ascii_digit() || b"TZ".contains(&byte)) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| day.get(range)?.parse::<u32>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (year, month, day) = match (month, day) {
        (12, 31) => (year + 1, 1, 1),
        (month, day) if day >= month_days(year, month)? => (year, month + 1, 1),
        (month, day) => (year, month, day + 1),
    };
    Some(format!("{year:04}{month:02}{day:02}T{time}"))
}

fn month_days(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_after() {
        for (date, next) in [
            ("20260912T075541Z", Some("20260913T075541Z")),
            ("20261231T235959Z", Some("20270101T235959Z")),
            ("20240228T000000Z", Some("20240229T000000Z")),
            ("20260228T000000Z", Some("20260301T000000Z")),
            ("20260430T000000Z", Some("20260501T000000Z")),
            ("20261331T000000Z", None),
            ("2026-09-12T07:55:41Z", None),
            ("", None),
        ] {
            assert_eq!(next_day(date).as_deref(), next, "{date}");
        }
    }
}
