//! `installer`: all that a machine boots Talos from.
//!
//! ```text
//! modules, extensions ─→ layers ─┐
//! imager ─→ parts ───────────────┼→ boot ─┬→ disk ─────────┐
//! kernel ────────────────────────┘        └→ layer ─┐      │
//! base ─────────────────────────────────────────────┴→ installer ─→ out boot disk
//! ```
//!
//! The initramfs is the imager's, byte for byte, and a second segment behind it: squashfs file systems that Talos' init
//! lays over its own, and `extensions.yaml`, which names them. The lowest is the tree of our kernel's modules, under a
//! release of its own, so that those of Talos' kernel stay where they are and do nothing.

use super::shell::quote;
use super::{Error, Input, Planner, Step, Unit, cmd, out};
use crate::derivation::{self, Assemble, Derivation, Layer, Run};
use crate::lockfile::Locked;
use crate::path::{Name, RelPath};
use crate::recipe::{Build, Compression, Installer, Recipe};
use crate::talos::boot;
use crate::talos::extension::{Metadata, layers};

/// What mksquashfs is told, as Talos' imager does it, but for the level: it is the default, in a tenth of the time.
pub(super) const SQUASH: &str = "-all-root -noappend -no-progress -comp zstd";

impl Planner<'_> {
    pub(super) fn installer(&mut self, recipe: &Recipe<Locked>, installer: &Installer) -> Result<Unit, Error> {
        let sources = self.sources(recipe)?;
        let paths = [boot::STUB, boot::LOADER, boot::INITRAMFS].map(RelPath::constant);
        let taken = Assemble::Taken { layout: sources[Installer::IMAGER].clone(), paths: paths.into() };
        let imager = self.part(recipe, "take from the imager", taken);
        let layers = self.squashed(recipe, installer)?;
        let boot = self.booted(recipe, installer, &imager, layers)?;
        let disk = Assemble::Disk(Box::new(derivation::Disk {
            boot: boot.clone(),
            imager: imager.clone(),
            image_name: boot::image_name(installer.release),
            loader: boot::LOADER_CONFIG.to_owned(),
            esp_size: boot::esp_size(installer.release),
            meta_size: boot::META_SIZE,
        }));
        let disk = self.part(recipe, "disk", disk);
        let layer = self.part(recipe, "layer", Assemble::Layer(Box::new(layer(&boot, &imager))));
        let whole = derivation::Installer {
            name: recipe.name.to_string(),
            base: sources[Installer::BASE].clone(),
            layer,
            boot,
            disk,
        };
        Ok(self.assembled(recipe, Assemble::Installer(Box::new(whole))))
    }

    fn part(&mut self, recipe: &Recipe<Locked>, what: &str, assemble: Assemble<Input>) -> Input {
        self.assemble(&recipe.name, format!("{}: {what}", recipe.name), assemble)
    }

    /// The second segment of the initramfs: a file system of the modules and of each extension, and their list.
    fn squashed(&mut self, recipe: &Recipe<Locked>, installer: &Installer) -> Result<Input, Error> {
        let extensions = installer.extensions.iter().map(|unit| self.metadata(unit));
        let list: Vec<_> = std::iter::once(modules(installer)).chain(extensions).collect();
        let mut deps = self.references(&installer.deps)?;
        deps.remove(Installer::KERNEL);
        let run = Run {
            deps,
            argv: cmd::argv([squash(installer, &layers(&list))]),
            outputs: vec![out()],
            ..cmd::bare(self.main_output(&installer.toolroot)?)
        };
        let step = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: pack layers", recipe.name),
            derivation: Derivation::Run(run),
            timeout: installer.timeout,
        });
        Ok(Input::Step(step, out()))
    }

    /// What an extension says of itself.
    fn metadata(&self, unit: &Name) -> Metadata {
        match self.project.units.get(unit).map(|recipe| &recipe.build) {
            Some(Build::Extension(extension)) => extension.manifest.metadata.clone(),
            _ => unreachable!("BUG: the kind of `{unit}` was looked at when the recipe was read"),
        }
    }

    fn booted(
        &mut self,
        recipe: &Recipe<Locked>,
        installer: &Installer,
        imager: &Input,
        layers: Input,
    ) -> Result<Input, Error> {
        let kernel = match self.project.units.get(&installer.kernel).map(|recipe| &recipe.build) {
            Some(Build::Kernel(kernel)) => kernel.command_line.as_slice(),
            _ => &[],
        };
        let command_line = boot::command_line(installer.release, kernel);
        let command_line = boot::lay(command_line, &installer.command_line).join(" ");
        let profiles = boot::profiles(&command_line).map(|(text, line)| (text.to_owned(), line));
        let boot = derivation::Boot {
            kernel: self.reference(&installer.deps[Installer::KERNEL])?,
            imager: imager.clone(),
            layers,
            os_release: boot::os_release(installer.release),
            profiles: profiles.into(),
            command_line,
        };
        Ok(self.part(recipe, "boot files", Assemble::Boot(Box::new(boot))))
    }
}

/// What the layer of modules says of itself.
fn modules(installer: &Installer) -> Metadata {
    let mut metadata = Metadata::default().for_talos(format!(">= v{}", installer.release));
    metadata.name = Installer::MODULES.to_owned();
    metadata.version = format!("v{}", installer.release);
    metadata.author = "forge".to_owned();
    metadata.description = format!("The modules of {}", installer.kernel);
    metadata
}

/// Makes a file system of each layer, named by its place as Talos has it, and writes the list of them. What belongs
/// into the initramfs itself is not moved there: such an extension is refused.
fn squash(installer: &Installer, list: &str) -> String {
    let mut lines = vec![
        // Modes of folders are part of a file system.
        "umask 022\nmkdir -p /out/out modules/usr/lib".to_owned(),
        "if [ -d /deps/modules/lib ]; then cp -r /deps/modules/lib/modules modules/usr/lib/; fi".to_owned(),
        format!("mksquashfs modules /out/out/0.sqsh {SQUASH}"),
    ];
    lines.extend((1..).zip(&installer.extensions).map(|(number, unit)| {
        format!(
            "if [ -e /deps/{unit}/usr/lib/firmware ]; then echo '{unit}: firmware belongs into the initramfs, not into a layer' >&2; exit 1; fi
mksquashfs /deps/{unit} /out/out/{number}.sqsh {SQUASH}"
        )
    }));
    lines.push(format!("printf %s {} > /out/out/extensions.yaml", quote(list)));
    lines.join("\n")
}

/// The layer with what an installer installs; gzip, as in Talos' own, is read by every program.
fn layer(boot: &Input, imager: &Input) -> Layer<Input> {
    let file = |place, from: &Input, path| (RelPath::constant(place), from.clone(), Some(RelPath::constant(path)));
    Layer {
        files: vec![file(boot::IMAGE, boot, boot::UKI), file(boot::LOADER, imager, boot::LOADER)],
        ..Layer::empty(Compression::Gzip)
    }
}
