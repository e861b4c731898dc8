//! One build step, fully decided.
//!
//! A [`Derivation`] is generic over how it names an input. While a plan is drawn an input may be
//! the output of another step; once all inputs are known it is [`resolve`](Derivation::resolve)d,
//! and only a resolved derivation has a [`key`](Derivation::key). Keys are thus made of the
//! *content* of inputs: a step whose inputs came out the same is not run again, however they were
//! made (early cutoff).
//!
//! The key is `identity("forge derivation 1", …)` over [`Canon`]; golden keys in the tests pin it.
//! Not part of a key: where a source is fetched from, time limits, core counts, names of units.

mod extension;
mod image;
mod installer;
mod kernel;
pub mod reapi;
mod service;
mod signatures;
mod walk;

use std::collections::BTreeMap;

use crate::canon::{self, Canon};
use crate::digest::Digest;
use crate::lockfile::Pin;
use crate::path::{Name, RelPath};
use crate::recipe::LinkRules;
use crate::sandbox::Profile;
use crate::store::{Blob, Output};
use crate::talos::machine::Line;
pub use extension::Extension;
pub use image::{Image, Layer};
pub use installer::{Boot, Disk, Installer};
pub use kernel::{Kernel, Layers, Resolved};
pub use service::Service;
pub use signatures::Signatures;
pub use walk::Value;

/// The tag that all keys are hashed under; its number changes when the encoding or the sandbox's
/// world changes what a command could see.
const TAG: &str = "forge derivation 1";

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Derivation<I = Output> {
    /// Brings a file whose content is pinned; may use the network, its output is known before.
    Fetch(Pin),
    /// Brings a git tree whose content is pinned.
    FetchGit {
        /// Where the repository is known to be.
        url: String,
        /// The commit's object name, 40 hex digits.
        commit: String,
        /// The tree of the commit in the store's terms.
        tree: Blob,
    },
    /// Runs a command in the sandbox.
    Run(Run<I>),
    /// Computes a result inside forge.
    Assemble(Assemble<I>),
}

/// A command in a sandbox, with all that it can see. It starts in `/`.
#[derive(Clone, Debug, PartialEq)]
pub struct Run<I> {
    /// The toolroot's tree.
    pub root: I,
    /// What stands read-only at `/src/<name>`.
    pub sources: BTreeMap<Name, I>,
    /// What stands read-only at `/deps/<name>`.
    pub deps: BTreeMap<Name, I>,
    /// The command and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// What must stand in `/out` at the end, and nothing else.
    pub outputs: Vec<Name>,
    /// Which sandbox it runs in: that of builds, or that of tests.
    pub profile: Profile,
    /// What runs beside it, for tests of images.
    pub service: Option<Box<Service<I>>>,
}

