//! The table `[boot]` of a kernel: how it is tried in a virtual machine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Toolroot;
use super::diagnostic::Fault;
use super::raw::{self, At, Table};
use super::unit::Draft;
use crate::path::Name;

/// How long a boot may take if a recipe does not say: QEMU without KVM, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(300);

/// What a kernel must show in a virtual machine, beside what every kernel must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The root file system with QEMU and mksquashfs.
    pub toolroot: Name,
    /// The unit whose program is started first.
    pub probe: Name,
    /// Devices of the machine, whose drivers are modules.
    pub devices: Vec<Device>,
    /// Values that are written and read back.
    pub sysctls: BTreeMap<String, String>,
    /// Files, by absolute path, and a text that is in each.
    pub files: BTreeMap<String, String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// A device that QEMU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A disk.
    Nvme,
    /// A network card of Intel's 82576, with virtual functions.
    Igb,
    /// A network card of Intel's 82574L.
    E1000e,
}

impl Boot {
    /// The test of a kernel that is its boot.
    pub const TEST: &str = "boot";
}

impl Device {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nvme, Self::Igb, Self::E1000e];

    /// The word in recipes, for QEMU, and of the driver.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nvme => "nvme",
            Self::Igb => "igb",
            Self::E1000e => "e1000e",
        }
    }
}

impl Draft<'_> {
    pub(super) fn boot(&mut self) -> Option<Boot> {
        let raw = self.raw.boot.as_ref()?;
        let toolroot = self.boot_unit(raw, "toolroot", raw.toolroot.as_ref());
        let probe = self.boot_unit(raw, "probe", raw.probe.as_ref());
        let mut devices = Vec::new();
        for word in &raw.devices {
            // A recipe adds to those of the one that it extends.
            devices.extend(self.device(word).filter(|device| !devices.contains(device)));
        }
        if let Some(first) = raw.expect.first() {
            let fault = Fault::new(first.span(), "a kernel is checked by its probe, not by what its console shows");
            self.faults.push(fault.help("drop `expect`, and name `sysctls`, `files` or `devices`"));
        }
        if let (None, Some(first)) = (&self.raw.signing, raw.devices.first()) {
            let title = "the drivers of devices are modules, and these are unsigned";
            self.faults.push(Fault::new(first.span(), title).help("add `signing = \"dev\"`, or drop the devices"));
        }
        self.lines(
            &raw.sysctls,
            |name| !name.is_empty() && !name.contains(['/', ' ', '=']),
            "a name such as `vm.swappiness`",
        );
        self.lines(&raw.files, |path| path.starts_with('/') && !path.contains('='), "an absolute path");
        let (sysctls, files) = (self.table(&raw.sysctls), self.table(&raw.files));
        let timeout = raw.timeout_seconds.as_ref().map_or(TIMEOUT, |seconds| self.timeout(Some(seconds)));
        Some(Boot { toolroot: toolroot?, probe: probe?, devices, sysctls, files, timeout })
    }

    pub(super) fn boot_unit(&mut self, raw: &At<raw::Boot>, field: &str, text: Option<&At<String>>) -> Option<Name> {
        let Some(text) = text else {
            let fault = Fault::new(raw.span(), format!("`[boot]` has no `{field}`"));
            self.faults.push(fault.help(format!("add `{field} = …`")));
            return None;
        };
        self.test_unit(text, (field == "toolroot").then_some(Toolroot::KIND))
    }

    fn device(&mut self, text: &At<String>) -> Option<Device> {
        let known = Device::ALL.into_iter().find(|device| device.name() == text.as_str());
        if known.is_none() {
            let names = Device::ALL.map(Device::name);
            let fault = Fault::new(text.span(), format!("no such device is tried: `{}`", text.escape_debug()));
            self.faults.push(fault.suggest(text, names, format!("write one of {}", names.join(", "))));
        }
        known
    }

    /// Refuses what does not fit into one line of the probe's list.
    fn lines(&mut self, table: &Table, is_name: impl Fn(&str) -> bool, want: &str) {
        for (name, text) in table {
            if !is_name(name) || name.chars().any(char::is_control) {
                let fault = Fault::new(name.span(), format!("`{}` is not {want}", name.escape_debug()));
                self.faults.push(fault.help(format!("write {want}")));
            }
            if text.chars().any(char::is_control) {
                let fault = Fault::new(text.span(), "it is compared within a line, and this is no line");
                self.faults.push(fault.help("write the part of it that counts, with blanks for tabs"));
            }
        }
    }
}
