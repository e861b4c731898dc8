//! Messages between forge, the helper and the sandboxes: JSON over `SOCK_SEQPACKET`, with descriptors.
//!
//! - forge → helper: one byte, with the descriptors of [`Start`]: a memfd that holds a [`Request`]
//!   (it may be larger than a packet), the log pipe, the control socket.
//! - sandbox → forge, over the control socket: [`Report`]s; [`Report::Running`] may carry the
//!   jobserver's fifo, and then forge's ends of the command's streams. The end of the stream says
//!   that the whole sandbox is gone.
//! - forge → helper, over the control socket: its end is the order to kill.
//!
//! Both ends are the same binary, so there is no version.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use super::error::Failure;
use super::mounts::Step;
use super::spec::{Exit, Spec};
use super::stdio::Medium;

/// The longest message; a report is a step, a path and an error.
const MESSAGE_BYTES: usize = 16 << 10;
/// The most descriptors in one message.
const MESSAGE_FDS: usize = 4;

/// What a sandbox is to do; `S` is `&Spec` in forge, `Spec` in the sandbox.
#[derive(Serialize, Deserialize)]
pub(super) struct Request<S = Spec> {
    pub(super) spec: S,
    pub(super) mounts: Vec<Step>,
    /// Those of what runs beside the command.
    pub(super) beside: Vec<Step>,
    pub(super) jobserver: bool,
    pub(super) medium: Medium,
}

/// The descriptors that start a sandbox.
pub(super) struct Start {
    /// A file that holds a [`Request`].
    pub(super) request: OwnedFd,
    /// Where the command's output goes.
    pub(super) log: OwnedFd,
    /// Where reports go.
    pub(super) control: OwnedFd,
}

/// What a sandbox says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// All is set up; the command runs now.
    Running,
    /// It could not be set up.
    Failed(Failure),
    /// The command ended.
    Ended(Exit),
}

/// Two connected ends.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Writes a request into a file in memory.
pub(super) fn write_request(request: &Request<&Spec>) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create("request", MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(request)?)?;
    Ok(file.into())
}

/// Reads what [`write_request`] wrote.
pub(super) fn read_request(file: &OwnedFd) -> io::Result<Request> {
    let (mut file, mut text) = (File::from(file.try_clone()?), Vec::new());
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Hands a sandbox to the helper.
pub(super) fn send_start(helper: impl AsFd, start: &Start) -> io::Result<()> {
    send(helper, b"s", &[start.request.as_fd(), start.log.as_fd(), start.control.as_fd()])
}

/// Waits for the next sandbox to start; `None` when forge is gone.
pub(super) fn receive_start(forge: impl AsFd) -> io::Result<Option<Start>> {
    let Some((_, fds)) = receive(forge)? else { return Ok(None) };
    let [request, log, control] = <[OwnedFd; 3]>::try_from(fds)
        .map_err(|fds| io::Error::other(format!("want 3 descriptors, got {}", fds.len())))?;
    Ok(Some(Start { request, log, control }))
}

/// Sends a report with descriptors.
pub(super) fn send_report(control: impl AsFd, report: &Report, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    send(control, &serde_json::to_vec(report)?, fds)
}

/// Waits for the next report; `None` when the sandbox is gone.
pub(super) fn receive_report(control: impl AsFd) -> io::Result<Option<(Report, Vec<OwnedFd>)>> {
    match receive(control)? {
        None => Ok(None),
        Some((text, fds)) => Ok(Some((serde_json::from_slice(&text)?, fds))),
    }
}

fn send(to: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MESSAGE_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)), "BUG: more descriptors than MESSAGE_FDS");
    }
    sendmsg(to, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(from: impl AsFd) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MESSAGE_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; MESSAGE_BYTES];
    let got = recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    bytes.truncate(got.bytes);
    let fds = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fds: Vec<OwnedFd> = fds.flatten().collect();
    Ok(if bytes.is_empty() { None } else { Some((bytes, fds)) })
}
