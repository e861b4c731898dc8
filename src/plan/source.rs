//! A locked source becomes the steps that bring it.

use std::collections::BTreeMap;

use super::{Error, Input, Planner, STEP_TIMEOUT, Step, out};
use crate::derivation::{Assemble, Derivation};
use crate::lockfile::{Crate, Deb, Locked, Pin, Place};
use crate::path::Name;
use crate::recipe::{Recipe, Unpack};
use crate::store::Blob;

impl Step {
    /// What a step that fetches brings, for people: a package's version, a file's URL, a commit.
    #[must_use]
    pub fn fetched(&self) -> Option<&str> {
        match &self.derivation {
            Derivation::Fetch(Pin { place: Place::Url(name) | Place::Supplied(name), .. }) => Some(name),
            // The label ends with the version: see `Planner::deb`.
            Derivation::Fetch(Pin { place: Place::Archive { .. }, .. }) => self.label.rsplit(' ').next(),
            Derivation::Fetch(Pin { place: Place::Registry { version, .. }, .. }) => Some(version),
            Derivation::Fetch(Pin { place: Place::Oci { .. }, .. }) => None,
            Derivation::FetchGit { commit, .. } => Some(commit),
            Derivation::Run(_) | Derivation::Assemble(_) => None,
        }
    }
}

impl Planner<'_> {
    /// The sources of a unit by name, but for sets: those of .debs and crates, which the kinds that have them take apart.
    pub(super) fn sources(&mut self, recipe: &Recipe<Locked>) -> Result<BTreeMap<Name, Input>, Error> {
        let single = |source: &Locked| !matches!(source, Locked::Debs(_) | Locked::Crates { .. });
        let sources = recipe.sources.iter().filter(|(_, source)| single(source));
        sources.map(|(name, source)| Ok((name.clone(), self.source(recipe, name, source)?))).collect()
    }

    pub(super) fn source(&mut self, recipe: &Recipe<Locked>, name: &Name, source: &Locked) -> Result<Input, Error> {
        let unit = &recipe.name;
        if let Some(output) = self.observed.get(&(unit.clone(), name.clone())) {
            return Ok(Input::Known(*output));
        }
        Ok(match source {
            Locked::Path { .. } => {
                return Err(Error::Unobserved { unit: unit.clone(), source_name: name.clone() });
            }
            Locked::File { pin, unpack } => {
                let file = self.pin(unit, name.as_str(), pin);
                self.unpacked(unit, name, file, unpack.as_ref())
            }
            Locked::Git { url, commit, tree } => self.git(unit, name.as_str(), url, commit, *tree),
            Locked::DebMember { deb, member, unpack } => {
                let deb = self.deb(unit, deb);
                let member = Assemble::DebMember { deb, member: member.clone() };
                let file = self.assemble(unit, format!("{unit}: take {name} out of its package"), member);
                self.unpacked(unit, name, file, unpack.as_ref())
            }
            Locked::Crate(one) => {
                let file = self.one_crate(unit, one);
                self.unpacked(unit, name, file, Some(&Unpack { strip: Crate::STRIP }))
            }
            Locked::Oci { .. } => self.image_layout(unit, name, source),
            Locked::Crates { .. } | Locked::Debs(_) => unreachable!("BUG: a set is no single source"),
        })
    }

    /// The step that makes a layout of an image's files, which other steps fetch.
    fn image_layout(&mut self, unit: &Name, name: &Name, source: &Locked) -> Input {
        let mut files = source.image().into_iter().map(|pin| {
            let digest = pin.digest.to_string();
            let input = self.pin(unit, &format!("{name} {}", &digest["sha256:".len()..][..12]), &pin);
            (digest, input)
        });
        let (_, manifest) = files.next().expect("BUG: an image has a manifest");
        let blobs = files.collect();
        self.assemble(unit, format!("{unit}: lay out {name}"), Assemble::Layout { manifest, blobs })
    }

    /// The step that fetches a .deb.
    pub(super) fn deb(&mut self, unit: &Name, deb: &Deb) -> Input {
        self.pin(unit, &format!("{} {}", deb.package, deb.version), &deb.pin)
    }

    /// The step that fetches a crate.
    pub(super) fn one_crate(&mut self, unit: &Name, one: &Crate) -> Input {
        self.pin(unit, &one.reference(), &one.pin())
    }

    fn pin(&mut self, unit: &Name, what: &str, pin: &Pin) -> Input {
        let id = self.plan.add_fixed(pin.digest, || Step {
            unit: unit.clone(),
            label: format!("{unit}: fetch {what}"),
            derivation: Derivation::Fetch(pin.clone()),
            timeout: STEP_TIMEOUT,
        });
        Input::Step(id, out())
    }

    pub(super) fn git(&mut self, unit: &Name, name: &str, url: &str, commit: &str, tree: Blob) -> Input {
        let id = self.plan.add_fixed(tree.digest, || Step {
            unit: unit.clone(),
            label: format!("{unit}: fetch {name} from git"),
            derivation: Derivation::FetchGit { url: url.to_owned(), commit: commit.to_owned(), tree },
            timeout: STEP_TIMEOUT,
        });
        Input::Step(id, out())
    }

    fn unpacked(&mut self, unit: &Name, name: &Name, file: Input, unpack: Option<&Unpack>) -> Input {
        match unpack {
            None => file,
            Some(Unpack { strip }) => {
                let assemble = Assemble::Unpack { archive: file, strip: *strip };
                self.assemble(unit, format!("{unit}: unpack {name}"), assemble)
            }
        }
    }

    pub(super) fn assemble(&mut self, unit: &Name, label: String, assemble: Assemble<Input>) -> Input {
        let derivation = Derivation::Assemble(assemble);
        let step = Step { unit: unit.clone(), label, derivation, timeout: STEP_TIMEOUT };
        Input::Step(self.plan.add(step), out())
    }
}
