//! What a Linux kernel for x86 says of itself in its setup header (Documentation/arch/x86/boot.rst, all little-endian).
//!
//! | offset | field |
//! |---|---|
//! | 0x000 | `MZ` if UEFI can start it |
//! | 0x202 | `HdrS` |
//! | 0x206 | version of the protocol, at least 2.06 |
//! | 0x20e | where the text of the version is, less 0x200 |
//! | 0x238 | the longest command line, without the 0 at its end |

/// The first version of the protocol that says how long the command line may be.
const PROTOCOL: u16 = 0x206;
/// The longest text of a version that is looked at.
const RELEASE: usize = 256;

/// A kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `6.12.28-talos`, as `uname -r` says.
    pub release: String,
    /// How many bytes its command line may have.
    pub command_line: u32,
    /// Whether UEFI can start it.
    pub efi: bool,
}

impl Kernel {
    /// Reads the header of a bzImage; nothing if it is none.
    #[must_use]
    pub fn read(image: &[u8]) -> Option<Self> {
        let protocol = short(image, 0x206)?;
        if image.get(0x202..0x206)? != b"HdrS" || protocol < PROTOCOL {
            return None;
        }
        let start = usize::from(short(image, 0x20e)?) + 0x200;
        let text = image.get(start..)?;
        let end = text.iter().take(RELEASE).position(|byte| matches!(byte, 0 | b' '))?;
        Some(Self {
            release: String::from_utf8(text[..end].to_vec()).ok().filter(|release| !release.is_empty())?,
            command_line: u32::from_le_bytes(image.get(0x238..0x23c)?.try_into().ok()?),
            efi: image.starts_with(b"MZ"),
        })
    }
}

fn short(image: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(image.get(offset..offset + 2)?.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The head of a kernel.
    pub(in super::super) fn image(release: &str, efi: bool) -> Vec<u8> {
        let mut image = vec![0; 0x400];
        image[..2].copy_from_slice(if efi { b"MZ" } else { b"\xea\x05" });
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&0x20f_u16.to_le_bytes());
        image[0x20e..0x210].copy_from_slice(&0x100_u16.to_le_bytes());
        image[0x238..0x23c].copy_from_slice(&2047_u32.to_le_bytes());
        image[0x300..0x300 + release.len()].copy_from_slice(release.as_bytes());
        image
    }

    #[test]
    fn a_kernel_says_its_release() {
        let read = Kernel::read(&image("6.12.28-talos (forge@forge) #1", true));
        assert_eq!(read, Some(Kernel { release: "6.12.28-talos".to_owned(), command_line: 2047, efi: true }));
        assert!(!Kernel::read(&image("6.1 x", false)).expect("a kernel").efi);
    }

    #[test]
    fn what_is_no_kernel() {
        let good = image("6.1 x", true);
        let with = |at: usize, bytes: &[u8]| {
            let mut image = good.clone();
            image[at..at + bytes.len()].copy_from_slice(bytes);
            image
        };
        let wrong =
            [with(0x202, b"hdrs"), with(0x206, &[0, 2]), with(0x20e, &[0xff, 0xff]), with(0x300, b" "), Vec::new()];
        wrong.iter().for_each(|image| assert_eq!(Kernel::read(image), None));
        (0..0x302).for_each(|length| assert_eq!(Kernel::read(&good[..length]), None, "{length}"));
    }
}
