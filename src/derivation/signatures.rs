//! Where the signatures of kernel modules come from.

use super::Value;
use super::walk::Visit;

/// Signatures of all modules of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Signatures<I> {
    /// They are made with a key that everybody has.
    Dev {
        /// The key.
        key: I,
    },
    /// They were made elsewhere and are kept.
    Detached {
        /// The folder with those of this tree, and maybe of others.
        folder: I,
    },
}

impl<I> Signatures<I> {
    pub(super) fn input(&self) -> &I {
        match self {
            Self::Dev { key: input } | Self::Detached { folder: input } => input,
        }
    }

    /// Which way it is; a number is never given again.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Dev { .. } => 0,
            Self::Detached { .. } => 1,
        }
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Signatures<O>, E> {
        Ok(match self {
            Self::Dev { key } => Signatures::Dev { key: output(key)? },
            Self::Detached { folder } => Signatures::Detached { folder: output(folder)? },
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        match self {
            Self::Dev { key } => visit("key", Value::Input(key)),
            Self::Detached { folder } => visit("signatures", Value::Input(folder)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assemble, Derivation};
    use super::*;
    use crate::digest::Digest;
    use crate::store::{Blob, Output};

    fn tree(text: &str) -> Output {
        Output::Tree(Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 })
    }

    fn signed(signatures: Signatures<Output>) -> Assemble<Output> {
        let others = vec![("out".to_owned(), tree("out"))];
        Assemble::Signed { others, modules: tree("modules"), certificate: tree("certificate"), signatures }
    }

    #[test]
    fn golden_keys() {
        let segments = vec![("first".to_owned(), tree("1")), ("second".to_owned(), tree("2"))];
        let assembled = [
            signed(Signatures::Dev { key: tree("key") }),
            signed(Signatures::Detached { folder: tree("key") }),
            Assemble::Initramfs { segments },
        ];
        let keys = assembled.map(|assemble| Derivation::Assemble(assemble).key().hex());
        let golden = [
            "5311683ddedcc63fdc29e765112996c28109975e5e0c7bc31e1216db15fd64b5",
            "2ef8d01f6b4bd4ebc23ddd34d227599438225e27c7353d57bd3e432df5983698",
            "62a70a9fb706768a87b620d3c6f8fa25c62bf7ea5b575e82f244aea4fa7c12ab",
        ];
        assert_eq!(keys, golden, "a changed key makes every store useless: was it meant?");
    }
}
