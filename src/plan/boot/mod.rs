//! `[boot]`: a kernel is started in QEMU, and what its first process finds is a test of it.
//!
//! ```text
//! modules ─┐
//! probe ───┴→ segments ─→ initramfs ─→ boot ←─ kernel
//! ```
//!
//! The first root file system has two segments, as Talos' has one of its own and one of extensions:
//!
//! | segment | what is in it |
//! |---|---|
//! | `first` | the probe as `/init`, its list of checks, the kernel's configuration, `/rootfs.sqsh` |
//! | `second` | `/0.sqsh` with the modules, and `/1.sqsh`, which lie over it |
//!
//! An installer is started in each of its forms (`forms`).
//!
//! The machine has two processors and two memory nodes, and is QEMU's `q35` without KVM.

mod console;
mod forms;
mod machine;

use std::collections::BTreeMap;

use super::installer::SQUASH;
use super::shell::quote;
use super::{Error, Input, Plan, Planner, Step, StepId, cmd};
use crate::derivation::{Assemble, Derivation, Run};
use crate::lockfile::Locked;
use crate::path::Name;
use crate::recipe::{Boot, Build, Device, Kernel, Recipe, Reference};
use crate::sandbox::Profile;
pub use console::{Outcome, outcomes};

/// The two segments, as outputs.
const SEGMENTS: [&str; 2] = ["first", "second"];
/// What every kernel is asked.
const ALWAYS: [&str; 6] = [
    "file /forge/segment=second",
    "layers /rootfs.sqsh /0.sqsh /1.sqsh",
    "file /root/etc/forge/base=base",
    "file /root/etc/forge/0=0",
    "file /root/etc/forge/top=1",
    "file /sys/devices/system/node/has_memory=0-1",
];
/// What `/dev/nvme0n1` starts with.
const DISK: &str = "a disk of forge";

impl Plan {
    /// The checks of a unit's boot, if one was asked for.
    #[must_use]
    pub fn boot(&self, unit: &Name) -> Option<(StepId, &[String])> {
        let step = self.tests.get(&(unit.clone(), Name::constant(Boot::TEST)))?;
        Some((*step, self.boots.get(unit)?))
    }
}

impl Planner<'_> {
    /// Adds the boot of a unit, if it is a kernel or an installer that has one.
    pub(super) fn boot(&mut self, unit: &Name) -> Result<(), Error> {
        let project = self.project;
        let recipe = project.units.get(unit).ok_or_else(|| Error::UnknownUnit(unit.clone()))?;
        if let Some(start) = recipe.start() {
            return self.forms(recipe, start);
        }
        let (Build::Kernel(kernel), Some(boot)) = (&recipe.build, recipe.boot()) else { return Ok(()) };
        let checks = checks(kernel, boot);
        let initramfs = self.initramfs(recipe, boot, &checks)?;
        let step = self.started(recipe, kernel, boot, initramfs)?;
        self.plan.tests.insert((unit.clone(), Name::constant(Boot::TEST)), step);
        self.plan.boots.insert(unit.clone(), checks);
        Ok(())
    }

    fn initramfs(&mut self, recipe: &Recipe<Locked>, boot: &Boot, checks: &[String]) -> Result<Input, Error> {
        let modules = Reference { unit: recipe.name.clone(), output: Some(Name::constant(Kernel::MODULES)) };
        let run = Run {
            deps: [
                ("kernel", self.main_output(&recipe.name)?),
                ("modules", self.reference(&modules)?),
                ("probe", self.main_output(&boot.probe)?),
            ]
            .map(|(name, input)| (Name::constant(name), input))
            .into(),
            argv: cmd::argv([segments(checks)]),
            outputs: SEGMENTS.map(Name::constant).into(),
            ..cmd::bare(self.main_output(&boot.toolroot)?)
        };
        let step = self.boot_step(recipe, "make segments", boot, run);
        let segment = |name| (str::to_owned(name), Input::Step(step, Name::constant(name)));
        let packed = Assemble::Initramfs { segments: SEGMENTS.map(segment).into() };
        Ok(self.assemble(&recipe.name, format!("{}: pack initramfs", recipe.name), packed))
    }

    fn started(
        &mut self,
        recipe: &Recipe<Locked>,
        kernel: &Kernel,
        boot: &Boot,
        initramfs: Input,
    ) -> Result<StepId, Error> {
        let image = self.main_output(&recipe.name)?;
        let run = Run {
            deps: [("initramfs", initramfs), ("kernel", image)]
                .map(|(name, input)| (Name::constant(name), input))
                .into(),
            argv: cmd::argv([machine::start(&kernel.command_line, &boot.devices)]),
            profile: Profile::Run,
            ..cmd::bare(self.main_output(&boot.toolroot)?)
        };
        Ok(self.boot_step(recipe, "test boot", boot, run))
    }

    fn boot_step(&mut self, recipe: &Recipe<Locked>, what: &str, boot: &Boot, run: Run<Input>) -> StepId {
        self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: {what}", recipe.name),
            derivation: Derivation::Run(run),
            timeout: boot.timeout,
        })
    }
}