/// A pure function of stored inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Assemble<I> {
    /// Merges packages into a root file system.
    Toolroot {
        /// Package name and .deb, in the order of names.
        debs: Vec<(String, I)>,
        /// Links in place of what maintainer scripts would have made.
        links: BTreeMap<String, String>,
        /// Directories left out.
        trim: Vec<RelPath>,
        /// Alternatives that need no answer.
        ignore: Vec<String>,
    },
    /// Unpacks a (compressed) tar archive.
    Unpack {
        /// The archive.
        archive: I,
        /// How many leading components of each name are dropped.
        strip: u32,
    },
    /// Takes one file out of a package.
    DebMember {
        /// The .deb.
        deb: I,
        /// Its path in the package; `None` takes the whole tree.
        member: Option<RelPath>,
    },
    /// Reads BPF objects and checks what they say of themselves.
    Bpf {
        /// A tree of `*.o`.
        objects: I,
        /// The same with debug symbols.
        debug: I,
        /// The licence each must declare.
        license: String,
        /// The program sections that must be in one of them.
        sections: Vec<String>,
    },
    /// Unpacks crates into one folder, as cargo wants them.
    Vendor {
        /// `<name>-<version>` and .crate, in the order of names; then `git/<commit>` and the packages of each repository.
        crates: Vec<(String, I)>,
    },
    /// Takes packages out of a git repository, as cargo wants them.
    Packages {
        /// The repository's tree.
        repository: I,
        /// Each as `name version`, sorted.
        packages: Vec<String>,
    },
    /// Makes an OCI layout of the files of an image.
    Layout {
        /// Its manifest.
        manifest: I,
        /// The digest of each of its blobs, and the blob.
        blobs: Vec<(String, I)>,
    },
    /// Takes what a Rust workspace's dependencies can be built from: its manifests, and empty targets.
    Skeleton {
        /// The workspace's tree.
        source: I,
    },
    /// Reads programs and shared libraries, and checks how they are linked.
    Programs {
        /// A tree with them: the main output.
        tree: I,
        /// Their debug symbols: an output beside it.
        debug: I,
        /// What must hold.
        rules: LinkRules,
    },
    /// Writes the arguments of a program into a file.
    Arguments {
        /// What stands on each line.
        lines: Vec<String>,
    },
    /// Makes the configuration of machines, a file for each.
    Machine {
        /// The version of Talos that they run.
        line: Line,
        /// Where `config` stands in the project; people are told, and nothing is made of it.
        folder: RelPath,
        /// A tree with an inventory and patches.
        config: I,
        /// The JSON Schema of that version.
        schema: I,
    },
    /// Puts a signature at the end of each module of a kernel.
    Signed {
        /// The kernel's other outputs by name, which stay as they are.
        others: Vec<(String, I)>,
        /// The unsigned modules.
        modules: I,
        /// The certificates that their kernel trusts.
        certificate: I,
        /// The signatures.
        signatures: Signatures<I>,
    },
    /// Packs trees as what a kernel unpacks.
    Initramfs {
        /// Each for an archive of its own, in their order.
        segments: Vec<(String, I)>,
    },
    /// Takes files out of an image that others made.
    Taken {
        /// Its layout.
        layout: I,
        /// The files.
        paths: Vec<RelPath>,
    },
    /// Makes what a machine boots.
    Boot(Box<Boot<I>>),
    /// Makes a disk that boots.
    Disk(Box<Disk<I>>),
    /// Makes an installer.
    Installer(Box<Installer<I>>),
    /// Makes a layer of a container image.
    Layer(Box<Layer<I>>),
    /// Makes a container image of layers.
    Image(Box<Image<I>>),
    /// Reads the fragments of a kernel's configuration.
    Layers(Box<Layers<I>>),
    /// Judges what became of them.
    Resolved(Box<Resolved<I>>),
    /// Reads a kernel that was built.
    Kernel(Box<Kernel<I>>),
    /// Makes a system extension of its layer.
    Extension(Extension<I>),
}

impl<I> Derivation<I> {
    /// The output of a fixed-output step, known before it runs.
    #[must_use]
    pub fn fixed(&self) -> Option<Output> {
        match self {
            Self::Fetch(pin) => {
                Some(Output::File { blob: Blob { digest: pin.digest, size: pin.size }, executable: false })
            }
            Self::FetchGit { tree, .. } => Some(Output::Tree(*tree)),
            Self::Run(_) | Self::Assemble(_) => None,
        }
    }

    /// The inputs, in a fixed order.
    pub fn inputs(&self) -> Vec<&I> {
        match self {
            Self::Fetch(_) | Self::FetchGit { .. } => Vec::new(),
            Self::Run(run) => run.inputs().collect(),
            Self::Assemble(assemble) => assemble.inputs(),
        }
    }

    /// The same step with each input replaced by what `output` finds for it.
    ///
    /// # Errors
    /// The first that `output` returns.
    pub fn resolve<O, E>(&self, mut output: impl FnMut(&I) -> Result<O, E>) -> Result<Derivation<O>, E> {
        Ok(match self {
            Self::Fetch(pin) => Derivation::Fetch(pin.clone()),
            Self::FetchGit { url, commit, tree } => {
                Derivation::FetchGit { url: url.clone(), commit: commit.clone(), tree: *tree }
            }
            Self::Run(run) => Derivation::Run(run.resolve(output)?),
            Self::Assemble(assemble) => Derivation::Assemble(assemble.resolve(&mut output)?),
        })
    }
}

impl<I> Run<I> {
    /// The inputs, in a fixed order.
    pub fn inputs(&self) -> impl Iterator<Item = &I> {
        let service = self.service.iter().map(|service| &service.root);
        std::iter::once(&self.root).chain(self.sources.values()).chain(self.deps.values()).chain(service)
    }

    /// The same command with each input replaced by what `output` finds for it.
    ///
    /// # Errors
    /// The first that `output` returns.
    pub fn resolve<O, E>(&self, mut output: impl FnMut(&I) -> Result<O, E>) -> Result<Run<O>, E> {
        let mut resolve_all = |inputs: &BTreeMap<Name, I>| {
            inputs.iter().map(|(name, input)| Ok((name.clone(), output(input)?))).collect::<Result<_, E>>()
        };
        let (sources, deps) = (resolve_all(&self.sources)?, resolve_all(&self.deps)?);
        Ok(Run {
            root: output(&self.root)?,
            sources,
            deps,
            argv: self.argv.clone(),
            env: self.env.clone(),
            outputs: self.outputs.clone(),
            profile: self.profile,
            service: match &self.service {
                Some(service) => Some(Box::new(service.resolve(&mut output)?)),
                None => None,
            },
        })
    }
}

