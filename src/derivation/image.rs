//! The two steps of a container image: its layers, each a step of its own, so that what changes one leaves the others
//! alone; and the image that they make.

use std::collections::BTreeMap;

use super::walk::{Visit, list, table};
use super::{Value, resolve_named};
use crate::path::RelPath;
use crate::recipe::{Attributes, Compression, Config, Waivers};

/// A layer: packages, files of other steps, and what forge adds, as one compressed tar archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<I> {
    /// Package name and .deb, in the order of names.
    pub debs: Vec<(String, I)>,
    /// Directories of packages that are left out.
    pub trim: Vec<RelPath>,
    /// Links in place of what maintainer scripts would have made; another layer may hold them.
    pub links: BTreeMap<String, String>,
    /// Alternatives that need no answer.
    pub ignore: Vec<String>,
    /// The place of each file or folder of another step, where it comes from, and the path therein.
    pub files: Vec<(RelPath, I, Option<RelPath>)>,
    /// Files with these texts.
    pub texts: BTreeMap<RelPath, String>,
    /// Links that are made here: name in /usr/bin (or absolute path) → target.
    pub symlinks: BTreeMap<String, String>,
    /// Directories, beside those that the rest needs.
    pub directories: Vec<RelPath>,
    /// What is not as usual, of this layer or of others.
    pub attributes: BTreeMap<RelPath, Attributes>,
    /// How it is compressed.
    pub compression: Compression,
}

/// An image of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Image<I> {
    /// What it is called.
    pub name: String,
    /// Its layers by name, the lowest first.
    pub layers: Vec<(String, I)>,
    /// Which of them hold what is not of a package: its programs must find their libraries.
    pub own: Vec<String>,
    /// How they are compressed.
    pub compression: Compression,
    /// How it is run.
    pub config: Config,
    /// Paths that must be there at the end, as they have attributes.
    pub present: Vec<RelPath>,
    /// Links of the recipe, which must lead somewhere.
    pub links: BTreeMap<String, String>,
    /// What a good image has not, and why this one has it.
    pub waivers: Waivers,
}

impl<I> Layer<I> {
    /// One with nothing in it.
    #[must_use]
    pub fn empty(compression: Compression) -> Self {
        Self {
            debs: Vec::new(),
            trim: Vec::new(),
            links: BTreeMap::new(),
            ignore: Vec::new(),
            files: Vec::new(),
            texts: BTreeMap::new(),
            symlinks: BTreeMap::new(),
            directories: Vec::new(),
            attributes: BTreeMap::new(),
            compression,
        }
    }

    pub(super) fn inputs(&self) -> Vec<&I> {
        self.debs.iter().map(|(_, deb)| deb).chain(self.files.iter().map(|(_, from, _)| from)).collect()
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Layer<O>, E> {
        let debs = resolve_named(&self.debs, output)?;
        let files = self.files.iter().map(|(place, from, path)| Ok((place.clone(), output(from)?, path.clone())));
        Ok(Layer {
            debs,
            files: files.collect::<Result<_, E>>()?,
            trim: self.trim.clone(),
            links: self.links.clone(),
            ignore: self.ignore.clone(),
            texts: self.texts.clone(),
            symlinks: self.symlinks.clone(),
            directories: self.directories.clone(),
            attributes: self.attributes.clone(),
            compression: self.compression,
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { debs, trim, links, ignore, files, texts, symlinks, directories, attributes, compression } = self;
        visit("debs", Value::Inputs(debs.iter().map(|(package, deb)| (package.as_str(), deb)).collect()));
        visit("trim", paths(trim));
        visit("links", table(links));
        visit("ignore", list(ignore));
        visit("files", Value::Inputs(files.iter().map(|(place, from, _)| (place.as_str(), from)).collect()));
        let within = |path: &'_ Option<RelPath>| path.as_ref().map_or("", RelPath::as_str).to_owned();
        let within: Vec<String> = files.iter().map(|(_, _, path)| within(path)).collect();
        visit("paths", list(&within));
        visit("texts", Value::Table(texts.iter().map(|(place, text)| (place.as_str(), text.as_str())).collect()));
        visit("symlinks", table(symlinks));
        visit("directories", paths(directories));
        let attributes: Vec<_> = attributes.iter().map(|(path, of)| (path.as_str(), of.to_string())).collect();
        visit("attributes", Value::Table(attributes.iter().map(|(path, of)| (*path, of.as_str())).collect()));
        visit("compression", Value::Text(compressor(*compression)));
    }
}

impl<I> Image<I> {
    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Image<O>, E> {
        Ok(Image {
            name: self.name.clone(),
            layers: resolve_named(&self.layers, output)?,
            own: self.own.clone(),
            compression: self.compression,
            config: self.config.clone(),
            present: self.present.clone(),
            links: self.links.clone(),
            waivers: self.waivers.clone(),
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { name, layers, own, compression, config, present, links, waivers: Waivers { root, shell } } = self;
        visit("name", Value::Text(name));
        visit("layers", Value::Inputs(layers.iter().map(|(name, layer)| (name.as_str(), layer)).collect()));
        visit("own", list(own));
        visit("compression", Value::Text(compressor(*compression)));
        walk_config(config, visit);
        visit("present", paths(present));
        visit("links", table(links));
        visit("root", Value::Optional(root.as_deref()));
        visit("shell", Value::Optional(shell.as_deref()));
    }
}

fn walk_config<I>(config: &Config, visit: Visit<'_, I>) {
    let Config { architecture, user, entrypoint, command, env, workdir, labels, annotations, ports, stop_signal } =
        config;
    visit("architecture", Value::Text(architecture));
    visit("user", Value::Text(&format!("{}:{}", user.0, user.1)));
    visit("entrypoint", list(entrypoint));
    visit("command", list(command));
    visit("env", table(env));
    visit("workdir", Value::Optional(workdir.as_deref()));
    visit("labels", table(labels));
    visit("annotations", table(annotations));
    visit("ports", list(ports));
    visit("stop-signal", Value::Optional(stop_signal.as_deref()));
}

fn paths<I>(paths: &[RelPath]) -> Value<'_, I> {
    Value::List(paths.iter().map(RelPath::as_str).collect())
}

/// The compressor in full, as its bytes depend on all of that; `artifact::image::compress` holds to it.
fn compressor(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd => "zstd 1.5.7, level 3, tables of 2^15, workers",
        Compression::Gzip => "zlib-rs 0.6.8, level 6, blocks of 1 MiB",
    }
}
