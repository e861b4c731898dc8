//! `[boot]` of an installer: each of its forms is started in QEMU, until the console shows what it must.
//!
//! | form | how it is started |
//! |---|---|
//! | `kernel and initramfs` | by QEMU itself |
//! | `UKI` | by OVMF, out of a folder |
//! | `disk` | by OVMF and the boot manager on it, from an NVMe disk |
//! | `iPXE` | by the iPXE of QEMU's network card, over TFTP |
//!
//! A machine that came that far is switched off, as Talos would never end by itself.

use super::console::START;
use super::machine::QEMU;
use crate::derivation::{Derivation, Run};
use crate::lockfile::Locked;
use crate::path::Name;
use crate::plan::shell::quote;
use crate::plan::{Error, Planner, Step, cmd};
use crate::recipe::{Boot, Installer, Recipe, Reference, Start};
use crate::sandbox::Profile;

/// UEFI.
const FIRMWARE: &str = "-bios /usr/share/qemu/OVMF.fd ";
/// The machine's own firmware, or what QEMU does without.
const NONE: &str = "";

/// Each form, the firmware that starts it, and what the machine has for it.
const FORMS: [(&str, &str, &str); 4] = [
    (
        "kernel and initramfs",
        NONE,
        "-kernel /deps/boot/kernel-amd64 -initrd /deps/boot/initramfs-metal-amd64.xz -append \"$(cat /deps/boot/cmdline-metal-amd64)\"",
    ),
    ("UKI", FIRMWARE, "-drive format=raw,file=fat:rw:esp"),
    ("disk", FIRMWARE, "-drive if=none,id=disk,format=raw,file=disk.raw -device nvme,drive=disk,serial=forge"),
    ("iPXE", NONE, "-netdev user,id=net,tftp=/deps/boot,bootfile=boot.ipxe -device virtio-net-pci,netdev=net -boot n"),
];

impl Planner<'_> {
    /// Adds the boots of an installer.
    pub(super) fn forms(&mut self, recipe: &Recipe<Locked>, start: &Start) -> Result<(), Error> {
        let of = |output| Reference { unit: recipe.name.clone(), output: Some(Name::constant(output)) };
        let deps = [Installer::BOOT, Installer::DISK].map(|output| (Name::constant(output), of(output)));
        let run = Run {
            deps: self.references(&deps.into())?,
            argv: cmd::argv([script(start)]),
            profile: Profile::Run,
            ..cmd::bare(self.main_output(&start.toolroot)?)
        };
        let step = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: test boot", recipe.name),
            derivation: Derivation::Run(run),
            timeout: start.timeout,
        });
        self.plan.tests.insert((recipe.name.clone(), Name::constant(Boot::TEST)), step);
        self.plan.boots.insert(recipe.name.clone(), FORMS.map(|(form, ..)| form.to_owned()).into());
        Ok(())
    }
}

/// Starts one form after the other, and fails unless all came as far as they must.
fn script(start: &Start) -> String {
    let each = start.timeout.as_secs() / FORMS.len() as u64;
    let looks: String = start.expect.iter().map(|text| format!(" && grep -qF {} console", quote(text))).collect();
    let starts =
        FORMS.map(|(form, firmware, devices)| format!("try {} {QEMU} {firmware}{devices}\n", quote(form))).concat();
    format!(
        "export TMPDIR=\"$PWD\"
mkdir -p esp/EFI/BOOT
cp /deps/boot/metal-amd64-uki.efi esp/EFI/BOOT/BOOTX64.EFI
zstd -q -d --sparse /deps/disk -o disk.raw
seen() {{ true{looks}; }}
try() {{
  form=$1
  shift
  echo \"-- $form\"
  : > console
  \"$@\" < /dev/null > console 2>&1 &
  left={each}
  while [ $left -gt 0 ] && kill -0 $! 2> /dev/null && ! seen; do sleep 1; left=$((left - 1)); done
  kill $! 2> /dev/null || true
  wait $! || true
  tr -d '\\r' < console
  if seen; then echo \"FORGE ok $form\"; else echo \"FORGE FAIL $form: the console does not show what it must\"; failed=1; fi
}}
failed=0
echo '{START}'
{starts}[ $failed = 0 ]"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_form_is_started_and_looked_at() {
        let expect = vec!["it's up".to_owned(), "[talos]".to_owned()];
        let start = Start { toolroot: Name::constant("qemu"), expect, timeout: Duration::from_secs(400) };
        let script = script(&start);
        assert!(
            script.contains(r"seen() { true && grep -qF 'it'\''s up' console && grep -qF '[talos]' console; }"),
            "{script}"
        );
        assert!(script.contains("left=100\n"), "{script}");
        for (form, ..) in FORMS {
            assert!(script.contains(&format!("try {} qemu-system-x86_64", quote(form))), "{form}: {script}");
        }
        let checked = std::process::Command::new("sh").args(["-n", "-c", &script]).status();
        assert!(checked.is_ok_and(|status| status.success()), "the shell reads it");
    }
}
