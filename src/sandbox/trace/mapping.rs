//! Which parts of which files a program has mapped to be executed.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A part of a file in a program's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Where the tracer finds the file.
    pub(super) file: PathBuf,
    /// Where the part begins in the file.
    pub(super) offset: u64,
    /// Where it is in memory.
    pub(super) memory: Range<u64>,
}

impl Mapping {
    /// The address of a place in the file, if that is mapped.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        let address = self.memory.start.checked_add(offset.checked_sub(self.offset)?)?;
        self.memory.contains(&address).then_some(address)
    }
}

/// The code of files, each process's own copy, by `/proc/<pid>/maps`.
pub(super) fn executable(maps: &str) -> Vec<Mapping> {
    maps.lines().filter_map(mapping).collect()
}

/// Reads `start-end rights offset device inode   path`.
fn mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.splitn(6, ' ');
    let (range, rights, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let path = fields.nth(2)?.trim_start();
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    (rights.ends_with("xp") && path.starts_with('/')).then_some(())?;
    Some(Mapping { file: Path::new(path).to_owned(), offset: number(offset)?, memory: number(start)?..number(end)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_code_of_a_process() {
        let maps = "\
55d0c0a00000-55d0c0a01000 r--p 00000000 fe:00 131                        /bin/x
55d0c0a01000-55d0c0a02000 r-xp 00001000 fe:00 131                        /bin/a name
55d0c0a03000-55d0c0a04000 r-xs 00001000 fe:00 131                        /bin/shared
7ffd3a5d9000-7ffd3a5fa000 rw-p 00000000 00:00 0                          [stack]
7f0000000000-7f0000001000 rwxp 00000000 00:00 0 
7ffd3a5fe000-7ffd3a600000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
";
        let [only] = executable(maps).try_into().expect("one");
        let memory = 0x55d0_c0a0_1000_u64..0x55d0_c0a0_2000;
        assert_eq!(only, Mapping { file: "/bin/a name".into(), offset: 0x1000, memory });
    }

    #[test]
    fn where_a_place_of_the_file_is() {
        let mapping = Mapping { file: PathBuf::new(), offset: 0x1000, memory: 0x7000..0x8000 };
        for (offset, want) in
            [(0xfff, None), (0x1000, Some(0x7000)), (0x1fff, Some(0x7fff)), (0x2000, None), (u64::MAX, None)]
        {
            assert_eq!(mapping.address(offset), want, "{offset:#x}");
        }
    }
}
