//! Inputs: sound ones with a few things changed, and plain noise.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The largest input; formats are to be broken by their shape, not by the time it takes.
const MAX_BYTES: usize = 256 << 10;

/// At most so many changes to one input: with more, it is refused at the first.
const MAX_MUTATIONS: usize = 6;

/// Pieces that end, nest, escape or lead elsewhere in one of the formats.
const TOKENS: [&str; 24] = [
    "\0", "\n", "\n\n", "\r\n", " ", "\t", ":", "=", "\"", "'''", "[[", "]", "{", "}", "#", "..", "../", "/", "~", "|",
    "${", "é", "\u{202e}", "-----",
];

/// Numbers at and beyond the ends of what fits somewhere.
const NUMBERS: [&str; 10] = [
    "0",
    "-1",
    "127",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
];

/// One change. An [`Index`] is a place relative to the length that the input happens to have.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index, usize),
    Truncate(Index),
    Insert(Index, Vec<u8>),
    Number(Index, &'static str),
    Repeat(Index, usize, usize),
    /// A piece of another sound input, from, how much, and to where.
    Splice(Index, Index, usize, Index),
}

/// Inputs made from sound ones.
pub fn inputs(corpus: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec(mutation(), 1..MAX_MUTATIONS);
    let changed = (any::<Index>(), changes).prop_map(|(sound, changes)| {
        let mut bytes = sound.get(corpus).clone();
        changes.iter().for_each(|change| change.apply(&mut bytes, corpus));
        bytes.truncate(MAX_BYTES);
        bytes
    });
    prop_oneof![15 => changed, 1 => prop::collection::vec(any::<u8>(), 0..512)]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let (at, length) = (any::<Index>, 1usize..64);
    let times = prop_oneof![3 => 1usize..50, 1 => 50usize..2000];
    let bytes = prop_oneof![
        2 => select(&TOKENS[..]).prop_map(|token| token.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..16),
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (at(), 0u8..8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), length.clone()).prop_map(|(at, length)| Mutation::Cut(at, length)),
        at().prop_map(Mutation::Truncate),
        (at(), bytes).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), select(&NUMBERS[..])).prop_map(|(at, number)| Mutation::Number(at, number)),
        (at(), length.clone(), times).prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        (at(), at(), length, at()).prop_map(|(other, from, length, to)| Mutation::Splice(other, from, length, to)),
    ]
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        match self {
            Self::Set(at, byte) => set(bytes, at, |_| *byte),
            Self::Flip(at, bit) => set(bytes, at, |old| old ^ (1 << bit)),
            Self::Cut(at, length) => drop(bytes.drain(range(at, *length, bytes.len()))),
            Self::Truncate(at) => bytes.truncate(place(at, bytes.len())),
            Self::Insert(at, new) => insert(bytes, at, new),
            Self::Number(at, number) => drop(bytes.splice(digits(bytes, at), number.bytes())),
            Self::Repeat(at, length, times) => {
                let piece = bytes[range(at, *length, bytes.len())].repeat(*times);
                insert(bytes, at, &piece);
            }
            Self::Splice(other, from, length, to) => {
                let other = other.get(corpus);
                insert(bytes, to, &other[range(from, *length, other.len())]);
            }
        }
    }
}

fn set(bytes: &mut [u8], at: &Index, new: impl FnOnce(u8) -> u8) {
    let at = place(at, bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = new(*byte);
    }
}

/// Somewhere in `0..=length`.
fn place(at: &Index, length: usize) -> usize {
    at.index(length + 1)
}

fn range(at: &Index, wanted: usize, length: usize) -> Range<usize> {
    let start = place(at, length);
    start..length.min(start + wanted)
}

/// The first number behind a place; nothing at the end if there is none.
fn digits(bytes: &[u8], at: &Index) -> Range<usize> {
    let from = place(at, bytes.len());
    let start = bytes[from..].iter().position(u8::is_ascii_digit).map_or(bytes.len(), |found| from + found);
    let count = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    start..start + count
}

fn insert(bytes: &mut Vec<u8>, at: &Index, new: &[u8]) {
    let at = place(at, bytes.len());
    drop(bytes.splice(at..at, new.iter().copied()));
}
