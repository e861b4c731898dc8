//! The order in which a directory's entries are read.

/// Where the length of a record stands in one: `ino: u64, off: u64, len: u16, …`, in getdents and getdents64 alike.
const LENGTH: usize = 16;
/// Where the offset stands.
const OFFSET: std::ops::Range<usize> = 8..16;

/// Turns the records of one getdents64(2) result around. The offsets, from which reading goes on after a
/// record, stay where they are: the last one leads behind all of them, as before.
/// Bytes that are no such records stay as they are.
pub(super) fn reverse(bytes: &mut [u8]) {
    let Some(records) = records(bytes) else { return };
    let offsets = records.iter().map(|record| record[OFFSET].to_owned());
    let mut turned = Vec::with_capacity(bytes.len());
    for (record, offset) in records.iter().rev().zip(offsets) {
        let start = turned.len();
        turned.extend_from_slice(record);
        turned[start..][OFFSET].copy_from_slice(&offset);
    }
    bytes.copy_from_slice(&turned);
}

fn records(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = u16::from_ne_bytes([*bytes.get(LENGTH)?, *bytes.get(LENGTH + 1)?]).into();
        let (record, rest) = (length > LENGTH).then(|| bytes.split_at_checked(length)).flatten()?;
        records.push(record);
        bytes = rest;
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(records: &[(u64, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (offset, name) in records {
            let length = (19 + name.len() + 1).next_multiple_of(8);
            let start = bytes.len();
            bytes.extend(7_u64.to_ne_bytes());
            bytes.extend(offset.to_ne_bytes());
            bytes.extend(u16::try_from(length).expect("short").to_ne_bytes());
            bytes.push(8);
            bytes.extend(name.as_bytes());
            bytes.resize(start + length, 0);
        }
        bytes
    }

    #[test]
    fn names_turn_around_and_offsets_stay() {
        for (before, after) in [
            (&[][..], &[][..]),
            (&[(1, "one")], &[(1, "one")]),
            (
                &[(10, "."), (20, "a-rather-long-name.c"), (30, "b")],
                &[(10, "b"), (20, "a-rather-long-name.c"), (30, ".")],
            ),
        ] {
            let mut bytes = result(before);
            reverse(&mut bytes);
            assert_eq!(bytes, result(after), "{before:?}");
            reverse(&mut bytes);
            assert_eq!(bytes, result(before), "twice is not at all");
        }
    }

    #[test]
    fn what_is_no_result_stays() {
        for bytes in [vec![0; 5], vec![0; 40], vec![0xff; 40], result(&[(1, "a"), (2, "b")])[..40].to_vec()] {
            let mut turned = bytes.clone();
            reverse(&mut turned);
            assert_eq!(turned, bytes);
        }
    }
}
