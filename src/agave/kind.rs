//! The kinds of values, and how each is checked. A text that passes is one that the program takes.

use super::base58::is_key;
use super::line::Line;
use super::value::{decimal, is_cpus, is_host, is_size, pair, port, ports, whole};

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// No value.
    Switch,
    Path,
    Text,
    /// `true` or `false`.
    Flag,
    Port,
    /// `FIRST-END`, without the end.
    PortRange,
    /// A name or an IPv4 address.
    Host,
    HostPort,
    /// The address of an account.
    Key,
    Hash,
    /// The address of an account, or a file with its key.
    KeyOrPath,
    /// A whole number, with its bounds.
    Whole(u64, u64),
    /// A whole number that may be less than zero, with its bounds.
    Signed(i64, i64),
    /// A number of zero or more.
    Decimal,
    /// A number from zero to one.
    Ratio,
    PowerOfTwo,
    /// `LOW,HIGH`, both whole numbers.
    NumberPair,
    /// Bytes, with or without a unit.
    Size,
    /// `LOW,HIGH`, both sizes.
    SizePair,
    /// Numbers and ranges of cores.
    Cpus,
    /// One of these.
    Words(&'static [&'static str]),
    /// Several values at a time, with a space between them.
    Several(&'static [Kind]),
}

/// What numbers are called.
const WHOLE: &str = "a whole number";

/// The largest number.
pub(super) const MAX: u64 = u64::MAX;
/// Any whole number.
pub(super) const NUMBER: Kind = Kind::Whole(0, MAX);
/// A whole number of 32 bits.
pub(super) const NUMBER_32: Kind = Kind::Whole(0, u32::MAX as u64);
/// How many of something there are, at least one.
pub(super) const COUNT: Kind = Kind::Whole(1, MAX);

impl Kind {
    /// Whether the program takes `text` in that line.
    pub(super) fn takes(self, text: &str, line: Line) -> bool {
        match self {
            Self::Switch => false,
            Self::Path | Self::Text => !text.is_empty(),
            Self::Flag => matches!(text, "true" | "false"),
            Self::Port => port(text).is_some(),
            Self::PortRange => ports(text).is_some_and(|(first, end)| end - first >= line.ports()),
            Self::Host => is_host(text),
            Self::HostPort => text.rsplit_once(':').is_some_and(|(host, last)| is_host(host) && port(last).is_some()),
            Self::Key | Self::Hash => is_key(text),
            Self::KeyOrPath => is_key(text) || text.contains(['/', '.']),
            Self::Whole(least, most) => whole(text).is_some_and(|number| (least..=most).contains(&number)),
            Self::Signed(least, most) => text.parse().is_ok_and(|number: i64| (least..=most).contains(&number)),
            Self::Decimal => decimal(text).is_some(),
            Self::Ratio => decimal(text).is_some_and(|number| number <= 1.0),
            Self::PowerOfTwo => whole(text).is_some_and(u64::is_power_of_two),
            Self::NumberPair => pair(text, |part| whole(part).is_some()),
            Self::Size => is_size(text),
            Self::SizePair => pair(text, is_size),
            Self::Cpus => text.split(',').all(is_cpus),
            Self::Words(words) => words.contains(&text),
            Self::Several(kinds) => {
                let parts: Vec<&str> = text.split(' ').collect();
                parts.len() == kinds.len() && parts.iter().zip(kinds).all(|(part, kind)| kind.takes(part, line))
            }
        }
    }

    /// What it takes, in words: the end of "takes …", and of "write …".
    pub(super) fn wants(self, line: Line) -> (String, String) {
        let (takes, write) = match self {
            Self::Switch => ("no value", "`true`"),
            Self::Path => ("a path", "one such as `/data/ledger`"),
            Self::Text => ("a text", "one that is not empty"),
            Self::Flag => ("a text that is `true` or `false`", "`\"true\"` or `\"false\"`, in quotes"),
            Self::Port => ("a port", "a number from 1 to 65535"),
            Self::PortRange => return range_wanted(line),
            Self::Host => ("a host", "a name or an IPv4 address, without a port"),
            Self::HostPort => ("a host with a port", "one such as `example.org:8001` or `192.0.2.1:8001`"),
            Self::Key => ("an address", "all of its 32 bytes in base58"),
            Self::Hash => ("a hash", "all of its 32 bytes in base58"),
            Self::KeyOrPath => ("an address or a file with a key", "32 bytes in base58, or a path with a `/`"),
            Self::Whole(least, MAX) => return (WHOLE.to_owned(), format!("one of at least {least}")),
            Self::Whole(least, most) => return (WHOLE.to_owned(), format!("one from {least} to {most}")),
            Self::Signed(least, most) => return (WHOLE.to_owned(), format!("one from {least} to {most}")),
            Self::Decimal => ("a number", "one of at least 0, such as `1.5`"),
            Self::Ratio => ("a number", "one from 0 to 1, such as `0.8`"),
            Self::PowerOfTwo => ("a power of two", "one such as `8192`"),
            Self::NumberPair => ("two numbers", "`LOW,HIGH`"),
            Self::Size => ("a number of bytes", "one such as `15000000000` or `15GB`"),
            Self::SizePair => ("two numbers of bytes", "`LOW,HIGH`, such as `3GB,3500MB`"),
            Self::Cpus => ("a list of cores", "one such as `1` or `2-4,7`"),
            Self::Words(words) => return ("a word".to_owned(), format!("one of {}", quoted(words))),
            Self::Several(kinds) => return several_wanted(kinds, line),
        };
        (takes.to_owned(), write.to_owned())
    }
}

