//! What bytes look like: a time, a path, an address … Pure guesses, made on both sides alike.
//!
//! A guess counts only if both sides look like the same thing. Texts are judged by the word around
//! the place, or by [`SHAPES`] that cover it; other bytes by the aligned number at the place.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::debian::date::Date;

/// The most bytes of a word or run that are looked at, to each side.
const REACH: usize = 128;

/// Seconds that count as a time of our days: 2001-09-09 to 2100-01-01.
const DECIMAL: Range<u64> = 1_000_000_000..4_102_444_800;

/// The same for four bytes, where chance hits more often: 2015-01-01 to 2050-01-01.
const BINARY: Range<u64> = 1_420_070_400..2_524_608_000;

/// Shapes of texts. `#` is a digit, `%` a hexadecimal one, `~` a digit or space, `^` and `_` letters
/// of either case; the rest stands for itself.
const SHAPES: [(&str, &str); 11] = [
    ("%%%%%%%%-%%%%-%%%%-%%%%-%%%%%%%%%%%%", "a UUID"),
    ("20##-##-##T##:##:##", "a time"),
    ("20##-##-## ##:##:##", "a time"),
    ("20##-##-##", "a date"),
    ("^__ ^__ ~# ##:##:## 20##", "a time"),
    ("^__ ^__ ~# ##:##:## ^^^ 20##", "a time"),
    ("^__, ~# ^__ 20## ##:##:##", "a time"),
    ("~# ^__ 20##", "a date"),
    ("^__ ~# 20##", "a date"),
    ("20######T######Z", "a time"),
    ("##:##:##", "a time of day"),
];

/// What a word may be.
enum Guess {
    /// It is, or is not.
    Is(fn(&str) -> bool),
    /// The text to show, if it is.
    Shows(fn(&str) -> Option<String>),
}

/// Guesses at a whole word, the surest first, and what it is called then.
const WORDS: [(&str, Guess); 10] = [
    ("a time", Guess::Shows(decimal_time)),
    ("an address", Guess::Is(is_address)),
    ("a random or hashed number", Guess::Is(is_hashed)),
    ("a path", Guess::Shows(path)),
    ("a user and host", Guess::Is(is_user_at_host)),
    ("a host name", Guess::Is(is_host)),
    ("a locale", Guess::Is(is_locale)),
    ("a release or version", Guess::Is(is_version)),
    ("a mode or umask", Guess::Is(is_mode)),
    ("a count, as of processors", Guess::Is(is_count)),
];

