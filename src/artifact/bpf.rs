//! BPF objects, read back: licence, BTF, program types.
//!
//! The compiler takes anything; the kernel does not. What can be told from the ELF file is told
//! at build time: the `license` section must say what the recipe says (helpers marked GPL-only
//! are refused otherwise), `.BTF` must be there, and each wanted section must hold a program of one object.
//! The findings stand beside the objects as `programs.json`, keys in order, with the digest of each object.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind};
use serde::Serialize;

use super::Error;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Blob, Node, Output, Store, TreeBuilder};

/// The report's file name beside the objects.
pub const REPORT: &str = "programs.json";

/// What an object says of itself.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Of the object, `sha256:<64 hex>`.
    pub digest: String,
    /// The text of the `license` section.
    pub license: String,
    /// Whether it carries type information.
    pub btf: bool,
    /// Section name → type and functions.
    pub programs: BTreeMap<String, Programs>,
}

/// The programs of one section.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Programs {
    /// The kernel's program type, such as `xdp`; by libbpf's section names.
    pub r#type: &'static str,
    /// The functions, by name.
    pub functions: Vec<String>,
}

/// Section name prefixes and the program type libbpf loads them as
/// (`docs/program_types.rst` of libbpf); the first that fits wins.
const TYPES: [(&str, &str); 18] = [
    ("xdp", "xdp"),
    ("tcx/", "sched_cls"),
    ("tc", "sched_cls"),
    ("classifier", "sched_cls"),
    ("action", "sched_act"),
    ("kprobe", "kprobe"),
    ("kretprobe", "kprobe"),
    ("uprobe", "kprobe"),
    ("uretprobe", "kprobe"),
    ("tracepoint", "tracepoint"),
    ("tp/", "tracepoint"),
    ("raw_tp", "raw_tracepoint"),
    ("fentry", "tracing"),
    ("fexit", "tracing"),
    ("lsm", "lsm"),
    ("socket", "socket_filter"),
    ("cgroup", "cgroup"),
    ("perf_event", "perf_event"),
];

/// Checks every `*.o` of the tree `objects` and returns the tree with the report in it.
///
/// # Errors
/// Names the object and what it lacks.
pub fn check(store: &Store, objects: &Output, license: &str, sections: &[String]) -> Result<Output, Error> {
    let Output::Tree(tree) = objects else {
        return Err(Error::Refused("the objects must stand in a folder, /out/out/".to_owned()));
    };
    let mut report = BTreeMap::new();
    for (name, node) in store.directory(&tree.digest)?.entries {
        if let (Node::File { blob, .. }, true) = (node, name.ends_with(".o")) {
            let findings = read(&bytes(store, &blob)?).map_err(|why| Error::Refused(format!("{name}: {why}")))?;
            accept(&findings, license).map_err(|why| Error::Refused(format!("{name}: {why}")))?;
            report.insert(name, findings);
        }
    }
    if report.is_empty() {
        return Err(Error::Refused("the compiler left no `*.o` in /out/out/".to_owned()));
    }
    complete(&report, sections).map_err(Error::Refused)?;
    with_report(store, &tree.digest, &report)
}

fn with_report(store: &Store, objects: &Digest, report: &BTreeMap<String, Findings>) -> Result<Output, Error> {
    let mut text = serde_json::to_string_pretty(report).expect("BUG: findings are plain data");
    text.push('\n');
    let mut tree = TreeBuilder::new();
    tree.graft(store, None, objects)?;
    tree.file(&RelPath::new(REPORT).expect("BUG: a clean name"), store.put(text.as_bytes())?, false)?;
    Ok(Output::Tree(tree.finish(store)?))
}

fn bytes(store: &Store, blob: &Blob) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    store
        .read(blob)?
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Refused(format!("reading {}: {error}", blob.digest)))?;
    Ok(bytes)
}

