//! `kind = "installer"`: Talos with a kernel of ours and extensions, as all that a machine boots from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::diagnostic::Fault;
use super::field;
use super::model::{Build, OUTPUT, Reference};
use super::raw::At;
use super::source::Source;
use super::unit::Draft;
use super::{Extension, Kernel};
use crate::kernel::command_line::{Mistake, mistakes};
use crate::path::Name;
use crate::talos::{Release, boot};

/// Talos with a kernel and extensions, on the images of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installer {
    /// The root file system with mksquashfs.
    pub toolroot: Name,
    /// Which Talos it is.
    pub release: Release,
    /// The kernel's unit.
    pub kernel: Name,
    /// The units of the extensions, the lowest layer first.
    pub extensions: Vec<Name>,
    /// What is read of those units, by the name under which the step that packs them sees it.
    pub deps: BTreeMap<Name, Reference>,
    /// Arguments beside those that the kernel's recipe and Talos have.
    pub command_line: Vec<String>,
    /// How it is tried in a virtual machine, if it is.
    pub start: Option<Start>,
    /// How long packing may take.
    pub timeout: Duration,
}

/// What must come of starting each of its forms in a virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The root file system with QEMU, OVMF and zstd.
    pub toolroot: Name,
    /// Texts that the console must show.
    pub expect: Vec<String>,
    /// How long all of them may take.
    pub timeout: Duration,
}

/// How long that may be if a recipe does not say.
const TIMEOUT: Duration = Duration::from_secs(900);

impl Installer {
    /// The word for it in recipes and in `forge list`.
    pub const KIND: &str = "installer";
    /// The source that the installer is based on: Talos' `installer-base`.
    pub const BASE: &str = "base";
    /// The source with the initramfs, the stub and the boot manager: Talos' `imager`.
    pub const IMAGER: &str = "imager";
    /// The output with what a machine boots.
    pub const BOOT: &str = "boot";
    /// The output that is a disk.
    pub const DISK: &str = "disk";
    /// Its outputs in their order.
    pub const OUTPUTS: [&str; 3] = [OUTPUT, Self::BOOT, Self::DISK];
    /// The kernel, and its modules, among what is read.
    pub const KERNEL: &str = "kernel";
    /// See [`KERNEL`](Self::KERNEL).
    pub const MODULES: &str = "modules";
}

impl Draft<'_> {
    pub(super) fn installer(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let raw = self.raw;
        let (toolroot, release, sources) = (self.tools(), self.release(), self.installer_sources());
        let kernel = self.required(Installer::KERNEL, raw.kernel.as_ref());
        let kernel = kernel.and_then(|text| self.unit_of_kind(text, Kernel::KIND, None));
        let mut deps = BTreeMap::new();
        if let Some(kernel) = &kernel {
            let of = |output| Reference { unit: kernel.clone(), output };
            deps.insert(Name::constant(Installer::KERNEL), of(None));
            deps.insert(Name::constant(Installer::MODULES), of(Some(Name::constant(Kernel::MODULES))));
        }
        let extensions = raw.extensions.iter().filter_map(|text| self.extension_unit(text, &mut deps)).collect();
        let command_line = release.map(|release| self.whole_command_line(release))?;
        let installer = Installer {
            toolroot: toolroot?,
            release: release?,
            kernel: kernel?,
            extensions,
            deps,
            command_line,
            start: self.start(),
            timeout: self.timeout(raw.timeout_seconds.as_ref()),
        };
        Some((Build::Installer(Box::new(installer)), sources?))
    }

    fn extension_unit(&mut self, text: &At<String>, deps: &mut BTreeMap<Name, Reference>) -> Option<Name> {
        let rootfs = Name::constant(Extension::ROOTFS);
        let unit = self.unit_of_kind(text, Extension::KIND, Some(rootfs.clone()))?;
        let reference = Reference { unit: unit.clone(), output: Some(rootfs) };
        if deps.insert(unit.clone(), reference).is_some() {
            let fault = Fault::new(text.span(), format!("`{unit}` is there already"));
            self.faults.push(fault.help("name each extension once, and none `kernel` or `modules`"));
        }
        Some(unit)
    }

    /// The two images of others.
    fn installer_sources(&mut self) -> Option<BTreeMap<Name, Source>> {
        let sources = self.sources();
        for name in [Installer::BASE, Installer::IMAGER] {
            if !self.raw.sources.contains_key(name) {
                self.missing(&format!("sources.{name}"));
            }
        }
        for (name, _) in self.raw.sources.iter() {
            let read = Name::new(name.as_str()).ok().and_then(|name| sources.get(&name));
            if read.is_some_and(|source| !matches!(source, Source::Oci { .. })) {
                let fault = Fault::new(name.span(), format!("`{}` has to be an image", name.as_str()));
                self.faults.push(fault.help("write `{ oci = \"registry/repository:tag\" }`"));
            }
        }
        Some(sources)
    }

    /// The arguments of the recipe, judged with those that Talos has, which stand before them.
    fn whole_command_line(&mut self, release: Release) -> Vec<String> {
        let own = self.texts(&self.raw.command_line);
        let given: Vec<&At<String>> = self
            .raw
            .command_line
            .iter()
            .zip(&own)
            .filter(|(_, text)| !boot::leaves_out(text))
            .map(|(at, _)| at)
            .collect();
        let whole = boot::command_line(release, &own);
        for Mistake { at, title, help } in mistakes(&whole) {
            let place = at.and_then(|at| given.get(at.checked_sub(whole.len() - given.len())?));
            let place = place.map_or(self.page.at.clone(), |text| text.span());
            self.faults.push(Fault::new(place, title).help(help));
        }
        own
    }

    /// How it is tried in a virtual machine.
    fn start(&mut self) -> Option<Start> {
        let raw = self.raw.boot.as_ref()?;
        let toolroot = self.boot_unit(raw, "toolroot", raw.toolroot.as_ref());
        let tables = [&raw.sysctls, &raw.files].into_iter().filter_map(|table| table.keys().next());
        let others = raw.probe.iter().chain(raw.devices.first()).chain(tables);
        for text in others {
            let fault = Fault::new(text.span(), "an installer is tried by what its console shows");
            self.faults.push(fault.help("drop this, and say by `expect` what must stand there"));
        }
        if raw.expect.is_empty() {
            let fault = Fault::new(raw.span(), "`[boot]` does not say what the console must show");
            self.faults.push(fault.help("add `expect = [\"…\"]`"));
        }
        let timeout = raw.timeout_seconds.as_ref().map_or(TIMEOUT, |seconds| self.timeout(Some(seconds)));
        Some(Start { toolroot: toolroot?, expect: self.texts(&raw.expect), timeout })
    }

    /// A unit that must be of a kind.
    fn unit_of_kind(&mut self, text: &At<String>, kind: &'static str, output: Option<Name>) -> Option<Name> {
        let unit = field::name(text, self.faults)?;
        self.uses(Reference { unit: unit.clone(), output }, Some(kind), text.span());
        Some(unit)
    }
}
