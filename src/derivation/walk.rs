//! The walk over all that a step's key is made of.
//!
//! A key and an explanation of it must never look at different things, so there is one walk, and
//! both are visitors of it: [`Canon`] here, `explain::account` there. The walk destructures, so
//! that a new field can't be forgotten.

use std::collections::BTreeMap;

use super::{Assemble, Derivation, Run};
use crate::canon::Canon;
use crate::digest::Digest;
use crate::lockfile::Pin;
use crate::path::{Name, RelPath};
use crate::recipe::LinkRules;
use crate::sandbox::Profile;
use crate::store::Blob;

/// Is shown fields by name.
pub(super) type Visit<'v, I> = &'v mut dyn FnMut(&'static str, Value<'_, I>);

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a, I> {
    /// A number; of `kind` fields, which variant it is.
    Number(u64),
    /// A digest.
    Digest(Digest),
    /// A text.
    Text(&'a str),
    /// A text, or nothing.
    Optional(Option<&'a str>),
    /// Texts in an order that counts.
    List(Vec<&'a str>),
    /// Texts by name.
    Table(Vec<(&'a str, &'a str)>),
    /// One input.
    Input(&'a I),
    /// Inputs by name.
    Inputs(Vec<(&'a str, &'a I)>),
}

impl<I: Canon> Canon for Value<'_, I> {
    fn canon(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => number.canon(out),
            Self::Digest(digest) => digest.canon(out),
            Self::Text(text) => text.canon(out),
            Self::Optional(text) => text.canon(out),
            Self::List(items) => items.canon(out),
            Self::Table(items) => items.canon(out),
            Self::Input(input) => input.canon(out),
            Self::Inputs(items) => items.canon(out),
        }
    }
}

impl<I: Canon> Canon for Derivation<I> {
    fn canon(&self, out: &mut Vec<u8>) {
        self.walk(&mut |_, value| value.canon(out));
    }
}

impl<I> Derivation<I> {
    /// Shows `visit` each field by name, in the order in which the key has them.
    pub fn walk(&self, visit: Visit<'_, I>) {
        match self {
            Self::Fetch(Pin { place: _, size, digest }) => {
                visit("kind", Value::Number(0));
                visit("size", Value::Number(*size));
                visit("digest", Value::Digest(*digest));
            }
            Self::FetchGit { url: _, commit: _, tree: Blob { digest, size } } => {
                visit("kind", Value::Number(1));
                visit("digest", Value::Digest(*digest));
                visit("size", Value::Number(*size));
            }
            Self::Run(run) => {
                let number = match (run.profile, &run.service) {
                    (_, Some(_)) => 5,
                    (Profile::Build, None) => 2,
                    (Profile::Run, None) => 4,
                };
                visit("kind", Value::Number(number));
                run.walk(visit);
            }
            Self::Assemble(assemble) => {
                visit("kind", Value::Number(3));
                assemble.walk(visit);
            }
        }
    }
}

impl<I> Run<I> {
    fn walk(&self, visit: Visit<'_, I>) {
        // The kind tells the profile.
        let Self { root, sources, deps, argv, env, outputs, profile: _, service } = self;
        visit("root", Value::Input(root));
        visit("sources", inputs(sources));
        visit("deps", inputs(deps));
        visit("argv", list(argv));
        visit("env", table(env));
        visit("outputs", Value::List(outputs.iter().map(Name::as_str).collect()));
        if let Some(service) = service {
            service.walk(visit);
        }
    }
}

impl<I> Assemble<I> {
    /// Which variant it is; a number is never given again.
    fn number(&self) -> u64 {
        match self {
            Self::Toolroot { .. } => 0,
            Self::Unpack { .. } => 1,
            Self::DebMember { .. } => 2,
            Self::Bpf { .. } => 13,
            Self::Vendor { .. } => 4,
            Self::Skeleton { .. } => 5,
            Self::Programs { .. } => 6,
            Self::Arguments { .. } => 7,
            Self::Packages { .. } => 8,
            Self::Layout { .. } => 11,
            Self::Layer(_) => 12,
            Self::Image(_) => 10,
            Self::Signed { .. } => 20,
            Self::Initramfs { .. } => 21,
            Self::Taken { .. } => 22,
            Self::Boot(_) => 23,
            Self::Disk(_) => 24,
            Self::Installer(_) => 25,
            Self::Layers(_) => 14,
            Self::Resolved(_) => 15,
            Self::Kernel(_) => 16,
            Self::Extension(_) => 17,
            Self::Machine { .. } => 18,
        }
    }

    fn walk(&self, visit: Visit<'_, I>) {
        visit("assembly", Value::Number(self.number()));
        match self {
            Self::Toolroot { debs, links, trim, ignore } => {
                visit("debs", Value::Inputs(debs.iter().map(|(package, deb)| (package.as_str(), deb)).collect()));
                visit("links", table(links));
                visit("trim", Value::List(trim.iter().map(RelPath::as_str).collect()));
                visit("ignore", list(ignore));
            }
            Self::Unpack { archive, strip } => {
                visit("archive", Value::Input(archive));
                visit("strip", Value::Number(u64::from(*strip)));
            }
            Self::DebMember { deb, member } => {
                visit("deb", Value::Input(deb));
                visit("member", Value::Optional(member.as_ref().map(RelPath::as_str)));
            }
            Self::Bpf { objects, debug, license, sections } => {
                visit("objects", Value::Input(objects));
                visit("debug", Value::Input(debug));
                visit("license", Value::Text(license));
                visit("sections", list(sections));
            }
            Self::Vendor { crates } => {
                visit("crates", Value::Inputs(crates.iter().map(|(name, one)| (name.as_str(), one)).collect()));
            }
            Self::Skeleton { source } => {
                visit("source", Value::Input(source));
            }
            Self::Programs { tree, debug, rules: LinkRules { needed, glibc } } => {
                visit("tree", Value::Input(tree));
                visit("debug", Value::Input(debug));
                visit("needed", list(needed));
                visit("glibc", Value::Text(glibc));
            }
            Self::Arguments { lines } => {
                visit("lines", list(lines));
            }
            Self::Packages { repository, packages } => {
                visit("repository", Value::Input(repository));
                visit("packages", list(packages));
            }
            Self::Layout { manifest, blobs } => {
                visit("manifest", Value::Input(manifest));
                visit("blobs", Value::Inputs(blobs.iter().map(|(digest, blob)| (digest.as_str(), blob)).collect()));
            }
            Self::Machine { line, folder: _, config, schema } => {
                visit("line", Value::Text(&line.to_string()));
                visit("config", Value::Input(config));
                visit("schema", Value::Input(schema));
            }
            Self::Signed { others, modules, certificate, signatures } => {
                visit("others", Value::Inputs(others.iter().map(|(name, other)| (name.as_str(), other)).collect()));
                visit("modules", Value::Input(modules));
                visit("certificate", Value::Input(certificate));
                visit("signing", Value::Number(signatures.number()));
                signatures.walk(visit);
            }
            Self::Taken { layout, paths } => {
                visit("layout", Value::Input(layout));
                visit("paths", Value::List(paths.iter().map(RelPath::as_str).collect()));
            }
            Self::Boot(boot) => boot.walk(visit),
            Self::Disk(disk) => disk.walk(visit),
            Self::Installer(installer) => installer.walk(visit),
            Self::Initramfs { segments } => {
                visit("segments", Value::Inputs(segments.iter().map(|(name, tree)| (name.as_str(), tree)).collect()));
            }
            Self::Layer(layer) => layer.walk(visit),
            Self::Image(image) => image.walk(visit),
            Self::Layers(layers) => layers.walk(visit),
            Self::Resolved(resolved) => resolved.walk(visit),
            Self::Kernel(kernel) => kernel.walk(visit),
            Self::Extension(extension) => extension.walk(visit),
        }
    }
}

fn inputs<I>(inputs: &BTreeMap<Name, I>) -> Value<'_, I> {
    Value::Inputs(inputs.iter().map(|(name, input)| (name.as_str(), input)).collect())
}

pub(super) fn list<I>(items: &[String]) -> Value<'_, I> {
    Value::List(items.iter().map(String::as_str).collect())
}

pub(super) fn table<I>(items: &BTreeMap<String, String>) -> Value<'_, I> {
    Value::Table(items.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
}
