//! What a machine boots, and a disk that boots by itself.
//!
//! | file | what it is |
//! |---|---|
//! | `kernel-amd64` | the kernel |
//! | `initramfs-metal-amd64.xz` | the initramfs: that of the imager as it is, and our layers behind it |
//! | `cmdline-metal-amd64` | the command line, without an end of line |
//! | `metal-amd64-uki.efi` | all three as one EFI program |
//! | `boot.ipxe` | a script that boots the first two over the network, from where it lies itself |
//!
//! The names are those of Talos' imager (`pkg/imager/profile`, `OutputPath`).

use std::io;

use gpt::partition_types::{EFI, LINUX_FS};

use super::disk::{Partition, disk, fat, sparse::Sparse};
use super::uki::{Profile, Uki};
use super::{Error, files, initramfs};
use crate::derivation::{Boot, Disk};
use crate::path::RelPath;
use crate::store::{Blob, MTIME, Node, Output, Store, TreeBuilder};
use crate::talos::boot::{self, LOADER, STUB, UKI};

const KERNEL: &str = "kernel-amd64";
const INITRAMFS: &str = "initramfs-metal-amd64.xz";
const COMMAND_LINE: &str = "cmdline-metal-amd64";
const SCRIPT: &str = "boot.ipxe";
/// zstd's own default.
const LEVEL: i32 = 3;

/// The folder with what a machine boots.
///
/// # Errors
/// If something of it could not be started, and where the store fails.
pub fn boot(store: &Store, wanted: &Boot<Output>, threads: usize) -> Result<Output, Error> {
    let kernel = within(store, &wanted.kernel, "bzImage")?;
    let base = Output::File { blob: within(store, &wanted.imager, boot::INITRAMFS)?, executable: false };
    let segments = [("that of the imager".to_owned(), base), ("layers".to_owned(), wanted.layers)];
    let initramfs = initramfs::assemble(store, &segments, threads)?.blob();
    let image = uki(store, wanted, &kernel, &initramfs)?;
    let mut tree = TreeBuilder::new();
    let mut file = |name, blob| tree.file(&RelPath::constant(name), blob, false);
    file(KERNEL, kernel)?;
    file(INITRAMFS, initramfs)?;
    file(COMMAND_LINE, store.put(wanted.command_line.as_bytes())?)?;
    file(UKI, store.put(&image)?)?;
    file(SCRIPT, store.put(script(&wanted.command_line).as_bytes())?)?;
    Ok(Output::Tree(tree.finish(store)?))
}

/// The EFI program.
fn uki(store: &Store, wanted: &Boot<Output>, kernel: &Blob, initramfs: &Blob) -> Result<Vec<u8>, Error> {
    let [stub, linux, initrd] =
        [&within(store, &wanted.imager, STUB)?, kernel, initramfs].map(|blob| files::bytes(store, blob));
    let profiles = wanted.profiles.iter();
    let profiles = profiles.map(|(text, line)| Profile { text: text.clone(), command_line: line.clone() });
    let image = Uki {
        stub: &stub?,
        os_release: &wanted.os_release,
        command_line: &wanted.command_line,
        splash: None,
        linux: &linux?,
        initrd: &initrd?,
        profiles: &profiles.collect::<Vec<_>>(),
    };
    image.image(time()).map_err(|error| Error::Refused(error.to_string()))
}

/// The seconds since 1970 of all that is built.
fn time() -> u32 {
    u32::try_from(MTIME).expect("BUG: a time of 1980")
}

/// Names without a host are looked for where the script came from.
fn script(command_line: &str) -> String {
    format!("#!ipxe\nimgfree\nkernel {KERNEL} {command_line}\ninitrd {INITRAMFS}\nboot\n")
}

/// The disk, compressed with zstd.
///
/// # Errors
/// If what is on it does not fit, and where the store fails.
pub fn raw(store: &Store, wanted: &Disk<Output>, threads: usize) -> Result<Output, Error> {
    let refused = |error: io::Error| Error::Refused(format!("the disk: {error}"));
    let image = files::bytes(store, &within(store, &wanted.boot, UKI)?)?;
    let loader = files::bytes(store, &within(store, &wanted.imager, LOADER)?)?;
    let path = format!("EFI/Linux/{}", wanted.image_name);
    let files = [
        fat::File { path: "EFI/boot/BOOTX64.efi", data: &loader },
        fat::File { path: &path, data: &image },
        fat::File { path: "loader/loader.conf", data: wanted.loader.as_bytes() },
    ];
    let id = u32::from_le_bytes(wanted.boot.digest().bytes()[..4].try_into().expect("BUG: a digest has 32 bytes"));
    let esp = fat::format(wanted.esp_size, id, &files).map_err(|error| Error::Refused(error.to_string()))?;
    let partitions = [
        Partition { label: "EFI", kind: EFI, content: esp },
        Partition { label: "META", kind: LINUX_FS, content: Sparse::new(wanted.meta_size) },
    ];
    let whole = disk(&partitions).map_err(refused)?;
    let mut encoder = zstd::Encoder::new(store.writer()?, LEVEL).map_err(refused)?;
    // Without a worker the bytes are others.
    encoder.multithread(u32::try_from(threads.max(1)).unwrap_or(1)).map_err(refused)?;
    whole.copy_to(&mut encoder).map_err(refused)?;
    let blob = encoder.finish().map_err(refused)?.finish()?;
    Ok(Output::File { blob, executable: false })
}

/// A file of a tree.
fn within(store: &Store, tree: &Output, path: &str) -> Result<Blob, Error> {
    let mut all = TreeBuilder::new();
    all.graft(store, None, &tree.digest())?;
    match all.get(&files::path(path)?)? {
        Some(Node::File { blob, .. }) => Ok(blob),
        _ => Err(Error::Refused(format!("there is no file {path} among what is to be booted"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_boots_what_lies_beside_it() {
        let expected = "#!ipxe\nimgfree\nkernel kernel-amd64 a b\ninitrd initramfs-metal-amd64.xz\nboot\n";
        assert_eq!(script("a b"), expected);
    }
}
