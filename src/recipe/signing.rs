//! The field `signing` of a kernel, and the sources that follow from it.

use super::diagnostic::Fault;
use super::field;
use super::source::Source;
use super::unit::Draft;
use crate::path::{Name, RelPath};

/// Where signatures are kept if a recipe does not say.
const SIGNATURES: &str = "signatures";
/// The folder of the development key, and the key in it.
const KEYS: (&str, &str) = ("kernel", "keys/dev.pem");

/// By whom a kernel's modules are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// By everybody: with the published development key. No release may have such a kernel.
    Dev,
    /// By the holder of the key: the signatures are kept as files.
    Detached {
        /// The folder of signatures, relative to that of the recipe.
        folder: RelPath,
    },
}

impl Signing {
    /// The source with the certificate that signatures must fit.
    pub const CERTIFICATE: &str = "certificate";
    /// The source with the development key.
    pub const KEY: &str = "dev-key";
    /// The source with kept signatures.
    pub const SIGNATURES: &str = "signatures";
    /// The output with the modules as they were built.
    pub const UNSIGNED: &str = "unsigned";
    /// Sources that a unit has by it.
    pub const SOURCES: [&str; 3] = [Self::CERTIFICATE, Self::KEY, Self::SIGNATURES];
    /// The words in recipes.
    const WORDS: [&str; 2] = ["dev", "detached"];
}

impl Draft<'_> {
    pub(super) fn signing(&mut self) -> Option<Signing> {
        let raw = self.raw;
        let word = raw.signing.as_ref();
        if let (Some(folder), true) = (&raw.signatures, word.is_none_or(|word| word.as_str() != "detached")) {
            let fault = Fault::new(folder.span(), "signatures are kept only of modules with `signing = \"detached\"`");
            self.faults.push(fault.help("say so, or drop this"));
        }
        let word = word?;
        if raw.certificate.is_none() {
            let fault = Fault::new(word.span(), "modules are signed for a certificate, and there is none");
            self.faults.push(fault.help("add `certificate = \"…\"`, which the kernel is to trust"));
        }
        match word.as_str() {
            "dev" => Some(Signing::Dev),
            "detached" => {
                let folder = raw.signatures.as_ref();
                let folder = folder.map_or(Some(RelPath::constant(SIGNATURES)), |text| field::path(text, self.faults));
                folder.map(|folder| Signing::Detached { folder })
            }
            other => {
                let title = format!("modules are not signed by `{}`", other.escape_debug());
                let help = format!("write {}, or drop it: modules stay unsigned", Signing::WORDS.join(" or "));
                self.faults.push(Fault::new(word.span(), title).suggest(other, Signing::WORDS, help));
                None
            }
        }
    }

    /// The certificate, and the key or the signatures.
    pub(super) fn signing_sources(&self, signing: &Signing, certificate: &RelPath) -> [(Name, Source); 2] {
        let of = |directory: &RelPath, glob: String| Source::Path {
            directory: directory.clone(),
            include: vec![glob],
            exclude: Vec::new(),
        };
        let (own, certificate) = (self.inputs.directory, globset::escape(certificate.as_str()));
        let signatures = match signing {
            Signing::Dev => (Signing::KEY, of(&RelPath::constant(KEYS.0), KEYS.1.to_owned())),
            // A glob must match something, and the folder is not there before the first signatures are: so it has the
            // certificate, too.
            Signing::Detached { folder } => {
                let glob = format!("{{{},{certificate}}}", globset::escape(folder.as_str()));
                (Signing::SIGNATURES, of(own, glob))
            }
        };
        [(Signing::CERTIFICATE, of(own, certificate)), signatures].map(|(name, source)| (Name::constant(name), source))
    }
}
