//! What stands at the top of an extension.
//!
//! Source: machinery/extensions/load.go@v1.10.3:30-50.

use super::archive::{Entry, Kind};
use super::refusal::{Refusal, Rule};
use super::{MANIFEST, ROOTFS};

/// What is wrong with it.
pub(super) fn wrong(entries: &[Entry]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for entry in entries {
        let top = entry.path().split('/').next().unwrap_or_default();
        if ![MANIFEST, ROOTFS, ""].contains(&top) && !seen.contains(&top) {
            let help = format!("it may stand below `{ROOTFS}`; at the top is nothing but that and `{MANIFEST}`");
            refusals.push(Refusal::new(Rule::TopLevel, top, "it stands at the top", help));
            seen.push(top);
        }
    }
    let below = |entry: &&Entry| entry.path().starts_with("rootfs/");
    match entries.iter().find(|entry| entry.path() == ROOTFS) {
        Some(entry) if entry.kind != Kind::Directory => {
            refusals.push(Refusal::new(Rule::Rootfs, ROOTFS, "it is no folder", "make it one"));
        }
        None if !entries.iter().any(|entry| below(&entry)) => {
            refusals.push(Refusal::new(
                Rule::Rootfs,
                ROOTFS,
                "it is not there",
                "make the folder, if only an empty one",
            ));
        }
        _ => {}
    }
    refusals
}
