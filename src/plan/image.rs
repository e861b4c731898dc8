//! `image`: a step a layer, and one for the image that they make.
//!
//! ```text
//! a.deb ─┐
//! b.deb ─┴→ packages ─────┐
//! big.deb ─→ big ─────────┤
//! users, directories ─────┼→ image ─→ out: the OCI layout
//! unit ─→ unit ───────────┘        └→ root: its file system
//! ```
//!
//! Layers go by origin: packages, then what forge adds, then each unit and source, so that another program changes
//! the layer of that program alone. Where there are more packages than layers to be had, the largest stand apart.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Input, Planner, Unit};
use crate::derivation::{self, Assemble, Layer};
use crate::lockfile::{Deb, Locked};
use crate::path::{Name, RelPath};
use crate::recipe::{Attributes, DEBS, Image, Origin, Recipe};

/// The layer of packages that have none of their own.
const PACKAGES: &str = "packages";
/// The layer of what forge adds.
const SYSTEM: &str = "system";
/// The layer of files, where there is no room for one an origin.
const FILES: &str = "files";

/// The shell of users who have none.
const NO_SHELL: &str = "/usr/sbin/nologin";
/// What every program may count on, and what a runtime mounts on where it can't make it; modes that are not as usual.
const DIRECTORIES: [(&str, Option<u32>); 5] =
    [("dev", None), ("proc", None), ("run", None), ("sys", None), ("tmp", Some(0o1777))];

impl Planner<'_> {
    pub(super) fn image(&mut self, recipe: &Recipe<Locked>, image: &Image) -> Result<Unit, Error> {
        let own = self.file_layers(recipe, image)?;
        let room = image.budget.saturating_sub(own.len() + 1);
        let mut layers = self.package_layers(recipe, image, room);
        layers.push((SYSTEM.to_owned(), system(image)));
        let names = own.iter().map(|(name, _)| name.clone()).collect();
        layers.extend(own);
        let layers = layers.into_iter().map(|(name, layer)| {
            let label = format!("{}: layer {name}", recipe.name);
            (name, self.assemble(&recipe.name, label, Assemble::Layer(Box::new(layer))))
        });
        let assemble = derivation::Image {
            name: recipe.name.to_string(),
            layers: layers.collect(),
            own: names,
            compression: image.compression,
            config: image.config.clone(),
            present: image.attributes.keys().cloned().collect(),
            links: image.links.clone(),
            waivers: image.waivers.clone(),
        };
        Ok(self.assembled(recipe, Assemble::Image(Box::new(assemble))))
    }

    /// The layers of packages, at most `room`, one at least if there are packages.
    fn package_layers(&mut self, recipe: &Recipe<Locked>, image: &Image, room: usize) -> Vec<(String, Layer<Input>)> {
        let Some(Locked::Debs(set)) = recipe.sources.get(DEBS) else { return Vec::new() };
        let groups = groups(set, room.max(1));
        let layer = |(name, debs): (String, Vec<&Deb>)| {
            let debs = debs.into_iter().map(|deb| (deb.package.clone(), self.deb(&recipe.name, deb)));
            (name, Layer { debs: debs.collect(), links: image.links.clone(), ..empty(image) })
        };
        groups.into_iter().map(layer).collect()
    }

    /// The layers of what is taken from units and sources: one each, or one for all.
    fn file_layers(&mut self, recipe: &Recipe<Locked>, image: &Image) -> Result<Vec<(String, Layer<Input>)>, Error> {
        let named: BTreeSet<_> = image.files.values().map(|origin| (origin.source, &origin.name)).collect();
        let origins = named.into_iter().map(|key| Ok((key, self.origin(recipe, image, key)?)));
        let origins: BTreeMap<_, _> = origins.collect::<Result<_, Error>>()?;
        let file = |(place, origin): (&RelPath, &Origin)| {
            (place.clone(), origins[&(origin.source, &origin.name)].clone(), origin.path.clone())
        };
        // One is for packages, one for what forge adds.
        if origins.len() > image.budget.saturating_sub(2) {
            return Ok(vec![(
                FILES.to_owned(),
                Layer { files: image.files.iter().map(file).collect(), ..empty(image) },
            )]);
        }
        let layer = |(source, name): &(bool, &Name)| {
            let own = image.files.iter().filter(|(_, origin)| (origin.source, &origin.name) == (*source, *name));
            let title = if *source { format!("src/{name}") } else { name.to_string() };
            (title, Layer { files: own.map(file).collect(), ..empty(image) })
        };
        Ok(origins.keys().map(layer).collect())
    }

    /// What a source, or a dep, holds.
    fn origin(&mut self, recipe: &Recipe<Locked>, image: &Image, named: (bool, &Name)) -> Result<Input, Error> {
        match named {
            (true, source) => self.source(recipe, source, &recipe.sources[source]),
            (false, dep) => self.reference(&image.deps[dep]),
        }
    }
}

/// Layers of packages: the largest alone, if there are more than `room`, and the rest together before them.
fn groups(set: &[Deb], room: usize) -> Vec<(String, Vec<&Deb>)> {
    let mut by_size: Vec<&Deb> = set.iter().collect();
    by_size.sort_by_key(|deb| (Reverse(deb.pin.size), &deb.package));
    let alone = if set.len() <= room { set.len() } else { room - 1 };
    let (alone, mut rest) = (by_size[..alone].to_vec(), by_size[alone..].to_vec());
    let mut groups = Vec::new();
    if !rest.is_empty() {
        rest.sort_by_key(|deb| &deb.package);
        groups.push((PACKAGES.to_owned(), rest));
    }
    let mut alone: Vec<_> = alone.into_iter().map(|deb| (format!("package {}", deb.package), vec![deb])).collect();
    alone.sort_by(|(a, _), (b, _)| a.cmp(b));
    groups.extend(alone);
    groups
}

/// The layer of what no package brings: users, directories and links.
fn system(image: &Image) -> Layer<Input> {
    let users: String =
        image.users.iter().map(|(name, id)| format!("{name}:x:{id}:{id}:{name}:/:{NO_SHELL}\n")).collect();
    let groups: String = image.users.iter().map(|(name, id)| format!("{name}:x:{id}:\n")).collect();
    let passwd =
        format!("root:x:0:0:root:/root:{NO_SHELL}\n{users}nobody:x:65534:65534:nobody:/nonexistent:{NO_SHELL}\n");
    let group = format!("root:x:0:\n{groups}nogroup:x:65534:\n");
    let directories = DIRECTORIES.map(|(path, _)| path).map(RelPath::constant);
    Layer {
        texts: BTreeMap::from([(RelPath::constant("etc/passwd"), passwd), (RelPath::constant("etc/group"), group)]),
        symlinks: image.links.clone(),
        directories: directories.into_iter().chain(image.directories.keys().cloned()).collect(),
        ..empty(image)
    }
}

/// A layer with nothing in it.
fn empty(image: &Image) -> Layer<Input> {
    Layer {
        trim: image.trim.clone(),
        ignore: image.ignore_alternatives.clone(),
        attributes: attributes(image),
        ..Layer::empty(image.compression)
    }
}

/// What is not as usual, in whichever layer it is: a directory may be in several.
fn attributes(image: &Image) -> BTreeMap<RelPath, Attributes> {
    let usual = DIRECTORIES.map(|(path, mode)| (RelPath::constant(path), Attributes { mode, ..Attributes::default() }));
    let own = image.directories.iter().chain(&image.attributes);
    usual.into_iter().chain(own.map(|(path, attributes)| (path.clone(), attributes.clone()))).collect()
}
