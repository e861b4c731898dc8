//! What machines boot Talos with, by version: arguments, the entries of the boot manager, the partitions of a disk.
//!
//! Sources: `pkg/machinery/kernel/kernel.go`, `pkg/machinery/imager/quirks/{quirks,partitions}.go`,
//! `pkg/imager/imager.go` (`buildUKI`) and `pkg/machinery/constants/constants.go` of v1.10.3 and v1.14.0-rc.1.

use super::Release;

const MIB: u64 = 1 << 20;

/// Arguments of the imager for the platform `metal`, and the minor versions that have them: from, to.
const ARGUMENTS: [(&str, u64, u64); 13] = [
    ("talos.platform=metal", 0, u64::MAX),
    ("console=tty0", 0, u64::MAX),
    ("init_on_alloc=1", 0, 13),
    ("slab_nomerge", 0, u64::MAX),
    ("pti=on", 0, u64::MAX),
    ("consoleblank=0", 0, u64::MAX),
    ("nvme_core.io_timeout=4294967295", 0, 13),
    ("printk.devkmsg=on", 0, u64::MAX),
    ("ima_template=ima-ng", 0, 10),
    ("ima_appraise=fix", 0, 10),
    ("ima_hash=sha512", 0, 10),
    ("selinux=1", 10, u64::MAX),
    ("module.sig_enforce=1", 12, u64::MAX),
];
/// An argument of newer versions, which stands last.
const LAST: (&str, u64) = ("proc_mem.force_override=never", 13);

/// What an argument starts with that leaves one out.
const WITHOUT: char = '-';

/// The folder of an installer with what it installs.
pub const INSTALL: &str = "usr/install/amd64";
/// The stub for unified kernel images, the boot manager and the initramfs, in the imager.
pub const STUB: &str = "usr/install/amd64/systemd-stub.efi";
/// See [`STUB`].
pub const LOADER: &str = "usr/install/amd64/systemd-boot.efi";
/// See [`STUB`]. It is compressed with zstd, whatever its name says.
pub const INITRAMFS: &str = "usr/install/amd64/initramfs.xz";
/// The unified kernel image in an installer.
pub const IMAGE: &str = "usr/install/amd64/vmlinuz.efi";

/// The unified kernel image among what a machine boots.
pub const UKI: &str = "metal-amd64-uki.efi";

/// The configuration of the boot manager.
pub const LOADER_CONFIG: &str = "# systemd-boot configuration\n\ntimeout 10\n";

/// The command line that the imager says, with `own` laid over it.
#[must_use]
pub fn command_line(release: Release, own: &[String]) -> Vec<String> {
    let minor = release.version().minor;
    let standing =
        ARGUMENTS.iter().filter(|(_, from, to)| (*from..=*to).contains(&minor)).map(|(argument, ..)| *argument);
    let standing = standing.chain((minor >= LAST.1).then_some(LAST.0));
    lay(standing.map(str::to_owned).collect(), own)
}

/// A command line with arguments laid over it: each takes the place of those of its name; `-name` leaves them out.
#[must_use]
pub fn lay(line: Vec<String>, own: &[String]) -> Vec<String> {
    let replaced = |argument: &String| own.iter().any(|one| name(one.trim_start_matches(WITHOUT)) == name(argument));
    let kept = line.into_iter().filter(|argument| !replaced(argument));
    kept.chain(own.iter().filter(|one| !leaves_out(one)).cloned()).collect()
}

/// Whether an argument is none, but leaves out others.
#[must_use]
pub fn leaves_out(argument: &str) -> bool {
    argument.starts_with(WITHOUT)
}

/// `console` of `console=ttyS0`.
fn name(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(name, _)| name)
}

/// What the boot manager shows: an os-release file.
#[must_use]
pub fn os_release(release: Release) -> String {
    format!(
        "NAME=\"Talos\"\nID=talos\nVERSION_ID=v{release}\nPRETTY_NAME=\"Talos (v{release})\"\n\
         HOME_URL=\"https://www.talos.dev/\"\nBUG_REPORT_URL=\"https://github.com/siderolabs/talos/issues\"\n\
         VENDOR_NAME=\"Sidero Labs\"\nVENDOR_URL=\"https://www.siderolabs.com/\"\n"
    )
}

/// The entries of the boot manager: what each is called, and its command line if it has one of its own.
#[must_use]
pub fn profiles(command_line: &str) -> [(&'static str, Option<String>); 2] {
    let wipe = format!("{command_line} talos.experimental.wipe=system:EPHEMERAL,STATE");
    [("ID=main", None), ("ID=reset-maintenance\nTITLE=Reset to maintenance mode", Some(wipe))]
}

/// The file of the unified kernel image on the EFI system partition.
#[must_use]
pub fn image_name(release: Release) -> String {
    format!("Talos-v{release}.efi")
}

/// The size of the EFI system partition in bytes: two images must fit.
#[must_use]
pub fn esp_size(release: Release) -> u64 {
    if release.version().minor < 11 { 1101 * MIB } else { 2101 * MIB }
}

/// The size of the partition META in bytes.
pub const META_SIZE: u64 = MIB;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(release: Release, own: &[&str]) -> String {
        command_line(release, &own.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn command_lines() {
        let first = Release::new(10, 3);
        assert_eq!(
            line(first, &[]),
            "talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge pti=on consoleblank=0 \
             nvme_core.io_timeout=4294967295 printk.devkmsg=on ima_template=ima-ng ima_appraise=fix ima_hash=sha512 selinux=1"
        );
        assert_eq!(
            line(Release::new(14, 0), &[]),
            "talos.platform=metal console=tty0 slab_nomerge pti=on consoleblank=0 printk.devkmsg=on selinux=1 \
             module.sig_enforce=1 proc_mem.force_override=never"
        );
        let own = line(first, &["console=ttyS0", "-selinux", "-init_on_alloc", "iommu=pt", "console=tty1"]);
        assert!(own.ends_with(" ima_hash=sha512 console=ttyS0 iommu=pt console=tty1"), "{own}");
        assert!(!own.contains("selinux") && !own.contains("init_on_alloc") && !own.contains("tty0 "), "{own}");
    }

    #[test]
    fn partitions_and_names() {
        assert_eq!((esp_size(Release::new(10, 3)), esp_size(Release::new(11, 0))), (1101 << 20, 2101 << 20));
        assert_eq!(image_name(Release::new(10, 3)), "Talos-v1.10.3.efi");
        assert!(os_release(Release::new(10, 3)).contains("\nVERSION_ID=v1.10.3\n"));
        assert_eq!(profiles("a")[1].1.as_deref(), Some("a talos.experimental.wipe=system:EPHEMERAL,STATE"));
    }
}
