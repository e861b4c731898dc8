//! Kernel modules and their signatures, in bytes.
//!
//! A signed module is the module, a signature, twelve bytes that describe it, and a line:
//!
//! | bytes | what |
//! |---|---|
//! | … | the module, an ELF file |
//! | n | the signature: a CMS message in DER ([`signer`]) |
//! | 1, 1 | algorithm and hash: 0, as the message says them |
//! | 1 | kind of signature: 2, CMS |
//! | 1, 1, 3 | lengths of what other kinds have, padding: 0 |
//! | 4 | n, big-endian |
//! | 28 | `~Module signature appended~\n` |
//!
//! Source: `include/linux/module_signature.h`, `kernel/module_signature.c` and `scripts/sign-file.c` of Linux 6.12.
//!
//! A detached signature is that CMS message in a file of its own, as `sign-file -d` writes it. Those of a tree of modules
//! stand at `<folder>/<digest of the unsigned tree, 64 hex>/<path in the tree>.p7s`.

pub mod certificate;
pub mod info;
pub mod pem;
pub mod signer;
pub mod tree;

/// The line at the end.
const MAGIC: &[u8] = b"~Module signature appended~\n";
/// The length of the description before it.
const DESCRIPTION: usize = 12;
/// The kind of signature that is a CMS message.
const CMS: u8 = 2;
/// What a detached signature's file is called, after its module's.
pub const SUFFIX: &str = ".p7s";

/// What is wrong with a module, a signature, a certificate or a key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The end of the module is not as the format says.
    #[error("the end of the module is damaged: {0}")]
    Trailer(String),
    /// A module that must not have a signature has one.
    #[error("it is signed already")]
    Signed,
    /// The signature is no message as kernels read them.
    #[error("the signature is damaged, or of another kind: {0}")]
    Message(String),
    /// The signature was made with a key of another certificate.
    #[error("the signature is of another certificate: {0}")]
    Signatory(String),
    /// The signature does not fit what it signs.
    #[error("the signature does not fit the module")]
    Unfit,
    /// The certificate can't be used.
    #[error("the certificate: {0}")]
    Certificate(String),
    /// The key can't be used.
    #[error("the key: {0}")]
    Key(String),
    /// The key is that of no certificate that the kernel trusts.
    #[error("the key does not belong to the certificate ({0})")]
    Stranger(String),
    /// It is no kernel module, or says nothing of its kernel.
    #[error("no kernel module: {0}")]
    Module(String),
    /// The module is for another kernel.
    #[error("it is for the kernel {found}, not for {wanted}")]
    Kernel {
        /// What the module says.
        found: String,
        /// The kernel that it is wanted for.
        wanted: String,
    },
}

