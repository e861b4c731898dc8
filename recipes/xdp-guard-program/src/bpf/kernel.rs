//! The bpf system call, where aya has no safe way: aya creates XDP links with a fall-back to netlink, which any other
//! program may replace; it updates links without the program that it expects there; and it does not tell of links
//! what they are attached to; and it keeps values of maps on the stack, where those of megabytes have no room. `unsafe` is here and nowhere else: each call hands the kernel an attribute of fixed size
//! that outlives it, and what that points to outlives it as well.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const MAP_LOOKUP_ELEM: libc::c_long = 1;
const MAP_UPDATE_ELEM: libc::c_long = 2;
const OBJ_GET: libc::c_long = 7;
const OBJ_PIN: libc::c_long = 6;
const PROG_GET_FD_BY_ID: libc::c_long = 13;
const OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const LINK_CREATE: libc::c_long = 28;
const LINK_UPDATE: libc::c_long = 29;
const LINK_GET_FD_BY_ID: libc::c_long = 30;
const LINK_GET_NEXT_ID: libc::c_long = 31;
const LINK_DETACH: libc::c_long = 34;

const ATTACH_XDP: u32 = 37;
const ATTACH_TCX_INGRESS: u32 = 46;
const XDP_DRIVER_MODE: u32 = 1 << 2;
const BEFORE_ALL: u32 = 1 << 3;
const REPLACE: u32 = 1 << 2;

/// Where a program sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// In the driver.
    Xdp,
    /// After the kernel has made a socket buffer.
    Tcx,
}

/// What a link is, as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// None where it is of another kind.
    pub hook: Option<Hook>,
    /// Of the program.
    pub program: u32,
    /// 0 where the interface is gone.
    pub interface: u32,
}

/// What a program is, as the kernel has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Until the machine stops.
    pub id: u32,
    /// Of its instructions.
    pub tag: [u8; 8],
    /// At most 15 bytes.
    pub name: String,
}

/// `union bpf_attr`, as far as it is used here.
#[repr(C, align(8))]
struct Attribute([u8; 64]);

impl Attribute {
    fn new(numbers: &[(usize, u32)]) -> Self {
        let mut attribute = Self([0; 64]);
        for (at, number) in numbers {
            attribute.0[*at..*at + 4].copy_from_slice(&number.to_ne_bytes());
        }
        attribute
    }

    fn pointer<T: ?Sized>(mut self, at: usize, to: *const T) -> Self {
        self.0[at..at + 8].copy_from_slice(&(to.cast::<u8>() as u64).to_ne_bytes());
        self
    }

