//! What a host must allow, and which setting to change where it does not.

use std::fs;
use std::path::Path;

use super::error::Error;
use super::launcher::Launcher;
use super::spec::{Limits, Profile, Spec, World};

pub(super) const PROC_FIX: &str = "parts of /proc are hidden, as in most containers, and then a fresh one is refused\n\
     docker: run with --security-opt systempaths=unconfined; podman: --security-opt unmask=ALL; Kubernetes: procMount: Unmasked";
pub(super) const KERNEL_FIX: &str = "Linux 5.12 or newer is needed, with user namespaces, and no seccomp filter around forge \
     that hides clone3 or the mount calls (docker: run with --security-opt seccomp=unconfined)";
const CONTAINER_FIX: &str = "no setting of the kernel forbids it, so a container, chroot or security module does\n\
     docker: run with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";

/// One thing that a host must allow, for `forge doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What: `user namespaces`.
    pub name: &'static str,
    /// Whether it does.
    pub ok: bool,
    /// What is wrong and which setting to change; empty where it is ok.
    pub fix: String,
}

/// Tries a sandbox with an empty root made below `scratch`, an empty directory of forge's own.
/// `program` is the forge binary. The list ends with the first thing that is not ok.
#[must_use]
pub fn probe(program: &Path, scratch: &Path) -> Vec<Check> {
    // Everything but the program itself must work, and only then it is found missing.
    let (failed, fix) = match attempt(program, scratch) {
        Ok(()) | Err(Error::Command { .. }) => (None, String::new()),
        Err(error) => (Some(culprit(&error)), error.to_string()),
    };
    let reached = failed.map_or(CHECKS.len(), |failed| failed + 1);
    let check = |(index, name): (usize, &&'static str)| {
        let ok = failed != Some(index);
        Check { name, ok, fix: if ok { String::new() } else { fix.clone() } }
    };
    CHECKS.iter().take(reached).enumerate().map(check).collect()
}

const CHECKS: [&str; 5] = ["sandbox helper", "kernel", "user namespaces", "fresh /proc", "sandbox"];

fn culprit(error: &Error) -> usize {
    match error {
        Error::Helper { .. } | Error::HelperDied | Error::Io { .. } | Error::Filter(_) => 0,
        Error::Kernel { .. } => 1,
        Error::Namespaces { .. } => 2,
        Error::Proc { .. } => 3,
        Error::Name { .. } | Error::Command { .. } | Error::Setup { .. } => 4,
    }
}

fn attempt(program: &Path, scratch: &Path) -> Result<(), Error> {
    let root = scratch.join("root");
    for name in ["build", "out", "src", "deps", "tmp", "proc", "dev"] {
        fs::create_dir_all(root.join(name)).map_err(|source| Error::Io { doing: "making an empty root", source })?;
    }
    let spec = Spec {
        sources: Vec::new(),
        deps: Vec::new(),
        build: root.join("build"),
        out: root.join("out"),
        root,
        argv: vec!["/none".to_owned()],
        env: Vec::new(),
        cwd: "/build".to_owned(),
        profile: Profile::Build,
        world: World::default(),
        limits: Limits::default(),
        service: None,
    };
    Launcher::start(program)?.run(&spec, None, &|| false, &mut |_| {}).map(drop)
}

/// Which setting of this host forbids namespaces, and how to change it.
pub(super) fn namespaces_fix() -> String {
    fix(&|name| fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok())
}

/// As [`namespaces_fix`], of the settings that `read` gives.
fn fix(read: &dyn Fn(&str) -> Option<String>) -> String {
    /// Setting, the value that forbids, the value that allows.
    const SETTINGS: [(&str, &str, &str); 9] = [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user.max_user_namespaces", "0", "15000"),
        ("user.max_mnt_namespaces", "0", "15000"),
        ("user.max_pid_namespaces", "0", "15000"),
        ("user.max_ipc_namespaces", "0", "15000"),
        ("user.max_uts_namespaces", "0", "15000"),
        ("user.max_net_namespaces", "0", "15000"),
        ("user.max_cgroup_namespaces", "0", "15000"),
    ];
    let forbidding =
        SETTINGS.iter().filter(|(name, forbids, _)| read(name).is_some_and(|value| value.trim() == *forbids));
    let lines: Vec<String> = forbidding.map(|(name, _, allows)| format!("sudo sysctl -w {name}={allows}")).collect();
    if lines.is_empty() { CONTAINER_FIX.to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_to_change_is_named() {
        let host = |settings: &'static [(&str, &str)]| {
            fix(&|name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| format!("{value}\n")))
        };
        assert_eq!(
            host(&[("kernel.unprivileged_userns_clone", "0")]),
            "sudo sysctl -w kernel.unprivileged_userns_clone=1"
        );
        assert_eq!(
            host(&[("kernel.apparmor_restrict_unprivileged_userns", "1"), ("user.max_user_namespaces", "0")]),
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\nsudo sysctl -w user.max_user_namespaces=15000"
        );
        assert_eq!(host(&[("user.max_user_namespaces", "96365")]), CONTAINER_FIX);
        assert_eq!(host(&[]), CONTAINER_FIX);
    }
}
