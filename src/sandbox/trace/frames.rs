//! `.eh_frame`: by which exceptions unwind the stack. It says where functions begin and how long they are.
//!
//! ```text
//! an entry  u32 length, u32 back to what it shares with others, the function's address, its length, …
//! shared    u32 length, u32 0, version, letters, 0, two LEB128 and a register, by letters: …
//! the end   u32 0
//! ```
//!
//! How the address is written, and how wide both numbers are, stands in what is shared, at the letter `R`.

use std::collections::HashMap;
use std::ops::Range;

/// Functions' addresses, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Functions(Vec<Range<u64>>);

impl Functions {
    /// Those of a table that is at an address. What follows an entry that cannot be read is left out.
    pub(super) fn read(table: &[u8], address: u64) -> Self {
        let mut functions = Vec::new();
        let mut forms = HashMap::new();
        let mut at = 0;
        while let Some(entry) = entry(table, at) {
            match uint(entry, 4) {
                Some(0) => drop(forms.insert(at as u64, form(entry))),
                Some(back) => {
                    let shared = (at as u64 + 4).checked_sub(back.into());
                    let form = shared.and_then(|shared| *forms.get(&shared)?);
                    functions.extend(form.and_then(|form| function(entry, address.wrapping_add(at as u64), form)));
                }
                None => {}
            }
            at += entry.len();
        }
        functions.sort_unstable_by_key(|function: &Range<u64>| function.start);
        Self(functions)
    }

    /// The one that an address is in.
    pub(super) fn at(&self, address: u64) -> Option<&Range<u64>> {
        let after = self.0.partition_point(|function| function.start <= address);
        self.0[..after].last().filter(|function| function.contains(&address))
    }
}

/// The entry there with its length before it; `None` at the end, and at one of the form for huge tables.
fn entry(table: &[u8], at: usize) -> Option<&[u8]> {
    const HUGE: u32 = u32::MAX;
    let rest = table.get(at..)?;
    let length = uint(rest, 0).filter(|length| ![0, HUGE].contains(length))?;
    rest.get(..usize::try_from(length).ok()?.checked_add(4)?)
}

/// How addresses are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Eight bytes, and so is the length.
    Absolute,
    /// Four bytes from where they stand.
    Near,
    /// Eight bytes from where they stand.
    Far,
}

impl Form {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x00 | 0x04 => Some(Self::Absolute),
            0x1b => Some(Self::Near),
            0x10 | 0x1c => Some(Self::Far),
            _ => None,
        }
    }
}

fn function(entry: &[u8], address: u64, form: Form) -> Option<Range<u64>> {
    const AT: usize = 8;
    let here = address.wrapping_add(AT as u64);
    let (start, length) = match form {
        Form::Absolute => (long(entry, AT)?, long(entry, AT + 8)?),
        Form::Near => (here.wrapping_add_signed(uint(entry, AT)?.cast_signed().into()), uint(entry, AT + 4)?.into()),
        Form::Far => (here.wrapping_add(long(entry, AT)?), long(entry, AT + 8)?),
    };
    Some(start..start.checked_add(length)?)
}

/// How addresses are written in the entries that share this one.
fn form(shared: &[u8]) -> Option<Form> {
    let (version, rest) = shared.get(8..)?.split_first()?;
    let (letters, rest) = rest.split_at(rest.iter().position(|byte| *byte == 0)?);
    let rest = after_number(after_number(rest.get(1..)?)?)?;
    let rest = if *version == 1 { rest.get(1..)? } else { after_number(rest)? };
    let Some(letters) = letters.strip_prefix(b"z") else { return Some(Form::Absolute) };
    let mut rest = after_number(rest)?;
    for letter in letters {
        match letter {
            b'R' => return Form::of(*rest.first()?),
            b'L' => rest = rest.get(1..)?,
            b'P' => rest = rest.get(1 + width(*rest.first()?)?..)?,
            b'S' | b'B' => {}
            _ => return None,
        }
    }
    Some(Form::Absolute)
}

