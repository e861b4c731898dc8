//! Ranges of versions, as an extension's `compatibility.talos.version` has them.
//!
//! Words that stand apart hold together, `||` stands between alternatives: `>= v1.10.0 < v1.13.0 || 1.14.x`. A word is
//! one of `< <= > >= = == ! !=` or none of them, and a full version, or one that ends in `.x`. A `v` before a digit is
//! dropped. A pre-release counts as in semver; what is built does not.
//!
//! Source: blang/semver@v4.0.0, range.go, whose odd cases are kept: a word of one character is none, and `1.x.x` is the
//! line 1.0. Talos drops the `v` (machinery/extensions/validate.go@v1.10.3:110) and tests the release alone (:120).

use std::cmp::Ordering;

use semver::Version;

/// A comparison with a version.
type Comparison<'a> = (&'a str, String);

/// Whether `version` is in the range; an empty one lets all in, as Talos does.
///
/// # Errors
/// In words, if it is no range.
pub fn accepts(range: &str, version: &Version) -> Result<bool, String> {
    if range.is_empty() {
        return Ok(true);
    }
    let words = words(&without_v(range));
    let mut found = false;
    for alternative in words.split(|word| word == "||") {
        if alternative.is_empty() {
            return Err(
                if words.is_empty() { "there is no version in it" } else { "`||` has nothing beside it" }.to_owned()
            );
        }
        found |= all_hold(alternative, version)?;
    }
    Ok(found)
}

fn all_hold(words: &[String], version: &Version) -> Result<bool, String> {
    let mut hold = true;
    for word in words {
        for (operator, other) in comparisons(word)? {
            let parsed =
                Version::parse(&other).map_err(|error| format!("`{word}`: `{other}` is no version: {error}"))?;
            hold &=
                holds(operator, version.cmp_precedence(&parsed)).ok_or_else(|| format!("`{word}`: no comparison"))?;
        }
    }
    Ok(hold)
}

fn holds(operator: &str, order: Ordering) -> Option<bool> {
    Some(match operator {
        "" | "=" | "==" => order.is_eq(),
        "!" | "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => return None,
    })
}

/// A word as comparisons with full versions, all of which must hold.
fn comparisons(word: &str) -> Result<Vec<Comparison<'_>>, String> {
    let digit = word.find(|char: char| char.is_numeric()).ok_or_else(|| format!("`{word}` has no version"))?;
    let (operator, version) = (word[..digit].trim(), &word[digit..]);
    if !word.contains('x') {
        return Ok(vec![(operator, version.to_owned())]);
    }
    let (low, high) = (lowest(version), next(version));
    let high = high.unwrap_or_default();
    Ok(match operator {
        ">" => vec![(">=", high)],
        "<=" => vec![("<", high)],
        "" | "=" | "==" => vec![(">=", low), ("<", high)],
        "!" | "!=" => vec![("<", low), (">=", high)],
        ">=" | "<" => vec![(operator, low)],
        _ => vec![("", low)],
    })
}

/// `1.2.x` as `1.2.0`, `1.x` and `1.x.x` as `1.0.0`.
fn lowest(version: &str) -> String {
    let full = version.replacen(".x.x", ".x", 1).replacen(".x", ".0", 1);
    if full.matches('.').count() == 1 { format!("{full}.0") } else { full }
}

/// The first version behind `1.2.x` or `1.x`.
fn next(version: &str) -> Option<String> {
    let parts: Vec<&str> = version.split('.').collect();
    let place = parts.len().checked_sub(2).filter(|_| parts.last() == Some(&"x") && parts.len() <= 3)?;
    let low = lowest(version);
    let mut numbers: Vec<String> = low.split('.').map(str::to_owned).collect();
    let number: i64 = numbers[place].parse().ok()?;
    numbers[place] = number.checked_add(1)?.to_string();
    Some(numbers.join("."))
}

/// The words of a range: a space behind `<`, `>` or `=` parts nothing, and what has one character is none.
fn words(range: &str) -> Vec<String> {
    let (mut words, mut word, mut last) = (Vec::new(), String::new(), ' ');
    for char in range.chars() {
        if char == ' ' && !"<>=".contains(last) {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(char);
        }
        if char != ' ' {
            last = char;
        }
    }
    words.push(word);
    words.into_iter().filter(|word| word.len() > 1).map(|word| word.replace(' ', "")).collect()
}

/// A range without each `v` that stands before a digit.
fn without_v(range: &str) -> String {
    let next = range.chars().skip(1).map(Some).chain([None]);
    let kept = range.chars().zip(next).filter(|(char, next)| *char != 'v' || !next.is_some_and(|c| c.is_ascii_digit()));
    kept.map(|(char, _)| char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, version, expected) in [
            (">= v1.10.0", "1.10.3", Some(true)),
            (">=v1.10.0", "1.9.9", Some(false)),
            (">  1.10.0", "1.10.0", Some(false)),
            ("1.10.3", "1.10.3", Some(true)),
            ("=1.10.3", "1.10.3", Some(true)),
            ("!1.10.3", "1.10.3", Some(false)),
            (">= 1.10.0 < 1.13.0", "1.13.0", Some(false)),
            (">= 1.10.0 < 1.11.0 || >= 1.13.0", "1.13.2", Some(true)),
            (">= 1.10.0 < 1.11.0 || >= 1.13.0", "1.12.0", Some(false)),
            ("1.10.x", "1.10.9", Some(true)),
            ("1.10.x", "1.11.0", Some(false)),
            ("1.x", "1.14.0", Some(true)),
            (">1.10.x", "1.10.9", Some(false)),
            ("<=1.10.x", "1.10.9", Some(true)),
            ("!=1.10.x", "1.10.9", Some(false)),
            ("1.x.x", "1.10.0", Some(false)),
            (">= v1.12.0-alpha.1", "1.12.0", Some(true)),
            ("> 1.12.0+build", "1.12.0", Some(false)),
            ("", "1.10.0", Some(true)),
            ("1.10.0 || || 1.11.0", "1.10.0", None),
            ("1", "1.10.0", None),
            ("1.10", "1.10.0", None),
            (">= 1.10", "1.10.0", None),
            ("~1.10.0", "1.10.0", None),
            ("^1.10.0", "1.10.0", None),
            (">= one", "1.10.0", None),
            ("|| >= 1.10.0", "1.10.0", None),
            (">= 1.10.0 ||", "1.10.0", None),
            (">= 01.10.0", "1.10.0", None),
            (">= 1.10.0, < 1.12.0", "1.10.0", None),
        ] {
            let version = Version::parse(version).expect("a version");
            assert_eq!(accepts(range, &version).ok(), expected, "{range:?} {version}: {:?}", accepts(range, &version));
        }
    }
}
