//! Where an extension may have files, by version of Talos, and where to turn with what goes elsewhere.
//!
//! A path is allowed if it *begins* as one of the list does: so `/usr/local` allows `/usr/locale` too, as in Talos.
//!
//! Source: machinery/extensions/extensions.go, at v1.10.3 (lines 12-27), v1.12.0 (19) and v1.13.0 (19-28); the comparison
//! is in validate.go@v1.10.3:157.

use super::super::Release;

const SINCE_1_10: Release = Release::new(10, 0);
const SINCE_1_12: Release = Release::new(12, 0);
const SINCE_1_13: Release = Release::new(13, 0);

/// How an allowed path begins, and since when.
const ALLOWED: [(&str, Release); 19] = [
    ("/etc/cri/conf.d", SINCE_1_10),
    ("/usr/lib/firmware", SINCE_1_10),
    ("/usr/lib/modules", SINCE_1_10),
    ("/usr/lib/ld-linux-x86-64.so.2", SINCE_1_10),
    ("/usr/lib/ld-linux-aarch64.so.1", SINCE_1_12),
    ("/usr/bin/ldconfig", SINCE_1_10),
    ("/etc/ld.so.conf", SINCE_1_13),
    ("/etc/ld.so.cache", SINCE_1_13),
    ("/usr/bin/nvidia-modprobe", SINCE_1_13),
    ("/usr/bin/nvidia-pcc", SINCE_1_13),
    ("/usr/bin/nvidia-smi", SINCE_1_13),
    ("/usr/bin/nvidia-ctk", SINCE_1_13),
    ("/usr/bin/nvidia-cdi-hook", SINCE_1_13),
    ("/usr/bin/nvme", SINCE_1_13),
    ("/usr/lib/udev/rules.d", SINCE_1_10),
    ("/usr/local", SINCE_1_10),
    ("/usr/share/glvnd", SINCE_1_10),
    ("/usr/share/egl", SINCE_1_10),
    ("/etc/vulkan", SINCE_1_10),
];

/// How a path begins that people try, and where what they have goes instead.
const ELSEWHERE: [(&str, &str); 16] = [
    ("/etc/sysctl", "sysctls go to `machine.sysctls` of the machine configuration"),
    ("/usr/lib/sysctl.d", "sysctls go to `machine.sysctls` of the machine configuration"),
    ("/etc/systemd", "Talos has no systemd: make it a service of the extension, in [services]"),
    ("/usr/lib/systemd", "Talos has no systemd: make it a service of the extension, in [services]"),
    ("/lib/systemd", "Talos has no systemd: make it a service of the extension, in [services]"),
    ("/etc/modprobe.d", "modules and their parameters go to `machine.kernel.modules` of the machine configuration"),
    ("/etc/modules", "modules and their parameters go to `machine.kernel.modules` of the machine configuration"),
    ("/etc/udev/rules.d", "put it in /usr/lib/udev/rules.d"),
    ("/lib/udev/rules.d", "put it in /usr/lib/udev/rules.d"),
    ("/etc/security", "limits of a process go to its pod or to its service"),
    ("/lib/modules", "since Talos 1.10 it is /usr/lib/modules"),
    ("/lib/firmware", "since Talos 1.10 it is /usr/lib/firmware"),
    ("/boot", "a kernel goes into the installer"),
    ("/etc", "files of /etc go to `machine.files` of the machine configuration, or below /usr/local/etc"),
    ("/usr/bin", "programs go to /usr/local/bin"),
    ("/usr/sbin", "programs go to /usr/local/sbin"),
];

/// Whether an extension may have a file there; the path is absolute.
#[must_use]
pub fn is_allowed(path: &str, release: Release) -> bool {
    allowed(release).any(|prefix| path.starts_with(prefix))
}

/// Whether a file or folder may stand there: it is allowed, or a folder of what is.
#[must_use]
pub fn may_hold(path: &str, release: Release) -> bool {
    let below = format!("{path}/");
    is_allowed(path, release) || allowed(release).any(|prefix| prefix.starts_with(&below))
}

/// What to do about a path that is not allowed.
#[must_use]
pub fn advice(path: &str, release: Release) -> String {
    if let Some((prefix, since)) = ALLOWED.iter().find(|(prefix, _)| path.starts_with(prefix)) {
        return format!("{prefix} is allowed since Talos {since}, and this is for {release}");
    }
    let known = ELSEWHERE.iter().find(|(prefix, _)| path.starts_with(prefix));
    known.map_or_else(|| "put it below /usr/local".to_owned(), |(_, help)| (*help).to_owned())
}

fn allowed(release: Release) -> impl Iterator<Item = &'static str> {
    ALLOWED.iter().filter(move |(_, since)| *since <= release).map(|(prefix, _)| *prefix)
}
