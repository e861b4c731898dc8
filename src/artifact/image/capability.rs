//! Capabilities of files, as the kernel reads them from the attribute `security.capability`: linux/capability.h,
//! `struct vfs_cap_data` of revision 2, with the effective bit.

use crate::recipe::capability;

/// The revision, and the bit that makes permitted ones effective.
const MAGIC: u32 = 0x0200_0000 | 1;

/// The attribute's value.
pub(super) fn attribute(names: &[String]) -> Vec<u8> {
    let number = |name: &String| capability(name).expect("BUG: the recipe has no such capability");
    let permitted = names.iter().fold(0_u64, |all, name| all | 1 << number(name));
    let (low, high) = ((permitted & u64::from(u32::MAX)) as u32, (permitted >> 32) as u32);
    [MAGIC, low, 0, high, 0].into_iter().flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_attributes() {
        let of = |names: &[&str]| attribute(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let hex = |names: &[&str]| of(names).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        // As `setcap cap_net_raw=ep` and `setcap cap_bpf,cap_net_admin=ep` write them.
        assert_eq!(hex(&["cap_net_raw"]), "0100000200200000000000000000000000000000");
        assert_eq!(hex(&["cap_bpf", "cap_net_admin"]), "0100000200100000000000008000000000000000");
    }
}
