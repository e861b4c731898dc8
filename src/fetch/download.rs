//! Brings one file into the store: from the first place that has it, resumed after a cut, asked for
//! again within the bounds of [`Policy`], and compared with its pin before it enters.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::http::{Answer, Client, causes};
use super::part::Part;
use super::{Error, Fault, Location, Policy};
use crate::digest::Digest;
use crate::registry::Registry;
use crate::store::{Blob, Store};

/// Bytes read at once.
const CHUNK: usize = 128 << 10;
/// How often a pause looks whether the download is still wanted.
const STEP: Duration = Duration::from_millis(100);

/// A file that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// What a person calls it: `gcc-14 14.2.0-19`, a URL.
    pub name: &'a str,
    /// The unit whose `forge lock --update` would pin it anew; `None` while locking.
    pub unit: Option<&'a str>,
    /// What it must be; `None` while locking.
    pub digest: Option<Digest>,
    /// How long it must be, where that is known.
    pub size: Option<u64>,
    /// More is never read.
    pub limit: u64,
}

/// How far a download is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// As in [`Want`].
    pub name: &'a str,
    /// Bytes there are.
    pub got: u64,
    /// Bytes there will be, where that is known.
    pub total: Option<u64>,
    /// Where they come from.
    pub place: &'a Location,
}

/// Is told of progress with every chunk, so it must be cheap; a `Break` ends the download.
pub type Watch<'a> = dyn Fn(Progress<'_>) -> ControlFlow<()> + 'a;

/// A place that did not give the file.
#[derive(Debug)]
pub struct Try {
    /// The place.
    pub place: Location,
    /// What happened.
    pub fault: Fault,
}

/// Downloads files; used from many threads at once.
pub struct Downloader {
    policy: Policy,
    client: Client,
    /// Hosts that failed as often as they may; each is asked but once for every further file.
    weak: Mutex<BTreeSet<String>>,
}

impl Downloader {
    /// A downloader of this patience.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, client: Client::default(), weak: Mutex::default() }
    }

    /// The file, in the store; no place is asked when it is there already.
    ///
    /// # Errors
    /// [`Error::Exhausted`] with each place tried; [`Error::Cancelled`]; trouble with the store.
    pub fn download(
        &self,
        store: &Store,
        want: &Want<'_>,
        places: &[Location],
        watch: &Watch<'_>,
    ) -> Result<Blob, Error> {
        if let Some(blob) = there(store, want)? {
            return Ok(blob);
        }
        let part = part(store, want)?;
        // Whoever held the part may have finished it.
        if let Some(blob) = there(store, want)? {
            return Ok(blob);
        }
        self.fill(part, want, places, watch)?.enter(store)
    }

    /// The file's bytes, which do not enter the store. It must be a small one.
    ///
    /// # Errors
    /// As [`Downloader::download`].
    pub fn bytes(
        &self,
        store: &Store,
        want: &Want<'_>,
        places: &[Location],
        watch: &Watch<'_>,
    ) -> Result<Vec<u8>, Error> {
        self.fill(part(store, want)?, want, places, watch)?.take()
    }

    /// The whole file, from the first place that has it.
    fn fill(&self, part: Part, want: &Want<'_>, places: &[Location], watch: &Watch<'_>) -> Result<Part, Error> {
        let mut transfer = Transfer { downloader: self, want, watch, part, resumed: false, validator: None };
        let mut tries = Vec::new();
        for place in places {
            match transfer.place(place) {
                Ok(()) => return Ok(transfer.part),
                Err(Fault::Here(error)) => return Err(error),
                Err(fault) => tries.push(Try { place: place.clone(), fault }),
            }
        }
        Err(Error::exhausted(want, tries))
    }

    /// Who asks registries.
    pub(super) fn registry(&self) -> &Registry {
        self.client.registry(&self.policy)
    }

    fn attempts(&self, place: &Location) -> u32 {
        let weak = self.weak.lock().expect("BUG: a thread panicked").contains(host(place));
        if weak { 1 } else { self.policy.attempts }
    }

    fn gave_up(&self, place: &Location) {
        self.weak.lock().expect("BUG: a thread panicked").insert(host(place).to_owned());
    }
}

fn part(store: &Store, want: &Want<'_>) -> Result<Part, Error> {
    Part::open(store, &want.digest.unwrap_or_else(|| Digest::of(want.name.as_bytes())))
}

fn there(store: &Store, want: &Want<'_>) -> Result<Option<Blob>, Error> {
    match (want.digest, want.size) {
        (Some(digest), Some(size)) if store.contains(&digest) => Ok(Some(Blob { digest, size })),
        _ => Ok(None),
    }
}

