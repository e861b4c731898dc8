//! What stands in the way, and what to change: found before anything is.

use std::io;
use std::os::fd::AsFd;

use crate::bpf::kernel::{self, Hook};
use crate::failure::Failure;
use crate::host::features::{self, Features};
use crate::host::interface::{Interface, Place};
use crate::host::pins::Attached;

/// The longest packet that fits into a page with what the kernel puts around it.
const PAGE_MTU: u32 = 3498;

/// Whether a program can be attached, as far as can be known before.
pub fn judge(interface: &Interface, hook: Hook, ours: Option<&Attached>) -> Result<(), Failure> {
    let name = &interface.name;
    if let Some(other) = ours.map(|ours| ours.info.interface).filter(|other| *other != interface.index) {
        let wrong =
            format!("the guard of {name} is attached to interface number {other}, as one of them has a new name");
        return Err(Failure::Environment(format!("{wrong}: `xdp-guard detach --interface {name}` first")));
    }
    if let Some(other) = ours.and_then(|ours| ours.info.hook).filter(|other| *other != hook) {
        let wrong = format!("the guard of {name} is attached to {}: detach it first", other.name());
        return Err(Failure::Environment(wrong));
    }
    if hook == Hook::Tcx {
        return Ok(());
    }
    let program = ours.map(|ours| ours.info.program);
    if let Some((place, id)) = interface.xdp.iter().find(|(_, id)| Some(*id) != program) {
        return Err(Failure::Environment(taken(name, *place, *id)));
    }
    match features::of(interface.index) {
        Some(features) => driver(interface, features).map_err(Failure::Environment),
        None => Ok(()),
    }
}

fn driver(interface: &Interface, features: Features) -> Result<(), String> {
    let Interface { name, mtu, .. } = interface;
    if !features.native {
        return Err(format!(
            "the driver of {name} has no native XDP, and generic XDP costs what the guard is to save: \
             use --hook tcx, or another interface"
        ));
    }
    if *mtu > PAGE_MTU && !features.pieces {
        return Err(format!(
            "the driver of {name} gives XDP no frames longer than a page, and its MTU is {mtu}: \
             `ip link set dev {name} mtu {PAGE_MTU}`, or use --hook tcx"
        ));
    }
    Ok(())
}

/// What the kernel says of the program that is there, and what to do about it.
fn taken(interface: &str, place: Place, id: u32) -> String {
    let name = kernel::open_program(id).and_then(|fd| kernel::program(fd.as_fd())).map(|program| program.name);
    let name = name.unwrap_or_default();
    let is_link = kernel::links().iter().any(|link| link.program == id);
    let how = if is_link { "a link" } else { "netlink" };
    let called = if name.is_empty() { String::new() } else { format!(" `{name}`") };
    format!(
        "XDP of {interface} is taken by program {id}{called}, attached by {how}: {}",
        advice(&name, interface, place, is_link)
    )
}

fn advice(program: &str, interface: &str, place: Place, is_link: bool) -> String {
    let mode = if place == Place::Generic { "xdpgeneric" } else { "xdp" };
    let what = match (program == Hook::Xdp.program(), is_link) {
        (true, _) => "it is a guard whose pins are in another folder: give its --pins".into(),
        (false, true) => "stop whoever attached it, whom `bpftool link` tells".into(),
        (false, false) => format!("`ip link set dev {interface} {mode} off`"),
    };
    format!("{what}, or use --hook tcx")
}

/// Why the kernel did not attach what nothing seemed to hinder.
pub fn explain(interface: &Interface, error: &io::Error) -> Failure {
    let Interface { name, mtu, .. } = interface;
    let why = match error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST) => "another program was attached just now; see `bpftool net`".into(),
        Some(libc::EOPNOTSUPP) => "its driver has no native XDP; use --hook tcx".into(),
        Some(libc::ERANGE | libc::EINVAL) => {
            format!("its driver does not take XDP with MTU {mtu} or with its number of queues; see `dmesg`")
        }
        Some(libc::EPERM) => "give CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON".into(),
        _ => "nothing was changed".into(),
    };
    Failure::Environment(format!("attaching to {name}: {error}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_to_free_the_hook() {
        for (program, place, is_link, expect) in [
            ("solana_xdp", Place::Driver, true, "--pins"),
            ("other", Place::Driver, true, "bpftool link"),
            ("other", Place::Driver, false, "`ip link set dev eth0 xdp off`"),
            ("", Place::Generic, false, "`ip link set dev eth0 xdpgeneric off`"),
        ] {
            let advice = advice(program, "eth0", place, is_link);
            assert!(advice.contains(expect) && advice.ends_with("--hook tcx"), "{program}: {advice}");
        }
    }

    #[test]
    fn knows_what_a_driver_cannot() {
        let interface = |mtu| Interface { index: 1, name: "eth0".into(), mtu, queues: 1, xdp: Vec::new() };
        for (mtu, native, pieces, expect) in [
            (1500, true, false, Ok(())),
            (9000, true, true, Ok(())),
            (1500, false, false, Err("no native XDP")),
            (9000, true, false, Err("mtu 3498")),
        ] {
            let got = driver(&interface(mtu), Features { native, pieces });
            match expect {
                Ok(()) => assert_eq!(got, Ok(())),
                Err(part) => assert!(got.expect_err("not").contains(part)),
            }
        }
    }
}