/// Reads an object.
///
/// # Errors
/// For bytes that are no BPF ELF file.
pub fn read(bytes: &[u8]) -> Result<Findings, String> {
    let file = object::File::parse(bytes).map_err(|error| format!("not an ELF object: {error}"))?;
    if file.architecture() != object::Architecture::Bpf {
        return Err(format!("built for {:?}, not for BPF", file.architecture()));
    }
    let license = file.section_by_name("license").and_then(|section| section.data().ok()).unwrap_or_default();
    Ok(Findings {
        digest: Digest::of(bytes).to_string(),
        license: String::from_utf8_lossy(license).trim_end_matches('\0').to_owned(),
        btf: file.section_by_name(".BTF").is_some(),
        programs: programs(&file),
    })
}

fn programs(file: &object::File<'_>) -> BTreeMap<String, Programs> {
    let code = file.sections().filter(|section| section.kind() == SectionKind::Text && section.size() > 0);
    let named = code.filter_map(|section| Some((section.index(), section.name().ok()?.to_owned())));
    // `.text` holds functions that programs call; it is no program.
    named
        .filter(|(_, name)| name != ".text")
        .map(|(index, name)| {
            let inside = |symbol: &object::Symbol<'_, '_>| {
                symbol.section_index() == Some(index) && symbol.is_global() && symbol.size() > 0
            };
            let symbols = file.symbols().filter(inside);
            let mut functions: Vec<_> = symbols.filter_map(|symbol| Some(symbol.name().ok()?.to_owned())).collect();
            functions.sort();
            (name.clone(), Programs { r#type: program_type(&name), functions })
        })
        .collect()
}

fn program_type(section: &str) -> &'static str {
    TYPES.iter().find(|(prefix, _)| section.starts_with(prefix)).map_or("unknown", |(_, kind)| kind)
}

fn accept(findings: &Findings, license: &str) -> Result<(), String> {
    if findings.license != license {
        return Err(format!("the licence differs\n  want: {license}\n   got: {}", findings.license));
    }
    if !findings.btf {
        return Err("it has no BTF; compile with -g and keep the section `.BTF`".to_owned());
    }
    Ok(())
}

/// Whether each wanted section is in one of the objects.
fn complete(report: &BTreeMap<String, Findings>, sections: &[String]) -> Result<(), String> {
    let known: BTreeSet<_> = report.values().flat_map(|findings| findings.programs.keys()).collect();
    match sections.iter().find(|section| !known.contains(section)) {
        Some(section) => {
            let known: Vec<_> = known.into_iter().map(String::as_str).collect();
            Err(format!("no program in section `{section}`; there is {}", known.join(", ")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(license: &str, btf: bool) -> Findings {
        let programs = BTreeMap::from([("xdp".to_owned(), Programs { r#type: "xdp", functions: Vec::new() })]);
        Findings { digest: Digest::of(b"object").to_string(), license: license.to_owned(), btf, programs }
    }

    #[test]
    fn accepts_and_refuses() {
        assert_eq!(accept(&findings("GPL", true), "GPL"), Ok(()));
        for (findings, why) in [(findings("MIT", true), "want: GPL"), (findings("GPL", false), "no BTF")] {
            let error = accept(&findings, "GPL").expect_err(why);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_section_is_in_one_of_the_objects() {
        let mut other = findings("GPL", true);
        other.programs = BTreeMap::from([("tc".to_owned(), Programs { r#type: "sched_cls", functions: Vec::new() })]);
        let report = BTreeMap::from([("a.o".to_owned(), findings("GPL", true)), ("b.o".to_owned(), other)]);
        assert_eq!(complete(&report, &["xdp".to_owned(), "tc".to_owned()]), Ok(()));
        let error = complete(&report, &["lsm".to_owned()]).expect_err("there is none");
        assert_eq!(error, "no program in section `lsm`; there is tc, xdp");
    }

    #[test]
    fn types_by_section() {
        for (section, kind) in
            [("xdp.frags", "xdp"), ("tcx/ingress", "sched_cls"), ("tc", "sched_cls"), ("mystery", "unknown")]
        {
            assert_eq!(program_type(section), kind);
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(read(b"no ELF").expect_err("text").contains("not an ELF object"));
        let own = std::fs::read("/proc/self/exe").expect("own program");
        assert!(read(&own).expect_err("a host program").contains("not for BPF"));
    }
}
