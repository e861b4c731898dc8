//! What goes to a registry, watched while it goes.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::Error;
use crate::store;

/// Is told how far a transfer is: what it is, bytes, and how many there will be.
type Tell = dyn Fn(&str, u64, u64) + Send + Sync;

/// Follows transfers, and ends them.
#[derive(Clone)]
pub struct Watch {
    cancel: Arc<AtomicBool>,
    tell: Arc<Tell>,
}

impl Watch {
    /// Tells transfers to `tell`; all end once `cancel` is set.
    #[must_use]
    pub fn new(cancel: Arc<AtomicBool>, tell: impl Fn(&str, u64, u64) + Send + Sync + 'static) -> Self {
        Self { cancel, tell: Arc::new(tell) }
    }

    pub(super) fn look(&self) -> ControlFlow<()> {
        if self.cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new(Arc::default(), |_, _, _| {})
    }
}

/// The rest of a blob on its way out.
pub(super) struct Outgoing {
    pub(super) bytes: Box<dyn Read + Send>,
    pub(super) name: String,
    /// How far it is.
    pub(super) at: u64,
    pub(super) size: u64,
    pub(super) watch: Watch,
    pub(super) failed: Failed,
}

/// Set if reading fails: then it is not the registry's fault.
#[derive(Clone, Default)]
pub(super) struct Failed(Arc<Mutex<Option<io::Error>>>);

impl Failed {
    /// Why the bytes could not be read, where that is so.
    pub(super) fn take(&self) -> Option<Error> {
        self.0.lock().expect("BUG: a thread panicked").take().map(read_error)
    }

    /// Keeps an error; the HTTP client is given another one like it.
    fn keep(&self, error: io::Error) -> io::Error {
        let copy = io::Error::new(error.kind(), error.to_string());
        *self.0.lock().expect("BUG: a thread panicked") = Some(error);
        copy
    }
}

/// What an error of reading is to a caller.
pub(super) fn read_error(error: io::Error) -> Error {
    match error.downcast::<store::Error>() {
        Ok(error) => Error::Store(error),
        Err(source) => Error::Io { path: "store".into(), source },
    }
}

impl Read for Outgoing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.look() == ControlFlow::Break(()) {
            return Err(io::Error::other("cancelled"));
        }
        let count = self.bytes.read(buffer).map_err(|error| self.failed.keep(error))?;
        self.at += count as u64;
        (self.watch.tell)(&self.name, self.at, self.size);
        Ok(count)
    }
}
