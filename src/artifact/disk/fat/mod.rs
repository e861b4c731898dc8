//! FAT32 file systems as EFI system partitions are, the same bytes for the same files.
//!
//! The format is Microsoft's "FAT32 File System Specification" 1.03. Sectors have 512 bytes:
//!
//! ```text
//! 0 boot sector | 1 FSInfo | 6, 7 their copies | 32 table of clusters | its copy | clusters, from number 2
//! ```
//!
//! Every file and folder lies in clusters that follow each other: the root, then each folder's entries in the order of names,
//! folders before what is in them. A cluster's entry in the table is the number of the next one.

mod entry;
mod tree;

use std::io::{self, Seek, SeekFrom, Write};

use super::sparse::Sparse;
use tree::Folder;

const SECTOR: u64 = 512;
/// Sectors before the first table.
const RESERVED: u64 = 32;
/// Up to this size a cluster is one sector; as mkfs.fat has it, so that the table of larger ones stays small.
const SMALL: u64 = 260 << 20;
/// With fewer clusters it is FAT16 to all who read it.
const FEWEST: u64 = 65_525;
/// A last cluster.
const END: u32 = 0x0fff_ffff;
/// The volume's name, padded.
const LABEL: &[u8; 11] = b"EFI        ";

/// A file of the partition.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// `EFI/Linux/Talos.efi`; folders are made.
    pub path: &'a str,
    /// What is in it.
    pub data: &'a [u8],
}

/// Why there is no file system.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Its files need more than there is.
    #[error("the EFI system partition has {size} bytes, and what is to stand in it needs {needed}: make it larger")]
    Full {
        /// Its size in bytes.
        size: u64,
        /// What files, folders and tables need.
        needed: u64,
    },
    /// It would be another file system.
    #[error("an EFI system partition of {0} bytes can't be FAT32: it needs 34 MiB")]
    Small(u64),
    /// A name that FAT can't have, or two that it does not tell apart.
    #[error("FAT can't have the name `{0}`: {1}")]
    Name(String, &'static str),
}

/// Where things are.
struct Geometry {
    sectors: u64,
    /// Bytes of a cluster.
    cluster: u64,
    /// Sectors of one table.
    table: u64,
}

/// The file system of `size` bytes with `files`; `id` tells it from others.
///
/// # Errors
/// If they do not fit, or have names that FAT does not know.
pub fn format(size: u64, id: u32, files: &[File<'_>]) -> Result<Sparse, Error> {
    let geometry = Geometry::of(size)?;
    let mut root = Folder::of(files)?;
    let used = root.place(geometry.cluster);
    let needed = geometry.data() + used * geometry.cluster;
    if needed > size {
        return Err(Error::Full { size, needed });
    }
    let mut device = Sparse::new(size);
    geometry.write(&mut device, id, used, &root).expect("BUG: it was looked at what fits");
    Ok(device)
}

impl Geometry {
    fn of(size: u64) -> Result<Self, Error> {
        let sectors = size / SECTOR;
        let cluster = if size <= SMALL { SECTOR } else { 8 * SECTOR };
        // Each cluster needs 4 bytes in both tables; a few clusters more than there are do no harm.
        let table = ((size / cluster + 2) * 4).div_ceil(SECTOR);
        let geometry = Self { sectors, cluster, table };
        let enough = size >= geometry.data() && geometry.clusters() >= FEWEST && u32::try_from(sectors).is_ok();
        if enough { Ok(geometry) } else { Err(Error::Small(size)) }
    }

    /// Where the first cluster is, in bytes.
    fn data(&self) -> u64 {
        (RESERVED + 2 * self.table) * SECTOR
    }

    fn clusters(&self) -> u64 {
        (self.sectors * SECTOR - self.data()) / self.cluster
    }

    fn write(&self, device: &mut Sparse, id: u32, used: u64, root: &Folder<'_>) -> io::Result<()> {
        for copy in [0, 6] {
            put(device, copy * SECTOR, &self.boot_sector(id))?;
            put(device, (copy + 1) * SECTOR, &self.information(used))?;
        }
        let table: Vec<u8> = root.table().into_iter().flat_map(u32::to_le_bytes).collect();
        for copy in 0..2 {
            put(device, (RESERVED + copy * self.table) * SECTOR, &table)?;
        }
        root.contents(&mut |cluster, bytes| put(device, self.data() + u64::from(cluster - 2) * self.cluster, bytes))
    }

    fn boot_sector(&self, id: u32) -> [u8; SECTOR as usize] {
        let mut sector = [0; SECTOR as usize];
        let mut set = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
        let long = |number: u64| u32::try_from(number).expect("BUG: sectors fit").to_le_bytes();
        set(0, b"\xeb\x58\x90forge   ");
        set(11, &512_u16.to_le_bytes());
        set(13, &[u8::try_from(self.cluster / SECTOR).expect("BUG: a small number")]);
        set(14, &u16::try_from(RESERVED).expect("BUG: a small number").to_le_bytes());
        // Two tables; a fixed disk; a geometry of cylinders that nobody asks for.
        set(16, &[2]);
        set(21, &[0xf8]);
        set(24, &[32, 0, 64, 0]);
        set(32, &long(self.sectors));
        set(36, &long(self.table));
        // The root's cluster, and the sectors of FSInfo and of the copy.
        set(44, &[2, 0, 0, 0, 1, 0, 6, 0]);
        set(64, &[0x80, 0, 0x29]);
        set(67, &id.to_le_bytes());
        set(71, LABEL);
        set(82, b"FAT32   ");
        set(510, &[0x55, 0xaa]);
        sector
    }

    /// FSInfo: what is free, and where to look for it.
    fn information(&self, used: u64) -> [u8; SECTOR as usize] {
        let mut sector = [0; SECTOR as usize];
        let mut set = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
        let long = |number: u64| u32::try_from(number).expect("BUG: clusters fit").to_le_bytes();
        set(0, b"RRaA");
        set(484, b"rrAa");
        set(488, &long(self.clusters() - used));
        set(492, &long(used + 1));
        set(508, &[0, 0, 0x55, 0xaa]);
        sector
    }
}

fn put(device: &mut Sparse, at: u64, bytes: &[u8]) -> io::Result<()> {
    device.seek(SeekFrom::Start(at))?;
    device.write_all(bytes)
}
