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
use super::decode::{Decoder, Format};
use super::limits::Limits;
use super::rules::Rules;
use super::sink::Sink;
use super::tarball::{self, Member, members};
use super::unpack::{self, Notes};
use crate::path::RelPath;

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
    /// The tar stream of the control member, or of the data when they are visited.
    #[error("the tar member of the .deb: {0}")]
    Tar(#[from] tarball::Error),
    /// The control member lacks its main file.
    #[error("the .deb has no `control` file")]
    NoControl,
    /// The data member.
    #[error(transparent)]
    Unpack(#[from] unpack::Error),
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

    /// Calls `visit` with each entry of the data member.
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

    /// Gives the content of the one file at `path` (as the kernel's source archive) to `take`; `None` if there is none.
    ///
    /// # Errors
    /// What `take` fails with, or if the file is damaged.
    pub fn member<T>(
        self,
        path: &RelPath,
        mut take: impl FnMut(&mut dyn Read) -> io::Result<T>,
    ) -> Result<Option<T>, Error> {
        let mut taken = None;
        self.entries(|member, content| {
            let name = member.name.strip_prefix(b"./").unwrap_or(&member.name);
            if member.kind.is_file() && name == path.as_str().as_bytes() {
                taken = Some(take(content).map_err(tarball::Error::Damaged)?);
            }
            Ok::<(), Error>(())
        })?;
        Ok(taken)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, content: &[u8]) -> Vec<u8> {
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len());
        let padding = if content.len() % 2 == 1 { "\n" } else { "" };
        [header.as_bytes(), content, padding.as_bytes()].concat()
    }

    fn deb(members: &[(&str, &[u8])]) -> Vec<u8> {
        let members = members.iter().flat_map(|(name, content)| member(name, content));
        b"!<arch>\n".iter().copied().chain(members).collect()
    }

    fn tar(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, text.as_bytes()).expect("in memory");
        }
        builder.into_inner().expect("in memory")
    }

    fn control() -> Vec<u8> {
        tar(&[("./control", "Package: x\n"), ("postinst", "#!/bin/sh\n"), ("md5sums", "")])
    }

    /// Opens and unpacks; the names of the files.
    fn names(bytes: &[u8]) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        Deb::open(bytes)?.entries(|member, _| {
            names.push(String::from_utf8_lossy(&member.name).into_owned());
            Ok::<(), Error>(())
        })?;
        Ok(names)
    }

    const VERSION: (&str, &[u8]) = ("debian-binary", b"2.0\n");

    #[test]
    fn reads_control_scripts_and_data_of_each_compression() {
        let data = tar(&[("./usr/bin/x", "x")]);
        let packed = [
            ("", data.clone()),
            (".xz", liblzma::encode_all(&data[..], 0).expect("xz")),
            (".zst", zstd::encode_all(&data[..], 1).expect("zstd")),
        ];
        for (suffix, data) in packed {
            let bytes = deb(&[VERSION, ("control.tar", &control()), (&format!("data.tar{suffix}"), &data)]);
            let deb = Deb::open(&bytes[..]).expect("sound");
            assert_eq!((deb.control(), deb.script("postinst")), ("Package: x\n", Some("#!/bin/sh\n")));
            assert_eq!((deb.script("preinst"), deb.script("md5sums")), (None, None));
            assert_eq!(names(&bytes).expect("sound"), ["usr/bin/x"], "{suffix}");
        }
    }

    #[test]
    fn refuses_other_members_and_other_orders() {
        let (control, data) = (control(), tar(&[("x", "")]));
        let (control, data) = (("control.tar", &control[..]), ("data.tar", &data[..]));
        let none = tar(&[("conffiles", "")]);
        for (what, members, want) in [
            ("nothing", vec![], "want debian-binary\n  got  nothing"),
            ("no version", vec![control, data], "got  control.tar"),
            ("another version", vec![("debian-binary", &b"3.0\n"[..]), control, data], "format version `3.0`"),
            ("the wrong order", vec![VERSION, data, control], "want control.tar\n  got  data.tar"),
            ("no data", vec![VERSION, control], "want data.tar\n  got  nothing"),
            ("bzip2", vec![VERSION, control, ("data.tar.bz2", b"")], "got  data.tar.bz2"),
            ("a member between", vec![VERSION, control, ("_gpgorigin", b""), data], "got  _gpgorigin"),
            ("a second data member", vec![VERSION, control, data, data], "got  data.tar"),
            ("no control file", vec![VERSION, ("control.tar", &none), data], "no `control` file"),
            ("control that is no tar", vec![VERSION, ("control.tar.xz", b"x"), data], "the tar member"),
        ] {
            let error = names(&deb(&members)).expect_err(what).to_string();
            assert!(error.contains(want), "{what}:\n  want {want}\n  got  {error}");
        }
    }

    #[test]
    fn one_member_of_a_package_can_be_taken() {
        let data = tar(&[("./usr/src/linux.tar.xz", "archive"), ("./usr/share/doc/x", "")]);
        let bytes = deb(&[VERSION, ("control.tar", &control()), ("data.tar", &data)]);
        let mut sink = Vec::new();
        let wanted = RelPath::new("usr/src/linux.tar.xz").expect("clean");
        let found = Deb::open(&bytes[..]).and_then(|deb| deb.member(&wanted, |content| content.read_to_end(&mut sink)));
        assert_eq!((found.expect("sound"), sink), (Some(7), b"archive".to_vec()));
        let missing = RelPath::new("usr/src").expect("clean");
        let found = Deb::open(&bytes[..]).and_then(|deb| deb.member(&missing, |_| Ok(())));
        assert_eq!(found.expect("sound"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_a_deb_or_an_error(bytes: Vec<u8>, at in 0usize..2000) {
            let mut whole = deb(&[VERSION, ("control.tar", &control()), ("data.tar", &tar(&[("x", "")]))]);
            for (byte, new) in whole.iter_mut().skip(at).zip(&bytes) {
                *byte = *new;
            }
            drop(names(&whole));
            drop(names(&bytes));
        }
    }
}
