//! The fields of `kind = "extension"`.

use std::collections::BTreeMap;

use super::super::diagnostic::Fault;
use super::super::field;
use super::super::raw::At;
use super::super::source::Source;
use super::super::unit::Draft;
use super::super::{Build, Origin, Reference};
use super::Extension;
use crate::path::{Name, RelPath};
use crate::talos::extension::{FORMS, Manifest, Metadata, accepts, advice, has_form, may_hold};
use crate::talos::{Release, UnknownRelease};

/// The architectures of Talos; the first is that of a recipe that says none.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

impl Draft<'_> {
    pub(in super::super) fn extension(&mut self, name: &Name) -> Option<(Build, BTreeMap<Name, Source>)> {
        let (deps, sources) = (self.deps(), self.sources());
        let release = self.release();
        let architecture = self.architecture();
        let manifest = self.manifest(name, release);
        let mut files = self.tree_files(&deps, &sources, release);
        let services = self.services(&deps, &sources, &mut files);
        let extension =
            Extension { deps, files, manifest: manifest?, services, release: release?, architecture: architecture? };
        Some((Build::Extension(Box::new(extension)), sources))
    }

    /// The version of Talos.
    pub(in super::super) fn release(&mut self) -> Option<Release> {
        let text = self.required("talos", self.raw.talos.as_ref())?;
        let fault = |error: UnknownRelease| Fault::new(text.span(), error.to_string()).help(UnknownRelease::help());
        let parsed = self.inputs.vars.expand(text, self.faults).parse();
        parsed.map_err(|error| self.faults.push(fault(error))).ok()
    }

    fn architecture(&mut self) -> Option<String> {
        let Some(text) = &self.raw.architecture else { return Some(ARCHITECTURES[0].to_owned()) };
        if !ARCHITECTURES.contains(&text.as_str()) {
            let title = format!("Talos has no architecture `{}`", text.escape_debug());
            let known = ARCHITECTURES.map(|name| format!("`{name}`")).join(" or ");
            self.faults.push(Fault::new(text.span(), title).suggest(text, ARCHITECTURES, format!("write {known}")));
            return None;
        }
        Some(text.to_string())
    }

    fn manifest(&mut self, name: &Name, release: Option<Release>) -> Option<Manifest> {
        let version = self.required("version", self.raw.version.as_ref()).map(|text| self.own_version(text));
        let author = self.required("author", self.raw.author.as_ref()).map(|text| text.to_string());
        let range = self.compatibility(release);
        let mut metadata = Metadata::default().for_talos(range?);
        metadata.name = name.to_string();
        metadata.version = version?;
        metadata.author = author?;
        metadata.description = self.raw.description.clone().unwrap_or_default();
        Some(Manifest::new(metadata))
    }

    fn own_version(&mut self, text: &At<String>) -> String {
        let version = self.inputs.vars.expand(text, self.faults);
        if !has_form(&version) {
            let title = format!("`{}` is no version of an extension", version.escape_debug());
            self.faults.push(Fault::new(text.span(), title).help(format!("write {FORMS}")));
        }
        version
    }

    /// The range that the recipe says, or all from the version on that it is judged by.
    fn compatibility(&mut self, release: Option<Release>) -> Option<String> {
        let Some(text) = &self.raw.compatibility else { return release.map(|release| format!(">= v{release}")) };
        let range = self.inputs.vars.expand(text, self.faults);
        let fault = |title: String| Fault::new(text.span(), title);
        match accepts(&range, &release?.version()) {
            Ok(true) => {}
            Ok(false) => {
                let title = format!("`{}` leaves out the Talos that it is for", range.escape_debug());
                self.faults.push(fault(title).help("widen it, or name another version by `talos`"));
            }
            Err(error) => {
                let title = format!("`{}` is no range of versions: {error}", range.escape_debug());
                self.faults.push(fault(title).help("write one such as `>= v1.10.0` or `>= v1.10.0 < v1.14.0`"));
            }
        }
        Some(range)
    }

    fn tree_files(
        &mut self,
        deps: &BTreeMap<Name, Reference>,
        sources: &BTreeMap<Name, Source>,
        release: Option<Release>,
    ) -> BTreeMap<RelPath, Origin> {
        let mut files = BTreeMap::new();
        for (place, from) in &self.raw.files {
            let place = self.tree_place(place, release);
            let origin = self.origin(from, deps, sources);
            files.extend(place.zip(origin));
        }
        files
    }

    /// An absolute path of Talos at which an extension may have something.
    fn tree_place(&mut self, text: &At<String>, release: Option<Release>) -> Option<RelPath> {
        let Some(path) = text.strip_prefix('/') else {
            let title = format!("`{}` is no place in Talos", text.escape_debug());
            self.faults.push(Fault::new(text.span(), title).help("write it absolute, as `/usr/local/lib/demo`"));
            return None;
        };
        let path = field::path(&At::new(text.span(), path.to_owned()), self.faults)?;
        if let Some(release) = release.filter(|release| !may_hold(text, *release)) {
            let title = format!("Talos {release} takes no file of an extension at {}", text.escape_debug());
            self.faults.push(Fault::new(text.span(), title).help(advice(text, release)));
        }
        Some(path)
    }
}
