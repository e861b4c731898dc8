//! A .deb: an ar container of exactly three members, in this order.
//!
//! | member | content |
//! |---|---|
//! | `debian-binary` | `2.0\n` |
//! | `control.tar`, `.gz`, `.xz` or `.zst` | `control`, maintainer scripts, lists |
//! | `data.tar`, `.gz`, `.xz` or `.zst` | the files |
//!
//! Source: deb(5). The file's digest was checked when it was fetched; this reader trusts nothing all the same.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::ar;
use super::decode::{Decoder, Format, Limits};
use super::tarball::{self, Member, members};
use super::unpack::{self, Notes, Rules, Sink};

/// Why a file is no .deb that forge reads.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The container.
    #[error("the .deb is damaged: {0}")]
    Ar(#[from] ar::Error),
    /// Another member than deb(5) orders.
    #[error("the .deb has a wrong member:\n  want {want}\n  got  {got}")]
    Member {
        /// What must stand there.
        want: &'static str,
        /// The name that does, or `nothing`.
        got: String,
    },
    /// A format version other than 2.0.
    #[error("the .deb has the format version `{0}`; forge reads 2.0")]
    Version(String),
    /// The control member.
    #[error("the control member of the .deb: {0}")]
    Control(#[source] tarball::Error),
    /// The control member lacks its main file.
    #[error("the .deb has no `control` file")]
    NoControl,
    /// The data member.
    #[error(transparent)]
    Unpack(#[from] unpack::Error),
}

impl From<tarball::Error> for Error {
    fn from(error: tarball::Error) -> Self {
        Self::Control(error)
    }
}

/// The files of the control member that are kept; the others are lists that dpkg makes use of.
const KEPT: [&str; 5] = ["control", "preinst", "postinst", "prerm", "postrm"];

/// A .deb whose control member has been read and whose data come next.
pub struct Deb<R> {
    members: ar::Reader<R>,
    format: Format,
    control: BTreeMap<String, String>,
}

impl<R: Read> Deb<R> {
    /// Reads up to the data member.
    ///
    /// # Errors
    /// If the file is no .deb.
    pub fn open(reader: R) -> Result<Self, Error> {
        let mut members = ar::Reader::open(reader)?;
        read_version(&mut members)?;
        let format = next(&mut members, "control.tar")?;
        let control = read_control(&mut members, format)?;
        if !control.contains_key("control") {
            return Err(Error::NoControl);
        }
        let format = next(&mut members, "data.tar")?;
        Ok(Self { members, format, control })
    }

    /// The text of the file `control`.
    #[must_use]
    pub fn control(&self) -> &str {
        &self.control["control"]
    }

    /// A maintainer script (`postinst` …), if the package has it. forge reads scripts and never runs them.
    #[must_use]
    pub fn script(&self, name: &str) -> Option<&str> {
        self.control.get(name).map(String::as_str)
    }

    /// Unpacks the data member, which must be the last.
    ///
    /// # Errors
    /// If an entry is refused or the file is damaged.
    pub fn unpack(mut self, rules: &Rules, sink: &mut dyn Sink) -> Result<Notes, Error> {
        let mut decoder = data(&mut self.members, self.format)?;
        let notes = unpack::unpack(&mut decoder, rules, sink)?;
        drop(decoder);
        self.finish()?;
        Ok(notes)
    }

    /// Calls `visit` with each entry of the data member: for a single file of a package.
    ///
    /// # Errors
    /// What `visit` fails with, or if the file is damaged.
    pub fn entries<E>(mut self, visit: impl FnMut(Member, &mut dyn Read) -> Result<(), E>) -> Result<(), E>
    where
        E: From<Error> + From<tarball::Error>,
    {
        let mut decoder = data(&mut self.members, self.format)?;
        members(&mut decoder, visit)?;
        drop(decoder);
        Ok(self.finish()?)
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self.members.next_member()? {
            Some(got) => Err(Error::Member { want: "nothing behind data.tar", got }),
            None => Ok(()),
        }
    }
}

fn data<R: Read>(members: &mut ar::Reader<R>, format: Format) -> Result<Decoder<'_>, Error> {
    Ok(Decoder::new(members, format, Limits::ARCHIVE).map_err(ar::Error::Io)?)
}

fn read_version<R: Read>(members: &mut ar::Reader<R>) -> Result<(), Error> {
    const WANT: &str = "debian-binary";
    match members.next_member()? {
        Some(name) if name == WANT => {}
        other => return Err(wrong_member(WANT, other)),
    }
    let mut version = Vec::new();
    members.take(16).read_to_end(&mut version).map_err(ar::Error::Io)?;
    if version == b"2.0\n" { Ok(()) } else { Err(Error::Version(version.trim_ascii_end().escape_ascii().to_string())) }
}

/// Goes on to the member `want`; its compression.
fn next<R: Read>(members: &mut ar::Reader<R>, want: &'static str) -> Result<Format, Error> {
    let name = members.next_member()?;
    let format = name.as_deref().and_then(|name| name.strip_prefix(want)).and_then(Format::of_suffix);
    format.ok_or_else(|| wrong_member(want, name))
}

fn wrong_member(want: &'static str, got: Option<String>) -> Error {
    Error::Member { want, got: got.unwrap_or_else(|| "nothing".to_owned()) }
}

fn read_control<R: Read>(reader: &mut ar::Reader<R>, format: Format) -> Result<BTreeMap<String, String>, Error> {
    let mut decoder = Decoder::new(reader, format, Limits::CONTROL).map_err(ar::Error::Io)?;
    let mut files = BTreeMap::new();
    members(&mut decoder, |member, content| {
        let name = member.name.strip_prefix(b"./").unwrap_or(&member.name);
        if let Some(name) = KEPT.iter().find(|kept| kept.as_bytes() == name) {
            let mut text = Vec::new();
            content.read_to_end(&mut text).map_err(tarball::Error::Damaged)?;
            files.insert((*name).to_owned(), String::from_utf8_lossy(&text).into_owned());
        }
        Ok::<(), tarball::Error>(())
    })?;
    Ok(files)
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Ar(error.into())
    }
}
