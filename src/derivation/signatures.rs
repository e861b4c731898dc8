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
