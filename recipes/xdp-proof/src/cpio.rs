//! An archive that the kernel unpacks into its first file system: cpio's "new ASCII" form (the kernel's
//! Documentation/driver-api/early-userspace/buffer-format.rst). A header is `070701` and 13 numbers of 8 hexadecimal
//! digits: inode, mode, uid, gid, links, time, size, four of devices, bytes of the name, and 0. Name and content follow,
//! each filled up to 4 bytes; the name `TRAILER!!!` is the end. A folder stands before what is in it.

use std::collections::BTreeSet;

/// A name without a `/` before it, and the content of a file that everybody may run.
pub type File = (String, Vec<u8>);

const FILE: u32 = 0o100_755;
const FOLDER: u32 = 0o040_755;

/// The archive of these files and of the folders that they are in.
pub fn archive(files: &[File]) -> Vec<u8> {
    let (mut bytes, mut inode) = (Vec::new(), 0);
    let mut next = || {
        inode += 1;
        inode
    };
    for folder in folders(files) {
        entry(&mut bytes, next(), FOLDER, folder, &[]);
    }
    for (name, content) in files {
        entry(&mut bytes, next(), FILE, name, content);
    }
    entry(&mut bytes, 0, 0, "TRAILER!!!", &[]);
    bytes
}

/// Each once, and those outside before those inside.
fn folders(files: &[File]) -> BTreeSet<&str> {
    files.iter().flat_map(|(name, _)| name.match_indices('/').map(|(end, _)| &name[..end])).collect()
}

fn entry(bytes: &mut Vec<u8>, inode: u32, mode: u32, name: &str, content: &[u8]) {
    let (size, name_bytes) = (content.len() as u32, name.len() as u32 + 1);
    bytes.extend(b"070701");
    for number in [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_bytes, 0] {
        bytes.extend(format!("{number:08x}").as_bytes());
    }
    bytes.extend(name.as_bytes());
    bytes.push(0);
    fill(bytes);
    bytes.extend(content);
    fill(bytes);
}

fn fill(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_its_bytes() {
        let header = |numbers: [u32; 4]| {
            let [inode, mode, size, name] = numbers.map(|number| format!("{number:08x}"));
            let nothing = "0".repeat(8);
            let devices = nothing.repeat(4);
            format!("070701{inode}{mode}{nothing}{nothing}00000001{nothing}{size}{devices}{name}{nothing}")
        };
        let expected = [
            &header([1, 0o040_755, 0, 4]),
            "bin\0\0\0",
            &header([2, 0o100_755, 5, 6]),
            "bin/a\0hello\0\0\0",
            &header([0, 0, 0, 11]),
            "TRAILER!!!\0\0\0\0",
        ];
        assert_eq!(String::from_utf8(archive(&[("bin/a".into(), b"hello".to_vec())])).unwrap(), expected.concat());
    }

    #[test]
    fn folders_come_from_outside_inwards() {
        let files = ["usr/lib/a", "usr/b", "c", "usr-d/e"].map(|name| (name.to_string(), Vec::new()));
        assert_eq!(folders(&files).into_iter().collect::<Vec<_>>(), ["usr", "usr-d", "usr/lib"]);
    }
}
