//! Files as disks: loop devices. The only unsafe code, as rustix has no call for these two ioctls.
//!
//! Source: `include/uapi/linux/loop.h`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use rustix::ioctl::{IntegerSetter, Ioctl, IoctlOutput, Opcode, ioctl};

/// Makes the device a view of the file that the argument is a descriptor of.
const SET_FD: Opcode = 0x4c00;
/// Answers with the number of a device that is free.
const GET_FREE: Opcode = 0x4c82;

/// Makes a read-only disk of a file; its path.
///
/// # Errors
/// What the kernel says.
pub fn attach(file: &str) -> io::Result<String> {
    let file = File::open(file)?;
    // SAFETY: `Free` takes no argument.
    let number = unsafe { ioctl(File::open("/dev/loop-control")?, Free) }?;
    let path = format!("/dev/loop{number}");
    let device = File::open(&path)?;
    let descriptor = usize::try_from(file.as_raw_fd()).map_err(io::Error::other)?;
    // SAFETY: the argument is the descriptor of an open file.
    unsafe { ioctl(&device, IntegerSetter::<SET_FD>::new_usize(descriptor)) }?;
    Ok(path)
}

/// Asks for a free device.
struct Free;

// SAFETY: the call takes no argument and answers with a number.
unsafe impl Ioctl for Free {
    type Output = IoctlOutput;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        GET_FREE
    }

    fn as_ptr(&mut self) -> *mut rustix::ffi::c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut rustix::ffi::c_void) -> rustix::io::Result<IoctlOutput> {
        Ok(output)
    }
}
