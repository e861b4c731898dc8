//! Disk images: a GUID partition table, and partitions at whole MiB.
//!
//! The table is that of the UEFI specification (5.3), with its copy at the end and a protective MBR. Nothing in it is
//! random: the GUIDs of disk and partitions are made of the digest of what is on them.

pub mod fat;
pub mod sparse;

use std::collections::BTreeMap;
use std::io;

use gpt::partition::Partition as Entry;
use gpt::partition_types::Type;
use gpt::{GptConfig, mbr::ProtectiveMBR};
use uuid::{Builder, Uuid};

use crate::digest::Digest;
use sparse::Sparse;

/// Bytes of a sector.
const SECTOR: u64 = 512;
/// What partitions begin at a multiple of, and what is left free before the first and behind the last.
const ALIGNMENT: u64 = 1 << 20;

/// A part of a disk.
#[derive(Debug)]
pub struct Partition {
    /// Its name in the table.
    pub label: &'static str,
    /// What it is for.
    pub kind: Type,
    /// What is in it, whole MiB.
    pub content: Sparse,
}

/// A disk with these partitions, in their order.
///
/// # Errors
/// If one is no multiple of a MiB.
pub fn disk(partitions: &[Partition]) -> io::Result<Sparse> {
    if let Some(odd) = partitions.iter().find(|partition| !partition.content.size().is_multiple_of(ALIGNMENT)) {
        return Err(io::Error::other(format!("the partition {} has no whole MiB", odd.label)));
    }
    let contents: u64 = partitions.iter().map(|partition| partition.content.size()).sum();
    let mut device = Sparse::new(contents + 2 * ALIGNMENT);
    let mut digests = String::new();
    let mut entries = BTreeMap::new();
    let mut start = ALIGNMENT;
    for (number, partition) in (1..).zip(partitions) {
        device.lay(start, &partition.content)?;
        let digest = partition.content.digest().hex();
        entries.insert(number, entry(partition, start, guid(&format!("{} {digest}", partition.label))));
        digests.push_str(&digest);
        start += partition.content.size();
    }
    table(device, guid(&digests), entries)
}

fn table(mut device: Sparse, disk: Uuid, entries: BTreeMap<u32, Entry>) -> io::Result<Sparse> {
    let sectors = u32::try_from(device.size() / SECTOR - 1).unwrap_or(u32::MAX);
    ProtectiveMBR::with_lb_size(sectors).overwrite_lba0(&mut device).map_err(io::Error::other)?;
    let config = GptConfig::new().writable(true);
    let mut table = config.create_from_device(device, Some(disk)).map_err(io::Error::other)?;
    table.update_partitions(entries).map_err(io::Error::other)?;
    table.write().map_err(io::Error::other)
}

fn entry(partition: &Partition, start: u64, guid: Uuid) -> Entry {
    Entry {
        part_type_guid: partition.kind.clone(),
        part_guid: guid,
        first_lba: start / SECTOR,
        last_lba: (start + partition.content.size()) / SECTOR - 1,
        flags: 0,
        name: partition.label.to_owned(),
    }
}

/// A GUID of no meaning but its text (RFC 9562, version 8).
fn guid(text: &str) -> Uuid {
    let digest = Digest::of(text.as_bytes());
    let bytes = digest.bytes()[..16].try_into().expect("BUG: a digest has 32 bytes");
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests;