/// The probe's list. What is looked at later is changed earlier.
fn checks(kernel: &Kernel, boot: &Boot) -> Vec<String> {
    let pairs = |word: &str, pairs: &BTreeMap<String, String>| -> Vec<String> {
        pairs.iter().map(|(name, text)| format!("{word} {name}={text}")).collect()
    };
    let mut checks = vec!["config".to_owned()];
    checks.extend(kernel.command_line.iter().map(|word| format!("argument {word}")));
    checks.extend(ALWAYS.map(str::to_owned));
    checks.extend(pairs("sysctl", &boot.sysctls));
    if let Some(device) = boot.devices.first() {
        checks.extend(["damaged", "unsigned"].map(|flaw| format!("reject {flaw} {}", device.name())));
    }
    checks.extend(boot.devices.iter().enumerate().flat_map(|(number, device)| driven(number, *device)));
    checks.extend(pairs("file", &boot.files));
    checks
}

/// A device is there once its driver is.
fn driven(number: usize, device: Device) -> Vec<String> {
    let name = device.name();
    let mut checks = vec![format!("absent /sys/bus/pci/drivers/{name}"), format!("load {name}")];
    match device {
        Device::Nvme => checks.extend(["appears /dev/nvme0n1".to_owned(), format!("file /dev/nvme0n1={DISK}")]),
        Device::Igb | Device::E1000e => checks.push(format!("appears {}/net", machine::device(number))),
    }
    checks
}

/// Lays out both segments. Names of layers are those of Talos.
fn segments(checks: &[String]) -> String {
    let list: String = checks.iter().map(|check| format!(" {}", quote(check))).collect();
    format!(
        "umask 022
mkdir -p /out/first/forge /out/second/forge base/etc/forge 0/etc/forge 0/usr/lib 1/etc/forge
cp /deps/probe/bin/* /out/first/init
cp /deps/kernel/config /out/first/forge/config
printf '%s\\n'{list} > /out/first/forge/checks
echo second > /out/second/forge/segment
for layer in base 0 1; do echo $layer > $layer/etc/forge/$layer; echo $layer > $layer/etc/forge/top; done
if [ -d /deps/modules/lib ]; then cp -r /deps/modules/lib/modules 0/usr/lib/; fi
squash() {{ mksquashfs $1 $2 {SQUASH} -Xcompression-level 3; }}
squash base /out/first/rootfs.sqsh
squash 0 /out/second/0.sqsh
squash 1 /out/second/1.sqsh"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_checked_around_its_driver() {
        assert_eq!(
            driven(1, Device::Igb),
            ["absent /sys/bus/pci/drivers/igb", "load igb", "appears /sys/bus/pci/devices/0000:00:03.0/net"]
        );
        assert_eq!(driven(0, Device::Nvme)[3], "file /dev/nvme0n1=a disk of forge");
    }

    #[test]
    fn the_list_is_quoted() {
        let script = segments(&["file /a=it's [madvise]".to_owned()]);
        assert!(script.contains(r"printf '%s\n' 'file /a=it'\''s [madvise]' > /out/first/forge/checks"), "{script}");
    }
}
