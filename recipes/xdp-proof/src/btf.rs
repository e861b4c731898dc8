//! The BPF Type Format, as far as it says where structs have their fields.
//!
//! Its section is a header, then types, then strings. A type is a name, a word that holds its kind and the number of its
//! members, a size, and what its kind adds.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};

/// Sizes of structs, and offsets of their fields.
pub struct Structs(HashMap<String, Struct>);

/// A struct: its size, and the names and offsets in bytes of its fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Struct {
    pub size: usize,
    pub fields: Vec<(String, usize)>,
}

const MAGIC: u32 = 0xeb9f;
const STRUCT: u32 = 4;

/// Words that follow the three of each type, by kind: fixed ones, and those of each member.
const EXTRA: [(usize, usize); 20] = [
    (0, 0), // none
    (1, 0), // integer
    (0, 0), // pointer
    (3, 0), // array
    (0, 3), // struct
    (0, 3), // union
    (0, 2), // enum
    (0, 0), // forward
    (0, 0), // typedef
    (0, 0), // volatile
    (0, 0), // const
    (0, 0), // restrict
    (0, 0), // function
    (0, 2), // prototype
    (1, 0), // variable
    (0, 3), // section
    (0, 0), // float
    (1, 0), // tag of a declaration
    (0, 0), // tag of a type
    (0, 3), // enum of 64 bits
];

impl Structs {
    /// Reads the section `.BTF` of an object.
    pub fn parse(section: &[u8]) -> Result<Self> {
        let word = |at: usize| word(section, at);
        ensure!(word(0)? & 0xffff == MAGIC, ".BTF does not begin with its magic number");
        let header = word(4)? as usize;
        let (types, types_end) = (header + word(8)? as usize, header + word(8)? as usize + word(12)? as usize);
        let strings = section.get(header + word(16)? as usize..).context(".BTF has no strings")?;
        let mut structs = HashMap::new();
        let mut at = types;
        while at < types_end {
            let (kind, members) = (word(at + 4)? >> 24 & 31, word(at + 4)? as usize & 0xffff);
            let (fixed, each) = *EXTRA.get(kind as usize).with_context(|| format!(".BTF has a type of kind {kind}"))?;
            if kind == STRUCT {
                let fields = (0..members).map(|member| field(section, strings, at + 12 + member * 12));
                let size = word(at + 8)? as usize;
                structs.insert(name(strings, word(at)?)?, Struct { size, fields: fields.collect::<Result<_>>()? });
            }
            at += 12 + 4 * (fixed + members * each);
        }
        Ok(Structs(structs))
    }

    /// The struct with a name.
    pub fn get(&self, name: &str) -> Option<&Struct> {
        self.0.get(name)
    }
}

fn field(section: &[u8], strings: &[u8], at: usize) -> Result<(String, usize)> {
    // With bit fields, the upper 8 bits are a width; these structs have none.
    Ok((name(strings, word(section, at)?)?, (word(section, at + 8)? & 0xff_ffff) as usize / 8))
}

fn word(section: &[u8], at: usize) -> Result<u32> {
    let bytes = section.get(at..at + 4).with_context(|| format!(".BTF ends before byte {at}"))?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

fn name(strings: &[u8], at: u32) -> Result<String> {
    let bytes = strings.get(at as usize..).context("a name in .BTF is outside of its strings")?;
    let end = bytes.iter().position(|&byte| byte == 0).context("a name in .BTF has no end")?;
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_found_behind_other_types() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let integer = words(&[0, 1 << 24, 4, 32]);
        let pair = words(&[1, 4 << 24 | 2, 8, 6, 1, 0, 8, 1, 32]);
        let types = [integer, pair].concat();
        let length = types.len() as u32;
        let mut section = words(&[MAGIC | 1 << 16, 24, 0, length, length, 10]);
        section.extend(types);
        section.extend(b"\0pair\0a\0b\0");
        let expected = Struct { size: 8, fields: vec![("a".to_string(), 0), ("b".to_string(), 4)] };
        assert_eq!(Structs::parse(&section).unwrap().get("pair"), Some(&expected));
    }

    #[test]
    fn what_is_cut_is_an_error() {
        assert!(Structs::parse(&[0x9f, 0xeb, 1]).is_err());
        assert!(Structs::parse(&[0; 64]).is_err());
    }
}