fn host(place: &Location) -> &str {
    match place {
        Location::Http(url) => url.split('/').nth(2).unwrap_or_default(),
        Location::Registry(address) => address.repository.host.name(),
        Location::File(_) => "",
    }
}

/// One file on its way through the places.
struct Transfer<'a> {
    downloader: &'a Downloader,
    want: &'a Want<'a>,
    watch: &'a Watch<'a>,
    part: Part,
    /// The content was put together from two answers, or begun by an earlier run.
    resumed: bool,
    /// Of the state that the part was read from, at the present place.
    validator: Option<String>,
}

impl Transfer<'_> {
    /// All that one place gets. What was resumed and turns out wrong is thrown away and asked for whole, once.
    fn place(&mut self, place: &Location) -> Result<(), Fault> {
        (self.resumed, self.validator) = (false, None);
        let mut end = self.patiently(place);
        if self.resumed && matches!(end, Err(Fault::Digest { .. })) {
            self.part.restart()?;
            (self.resumed, self.validator) = (false, None);
            end = self.patiently(place);
        }
        if matches!(end, Err(Fault::Digest { .. } | Fault::TooLong(_))) {
            self.part.restart()?;
        }
        end
    }

    fn patiently(&mut self, place: &Location) -> Result<(), Fault> {
        let policy = Policy { attempts: self.downloader.attempts(place), ..self.downloader.policy.clone() };
        for attempt in 1.. {
            let Err(fault) = self.attempt(place) else { break };
            let Some(pause) = fault.pause(attempt, &policy) else {
                if let Fault::Passing { .. } = fault {
                    self.downloader.gave_up(place);
                }
                return Err(fault);
            };
            self.wait(pause, place)?;
        }
        Ok(())
    }

    fn attempt(&mut self, place: &Location) -> Result<(), Fault> {
        let at = self.resume_at()?;
        self.resumed |= at > 0;
        if self.want.size != Some(at) {
            let policy = &self.downloader.policy;
            let answer = self.downloader.client.get(place, at, self.validator.as_deref(), policy)?;
            self.take(answer, place)?;
        }
        match self.want.digest {
            Some(want) if want != self.part.digest() => Err(Fault::Digest { want, got: self.part.digest() }),
            _ => Ok(()),
        }
    }

    /// Where to go on. Without a digest to compare with in the end, only what the place itself vouches for is kept.
    fn resume_at(&mut self) -> Result<u64, Error> {
        let at = self.part.size();
        let sound = self.want.digest.is_some() || self.validator.is_some();
        if !sound || at > self.want.size.unwrap_or(self.want.limit) {
            self.part.restart()?;
        }
        Ok(self.part.size())
    }

    fn take(&mut self, mut answer: Answer, place: &Location) -> Result<(), Fault> {
        if let (Some(want), Some(got)) = (self.want.size, answer.total)
            && want != got
        {
            return Err(Fault::Size { want, got });
        }
        if answer.from == 0 {
            self.part.restart()?;
            self.resumed = false;
        }
        self.validator = answer.validator.take();
        self.body(&mut answer.body, answer.total, place)?;
        match self.want.size {
            Some(size) if self.part.size() < size => {
                Err(Fault::passing(format!("ended after {} of {size} bytes", self.part.size())))
            }
            _ => Ok(()),
        }
    }

    fn body(&mut self, body: &mut dyn Read, total: Option<u64>, place: &Location) -> Result<(), Fault> {
        let most = self.want.size.unwrap_or(self.want.limit);
        let mut chunk = vec![0; CHUNK];
        loop {
            self.tell(total, place)?;
            let count = body.read(&mut chunk).map_err(|error| Fault::passing(causes(&error)))?;
            if count == 0 {
                return Ok(());
            }
            if self.part.size() + count as u64 > most {
                return Err(Fault::TooLong(most));
            }
            self.part.append(&chunk[..count])?;
        }
    }

    fn tell(&self, total: Option<u64>, place: &Location) -> Result<(), Error> {
        let total = self.want.size.or(total);
        match (self.watch)(Progress { name: self.want.name, got: self.part.size(), total, place }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled(self.want.name.to_owned())),
        }
    }

    fn wait(&self, mut pause: Duration, place: &Location) -> Result<(), Error> {
        while !pause.is_zero() {
            self.tell(None, place)?;
            let step = pause.min(STEP);
            thread::sleep(step);
            pause -= step;
        }
        Ok(())
    }
}
