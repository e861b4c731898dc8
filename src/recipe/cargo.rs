//! The fields of `kind = "cargo"`, and the two sources that follow from them.

use std::collections::BTreeMap;

use super::diagnostic::Fault;
use super::field;
use super::model::{Abi, Build, Cargo, LinkRules};
use super::raw::{At, Raw};
use super::source::{Closure, Source};
use super::unit::Draft;
use crate::path::{Name, RelPath};
use crate::recipe::CARGO_LOCK;

/// The processor that code is made for if a unit does not say: any since 2013, with AVX2.
const TARGET_CPU: &str = "x86-64-v3";

/// What every program with Rust's standard library needs, beside glibc.
const NEEDED: [&str; 1] = ["libgcc_s.so.1"];

/// The flag of programs that need no library.
const STATIC: &str = "target-feature=+crt-static";

/// Sources that a unit of this kind has of itself.
const OWN: [&str; 3] = [Cargo::CRATES, Cargo::PATCHES, Cargo::CRATE_PATCHES];

impl Draft<'_> {
    pub(super) fn cargo(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let toolroot = self.tools();
        let (deps, env) = (self.deps(), self.environment(&self.raw.env));
        let (updates, patches) = (self.updates_of_lock(), self.beside_recipe(&self.raw.patches));
        let crate_patches = self.crate_patches();
        let sources = self.cargo_sources(&updates, &patches, &crate_patches);
        self.wanted_targets();
        let raw: &Raw = self.raw;
        let package = raw.package.as_ref().map(|name| self.inputs.crate_name(name, self.faults));
        let glibc = self.required("glibc", raw.glibc.as_ref());
        let timeout = self.timeout(raw.timeout_seconds.as_ref());
        let cargo = Cargo {
            toolroot: toolroot?,
            deps,
            env,
            package,
            bins: self.texts(&raw.bins),
            lib: raw.lib.unwrap_or_default(),
            features: self.texts(&raw.features),
            default_features: raw.default_features.unwrap_or(true),
            target_cpu: raw.target_cpu.as_ref().map_or(TARGET_CPU.to_owned(), |cpu| cpu.to_string()),
            rustflags: self.texts(&raw.rustflags),
            updates,
            patches,
            crate_patches,
            rules: LinkRules { needed: self.needed(), glibc: glibc?.to_string() },
            abi: self.abi(),
            timeout,
        };
        Some((Build::Cargo(Box::new(cargo)), sources?))
    }

    /// Those that are written, the crates, and the patches if there are any.
    fn cargo_sources(
        &mut self,
        updates: &[(String, String)],
        patches: &[RelPath],
        crate_patches: &[(String, Vec<RelPath>)],
    ) -> Option<BTreeMap<Name, Source>> {
        for (name, _) in self.raw.sources.iter().filter(|(name, _)| OWN.contains(&name.as_str())) {
            let title = format!("a unit of kind `cargo` has a source `{}` of itself", name.as_str());
            self.faults.push(Fault::new(name.span(), title).help("give this one another name"));
        }
        let mut sources = self.sources();
        let Some(source) = sources.get(Cargo::SOURCE) else {
            if !self.raw.sources.contains_key(Cargo::SOURCE) {
                self.missing("sources.src");
            }
            return None;
        };
        let (source, beside) = (Box::new(source.clone()), self.beside(source, patches));
        let closure = Closure { source, updates: updates.to_vec(), beside, content: None, crossing: None };
        sources.insert(Name::constant(Cargo::CRATES), Source::Crates(closure));
        let of_crates = crate_patches.iter().flat_map(|(_, patches)| patches);
        sources.extend(self.files(patches.iter()).map(|files| (Name::constant(Cargo::PATCHES), files)));
        sources.extend(self.files(of_crates).map(|files| (Name::constant(Cargo::CRATE_PATCHES), files)));
        Some(sources)
    }

    /// The source of those files, if there are any.
    pub(super) fn files<'p>(&self, files: impl Iterator<Item = &'p RelPath>) -> Option<Source> {
        let include: Vec<_> = files.map(|file| globset::escape(file.as_str())).collect();
        let directory = self.inputs.directory.clone();
        (!include.is_empty()).then_some(Source::Path { directory, include, exclude: Vec::new() })
    }

    /// Files of this repository that change what Cargo.lock names: itself, if it is one, and patches.
    fn beside(&self, source: &Source, patches: &[RelPath]) -> Vec<RelPath> {
        let lock = match source {
            Source::Path { directory, .. } => Some(format!("{directory}/{CARGO_LOCK}")),
            _ => None,
        };
        let patches = patches.iter().map(|patch| format!("{}/{patch}", self.inputs.directory));
        lock.into_iter().chain(patches).filter_map(|path| RelPath::new(path).ok()).collect()
    }

    /// Files below the recipe's folder.
    pub(super) fn beside_recipe(&mut self, paths: &[At<String>]) -> Vec<RelPath> {
        paths.iter().filter_map(|path| field::path(path, self.faults)).collect()
    }

    fn crate_patches(&mut self) -> Vec<(String, Vec<RelPath>)> {
        let mut all = Vec::new();
        for (name, patches) in &self.raw.crate_patches {
            field::package_spec(name, self.faults);
            all.push((name.to_string(), self.beside_recipe(patches)));
        }
        all
    }

    fn abi(&mut self) -> Option<Abi> {
        let abi = self.raw.abi.as_ref()?;
        let Some(text) = &abi.host else {
            let fault = Fault::new(abi.span(), "`abi` does not say which unit loads the plugin");
            self.faults.push(fault.help("add `host = \"…\"`, a unit of kind `cargo`"));
            return None;
        };
        let host = field::name(text, self.faults)?;
        self.mentions(&host, text.span());
        let crates: Vec<(String, String)> = abi.crates.iter().map(|names| pair(names)).collect();
        let compared =
            |waiver: &str| crates.iter().any(|(here, _)| here == waiver.split('/').next().unwrap_or_default());
        for name in abi.waivers.keys().filter(|name| !compared(name)) {
            let title = format!("`{}` is not one of the crates that are compared", name.escape_debug());
            let known = crates.iter().map(|(here, _)| here.as_str());
            self.faults.push(Fault::new(name.span(), title).suggest(name, known, "add it to `crates`, or drop it"));
        }
        Some(Abi { host, crates, waivers: self.table(&abi.waivers) })
    }

    /// In the order of the file: what one update allows may be what the next one needs.
    fn updates_of_lock(&mut self) -> Vec<(String, String)> {
        let mut written: Vec<_> = self.raw.lock_patches.iter().collect();
        written.sort_by_key(|(name, _)| name.span().start);
        let mut updates = Vec::new();
        for (name, version) in written {
            field::package_spec(name, self.faults);
            updates.push((name.to_string(), self.inputs.version(version, self.faults)));
        }
        updates
    }

    /// Finds a unit that wants nothing.
    fn wanted_targets(&mut self) {
        if self.raw.bins.is_empty() && !self.raw.lib.unwrap_or_default() {
            self.missing("bins");
        }
    }

    fn needed(&mut self) -> Vec<String> {
        let written: &[At<String>] = &self.raw.needed;
        let is_static = self.raw.rustflags.iter().any(|flag| flag.contains(STATIC));
        match (written.is_empty(), is_static) {
            (true, true) => Vec::new(),
            (true, false) => NEEDED.map(str::to_owned).to_vec(),
            (false, _) => self.texts(written),
        }
    }
}

/// The name of a crate here and in the host: `a/b`, or `a` for both.
fn pair(names: &str) -> (String, String) {
    let (here, there) = names.split_once('/').unwrap_or((names, names));
    (here.to_owned(), there.to_owned())
}
