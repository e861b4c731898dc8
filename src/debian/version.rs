//! Debian version numbers: `[epoch:]upstream[-revision]` and their order (deb-version(7)).
//!
//! The order compares epochs as numbers, then upstream, then revision, each as alternating runs
//! of other characters and of digits. In a run of others `~` sorts before the end, the end before
//! letters, letters before the rest; runs of digits are numbers of any length. So texts that differ
//! can be equal: `1.0`, `0:1.0` and `1.00-0` are one version.

use std::cmp::Ordering;
use std::fmt;

/// A version, borrowed from the text that it stands in. Equality and order are Debian's.
#[derive(Clone, Copy)]
pub struct Version<'t>(&'t str);

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no Debian version: {reason}")]
pub struct VersionError {
    /// What was found.
    pub text: String,
    /// The rule that it breaks.
    pub reason: &'static str,
}

impl<'t> Version<'t> {
    /// Takes a version as dpkg accepts it in packages.
    ///
    /// # Errors
    /// Says which rule of deb-version(7) the text breaks.
    pub fn parse(text: &'t str) -> Result<Self, VersionError> {
        match fault(text) {
            None => Ok(Self(text)),
            Some(reason) => Err(VersionError { text: text.to_owned(), reason }),
        }
    }

    /// The text, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &'t str {
        self.0
    }

    /// Epoch, upstream and revision; an absent epoch is 0, an absent revision is empty.
    fn parts(self) -> (u32, &'t str, &'t str) {
        let (epoch, rest) = self.0.split_once(':').unwrap_or(("0", self.0));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch.parse().expect("BUG: a version's epoch is checked when it is parsed"), upstream, revision)
    }
}

/// The rule that `text` breaks, if any.
fn fault(text: &str) -> Option<&'static str> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    // dpkg keeps epochs in an int.
    if !epoch.bytes().all(|byte| byte.is_ascii_digit())
        || !epoch.parse().is_ok_and(|epoch: u32| epoch <= i32::MAX as u32)
    {
        return Some("the epoch before `:` must be a number below 2^31");
    }
    if !upstream.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("it must start with a digit");
    }
    if !upstream.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-:".contains(&byte)) {
        return Some("only letters, digits and `.+~-:` may stand before the revision");
    }
    if revision.is_empty() || !revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~".contains(&byte)) {
        return Some("the revision after the last `-` must be made of letters, digits and `.+~`");
    }
    None
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.parts(), other.parts());
        ours.0.cmp(&theirs.0).then_with(|| compare(ours.1, theirs.1)).then_with(|| compare(ours.2, theirs.2))
    }
}

/// Orders two upstream parts or two revisions.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !(a.is_empty() && b.is_empty()) {
        let (a_words, b_words) =
            (run(&mut a, |byte| !byte.is_ascii_digit()), run(&mut b, |byte| !byte.is_ascii_digit()));
        let (a_digits, b_digits) = (run(&mut a, u8::is_ascii_digit), run(&mut b, u8::is_ascii_digit));
        let order = compare_words(a_words, b_words).then_with(|| compare_numbers(a_digits, b_digits));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Cuts the leading run of bytes that `belongs` off `rest`.
fn run<'b>(rest: &mut &'b [u8], belongs: impl Fn(&u8) -> bool) -> &'b [u8] {
    let length = rest.iter().position(|byte| !belongs(byte)).unwrap_or(rest.len());
    let (run, tail) = rest.split_at(length);
    *rest = tail;
    run
}

fn compare_words(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    };
    let length = a.len().max(b.len());
    (0..length)
        .map(|at| weight(a.get(at)).cmp(&weight(b.get(at))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_numbers(mut a: &[u8], mut b: &[u8]) -> Ordering {
    run(&mut a, |byte| *byte == b'0');
    run(&mut b, |byte| *byte == b'0');
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

impl fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).expect(text)
    }

    #[test]
    fn ascending() {
        let table = [
            "0~~",
            "0~~a",
            "0~",
            "0",
            "0a~",
            "0a",
            "0+",
            "1~rc1",
            "1~rc1-1",
            "1",
            "1-0.1",
            "1-1~bpo12+1",
            "1-1",
            "1-1+b1",
            "1.2",
            "1.10",
            "1.10a",
            "1.10+dfsg-1",
            "9",
            "10",
            "18446744073709551616",
            "1:0",
            "2:0-1",
        ];
        for pair in table.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn different_texts_of_one_version() {
        for (a, b) in [("1.0", "0:1.0"), ("1.0", "1.00"), ("1.0", "1.0-0"), ("1.a", "1.a0"), ("01-1", "1-01")] {
            assert_eq!(version(a), version(b));
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "a",
            "-1",
            "1-",
            ":1",
            "x:1",
            "-1:1",
            "+1:1",
            "2147483648:1",
            "1_2",
            "1 2",
            "1-1:2_",
            "1/2",
            "1é",
            "1:",
        ] {
            let error = Version::parse(text).expect_err(text).to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    prop_compose! {
        fn any_version()(text in "([0-3]:)?[01][0-2a.+~-]{0,4}[0-9aA.+~:]{0,2}(-[0-1a+~.]{1,3})?"
            .prop_filter("must parse", |text| Version::parse(text).is_ok())) -> String { text }
    }

    /// What `dpkg --compare-versions` says of each pair: one shell for all of them.
    fn dpkg(pairs: &[(String, String)]) -> Vec<Ordering> {
        let script = "while read a b; do if dpkg --compare-versions $a lt $b; then echo '<'; \
                      elif dpkg --compare-versions $a eq $b; then echo '='; else echo '>'; fi; done";
        let mut shell = Command::new("sh")
            .args(["-c", &format!("command -v dpkg >&2 || exit 127; {script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        let mut stdin = shell.stdin.take().expect("piped");
        let lines: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
        // A shell that finds no dpkg reads nothing; its exit code says so below.
        let _ = stdin.write_all(lines.as_bytes());
        drop(stdin);
        let output = shell.wait_with_output().expect("sh ends");
        assert!(output.status.success(), "dpkg is missing: install it (apt-get install dpkg, dnf install dpkg, …)");
        let order = |byte: u8| [Ordering::Less, Ordering::Equal, Ordering::Greater][usize::from(byte - b'<')];
        output.stdout.into_iter().filter(|byte| *byte != b'\n').map(order).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn agrees_with_dpkg(pairs in prop::collection::vec((any_version(), any_version()), 40)) {
            let ours: Vec<_> = pairs.iter().map(|(a, b)| version(a).cmp(&version(b))).collect();
            prop_assert_eq!(ours, dpkg(&pairs), "{:?}", pairs);
        }
    }

    proptest! {
        #[test]
        fn total_and_antisymmetric(a in any_version(), b in any_version(), c in any_version()) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&a), Ordering::Equal);
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