impl<I> Assemble<I> {
    fn inputs(&self) -> Vec<&I> {
        match self {
            Self::Toolroot { debs, .. } => debs.iter().map(|(_, deb)| deb).collect(),
            Self::Unpack { archive: input, .. }
            | Self::DebMember { deb: input, .. }
            | Self::Packages { repository: input, .. }
            | Self::Skeleton { source: input } => vec![input],
            Self::Bpf { objects: tree, debug, .. } | Self::Programs { tree, debug, .. } => vec![tree, debug],
            Self::Vendor { crates } => crates.iter().map(|(_, one)| one).collect(),
            Self::Layout { manifest, blobs } => {
                std::iter::once(manifest).chain(blobs.iter().map(|(_, blob)| blob)).collect()
            }
            Self::Arguments { .. } => Vec::new(),
            Self::Machine { config, schema, .. } => vec![config, schema],
            Self::Signed { others, modules, certificate, signatures } => {
                let others = others.iter().map(|(_, other)| other);
                others.chain([modules, certificate, signatures.input()]).collect()
            }
            Self::Taken { layout, .. } => vec![layout],
            Self::Boot(boot) => boot.inputs(),
            Self::Disk(disk) => disk.inputs(),
            Self::Installer(installer) => installer.inputs(),
            Self::Initramfs { segments } => segments.iter().map(|(_, tree)| tree).collect(),
            Self::Layer(layer) => layer.inputs(),
            Self::Image(image) => image.layers.iter().map(|(_, layer)| layer).collect(),
            Self::Layers(layers) => layers.inputs(),
            Self::Resolved(resolved) => resolved.inputs(),
            Self::Kernel(kernel) => kernel.inputs(),
            Self::Extension(extension) => vec![&extension.layer],
        }
    }

    fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Assemble<O>, E> {
        Ok(match self {
            Self::Toolroot { debs, links, trim, ignore } => Assemble::Toolroot {
                debs: resolve_named(debs, output)?,
                links: links.clone(),
                trim: trim.clone(),
                ignore: ignore.clone(),
            },
            Self::Unpack { archive, strip } => Assemble::Unpack { archive: output(archive)?, strip: *strip },
            Self::DebMember { deb, member } => Assemble::DebMember { deb: output(deb)?, member: member.clone() },
            Self::Bpf { objects, debug, license, sections } => Assemble::Bpf {
                objects: output(objects)?,
                debug: output(debug)?,
                license: license.clone(),
                sections: sections.clone(),
            },
            Self::Vendor { crates } => Assemble::Vendor { crates: resolve_named(crates, output)? },
            Self::Layout { manifest, blobs } => {
                Assemble::Layout { manifest: output(manifest)?, blobs: resolve_named(blobs, output)? }
            }
            Self::Packages { repository, packages } => {
                Assemble::Packages { repository: output(repository)?, packages: packages.clone() }
            }
            Self::Skeleton { source } => Assemble::Skeleton { source: output(source)? },
            Self::Programs { tree, debug, rules } => {
                Assemble::Programs { tree: output(tree)?, debug: output(debug)?, rules: rules.clone() }
            }
            Self::Arguments { lines } => Assemble::Arguments { lines: lines.clone() },
            Self::Machine { line, folder, config, schema } => Assemble::Machine {
                line: *line,
                folder: folder.clone(),
                config: output(config)?,
                schema: output(schema)?,
            },
            Self::Signed { others, modules, certificate, signatures } => Assemble::Signed {
                others: resolve_named(others, output)?,
                modules: output(modules)?,
                certificate: output(certificate)?,
                signatures: signatures.resolve(output)?,
            },
            Self::Taken { layout, paths } => Assemble::Taken { layout: output(layout)?, paths: paths.clone() },
            Self::Boot(boot) => Assemble::Boot(Box::new(boot.resolve(output)?)),
            Self::Disk(disk) => Assemble::Disk(Box::new(disk.resolve(output)?)),
            Self::Installer(installer) => Assemble::Installer(Box::new(installer.resolve(output)?)),
            Self::Initramfs { segments } => Assemble::Initramfs { segments: resolve_named(segments, output)? },
            Self::Layer(layer) => Assemble::Layer(Box::new(layer.resolve(output)?)),
            Self::Image(image) => Assemble::Image(Box::new(image.resolve(output)?)),
            Self::Layers(layers) => Assemble::Layers(Box::new(layers.resolve(output)?)),
            Self::Resolved(resolved) => Assemble::Resolved(Box::new(resolved.resolve(output)?)),
            Self::Kernel(kernel) => Assemble::Kernel(Box::new(kernel.resolve(output)?)),
            Self::Extension(extension) => Assemble::Extension(extension.resolve(output)?),
        })
    }
}