fn range_wanted(line: Line) -> (String, String) {
    let ports = line.ports();
    let help = format!("`FIRST-END` with at least {ports} ports, of which END is none: `8000-{}`", 8000 + ports);
    (format!("a range of at least {ports} ports in {line}"), help)
}

fn several_wanted(kinds: &[Kind], line: Line) -> (String, String) {
    let each: Vec<String> = kinds.iter().map(|kind| kind.wants(line).0).collect();
    (format!("{} values at a time", kinds.len()), format!("{}, with a space between them", each.join(", ")))
}

/// Words in a row, as one writes them.
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::Kind::*;
    use super::*;

    #[test]
    fn each_kind_takes_and_refuses() {
        let key = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";
        let cases: [(Kind, &[&str], &[&str]); 19] = [
            (Switch, &[], &["", "x"]),
            (Path, &["/data", "-", "ledger"], &[""]),
            (Flag, &["true", "false"], &["True", "1"]),
            (Port, &["1", "8899", "65535"], &["0", "65536", "+1", " 1", "x", ""]),
            (PortRange, &["8000-8026", "1024-65535"], &["8000-8025", "8026-8000", "8000", "8000-", "a-b"]),
            (
                Host,
                &["0.0.0.0", "a.example.org", "localhost"],
                &["", "::1", "a:1", "a b", "-a", "a..b", "http://a", "1.2.3", "1.2.3.04", "1.2.3.256"],
            ),
            (HostPort, &["127.0.0.1:1", "a.org:8001"], &["a.org", "a.org:0", "a.org:x", ":1", "[::1]:1"]),
            (Key, &[key], &["", "x", "/key.json"]),
            (KeyOrPath, &[key, "/key.json", "key.json"], &["", "5eykt4"]),
            (Whole(2, 9), &["2", "9"], &["1", "10", "-2", "2.5", "", "1_0"]),
            (Signed(-2, 2), &["-2", "0", "2"], &["-3", "3", "x"]),
            (Decimal, &["0", "1.5", "10"], &["-1", "nan", "inf", "x", ""]),
            (Ratio, &["0", "0.8", "1"], &["1.1", "-0.1"]),
            (PowerOfTwo, &["1", "8192"], &["0", "3", "x"]),
            (NumberPair, &["1,2"], &["1", "1,2,3", "a,b", ","]),
            (SizePair, &["1,2", "3GB,3.5 GB"], &["1", "1XB,2"]),
            (Size, &["1", "15GB", "15 GiB", "1.5 kb"], &["", "GB", "15 XB", "-1"]),
            (Cpus, &["1", "2-4,7"], &["", "a", "4-2", "1,"]),
            (Several(&[KeyOrPath, Path]), &["/k /p"], &["/k", "/k  /p", "/k /p /q"]),
        ];
        for (kind, taken, refused) in cases {
            for (texts, expected) in [(taken, true), (refused, false)] {
                for text in texts {
                    assert_eq!(kind.takes(text, Line::new(4, 1)), expected, "{kind:?} {text:?}");
                }
            }
        }
        assert!(Words(&["a", "b"]).takes("a", Line::new(4, 1)) && !Words(&["a"]).takes("A", Line::new(4, 1)));
    }

    #[test]
    fn a_range_that_was_wide_enough() {
        let takes = |text, minor| PortRange.takes(text, Line::new(4, minor));
        assert_eq!([takes("8000-8025", 0), takes("8000-8025", 1), takes("8000-8026", 1)], [true, false, true]);
    }
}