    fn call(&mut self, command: libc::c_long) -> io::Result<i32> {
        // SAFETY: the attribute is as long as it says; the callers keep alive what it points to.
        let result = unsafe { libc::syscall(libc::SYS_bpf, command, self.0.as_mut_ptr(), self.0.len()) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
    }

    fn open(&mut self, command: libc::c_long) -> io::Result<OwnedFd> {
        let fd = self.call(command)?;
        // SAFETY: these commands return a descriptor that nobody else has.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd() as u32
}

/// Attaches a program: to the driver, or before all others of tcx; never in another way.
pub fn create_link(program: BorrowedFd<'_>, interface: u32, hook: Hook) -> io::Result<OwnedFd> {
    let (kind, flags) = match hook {
        Hook::Xdp => (ATTACH_XDP, XDP_DRIVER_MODE),
        Hook::Tcx => (ATTACH_TCX_INGRESS, BEFORE_ALL),
    };
    Attribute::new(&[(0, raw(program)), (4, interface), (8, kind), (12, flags)]).open(LINK_CREATE)
}

/// Replaces the program of a link, if it still is the one expected.
pub fn update_link(link: BorrowedFd<'_>, program: BorrowedFd<'_>, expected: BorrowedFd<'_>) -> io::Result<()> {
    let numbers = [(0, raw(link)), (4, raw(program)), (8, REPLACE), (12, raw(expected))];
    Attribute::new(&numbers).call(LINK_UPDATE).map(drop)
}

/// Detaches the program of a link, whoever else has it open.
pub fn detach_link(link: BorrowedFd<'_>) -> io::Result<()> {
    Attribute::new(&[(0, raw(link))]).call(LINK_DETACH).map(drop)
}

/// What a link is.
pub fn link(link: BorrowedFd<'_>) -> io::Result<Link> {
    let info = info::<64>(link)?;
    let kind = number(&info, 0);
    let hook = match kind {
        6 => Some(Hook::Xdp),
        11 if number(&info, 20) == ATTACH_TCX_INGRESS => Some(Hook::Tcx),
        _ => None,
    };
    Ok(Link { hook, program: number(&info, 8), interface: number(&info, 16) })
}

/// What a program is.
pub fn program(program: BorrowedFd<'_>) -> io::Result<Program> {
    let info = info::<80>(program)?;
    let mut tag = [0; 8];
    tag.copy_from_slice(&info[8..16]);
    let name = info[64..80].split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Program { id: number(&info, 4), tag, name: String::from_utf8_lossy(name).into_owned() })
}

/// Reads the only value of an array map, which has so many bytes.
pub fn read_value(map: BorrowedFd<'_>, bytes: usize) -> io::Result<Vec<u8>> {
    check_value(map, bytes)?;
    let mut value = vec![0; bytes];
    let key = 0u32;
    let attribute = Attribute::new(&[(0, raw(map))]).pointer(8, &raw const key);
    attribute.pointer(16, value.as_mut_ptr()).call(MAP_LOOKUP_ELEM)?;
    Ok(value)
}

/// Writes the only value of an array map.
pub fn write_value(map: BorrowedFd<'_>, value: &[u8]) -> io::Result<()> {
    check_value(map, value.len())?;
    let key = 0u32;
    let attribute = Attribute::new(&[(0, raw(map))]).pointer(8, &raw const key);
    attribute.pointer(16, value.as_ptr()).call(MAP_UPDATE_ELEM).map(drop)
}

/// The kernel copies as many bytes as a value of the map has, so they must be there.
fn check_value(map: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    const ARRAY: u32 = 2;
    let info = info::<20>(map)?;
    let [kind, key, value, entries] = [0, 8, 12, 16].map(|at| number(&info, at));
    if (kind, key, value as usize, entries) == (ARRAY, 4, bytes, 1) {
        return Ok(());
    }
    Err(io::Error::other(format!("a map with {entries} values of {value} bytes, and not one of {bytes}")))
}

fn info<const N: usize>(fd: BorrowedFd<'_>) -> io::Result<[u8; N]> {
    let mut info = [0; N];
    let pointer: *mut [u8; N] = &mut info;
    Attribute::new(&[(0, raw(fd)), (4, N as u32)]).pointer(8, pointer).call(OBJ_GET_INFO_BY_FD)?;
    Ok(info)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(number)
}

/// The program of an id.
pub fn open_program(id: u32) -> io::Result<OwnedFd> {
    Attribute::new(&[(0, id)]).open(PROG_GET_FD_BY_ID)
}

/// All links of the machine that can be looked at.
pub fn links() -> Vec<Link> {
    let mut links = Vec::new();
    let mut id = 0;
    loop {
        let mut next = Attribute::new(&[(0, id)]);
        if next.call(LINK_GET_NEXT_ID).is_err() {
            return links;
        }
        id = number(&next.0, 4);
        let open = Attribute::new(&[(0, id)]).open(LINK_GET_FD_BY_ID);
        links.extend(open.and_then(|fd| link(fd.as_fd())));
    }
}

/// Keeps what is open under a name.
pub fn pin(fd: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    Attribute::new(&[(8, raw(fd))]).pointer(0, path.as_ptr()).call(OBJ_PIN).map(drop)
}

/// Opens what was kept under a name.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    Attribute::new(&[]).pointer(0, path.as_ptr()).open(OBJ_GET)
}
