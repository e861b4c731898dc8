//! Capabilities of files, as the kernel reads them from the attribute `security.capability`: linux/capability.h,
//! `struct vfs_cap_data` of revision 2, with the effective bit.

use super::super::Error;

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

/// The revision, and the bit that makes permitted ones effective.
const MAGIC: u32 = 0x0200_0000 | 1;

/// The attribute's value.
///
/// # Errors
/// For a name that is none.
pub(super) fn attribute(names: &[String]) -> Result<Vec<u8>, Error> {
    let mut permitted = 0_u64;
    for name in names {
        let number = name.strip_prefix("cap_").and_then(|name| NAMES.iter().position(|known| *known == name));
        let number = number.ok_or_else(|| Error::Refused(format!("`{name}` is not the name of a capability")))?;
        permitted |= 1 << number;
    }
    let (low, high) = ((permitted & u64::from(u32::MAX)) as u32, (permitted >> 32) as u32);
    Ok([MAGIC, low, 0, high, 0].into_iter().flat_map(u32::to_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_attributes() {
        let of = |names: &[&str]| attribute(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let hex = |names: &[&str]| {
            of(names).expect("known").iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join("")
        };
        // As `setcap cap_net_raw=ep` and `setcap cap_bpf,cap_net_admin=ep` write them.
        assert_eq!(hex(&["cap_net_raw"]), "0100000200200000000000000000000000000000");
        assert_eq!(hex(&["cap_bpf", "cap_net_admin"]), "0100000200100000000000008000000000000000");
        assert!(of(&["net_raw"]).is_err() && of(&["cap_fly"]).is_err());
    }
}
