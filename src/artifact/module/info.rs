//! What a module says of itself: the `.modinfo` section, texts `name=value` that end in a zero byte each.
//!
//! Source: `include/linux/module.h` (`MODULE_INFO`) and `vermagic.h` of Linux 6.12.

use object::{Object as _, ObjectSection as _};

use super::Error;

/// The section.
const SECTION: &str = ".modinfo";
/// The text whose first word is the release of the kernel that the module was built for.
const KERNEL: &str = "vermagic=";

/// Whether a module is for the kernel `release`.
///
/// # Errors
/// For another kernel's module, and what is no module.
pub fn is_for(module: &[u8], release: &str) -> Result<(), Error> {
    let found = kernel(module)?;
    if found == release { Ok(()) } else { Err(Error::Kernel { found, wanted: release.to_owned() }) }
}

/// The release of the kernel that a module was built for.
fn kernel(module: &[u8]) -> Result<String, Error> {
    let file = object::File::parse(module).map_err(|error| Error::Module(format!("{error}")))?;
    let section = file.section_by_name(SECTION).ok_or_else(|| Error::Module(format!("it has no section {SECTION}")))?;
    let data = section.data().map_err(|error| Error::Module(format!("{SECTION}: {error}")))?;
    let texts = data.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let magic = texts.filter_map(|text| Some(text.strip_prefix(KERNEL)?.split(' ').next()?.to_owned())).next();
    magic.ok_or_else(|| Error::Module(format!("{SECTION} does not say for which kernel")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The least ELF file with a section `.modinfo`: its header, the names of sections, the section, three headers.
    pub(crate) fn module(info: &str) -> Vec<u8> {
        const NAMES: &[u8] = b"\0.modinfo\0.shstrtab\0";
        const HEADER: usize = 64;
        let start = HEADER + NAMES.len();
        let headers = (start + info.len()).next_multiple_of(8);
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        // A relocatable file for x86-64; then no entry, no program headers, and where the section headers are.
        bytes.extend([1, 0, 62, 0, 1, 0, 0, 0].iter().chain(&[0; 16]));
        bytes.extend((headers as u64).to_le_bytes());
        bytes.extend([0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 64, 0, 3, 0, 2, 0]);
        bytes.extend(NAMES.iter().chain(info.as_bytes()));
        bytes.resize(headers, 0);
        bytes.extend([0; 64]);
        for (name, kind, at, size) in [(1u32, 1u32, start, info.len()), (10, 3, HEADER, NAMES.len())] {
            let mut header = [name.to_le_bytes(), kind.to_le_bytes()].concat();
            for field in [0, 0, at as u64, size as u64, 0, 1, 0] {
                header.extend(field.to_le_bytes());
            }
            bytes.extend(header);
        }
        bytes
    }

    #[test]
    fn a_module_names_its_kernel() {
        let info = "license=GPL\0vermagic=6.12.1-forge SMP mod_unload \0name=x\0";
        assert_eq!(kernel(&module(info)).as_deref(), Ok("6.12.1-forge"));
        assert_eq!(is_for(&module(info), "6.12.1-forge"), Ok(()));
        let error = is_for(&module(info), "6.12.2-forge").expect_err("another");
        assert_eq!(error.to_string(), "it is for the kernel 6.12.1-forge, not for 6.12.2-forge");
    }

    #[test]
    fn what_is_no_module_is_told() {
        let mut other = module("license=GPL\0");
        let name = other.windows(8).position(|bytes| bytes == b".modinfo").expect("its section");
        other[name] = b'_';
        for (bytes, words) in [
            (b"text".to_vec(), "no kernel module"),
            (other, "no section .modinfo"),
            (module("license=GPL\0"), "does not say for which kernel"),
        ] {
            let error = kernel(&bytes).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
