//! What an extension may bring: which kinds of files, and where.
//!
//! Source: machinery/extensions/validate.go@v1.10.3:129-176.

use super::super::Release;
use super::archive::{Entry, Kind};
use super::place;
use super::refusal::{Refusal, Rule};

/// The mode's bit by which anybody may write.
const ANYBODY_WRITES: u32 = 0o002;

/// What is wrong with what stands below `rootfs`.
pub(super) fn wrong(entries: &[Entry], release: Release) -> Vec<Refusal> {
    entries
        .iter()
        .filter_map(|entry| Some((entry, entry.installed()?)))
        .flat_map(|(entry, at)| of(entry, &at, release))
        .collect()
}

/// What is wrong with what becomes `at`.
fn of(entry: &Entry, at: &str, release: Release) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |rule, why: String, help: String| refusals.push(Refusal::new(rule, entry.path(), why, help));
    let has_mode = matches!(entry.kind, Kind::Directory | Kind::File);
    if has_mode && entry.mode & ANYBODY_WRITES != 0 {
        let mode = format!("its mode is {:04o}, so anybody may write it", entry.mode & 0o7777);
        refuse(Rule::WorldWritable, mode, format!("make it {:04o}", entry.mode & 0o7777 & !ANYBODY_WRITES));
    }
    if let Kind::Special(what) = entry.kind {
        refuse(Rule::SpecialFiles, format!("it is a {what}"), "leave it out: Talos makes devices itself".to_owned());
    }
    if entry.kind != Kind::Directory && !place::is_allowed(at, release) {
        refuse(Rule::AllowedPaths, format!("Talos {release} takes no file at {at}"), place::advice(at, release));
    }
    refusals
}
