//! The names of capabilities: linux/capability.h.

/// The names in the order of their numbers, without `cap_`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The number of the capability `cap_…`; nothing if there is none of that name.
#[must_use]
pub fn capability(name: &str) -> Option<u32> {
    let number = NAMES.iter().position(|known| name.strip_prefix("cap_") == Some(*known))?;
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_kernel() {
        for (name, number) in [
            ("cap_chown", Some(0)),
            ("cap_net_raw", Some(13)),
            ("cap_checkpoint_restore", Some(40)),
            ("net_raw", None),
            ("cap_fly", None),
        ] {
            assert_eq!(capability(name), number, "{name}");
        }
    }
}