/// The module and its signature, if it has one.
///
/// # Errors
/// For an end that says that there is a signature, and not how long it is.
pub fn split(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), Error> {
    let Some(rest) = bytes.strip_suffix(MAGIC) else { return Ok((bytes, None)) };
    let damaged = |what: &str| Error::Trailer(what.to_owned());
    let (rest, description) = rest.split_last_chunk::<DESCRIPTION>().ok_or_else(|| damaged("it is cut off"))?;
    let [0, 0, CMS, 0, 0, 0, 0, 0, length @ ..] = description else {
        return Err(damaged("the signature is of an unknown kind"));
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let start = rest.len().checked_sub(length).ok_or_else(|| damaged("the signature is longer than all of it"))?;
    let (module, signature) = rest.split_at(start);
    Ok((module, Some(signature)))
}

/// The module with a signature at its end.
///
/// # Errors
/// If it has one.
pub fn attach(module: &[u8], signature: &[u8]) -> Result<Vec<u8>, Error> {
    if module.ends_with(MAGIC) {
        return Err(Error::Signed);
    }
    let length = u32::try_from(signature.len()).map_err(|_| Error::Message("it is too long".to_owned()))?;
    let description = [0, 0, CMS, 0, 0, 0, 0, 0];
    Ok([module, signature, &description, &length.to_be_bytes(), MAGIC].concat())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::certificate::Certificates;
    use super::signer::Signer;
    use super::*;

    /// The published development key and its certificate.
    pub(crate) const KEY: &str = include_str!("../../../kernel/keys/dev.pem");
    pub(crate) const CERTIFICATE: &str = include_str!("../../../kernel/keys/dev.crt");
    /// What the golden signature signs.
    const SIGNED: &[u8] = b"not a real module\n";
    /// Made once by the kernel's own tool, of Debian's linux-kbuild-6.1 6.1.192-2, for a file `m` with [`SIGNED`]:
    /// `sign-file -dp sha512 kernel/keys/dev.pem kernel/keys/dev.crt m`, which writes `m.p7s`.
    const GOLDEN: &[u8] = include_bytes!("golden.p7s");
    /// The SHA-256 of that module as `sign-file sha512 … m` leaves it.
    const GOLDEN_MODULE: &str = "fb151aa1cf8841b38543caae7813203e3468d3098de6bff5eb8f692648b0d85a";

    pub(crate) fn trusted() -> Certificates {
        Certificates::read(CERTIFICATE).expect("a certificate")
    }

    #[test]
    fn the_bytes_are_those_of_sign_file() {
        let signature = Signer::new(KEY, &trusted()).expect("fits").sign(SIGNED).expect("signs");
        assert_eq!(signature, GOLDEN);
        let module = attach(SIGNED, GOLDEN).expect("unsigned");
        assert_eq!(crate::digest::Digest::of(&module).hex(), GOLDEN_MODULE);
        assert_eq!(split(&module), Ok((SIGNED, Some(GOLDEN))));
        assert_eq!(trusted().verify(SIGNED, GOLDEN), Ok(()));
    }

    #[test]
    fn what_is_attached_is_split_again() {
        for (module, signature) in [(&b""[..], &b""[..]), (b"\x7fELF", b"0"), (SIGNED, GOLDEN)] {
            let signed = attach(module, signature).expect("unsigned");
            assert_eq!(split(&signed), Ok((module, Some(signature))));
            assert_eq!(attach(&signed, signature), Err(Error::Signed));
        }
        assert_eq!(split(SIGNED), Ok((SIGNED, None)));
    }

    #[test]
    fn damaged_ends_are_told() {
        let signed = attach(b"module", b"signature").expect("unsigned");
        let end = signed.len() - MAGIC.len();
        let with = |at: usize, byte: u8| {
            let mut damaged = signed.clone();
            damaged[at] = byte;
            damaged
        };
        for (bytes, words) in [
            (MAGIC.to_vec(), "cut off"),
            (with(end - DESCRIPTION + 2, 1), "unknown kind"),
            (with(end - 5, 1), "unknown kind"),
            (with(end - 1, 200), "longer than all of it"),
        ] {
            let error = split(&bytes).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_signature_that_does_not_fit_is_told() {
        let trusted = trusted();
        let mut other = GOLDEN.to_vec();
        *other.last_mut().expect("bytes") ^= 1;
        assert_eq!(trusted.verify(b"another module\n", GOLDEN), Err(Error::Unfit));
        assert_eq!(trusted.verify(SIGNED, &other), Err(Error::Unfit));
        assert!(matches!(trusted.verify(SIGNED, b"text"), Err(Error::Message(_))));
        assert!(matches!(trusted.verify(SIGNED, &GOLDEN[..GOLDEN.len() - 1]), Err(Error::Message(_))));
        // The serial number of the certificate, 1, becomes 2.
        let serial = GOLDEN.windows(5).position(|bytes| bytes == [2, 1, 1, 0x30, 0x0b]).expect("a serial number");
        let mut other = GOLDEN.to_vec();
        other[serial + 2] = 2;
        assert!(matches!(trusted.verify(SIGNED, &other), Err(Error::Signatory(_))));
    }
}