/// Guesses at the bytes behind a place that is a multiple of eight or four.
type Binary = (&'static str, usize, fn(&[u8]) -> Option<String>);
const NUMBERS: [Binary; 3] = [("an address", 8, pointer), ("a time", 8, time_of_eight), ("a time", 4, time_of_four)];

/// What both sides look like at the place `at`, as `a time: 0 = 1970-01-01T00:00:00Z and 1 = …`.
/// The bytes start at a multiple of eight in their content.
#[must_use]
pub fn look(one: &[u8], two: &[u8], at: usize) -> Option<String> {
    let shape = SHAPES.iter().find_map(|(shape, name)| agree(name, covered(shape, one, at), covered(shape, two, at)));
    let words = || [word(one, at), word(two, at)];
    let word = || {
        let [one, two] = words();
        WORDS.iter().find_map(|(name, guess)| agree(name, guess.shown(one?), guess.shown(two?)))
    };
    let number = || NUMBERS.iter().find_map(|(name, size, guess)| aligned([one, two], at, *size, name, *guess));
    shape.or_else(word).or_else(number).or_else(|| random(one.get(at..)?, two.get(at..)?))
}

/// A time as seconds and in words.
#[must_use]
pub fn time(seconds: u64) -> String {
    const END: u64 = 253_402_300_800;
    if seconds < END { format!("{seconds} = {}", Date::from_unix(seconds).rfc3339()) } else { seconds.to_string() }
}

impl Guess {
    fn shown(&self, word: &str) -> Option<String> {
        match self {
            Self::Is(is) => is(word).then(|| word.to_owned()),
            Self::Shows(show) => show(word),
        }
    }
}

fn agree(name: &str, one: Option<String>, two: Option<String>) -> Option<String> {
    let (one, two) = one.zip(two).filter(|(one, two)| one != two)?;
    Some(format!("{name}: {one} and {two}"))
}

/// The bytes around the place that `belongs` takes.
fn around(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> Range<usize> {
    let at = at.min(bytes.len());
    let (before, behind) = bytes.split_at(at);
    let left = before.iter().rev().take(REACH).take_while(|byte| belongs(**byte)).count();
    let right = behind.iter().take(REACH).take_while(|byte| belongs(**byte)).count();
    at - left..at + right
}

/// The text that the place is in, if it is of some length.
#[must_use]
pub fn printable(bytes: &[u8], at: usize) -> Option<&str> {
    const SHORTEST: usize = 4;
    let text = &bytes[around(bytes, at, |byte| byte == b' ' || byte.is_ascii_graphic())];
    str::from_utf8(text).ok().filter(|text| text.len() >= SHORTEST)
}

/// The word at the place: what quotes, brackets, spaces and the like end.
fn word(bytes: &[u8], at: usize) -> Option<&str> {
    const ENDS: &[u8] = b"\"'`<>()[]{},;=|&$\\";
    let range = around(bytes, at, |byte| byte.is_ascii_graphic() && !ENDS.contains(&byte));
    str::from_utf8(&bytes[range]).ok().map(|word| word.trim_end_matches(['.', ':'])).filter(|word| !word.is_empty())
}

/// The text of a shape that covers the place, or ends at it.
fn covered(shape: &str, bytes: &[u8], at: usize) -> Option<String> {
    let length = shape.len();
    let printable = around(bytes, at, |byte| byte == b' ' || byte.is_ascii_graphic());
    let starts = at.saturating_sub(length).max(printable.start)..=at.min(printable.end);
    let texts = starts.filter_map(|start| bytes.get(start..start + length).map(|text| (start, text)));
    let fits = |(start, text): &(usize, &[u8])| {
        let joined = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let alone = !joined(start.checked_sub(1).and_then(|before| bytes.get(before)));
        alone && shape.bytes().zip(*text).all(|(kind, byte)| is(kind, *byte))
    };
    let (_, text) = texts.into_iter().find(fits)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn is(kind: u8, byte: u8) -> bool {
    match kind {
        b'#' => byte.is_ascii_digit(),
        b'%' => byte.is_ascii_hexdigit(),
        b'~' => byte.is_ascii_digit() || byte == b' ',
        b'^' => byte.is_ascii_uppercase(),
        b'_' => byte.is_ascii_lowercase(),
        other => other == byte,
    }
}

/// Whether all of a text, which is not empty, is of one kind of bytes.
fn only(text: &str, kind: impl Fn(&u8) -> bool) -> bool {
    !text.is_empty() && text.as_bytes().iter().all(kind)
}

fn digits(text: &str) -> bool {
    only(text, u8::is_ascii_digit)
}

/// Seconds since 1970, or their thousandths, millionths or billionths.
fn decimal_time(word: &str) -> Option<String> {
    const UNITS: [(usize, u64); 4] = [(10, 1), (13, 1_000), (16, 1_000_000), (19, 1_000_000_000)];
    let whole = word.split_once('.').map_or(word, |(whole, _)| whole);
    let (_, unit) = UNITS.into_iter().find(|(length, _)| *length == whole.len() && digits(whole))?;
    let seconds = whole.parse::<u64>().ok()? / unit;
    DECIMAL.contains(&seconds).then(|| format!("{word} = {}", Date::from_unix(seconds).rfc3339()))
}

fn path(word: &str) -> Option<String> {
    let path = &word[word.find('/')?..];
    let parts = path.split('/').filter(|part| !part.is_empty()).count();
    (parts >= 2 && !path.starts_with("//")).then(|| path.to_owned())
}

fn is_address(word: &str) -> bool {
    let number = word.strip_prefix("0x").unwrap_or_default();
    (8..=16).contains(&number.len()) && only(number, u8::is_ascii_hexdigit)
}

fn is_hashed(word: &str) -> bool {
    const SHORTEST: usize = 12;
    let number = word.split_once(':').map_or(word, |(_, number)| number);
    number.len() >= SHORTEST && only(number, u8::is_ascii_hexdigit) && !digits(number)
}

fn is_user_at_host(word: &str) -> bool {
    let sound = |name: &str| only(name, |byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte));
    word.split_once('@').is_some_and(|(user, host)| sound(user) && sound(host))
}

/// A name with dots and no number at its end, or one that ends in a number behind a hyphen.
fn is_host(word: &str) -> bool {
    let label = |label: &&str| {
        let plain = only(label, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
        plain && label.starts_with(|first: char| first.is_ascii_lowercase()) && !label.ends_with('-')
    };
    let labels: Vec<&str> = word.split('.').collect();
    let numbered = word.rsplit_once('-').is_some_and(|(_, number)| digits(number));
    let named = labels.len() >= 3 || word == "localhost" || (labels.len() == 1 && numbered);
    named && labels.iter().all(label)
}

fn is_locale(word: &str) -> bool {
    let (language, charset) = word.split_once('.').unwrap_or((word, ""));
    let of_land = language.split_once('_').is_some_and(|(language, land)| {
        let two = |text: &str, kind: fn(&u8) -> bool| text.len() == 2 && only(text, kind);
        two(language, u8::is_ascii_lowercase) && two(land, u8::is_ascii_uppercase)
    });
    let known = matches!(language, "C" | "POSIX") || of_land;
    known && (charset.is_empty() || charset.to_ascii_lowercase().starts_with("utf"))
}

/// Numbers with at least one dot, and anything behind a hyphen or plus: as kernels name themselves.
fn is_version(word: &str) -> bool {
    let numbers = word.split(['-', '+', '~']).next().unwrap_or_default().trim_start_matches('v');
    numbers.contains('.') && numbers.split('.').all(digits)
}

fn is_mode(word: &str) -> bool {
    word.starts_with('0') && (3..=6).contains(&word.len()) && only(word, |byte| (b'0'..=b'7').contains(byte))
}

fn is_count(word: &str) -> bool {
    const MOST: u32 = 1024;
    let number = word.strip_prefix("-j").unwrap_or(word);
    digits(number) && number.parse().is_ok_and(|number: u32| (1..=MOST).contains(&number))
}

/// The guess at the number of `size` bytes that the place is in, if the bytes that follow are alike.
fn aligned(
    sides: [&[u8]; 2],
    at: usize,
    size: usize,
    name: &str,
    guess: fn(&[u8]) -> Option<String>,
) -> Option<String> {
    let start = at - at % size;
    let [one, two] = sides.map(|side| side.get(start..));
    let (one, rest_one) = one?.split_at_checked(size)?;
    let (two, rest_two) = two?.split_at_checked(size)?;
    let next = size.min(rest_one.len()).min(rest_two.len());
    let ends = name != "a time" || rest_one[..next] == rest_two[..next];
    if ends { agree(name, guess(one), guess(two)) } else { None }
}

/// User-space addresses of x86-64 and arm64 with ASLR: the heap, mappings and the stack.
fn pointer(bytes: &[u8]) -> Option<String> {
    let number = u64::from_le_bytes(bytes.try_into().ok()?);
    matches!(number >> 40, 0x55 | 0x56 | 0x7e | 0x7f | 0xffff).then(|| format!("{number:#x}"))
}

fn time_of_eight(bytes: &[u8]) -> Option<String> {
    let (low, high) = bytes.split_at_checked(4)?;
    if high == [0; 4] { time_of_four(low) } else { None }
}

fn time_of_four(bytes: &[u8]) -> Option<String> {
    let number = u32::from_le_bytes(bytes.try_into().ok()?);
    let letters = bytes.iter().all(u8::is_ascii_graphic);
    (!letters && BINARY.contains(&number.into())).then(|| time(number.into()))
}

/// Bytes without a pattern, nearly all of which differ.
fn random(one: &[u8], two: &[u8]) -> Option<String> {
    const LOOKED_AT: usize = 16;
    const DIFFER: usize = 14;
    const KINDS: usize = 12;
    let (one, two) = (one.get(..LOOKED_AT)?, two.get(..LOOKED_AT)?);
    let differ = one.iter().zip(two).filter(|(one, two)| one != two).count();
    let kinds = |bytes: &[u8]| bytes.iter().collect::<BTreeSet<_>>().len();
    let text = |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let random = differ >= DIFFER && kinds(one) >= KINDS && kinds(two) >= KINDS && !text(one) && !text(two);
    let hex = |bytes: &[u8]| bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    random.then(|| format!("random bytes, or a digest: {}… and {}…", hex(one), hex(two)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two contents look like where they differ first.
    fn at_difference(one: &[u8], two: &[u8]) -> Option<String> {
        look(one, two, one.iter().zip(two).take_while(|(one, two)| one == two).count())
    }

    #[test]
    fn texts() {
        for (one, two, want) in [
            (
                "t=1764185545;",
                "t=1764185546;",
                "a time: 1764185545 = 2025-11-26T19:32:25Z and 1764185546 = 2025-11-26T19:32:26Z",
            ),
            (
                "0.5 1764185545.25",
                "0.5 1864185545.25",
                "a time: 1764185545.25 = 2025-11-26T19:32:25Z and 1864185545.25 = 2029-01-27T05:19:05Z",
            ),
            (
                "1764185545000",
                "1764185546000",
                "a time: 1764185545000 = 2025-11-26T19:32:25Z and 1764185546000 = 2025-11-26T19:32:26Z",
            ),
            (
                "on 2025-11-26T19:32:25Z",
                "on 2025-11-26T19:32:26Z",
                "a time: 2025-11-26T19:32:25 and 2025-11-26T19:32:26",
            ),
            ("on 2025-11-26.", "on 2026-11-26.", "a date: 2025-11-26 and 2026-11-26"),
            ("\0Nov 26 2025\0", "\0Nov  6 2025\0", "a date: Nov 26 2025 and Nov  6 2025"),
            (
                "#1 SMP Wed Nov 26 19:32:25 UTC 2025",
                "#1 SMP Thu Nov 27 19:32:25 UTC 2025",
                "a time: Wed Nov 26 19:32:25 UTC 2025 and Thu Nov 27 19:32:25 UTC 2025",
            ),
            ("\t19:32:25\0", "\t19:32:26\0", "a time of day: 19:32:25 and 19:32:26"),
            (
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf7",
                "a UUID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6 and f81d4fae-7dec-11d0-a765-00a0c91e6bf7",
            ),
            ("\0/build/a\0", "\0/build/a/b\0", "a path: /build/a and /build/a/b"),
            ("-I/build/a -O2", "-I/tmp/b -O2", "a path: /build/a and /tmp/b"),
            ("at 0x7ffd1234abcd", "at 0x7ffe1234abcd", "an address: 0x7ffd1234abcd and 0x7ffe1234abcd"),
            (
                "id d41d8cd98f00b204",
                "id e41d8cd98f00b204",
                "a random or hashed number: d41d8cd98f00b204 and e41d8cd98f00b204",
            ),
            ("(root@forge) gcc", "(me@host-7.lan) gcc", "a user and host: root@forge and me@host-7.lan"),
            ("on builder-7", "on builder-12", "a host name: builder-7 and builder-12"),
            ("on a.example.org", "on b.example.org", "a host name: a.example.org and b.example.org"),
            ("LC_ALL=C.UTF-8", "LC_ALL=de_DE.UTF-8", "a locale: C.UTF-8 and de_DE.UTF-8"),
            (
                "6.18.0-12-generic",
                "6.12.57+deb13-amd64",
                "a release or version: 6.18.0-12-generic and 6.12.57+deb13-amd64",
            ),
            ("umask 0022", "umask 0002", "a mode or umask: 0022 and 0002"),
            ("make -j2 all", "make -j16 all", "a count, as of processors: -j2 and -j16"),
            ("cpus: 2", "cpus: 64", "a count, as of processors: 2 and 64"),
            ("a word", "a worm", ""),
            ("1234567", "1234568", ""),
            ("/build/a", "no path", ""),
            ("", "a", ""),
        ] {
            assert_eq!(at_difference(one.as_bytes(), two.as_bytes()).unwrap_or_default(), want, "{one}");
        }
    }

    #[test]
    fn numbers() {
        let time = 1_764_185_545_u32;
        let padded = |bytes: &[u8]| [&[1; 8], bytes, &[0; 8]].concat();
        for (one, two, want) in [
            (
                &time.to_le_bytes()[..],
                &(time + 1).to_le_bytes()[..],
                "a time: 1764185545 = 2025-11-26T19:32:25Z and 1764185546 = 2025-11-26T19:32:26Z",
            ),
            (
                &u64::from(time).to_le_bytes(),
                &1_864_185_545_u64.to_le_bytes(),
                "a time: 1764185545 = 2025-11-26T19:32:25Z and 1864185545 = 2029-01-27T05:19:05Z",
            ),
            (
                &0x7ffd_1234_5678_u64.to_le_bytes(),
                &0x5581_1234_5678_u64.to_le_bytes(),
                "an address: 0x7ffd12345678 and 0x558112345678",
            ),
            (b"main", b"mair", ""),
            (&[1, 0, 0, 0], &[2, 0, 0, 0], ""),
            (
                &[0x3a, 0x91, 0x07, 0xfe, 0x22, 0xc8, 0x55, 0x6d, 0xb0, 0x14, 0xe9, 0x83, 0x4f, 0x70, 0xda, 0x1c],
                &[0x8b, 0x2e, 0xd4, 0x66, 0x19, 0xf3, 0xa0, 0x5c, 0x47, 0xc1, 0x0d, 0x98, 0xe2, 0x7b, 0x35, 0xaf],
                "random bytes, or a digest: 3a9107fe22c8556d… and 8b2ed46619f3a05c…",
            ),
        ] {
            assert_eq!(at_difference(&padded(one), &padded(two)).unwrap_or_default(), want, "{one:x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_at_any_place(one: Vec<u8>, two: Vec<u8>, at in 0usize..200) {
            drop(look(&one, &two, at));
            assert!(printable(&one, at).is_none_or(|text| text.len() <= 2 * REACH));
        }
    }
}