/// How wide a pointer is that is written so.
fn width(form: u8) -> Option<usize> {
    match form & 0x0f {
        0x00 | 0x04 | 0x0c => Some(8),
        0x02 | 0x0a => Some(2),
        0x03 | 0x0b => Some(4),
        _ => None,
    }
}

/// What follows a number in LEB128.
fn after_number(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    bytes.get(last + 1..)
}

fn uint(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry of so much, with its length and with zeros at its end up to a multiple of four.
    fn framed(body: &[u8]) -> Vec<u8> {
        let length = body.len().next_multiple_of(4);
        let mut bytes = u32::try_from(length).expect("short").to_le_bytes().to_vec();
        bytes.extend(body);
        bytes.resize(4 + length, 0);
        bytes
    }

    /// What is shared, with these letters and what belongs to them.
    fn shared(letters: &[u8], rest: &[u8]) -> Vec<u8> {
        framed(&[&[0, 0, 0, 0, 1], letters, &[0, 1, 0x78, 16], rest].concat())
    }

    /// An entry `at` that shares what is at 0.
    fn own(at: u32, rest: &[u8]) -> Vec<u8> {
        framed(&[&(at + 4).to_le_bytes()[..], rest].concat())
    }

    #[test]
    fn every_form() {
        let near = [&(-0x1008_i32 - 24).to_le_bytes()[..], &7_u32.to_le_bytes()].concat();
        let far = [&(-0x1008_i64 - 24).to_le_bytes()[..], &7_u64.to_le_bytes()].concat();
        let absolute = [&0x4000_u64.to_le_bytes()[..], &7_u64.to_le_bytes()].concat();
        for (letters, letters_say, entry, found) in [
            (&b"zR"[..], &[1, 0x1b][..], &near, true),
            (b"zR", &[1, 0x1c], &far, true),
            (b"zR", &[1, 0x10], &far, true),
            (b"zR", &[1, 0], &absolute, true),
            (b"", &[], &absolute, true),
            (b"zR", &[1, 0x2b], &near, false),
            (b"zX", &[1, 0x1b], &near, false),
            (b"zR", &[1, 0x1b], &near[..4].to_vec(), false),
        ] {
            let mut table = shared(letters, letters_say);
            table.resize(24, 0);
            table[0] = 20;
            table.extend([own(24, entry), vec![0; 4]].concat());
            let want = Functions(found.then_some(0x4000..0x4007).into_iter().collect());
            assert_eq!(Functions::read(&table, 0x5000), want, "{letters:?} {letters_say:x?}");
        }
    }

    #[test]
    fn letters_before_the_form() {
        let pointer = [0x9b, 1, 2, 3, 4];
        for (letters, rest, want) in [
            (&b"zPLR"[..], &[&[7][..], &pointer, &[0x1b, 0x1b]].concat()[..], Some(Form::Near)),
            (b"zRS", &[1, 0x1b], Some(Form::Near)),
            (b"zSR", &[1, 0x1c], Some(Form::Far)),
            (b"z", &[0], Some(Form::Absolute)),
            (b"zPR", &[1, 0x0f], None),
        ] {
            assert_eq!(form(&shared(letters, rest)), want, "{letters:?}");
        }
        assert_eq!(form(&shared(b"zR", &[1, 0x1b])[..10]), None);
    }

    #[test]
    fn the_function_of_an_address() {
        let functions = Functions(vec![10..20, 20..21, 30..40]);
        for (address, want) in [(9, None), (10, Some(10)), (19, Some(10)), (20, Some(20)), (21, None), (39, Some(30))] {
            assert_eq!(functions.at(address).map(|function| function.start), want, "{address}");
        }
        assert_eq!(Functions::default().at(0), None);
    }

    #[test]
    fn a_table_that_is_cut_off() {
        let whole = [shared(b"zR", &[1, 0x1b]), own(20, &[0; 8])].concat();
        for length in 0..whole.len() {
            assert_eq!(Functions::read(&whole[..length], 0), Functions::default(), "{length}");
        }
        assert_eq!(Functions::read(&[0xff; 64], u64::MAX), Functions::default());
    }
}
