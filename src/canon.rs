//! The canonical encoding that identities are hashed from.
//!
//! A value is written so that two different values never give the same bytes:
//!
//! | value | bytes |
//! |---|---|
//! | `u64` | 8 bytes, little-endian |
//! | `bool` | one byte, 0 or 1 |
//! | text, bytes | length as `u64`, then the bytes |
//! | [`Digest`] | its 32 bytes |
//! | `Option` | 0, or 1 and the value |
//! | list, map | length as `u64`, then the items in order (maps: key, value; sorted by key) |
//! | struct | its fields in the order its `Canon` says |
//! | enum | the variant's number as `u64`, then its fields |
//!
//! [`identity`] hashes a tag with the encoding, so that values of different types never share one.
//! A type's `Canon` destructures it (`let Self { a, b } = self`), so that a new field can't be
//! forgotten. Golden bytes in the tests pin the encoding.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::path::{Name, RelPath};

/// A value with a canonical encoding.
pub trait Canon {
    /// Appends the encoding.
    fn canon(&self, out: &mut Vec<u8>);
}

/// The digest of `value`'s encoding under `tag` (such as `"forge derivation 1"`).
#[must_use]
pub fn identity(tag: &str, value: &impl Canon) -> Digest {
    let mut bytes = Vec::with_capacity(512);
    tag.canon(&mut bytes);
    value.canon(&mut bytes);
    Digest::of(&bytes)
}

impl Canon for u64 {
    fn canon(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
}

impl Canon for bool {
    fn canon(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Canon for [u8] {
    fn canon(&self, out: &mut Vec<u8>) {
        (self.len() as u64).canon(out);
        out.extend(self);
    }
}

impl Canon for str {
    fn canon(&self, out: &mut Vec<u8>) {
        self.as_bytes().canon(out);
    }
}

impl Canon for String {
    fn canon(&self, out: &mut Vec<u8>) {
        self.as_str().canon(out);
    }
}

impl Canon for Name {
    fn canon(&self, out: &mut Vec<u8>) {
        self.as_str().canon(out);
    }
}

impl Canon for RelPath {
    fn canon(&self, out: &mut Vec<u8>) {
        self.as_str().canon(out);
    }
}

impl Canon for Digest {
    fn canon(&self, out: &mut Vec<u8>) {
        out.extend(self.bytes());
    }
}

impl<T: Canon + ?Sized> Canon for &T {
    fn canon(&self, out: &mut Vec<u8>) {
        (*self).canon(out);
    }
}

impl<T: Canon> Canon for Option<T> {
    fn canon(&self, out: &mut Vec<u8>) {
        self.is_some().canon(out);
        if let Some(value) = self {
            value.canon(out);
        }
    }
}

impl<T: Canon> Canon for Vec<T> {
    fn canon(&self, out: &mut Vec<u8>) {
        (self.len() as u64).canon(out);
        self.iter().for_each(|item| item.canon(out));
    }
}

impl<K: Canon, V: Canon> Canon for BTreeMap<K, V> {
    fn canon(&self, out: &mut Vec<u8>) {
        (self.len() as u64).canon(out);
        for (key, value) in self {
            key.canon(out);
            value.canon(out);
        }
    }
}

impl<A: Canon, B: Canon> Canon for (A, B) {
    fn canon(&self, out: &mut Vec<u8>) {
        self.0.canon(out);
        self.1.canon(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &(impl Canon + ?Sized)) -> Vec<u8> {
        let mut out = Vec::new();
        value.canon(&mut out);
        out
    }

    #[test]
    fn golden_bytes() {
        assert_eq!(bytes(&1u64), [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes("ab"), [2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
        assert_eq!(bytes(&Some(true)), [1, 1]);
        assert_eq!(bytes(&None::<bool>), [0]);
        assert_eq!(bytes(&vec![false, true]), [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let map = BTreeMap::from([("k".to_owned(), true)]);
        assert_eq!(bytes(&map), [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'k', 1]);
        assert_eq!(
            identity("forge test 1", &map).hex(),
            Digest::of(b"\x0c\0\0\0\0\0\0\0forge test 1\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0k\x01").hex()
        );
    }

    proptest::proptest! {
        #[test]
        fn different_values_differ(a: (Vec<String>, Option<bool>), b: (Vec<String>, Option<bool>)) {
            proptest::prop_assert_eq!(a == b, bytes(&a) == bytes(&b));
        }
    }
}
