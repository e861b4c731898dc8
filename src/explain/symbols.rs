//! Which symbols of a kernel's configuration differ: as they were asked for in fragments, and as they came out.

use std::collections::BTreeSet;

use super::tree::{MAX_NAMED, Shelf};
use crate::artifact::kernel::CONFIG;
use crate::digest::Digest;
use crate::kernel::Config;
use crate::kernel::config::Change;
use crate::store::{Directory, Node, Output};

/// What differs between two resolved configurations, each in a tree; nothing where that is not what the trees hold, or
/// not what differs.
#[must_use]
pub fn resolved(old: Option<Output>, new: Option<Output>, shelf: &dyn Shelf) -> Option<String> {
    let [old, new] = [old, new].map(|output| config(&directory(output?, shelf)?, CONFIG, shelf));
    said(&Config::changes(&old?, &new?))
}

/// What differs in what fragments ask for, file by file; nothing where that can't be read.
#[must_use]
pub fn asked(old: Option<Output>, new: Option<Output>, shelf: &dyn Shelf) -> Option<String> {
    let (Some(Output::Tree(old)), Some(Output::Tree(new))) = (old, new) else { return None };
    let mut words = Vec::new();
    walk("", &old.digest, &new.digest, shelf, &mut words)?;
    (!words.is_empty()).then(|| words.join("; "))
}

fn walk(at: &str, old: &Digest, new: &Digest, shelf: &dyn Shelf, words: &mut Vec<String>) -> Option<()> {
    let (old, new) = (shelf.directory(old)?, shelf.directory(new)?);
    let names: BTreeSet<&String> = old.entries.keys().chain(new.entries.keys()).collect();
    for name in names {
        let path = format!("{at}{name}");
        match (old.entries.get(name), new.entries.get(name)) {
            (one, other) if one == other => {}
            (Some(Node::Directory(old)), Some(Node::Directory(new))) => {
                walk(&format!("{path}/"), &old.digest, &new.digest, shelf, words)?;
            }
            (None, _) => words.push(format!("{path} added")),
            (_, None) => words.push(format!("{path} removed")),
            _ => {
                let [old, new] = [&old, &new].map(|directory| config(directory, name, shelf));
                let asks = said(&Config::changes(&old?, &new?)).map(|asks| format!("{path} asks: {asks}"));
                words.push(asks.unwrap_or_else(|| format!("{path} changed")));
            }
        }
    }
    Some(())
}

fn directory(output: Output, shelf: &dyn Shelf) -> Option<Directory> {
    match output {
        Output::Tree(blob) => shelf.directory(&blob.digest),
        Output::File { .. } => None,
    }
}

fn config(directory: &Directory, name: &str, shelf: &dyn Shelf) -> Option<Config> {
    match directory.entries.get(name)? {
        Node::File { blob, .. } => shelf.text(blob).map(|text| Config::read(&text)),
        Node::Directory(_) | Node::Symlink(_) => None,
    }
}

fn said(changes: &[Change]) -> Option<String> {
    let named = changes.iter().take(MAX_NAMED).map(|Change { symbol, old, new }| format!("{symbol} {old} → {new}"));
    let more = changes.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!changes.is_empty()).then(|| named.collect::<Vec<_>>().join(", ") + &more)
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::Shelf as Store;
    use super::*;
    use crate::store::Blob;

    fn tree(store: &mut Store, files: &[(&str, &str)]) -> Option<Output> {
        let digest = store.tree(files);
        Some(Output::Tree(Blob { digest, size: 0 }))
    }

    #[test]
    fn symbols_that_came_out_otherwise() {
        let mut store = Store::default();
        let many: String = ["A", "B", "C", "D", "E", "F", "G"].map(|name| format!("CONFIG_{name}=y\n")).concat();
        let base = tree(&mut store, &[("config", "CONFIG_HZ=250\nCONFIG_NUMA=y\n"), ("certificate.pem", "1")]);
        for (config, want) in [
            ("CONFIG_HZ=1000\nCONFIG_NUMA=y\n", Some("HZ 250 → 1000")),
            ("CONFIG_HZ=250\n# CONFIG_NUMA is not set\n", Some("NUMA y → n")),
            ("# other\nCONFIG_HZ=250\nCONFIG_NUMA=y\n", None),
            (&many, Some("A n → y, B n → y, C n → y, D n → y, E n → y and 4 more")),
        ] {
            let new = tree(&mut store, &[("config", config), ("certificate.pem", "1")]);
            assert_eq!(resolved(base, new, &store).as_deref(), want);
        }
        let other = tree(&mut store, &[("config.txt", "")]);
        assert_eq!((resolved(base, other, &store), resolved(base, None, &store)), (None, None));
    }

    #[test]
    fn what_fragments_ask_for() {
        let mut store = Store::default();
        let base =
            tree(&mut store, &[("a.config", "CONFIG_A=y\n"), ("small/b.config", "CONFIG_B=y\n"), ("c.pem", "1")]);
        for (files, want) in [
            (
                [("a.config", "CONFIG_A=m\n"), ("small/b.config", "CONFIG_B=n\n"), ("c.pem", "1")],
                Some("a.config asks: A y → m; small/b.config asks: B y → n"),
            ),
            (
                [("a.config", "# A\nCONFIG_A=y\n"), ("small/b.config", "CONFIG_B=y\n"), ("c.pem", "1")],
                Some("a.config changed"),
            ),
            (
                [("a.config", "CONFIG_A=m\n"), ("small/b.config", "CONFIG_B=y\n"), ("c.pem", "2")],
                Some("a.config asks: A y → m; c.pem changed"),
            ),
            (
                [("a.config", "CONFIG_A=y\n"), ("z.config", "CONFIG_B=y\n"), ("c.pem", "1")],
                Some("small removed; z.config added"),
            ),
        ] {
            let new = tree(&mut store, &files);
            assert_eq!(asked(base, new, &store).as_deref(), want);
        }
    }
}
