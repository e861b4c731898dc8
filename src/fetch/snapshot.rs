//! The permanent snapshot of Debian's archives: every state of every archive since 2005, at
//! `archive/<name>/<YYYYMMDDThhmmssZ>/`, which answers with the last state before that time.
//!
//! A release is imported some hours after its `Date`, so that asking for the `Date` itself would
//! give the state before it. A superseded file stays in the archive for more than a day. One day
//! after the `Date` is therefore a time whose state has every file of the release.

use super::location::Base;
use crate::debian::date::Date;
use crate::path::Name;

const ARCHIVES: &str = "https://snapshot.debian.org/archive";

/// In seconds.
const DAY: u64 = 86_400;

/// The archive as it was once the release of `date` (`20260912T075541Z`) had been imported; `None` if that is no date.
pub(super) fn base(archive: &Name, date: &str) -> Option<Base> {
    let date: Date = date.parse().ok()?;
    let imported = Date::from_unix(date.unix() + DAY);
    format!("{ARCHIVES}/{archive}/{imported}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_after() {
        let debian = Name::new("debian").expect("a name");
        let base = base(&debian, "20261231T235959Z").expect("a date").to_string();
        assert_eq!(base, format!("{ARCHIVES}/debian/20270101T235959Z"));
        assert!(super::base(&debian, "2026-12-31").is_none());
    }
}
