//! The forms that the version of an extension may have.
//!
//! Source: extensions-validator@84cecb0, cmd/extensions-validator/cmd/validate.go:36-56. Of its five forms one,
//! `535.129.03-v1.8.0`, is a case of the first.

/// What people may write.
pub const FORMS: &str = "`1.2.3`, `v1.2.3-rc.1`, `1.2`, `20210914`, `20210914.1`, or `<commit>-v1.2.3`";

/// Whether a version has one of them.
#[must_use]
pub fn has_form(version: &str) -> bool {
    let bare = version.strip_prefix('v').unwrap_or(version);
    is_full(bare) || is_partial(bare) || is_date(version) || is_of_commit(version)
}

/// `1.2.3`, `1.2.3-alpha.0-10-g336fa0f`.
fn is_full(text: &str) -> bool {
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    numbers(core) == Some(3) && pre.is_none_or(|pre| pre.split('.').all(is_identifier))
}

/// `1.2`.
fn is_partial(text: &str) -> bool {
    numbers(text) == Some(2)
}

/// `20210914`, `20210914.1`.
fn is_date(text: &str) -> bool {
    let (day, nth) = text.split_once('.').unwrap_or((text, "1"));
    (day.len(), nth.len()) == (8, 1) && is_number(day) && is_number(nth)
}

/// `5815ee3-v1.8.0-alpha.0`.
fn is_of_commit(text: &str) -> bool {
    let is_hex = |commit: &str| !commit.is_empty() && commit.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    text.split_once("-v").is_some_and(|(commit, version)| is_hex(commit) && is_full(version))
}

/// How many numbers a text is made of; nothing if it is not.
fn numbers(text: &str) -> Option<usize> {
    text.split('.').all(is_number).then(|| text.split('.').count())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let good = [
            "1.2.3",
            "v1.2.3",
            "1.2.3-alpha.0",
            "v1.02.3",
            "1.2",
            "v4.3",
            "20210914",
            "20210914.1",
            "20210914.10",
            "535.129.03-v1.8.0-alpha.0-10-g336fa0f-dirty",
            "5815ee3-v1.8.0-alpha.0-10-g336fa0f",
            "1.2.3--",
        ];
        let bad = [
            "",
            "v",
            "1",
            "1.2.3.4",
            "1.2.3+build",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2-v1.8.0",
            "v20210914",
            "2021091",
            "5815EE3-v1.8.0",
            "5815ee3-1.8.0",
            "-v1.8.0",
            "1.2.3 ",
            "1.2.3-é",
            "１.2.3",
        ];
        good.iter().for_each(|version| assert!(has_form(version), "{version}"));
        bad.iter().for_each(|version| assert!(!has_form(version), "{version}"));
    }
}
