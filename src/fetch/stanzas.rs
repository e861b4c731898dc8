//! What the packages of a locked set say of themselves: their stanzas, as a package list has them.
//!
//! The lockfile pins packages and has no relations, so these come from the packages themselves
//! where the store has all of them, or from the locked package list. They are kept as a file of the
//! store under a key made of the packages' digests, and a result that gc treats as any other: to
//! read them once takes most of a second, later a millisecond.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};

use super::{Error, Fetcher, Watch};
use crate::canon;
use crate::debian::deb;
use crate::digest::Digest;
use crate::lockfile::{self, Deb, Place};
use crate::path::Name;
use crate::recipe::Archive;
use crate::store::{ActionResult, Blob, Output};

/// Tells the place of a package's digest in its stanza.
const DIGEST: &str = "\nSHA256: ";

impl Fetcher<'_> {
    /// The stanzas of `debs`, packages that were locked from `archive` in its state `suite`; a text
    /// for [`crate::debian::index::Index`].
    ///
    /// # Errors
    /// [`Error::Exhausted`] when neither the store nor a place has what is needed.
    pub fn stanzas(
        &self,
        archive: &Archive,
        suite: &lockfile::Suite,
        debs: &[Deb],
        watch: &Watch<'_>,
    ) -> Result<String, Error> {
        let digests: BTreeSet<Digest> = debs.iter().map(|deb| deb.pin.digest).collect();
        let key = canon::identity("forge stanzas 1", &digests.iter().copied().collect::<Vec<_>>());
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let text = match self.controls(debs) {
            Some(text) => text,
            None => choose(&self.packages(archive, suite, watch)?, &digests),
        };
        let blob = self.store.put(text.as_bytes())?;
        let outputs = BTreeMap::from([(Name::new("out")?, Output::File { blob, executable: false })]);
        let label = "package lists: stanzas".to_owned();
        self.store.record(&key, &ActionResult { label, outputs, ..ActionResult::default() })?;
        self.store.commit()?;
        Ok(text)
    }

    /// What was found out before; nothing if it is gone or damaged.
    fn known(&self, key: &Digest) -> Option<String> {
        let result = self.store.result(key).ok().flatten()?;
        let Some(Output::File { blob, .. }) = result.outputs.into_values().next() else { return None };
        let mut text = String::new();
        self.store.read(&blob).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// The stanzas as the packages have them, with the fields that only a list has; nothing unless
    /// all packages are in the store, whole.
    fn controls(&self, debs: &[Deb]) -> Option<String> {
        let stanza = |locked: &Deb| {
            let Place::Archive { path, .. } = &locked.pin.place else { return None };
            let blob = Blob { digest: locked.pin.digest, size: locked.pin.size };
            let mut file = self.store.read(&blob).ok()?;
            let control = deb::Deb::open(&mut file).ok()?.control().trim().to_owned();
            // The store verifies what was read at its end.
            io::copy(&mut file, &mut io::sink()).ok()?;
            Some(format!("{control}\nFilename: {path}\nSize: {}{DIGEST}{}\n\n", blob.size, blob.digest.hex()))
        };
        debs.iter().map(stanza).collect()
    }
}

/// The stanzas of a package list that are of these packages.
fn choose(list: &str, digests: &BTreeSet<Digest>) -> String {
    let wanted = |stanza: &&str| {
        let digest = stanza.split_once(DIGEST).and_then(|(_, rest)| rest.get(..64)?.parse().ok());
        digest.is_some_and(|digest| digests.contains(&digest))
    };
    list.split("\n\n").filter(wanted).map(|stanza| format!("{}\n\n", stanza.trim_matches('\n'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_down_to_a_set() {
        let stanza = |name: &str| format!("Package: {name}\nSHA256: {}\nDepends: x", Digest::of(name.as_bytes()).hex());
        let list = format!("{}\n\n{}\n\n\n{}\n", stanza("a"), stanza("b"), stanza("c"));
        let digests = BTreeSet::from([Digest::of(b"a"), Digest::of(b"c"), Digest::of(b"z")]);
        assert_eq!(choose(&list, &digests), format!("{}\n\n{}\n\n", stanza("a"), stanza("c")));
    }
}