fn resolve_named<I, O, E>(
    inputs: &[(String, I)],
    output: &mut impl FnMut(&I) -> Result<O, E>,
) -> Result<Vec<(String, O)>, E> {
    inputs.iter().map(|(name, input)| Ok((name.clone(), output(input)?))).collect()
}

impl Derivation<Output> {
    /// What names this step, and its result in the store.
    #[must_use]
    pub fn key(&self) -> Digest {
        canon::identity(TAG, self)
    }
}

impl Canon for Output {
    fn canon(&self, out: &mut Vec<u8>) {
        match self {
            Self::File { blob, executable } => {
                0u64.canon(out);
                blob.canon(out);
                executable.canon(out);
            }
            Self::Tree(blob) => {
                1u64.canon(out);
                blob.canon(out);
            }
        }
    }
}

impl Canon for Blob {
    fn canon(&self, out: &mut Vec<u8>) {
        let Self { digest, size } = self;
        digest.canon(out);
        size.canon(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::Place;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn tree(text: &str) -> Output {
        Output::Tree(Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 })
    }

    fn run() -> Run<Output> {
        Run {
            root: tree("root"),
            sources: BTreeMap::from([(name("src"), tree("src"))]),
            deps: BTreeMap::from([(name("lib"), tree("lib"))]),
            argv: vec!["/bin/true".to_owned()],
            env: BTreeMap::from([("A".to_owned(), "b".to_owned())]),
            outputs: vec![name("out")],
            profile: Profile::Build,
            service: None,
        }
    }

    #[test]
    fn golden_keys() {
        let fetch = Derivation::Fetch(Pin {
            place: Place::Url("https://example.org/a".to_owned()),
            size: 1,
            digest: Digest::of(b"a"),
        });
        let unpack = Assemble::Unpack { archive: tree("a"), strip: 1 };
        let test = Run { outputs: Vec::new(), profile: Profile::Run, ..run() };
        let packages = Assemble::Packages { repository: tree("a"), packages: vec!["a 1.0.0".to_owned()] };
        let assembled = [unpack, packages].map(Derivation::Assemble);
        let derivations = [fetch, Derivation::Run(run()), Derivation::Run(test)].into_iter().chain(assembled);
        let keys: Vec<_> = derivations.map(|derivation| derivation.key().hex()).collect();
        let golden = [
            "3939abba66773b10ea98bc358980cf305bbbcfcb66335db019174a4471b53c3d",
            "ba968125acbc46e4bf0b7dbee2f97a5c90edbdec764f68cf2852de3ae377f68c",
            "0e21a45553b562daa5c5aa2dfd41b95f5e08c2041324d113cf43b0898ac4430a",
            "1fdd418e370af6da312141a8c4795c2ddb7d0fb57657d345a9a73e14638eda4e",
            "5d5a06fdbe3379ddc6e25b1b018385485964408172c2b4c0f4c1dacdb29a3576",
        ];
        assert_eq!(keys, golden, "a changed key makes every store useless: was it meant?");
    }

    #[test]
    fn every_field_counts() {
        let base = Derivation::Run(run()).key();
        let changes: [fn(&mut Run<Output>); 7] = [
            |run| run.root = tree("other"),
            |run| _ = run.sources.insert(name("more"), tree("src")),
            |run| _ = run.deps.remove(&name("lib")),
            |run| run.argv.push(String::new()),
            |run| _ = run.env.insert("A".to_owned(), "c".to_owned()),
            |run| run.outputs.push(name("dev")),
            |run| run.profile = Profile::Run,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = run();
            change(&mut changed);
            assert_ne!(Derivation::Run(changed).key(), base, "change {number}");
        }
    }

    #[test]
    fn the_place_of_a_source_does_not_count() {
        let pin = |url: &str| Pin { place: Place::Url(url.to_owned()), size: 1, digest: Digest::of(b"a") };
        let key = |url: &str| Derivation::<Output>::Fetch(pin(url)).key();
        assert_eq!(key("https://example.org/a"), key("https://example.net/a"));
    }
}
