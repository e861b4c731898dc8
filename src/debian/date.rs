//! A moment in UTC, to the second, as repositories date themselves and as the lockfile writes it.
//!
//! Written form: `20260912T075541Z`, which sorts as text. No clock is read here.

use std::fmt;
use std::str::FromStr;

/// A moment between the years 1970 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Seconds since 1970-01-01, leap seconds left out.
    seconds: u64,
}

/// A text that is no date of the form asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a date of the form `{form}`")]
pub struct ParseDateError {
    text: String,
    form: &'static str,
}

const DAY: u64 = 86_400;
const RELEASE_FORM: &str = "Sat, 12 Sep 2026 07:55:41 UTC";
const STAMP_FORM: &str = "20260912T075541Z";
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Date {
    /// The moment `seconds` after 1970-01-01, as OpenPGP and file systems count.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        Self { seconds }
    }

    /// Seconds since 1970-01-01.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.seconds
    }

    /// Parses a date of a Release file: RFC 2822 in UTC. The day's name is not checked against the date.
    ///
    /// # Errors
    /// For any other text, and for another time zone.
    pub fn from_release(text: &str) -> Result<Self, ParseDateError> {
        release(text).ok_or_else(|| ParseDateError { text: text.to_owned(), form: RELEASE_FORM })
    }

    /// The form of RFC 3339 and ISO 8601, as `2026-09-12T07:55:41Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let ([year, month, day], [hour, minute, second]) = self.parts();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    fn new(date: [u64; 3], time: [u64; 3]) -> Option<Self> {
        let ([year, month, day], [hour, minute, second]) = (date, time);
        let sound = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_of_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let days =
            || days_before_year(year) + (1..month).map(|month| days_of_month(year, month)).sum::<u64>() + day - 1;
        sound.then(|| Self { seconds: days() * DAY + hour * 3600 + minute * 60 + second })
    }

    fn parts(self) -> ([u64; 3], [u64; 3]) {
        let (mut days, time) = (self.seconds / DAY, self.seconds % DAY);
        // The guess is never too late a year, and at most one too early.
        let mut year = 1970 + days / 366;
        while days_before_year(year + 1) <= days {
            year += 1;
        }
        days -= days_before_year(year);
        let mut month = 1;
        while days >= days_of_month(year, month) {
            days -= days_of_month(year, month);
            month += 1;
        }
        ([year, month, days + 1], [time / 3600, time / 60 % 60, time % 60])
    }
}

fn release(text: &str) -> Option<Date> {
    let (_day_name, rest) = text.split_once(", ")?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let [day, month, year, time, "UTC" | "GMT" | "+0000"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let [hour, minute, second] = time.split(':').map(number).collect::<Option<Vec<_>>>()?[..] else { return None };
    Date::new([number(year)?, month, number(day)?], [hour, minute, second])
}

/// A number of digits only; `parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of January of `year`.
fn days_before_year(year: u64) -> u64 {
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
}

impl FromStr for Date {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        let part = |from: usize, to: usize| text.get(from..to).and_then(number);
        let parse = || {
            let sound = text.len() == STAMP_FORM.len() && text.get(8..9) == Some("T") && text.ends_with('Z');
            let date = [part(0, 4)?, part(4, 6)?, part(6, 8)?];
            let time = [part(9, 11)?, part(11, 13)?, part(13, 15)?];
            sound.then(|| Self::new(date, time))?
        };
        parse().ok_or_else(|| ParseDateError { text: text.to_owned(), form: STAMP_FORM })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([year, month, day], [hour, minute, second]) = self.parts();
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_release_files() {
        for (text, stamp, unix) in [
            ("Sat, 12 Sep 2026 07:55:41 UTC", "20260912T075541Z", 1_789_199_741),
            ("Thu, 01 Jan 1970 00:00:00 UTC", "19700101T000000Z", 0),
            ("Thu, 29 Feb 2024 23:59:59 +0000", "20240229T235959Z", 1_709_251_199),
            ("Fri, 1 Mar 2100 0:00:00 GMT", "21000301T000000Z", 4_107_542_400),
        ] {
            let date = Date::from_release(text).expect(text);
            assert_eq!((date.to_string().as_str(), date.unix()), (stamp, unix), "{text}");
            assert_eq!(stamp.parse(), Ok(date));
            assert_eq!(date.rfc3339().replace(['-', ':'], ""), stamp);
        }
    }

    #[test]
    fn other_texts() {
        for text in [
            "",
            "12 Sep 2026 07:55:41 UTC",
            "Sat, 12 Sep 2026 07:55:41 CET",
            "Sat, 12 Sep 2026 07:55:41",
            "Sat, 31 Sep 2026 07:55:41 UTC",
            "Sat, 29 Feb 2025 07:55:41 UTC",
            "Sat, 12 Sep 1969 07:55:41 UTC",
            "Sat, 12 Sep 2026 24:00:00 UTC",
            "Sat, 12 Sep 2026 +7:00:00 UTC",
            "Sat, 12 Sep 99999999999999999999 07:00:00 UTC",
        ] {
            assert!(Date::from_release(text).is_err(), "{text}");
        }
        for text in ["", "20260912", "20260912T075541", "20261312T075541Z", "20260912 075541Z", "2026091éT07554Z"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn stamps_come_back(seconds in 0u64..253_402_300_800) {
            let date = Date::from_unix(seconds);
            proptest::prop_assert_eq!(date.to_string().parse(), Ok(date));
        }

        #[test]
        fn stamps_sort_as_dates_do(a in 0u64..253_402_300_800, b in 0u64..253_402_300_800) {
            let (a, b) = (Date::from_unix(a), Date::from_unix(b));
            proptest::prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
