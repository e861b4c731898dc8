//! The machine in which a kernel is started.

use super::DISK;
use super::console::START;
use crate::plan::shell::{line, quote};
use crate::recipe::Device;

/// A machine with nothing in it: what it shows goes to its serial port, and where it would start again, it ends.
pub(super) const QEMU: &str = "qemu-system-x86_64 -machine q35 -accel tcg -cpu max -smp 2 -m 2048 -nodefaults -no-reboot \
                               -display none -monitor none -serial stdio";

/// Two memory nodes, and what is started.
const MACHINE: &str = "-object memory-backend-ram,id=m0,size=1024M -numa node,nodeid=0,cpus=0,memdev=m0 \
                       -object memory-backend-ram,id=m1,size=1024M -numa node,nodeid=1,cpus=1,memdev=m1 \
                       -kernel /deps/kernel/bzImage -initrd /deps/initramfs";

/// Arguments of the kernel that show what it says, and end a machine whose kernel gave up.
const SHOWN: [&str; 2] = ["console=ttyS0", "panic=-1"];

/// The first place on the bus that is free.
const PLACE: usize = 2;

/// Where the kernel shows the device with that number.
pub(super) fn device(number: usize) -> String {
    format!("/sys/bus/pci/devices/0000:00:{:02x}.0", PLACE + number)
}

/// Starts the kernel, with what it says on the terminal; fails unless the probe came to its end and found all well.
pub(super) fn start(arguments: &[String], devices: &[Device]) -> String {
    let arguments = line(arguments.iter().map(String::as_str).chain(SHOWN));
    let devices: String = devices.iter().enumerate().map(|(number, device)| added(number, *device)).collect();
    format!(
        "truncate -s 16M disk
printf '%s' {disk} | dd of=disk conv=notrunc status=none
echo '{START}'
{QEMU} {MACHINE}{devices} -append {arguments} < /dev/null | tee console
grep -q '^FORGE end ' console
! grep -q '^FORGE FAIL ' console",
        disk = quote(DISK),
        arguments = quote(&arguments),
    )
}

/// The arguments of QEMU for a device.
fn added(number: usize, device: Device) -> String {
    let (name, place) = (device.name(), PLACE + number);
    match device {
        Device::Nvme => format!(
            " -drive if=none,id=disk{number},file=disk,format=raw -device {name},drive=disk{number},serial=forge,addr={place}"
        ),
        Device::Igb | Device::E1000e => format!(" -device {name},addr={place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_stand_where_they_are_looked_for() {
        assert_eq!(device(1), "/sys/bus/pci/devices/0000:00:03.0");
        assert_eq!(added(1, Device::Igb), " -device igb,addr=3");
        let script = start(&["pti=on".to_owned(), "a=b c".to_owned()], &[Device::Nvme]);
        assert!(script.contains("-device nvme,drive=disk0,serial=forge,addr=2 -append "), "{script}");
        assert!(script.contains("console=ttyS0 panic=-1"), "{script}");
    }
}
