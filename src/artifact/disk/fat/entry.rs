//! Entries of folders: 32 bytes with a short name, and before them a long name in pieces of 13 characters where the
//! short one does not say it all.
//!
//! | offset | short entry | piece of a long name |
//! |---|---|---|
//! | 0 | name, 8 + 3 upper-case letters | its number, 0x40 in the last, which stands first |
//! | 1 | | 5 characters of UTF-16 |
//! | 11 | attributes | 0x0f |
//! | 13 | | check sum of the short name |
//! | 14, 16, 18, 22, 24 | created at, day; read; written at, day | 14: 6 characters |
//! | 20, 26 | first cluster, upper and lower half | 28: 2 characters |
//! | 28 | size | |

use super::Error;

/// Bytes of an entry.
pub(super) const SIZE: usize = 32;
pub(super) const VOLUME: u8 = 0x08;
pub(super) const FOLDER: u8 = 0x10;
const LONG: u8 = 0x0f;
/// 1980-01-02, as `SOURCE_DATE_EPOCH` is in all sandboxes: years since 1980, month and day.
const DAY: [u8; 2] = (1 << 5 | 2_u16).to_le_bytes();
/// Characters of a piece.
const PIECE: usize = 13;
/// Where in a piece its characters are.
const CHARACTERS: [usize; PIECE] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

/// An entry with a short name.
pub(super) struct Entry {
    pub(super) short: [u8; 11],
    pub(super) attributes: u8,
    pub(super) first: u32,
    pub(super) size: u32,
}

impl Entry {
    pub(super) fn bytes(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let first = self.first.to_le_bytes();
        bytes[..11].copy_from_slice(&self.short);
        bytes[11] = self.attributes;
        [16, 18, 24].into_iter().for_each(|at| bytes[at..at + 2].copy_from_slice(&DAY));
        bytes[20..22].copy_from_slice(&first[2..]);
        bytes[26..28].copy_from_slice(&first[..2]);
        bytes[28..].copy_from_slice(&self.size.to_le_bytes());
        bytes
    }
}

/// Whether a name can be had: printable ASCII, which is what firmware agrees on.
pub(super) fn check(name: &str) -> Result<(), Error> {
    let refused = |why| Err(Error::Name(name.to_owned(), why));
    let known = |byte: u8| byte.is_ascii_graphic() && !br#""*/:<>?\|"#.contains(&byte) || byte == b' ';
    match name {
        "" | "." | ".." => refused("it is none"),
        _ if name.len() > 255 => refused("it has more than 255 letters"),
        _ if !name.bytes().all(known) => refused("it has letters that FAT or firmware does not know"),
        _ if name.ends_with(['.', ' ']) || name.starts_with(' ') => refused("FAT drops dots and spaces at its ends"),
        _ => Ok(()),
    }
}

/// How many entries a name takes.
pub(super) fn count(name: &str) -> usize {
    if plain(name).is_some() { 1 } else { 1 + name.len().div_ceil(PIECE) }
}

/// The entries of a folder for itself and for the one that it is in, 0 for the root.
pub(super) fn dots(own: u32, parent: u32) -> Vec<u8> {
    let dot = |short: &[u8; 11], first| Entry { short: *short, attributes: FOLDER, first, size: 0 }.bytes();
    [dot(b".          ", own), dot(b"..         ", parent)].concat()
}

/// The entries for a name; `taken` are the short names of the folder so far.
pub(super) fn named(name: &str, attributes: u8, first: u32, size: u32, taken: &mut Vec<[u8; 11]>) -> Vec<u8> {
    let short = plain(name).unwrap_or_else(|| alias(name, taken));
    taken.push(short);
    let mut bytes = Vec::new();
    if plain(name).is_none() {
        let pieces: Vec<_> = name.as_bytes().chunks(PIECE).enumerate().collect();
        let last = pieces.len() - 1;
        for (index, piece) in pieces.into_iter().rev() {
            let number = u8::try_from(index + 1).expect("BUG: 20 pieces at the most");
            bytes.extend(self::piece(piece, if index == last { number | 0x40 } else { number }, sum(&short)));
        }
    }
    bytes.extend(Entry { short, attributes, first, size }.bytes());
    bytes
}

/// The name as a short one, if that says it all.
fn plain(name: &str) -> Option<[u8; 11]> {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let fits = (1..=8).contains(&stem.len()) && extension.len() <= 3 && (name.contains('.') != extension.is_empty());
    let sound = fits && stem.bytes().chain(extension.bytes()).all(known);
    sound.then(|| padded(stem, extension))
}

/// `TALOS-~1.EFI`, the first number that is free.
fn alias(name: &str, taken: &[[u8; 11]]) -> [u8; 11] {
    let clean = |text: &str, most: usize| -> String {
        let known = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
        text.chars().filter(known).take(most).collect::<String>().to_ascii_uppercase()
    };
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let extension = clean(extension, 3);
    let number = |number: u32| {
        let tail = format!("~{number}");
        padded(&(clean(stem, 8 - tail.len()) + &tail), &extension)
    };
    (1..).map(number).find(|short| !taken.contains(short)).expect("BUG: numbers do not end")
}

fn padded(stem: &str, extension: &str) -> [u8; 11] {
    let mut short = [b' '; 11];
    short[..stem.len()].copy_from_slice(stem.as_bytes());
    short[8..8 + extension.len()].copy_from_slice(extension.as_bytes());
    short
}

fn sum(short: &[u8; 11]) -> u8 {
    short.iter().fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// A piece of a long name: behind its end a 0, and then all ones.
fn piece(name: &[u8], number: u8, sum: u8) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    (bytes[0], bytes[11], bytes[13]) = (number, LONG, sum);
    for (index, at) in CHARACTERS.into_iter().enumerate() {
        let character = match name.get(index) {
            Some(byte) => u16::from(*byte),
            None if index == name.len() => 0,
            None => 0xffff,
        };
        bytes[at..at + 2].copy_from_slice(&character.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names() {
        for (name, expected) in
            [("EFI", Some("EFI        ")), ("A.B", Some("A       B  ")), ("boot", None), ("A.B.C", None)]
        {
            assert_eq!(plain(name).as_ref().map(|short| short.as_slice()), expected.map(str::as_bytes), "{name}");
        }
        let first = alias("Talos-v1.10.3.efi", &[]);
        assert_eq!(&first, b"TALOS-~1EFI");
        assert_eq!(&alias("Talos-v1.10.4.efi", &[first]), b"TALOS-~2EFI");
        assert_eq!(&alias(".efi", &[]), b"~1      EFI");
    }

    #[test]
    fn names_that_can_not_be() {
        for name in ["", ".", "..", "a:b", "a\u{e4}", "a.", " a", "a\n", &"x".repeat(256)] {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["loader.conf", "Talos-v1.10.3~2.efi", "a b", &"x".repeat(255)] {
            assert_eq!(check(name), Ok(()), "{name:?}");
            assert_eq!(named(name, 0, 2, 0, &mut Vec::new()).len(), count(name) * SIZE);
        }
    }
}
