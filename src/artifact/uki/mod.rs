//! Unified kernel images: a stub for UEFI with the kernel, its initramfs and its command line in sections of its own.
//!
//! The sections are those of the UAPI group's "Unified Kernel Image", in the order in which Talos has them:
//!
//! ```text
//! (the stub's own) .osrel .cmdline .uname [.splash] .linux .initrd {.profile [.cmdline]}
//! ```
//!
//! What stands before the first `.profile` belongs to all profiles; what follows one stands for that of the same name in
//! it. The boot manager offers each profile as an entry. `.uname` is what the kernel says of itself.

pub mod bzimage;
pub mod pe;

use bzimage::Kernel;
use pe::Section;

/// The first systemd whose stub knows profiles.
const PROFILES_SINCE: u32 = 257;

/// What an image is made of.
#[derive(Clone, Copy, Debug)]
pub struct Uki<'a> {
    /// systemd's `linuxx64.efi.stub`.
    pub stub: &'a [u8],
    /// An os-release file: what boot managers show.
    pub os_release: &'a str,
    /// The kernel's command line, without an end of line.
    pub command_line: &'a str,
    /// A picture, as BMP.
    pub splash: Option<&'a [u8]>,
    /// The kernel, as bzImage.
    pub linux: &'a [u8],
    /// The initramfs.
    pub initrd: &'a [u8],
    /// The entries that the image makes in a boot manager, the first one by default; one without a name if there are none.
    pub profiles: &'a [Profile],
}

/// One way to start the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `ID=main`, and `TITLE=…` on a line of its own.
    pub text: String,
    /// Its command line, if not that of the image.
    pub command_line: Option<String>,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The stub is none.
    #[error("the stub: {0}")]
    Stub(#[from] pe::Error),
    /// The stub is not of systemd.
    #[error("the stub does not say which version of systemd it is of (section .sdmagic)")]
    Nameless,
    /// The stub would ignore what belongs to profiles.
    #[error("the stub is of systemd {0}, and profiles need {PROFILES_SINCE}: take a newer one, or drop the profiles")]
    TooOld(u32),
    /// The kernel is none.
    #[error("the kernel is no bzImage for x86 (boot protocol 2.06 or newer)")]
    NoKernel,
    /// The kernel is no EFI program.
    #[error("UEFI can't start the kernel {0}: build it with CONFIG_EFI_STUB=y")]
    NoEfi(String),
    /// The kernel would cut off the command line.
    #[error("the command line has {length} bytes, and the kernel {release} reads {most}: `{start}…`")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The kernel's release.
        release: String,
        /// What it takes.
        most: u32,
        /// How it begins.
        start: String,
    },
    /// A command line is one line of text.
    #[error("the command line has an end of line or another control character: `{0}`")]
    Control(String),
}

impl Uki<'_> {
    /// The image, made at `time`, in seconds since 1970.
    ///
    /// # Errors
    /// If something of it could not be started, or not as it is meant.
    pub fn image(&self, time: u32) -> Result<Vec<u8>, Error> {
        let version = version(self.stub)?;
        if !self.profiles.is_empty() && version < PROFILES_SINCE {
            return Err(Error::TooOld(version));
        }
        let kernel = Kernel::read(self.linux).ok_or(Error::NoKernel)?;
        if !kernel.efi {
            return Err(Error::NoEfi(kernel.release));
        }
        let lines = self.profiles.iter().filter_map(|profile| profile.command_line.as_deref());
        lines.chain([self.command_line]).try_for_each(|line| check(line, &kernel))?;
        Ok(pe::extend(self.stub, &self.sections(&kernel), time)?)
    }

    fn sections<'a>(&'a self, kernel: &'a Kernel) -> Vec<Section<'a>> {
        let section = |name, data| Section { name, data };
        let mut sections = vec![
            section(".osrel", self.os_release.as_bytes()),
            section(".cmdline", self.command_line.as_bytes()),
            section(".uname", kernel.release.as_bytes()),
        ];
        sections.extend(self.splash.map(|splash| section(".splash", splash)));
        sections.extend([section(".linux", self.linux), section(".initrd", self.initrd)]);
        for profile in self.profiles {
            sections.push(section(".profile", profile.text.as_bytes()));
            sections.extend(profile.command_line.as_ref().map(|line| section(".cmdline", line.as_bytes())));
        }
        sections
    }
}

/// The version of systemd that a stub is of: `#### LoaderInfo: systemd-stub 257.9-1 ####`.
fn version(stub: &[u8]) -> Result<u32, Error> {
    let sections = pe::sections(stub)?;
    let magic =
        sections.into_iter().find(|(name, _)| name == ".sdmagic").map(|(_, data)| String::from_utf8_lossy(data));
    let version = magic.as_deref().and_then(|magic| magic.split_once("systemd-stub ")).map(|(_, version)| version);
    let digits = version.and_then(|version| version.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).ok_or(Error::Nameless)
}

fn check(line: &str, kernel: &Kernel) -> Result<(), Error> {
    if line.chars().any(char::is_control) {
        return Err(Error::Control(line.escape_debug().to_string()));
    }
    if line.len() as u64 > u64::from(kernel.command_line) {
        return Err(Error::TooLong {
            length: line.len(),
            release: kernel.release.clone(),
            most: kernel.command_line,
            start: line.chars().take(40).collect(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
