//! The ar container: .debs, and static libraries.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `!<arch>\n` |
//! | 60 a member | name 16, mtime 12, uid 6, gid 6, mode 8, size 10 (decimal), `` `\n ``; padded with spaces |
//! | size | the member, and `\n` if its size is odd |
//!
//! Source: ar(5) and deb(5).

use std::io::{self, Read};

/// Why a container can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not start with `!<arch>`.
    #[error("it is no ar archive (it does not start with `!<arch>`)")]
    Magic,
    /// A member's header breaks the format.
    #[error("the ar header at byte {0} is malformed")]
    Header(u64),
    /// It ends inside a member or header, or can't be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What stands before a member. Texts are as in the file, without the spaces behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// At most 16 bytes; GNU ar puts a slash behind it, and has own names that start with one.
    pub name: String,
    /// Seconds since 1970, decimal.
    pub mtime: String,
    /// The owner's number, decimal.
    pub uid: String,
    /// The group's number, decimal.
    pub gid: String,
    /// Type and permissions, octal.
    pub mode: String,
    /// Bytes of the member.
    pub size: u64,
    /// Where in the container the member starts.
    pub start: u64,
}

/// Reads members one after the other; as a [`Read`]er it yields the current one.
pub struct Reader<R> {
    inner: R,
    position: u64,
    left: u64,
    odd: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the first bytes of a container.
    ///
    /// # Errors
    /// If it is none.
    pub fn open(mut inner: R) -> Result<Self, Error> {
        let mut magic = [0; 8];
        inner.read_exact(&mut magic)?;
        if &magic != b"!<arch>\n" {
            return Err(Error::Magic);
        }
        Ok(Self { inner, position: 8, left: 0, odd: false })
    }

    /// Skips what is left of the current member; the next one's name, or `None` at the end.
    ///
    /// # Errors
    /// If the container breaks the format or is cut off.
    pub fn next_member(&mut self) -> Result<Option<String>, Error> {
        let name = |header: Header| header.name.strip_suffix('/').unwrap_or(&header.name).to_owned();
        Ok(self.next_header()?.map(name))
    }

    /// Skips what is left of the current member; what stands before the next one, or `None` at the end.
    ///
    /// # Errors
    /// If the container breaks the format or is cut off.
    pub fn next_header(&mut self) -> Result<Option<Header>, Error> {
        io::copy(self, &mut io::sink())?;
        if self.odd {
            self.expect_newline()?;
        }
        let mut bytes = [0; 60];
        if !self.fill(&mut bytes)? {
            return Ok(None);
        }
        let start = self.position + bytes.len() as u64;
        let header = parse(&bytes, start).ok_or(Error::Header(self.position))?;
        self.position = start;
        (self.left, self.odd) = (header.size, header.size % 2 == 1);
        Ok(Some(header))
    }

    fn expect_newline(&mut self) -> Result<(), Error> {
        let mut byte = [0];
        self.inner.read_exact(&mut byte)?;
        if byte != *b"\n" {
            return Err(Error::Header(self.position));
        }
        self.position += 1;
        Ok(())
    }

    /// Fills the whole buffer; false if there is not a single byte more.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match self.inner.read(&mut buffer[..1])? {
            0 => Ok(false),
            _ => self.inner.read_exact(&mut buffer[1..]).map(|()| true),
        }
    }
}

/// The header whose member starts at `start`.
fn parse(header: &[u8; 60], start: u64) -> Option<Header> {
    let field = |from: usize, to: usize| Some(str::from_utf8(&header[from..to]).ok()?.trim_end_matches(' ').to_owned());
    let (name, size) = (field(0, 16)?, field(48, 58)?);
    let sound =
        header[58..] == *b"`\n" && !name.is_empty() && !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit());
    if !sound {
        return None;
    }
    let [mtime, uid, gid, mode] = [field(16, 28)?, field(28, 34)?, field(34, 40)?, field(40, 48)?];
    Some(Header { name, mtime, uid, gid, mode, size: size.parse().ok()?, start })
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.inner.read(&mut buffer[..wanted])?;
        if count == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8; 60] = b"debian-binary   1700000000  0     0     100644  4         `\n";

    fn names(bytes: &[u8]) -> Result<Vec<String>, Error> {
        let mut reader = Reader::open(bytes)?;
        let mut names = Vec::new();
        while let Some(name) = reader.next_member()? {
            names.push(name);
        }
        Ok(names)
    }

    fn with(position: usize, bytes: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut header = *HEADER;
        header[position..position + bytes.len()].copy_from_slice(bytes);
        [b"!<arch>\n", &header[..], tail].concat()
    }

    #[test]
    fn reads_members_and_padding() {
        let archive = with(48, b"3 ", b"abc\n");
        assert_eq!(names(&archive).expect("one"), ["debian-binary"]);
        let two = [&archive[..], HEADER, b"2.0\n"].concat();
        assert_eq!(names(&two).expect("two"), ["debian-binary", "debian-binary"]);
        assert_eq!(names(b"!<arch>\n").expect("empty"), Vec::<String>::new());
    }

    #[test]
    fn refuses_what_dpkg_never_writes() {
        for (what, bytes) in [
            ("no magic", b"!<ARCH>\n".to_vec()),
            ("nothing", Vec::new()),
            ("cut in the header", with(0, b"", b"")[..50].to_vec()),
            ("cut in the member", with(0, b"", b"2.")),
            ("no padding", with(48, b"3 ", b"abc")),
            ("padded with another byte", with(48, b"3 ", b"abcx")),
            ("negative size", with(48, b"-1", b"2.0\n")),
            ("no size", with(48, b"  ", b"2.0\n")),
            ("size with a sign", with(48, b"+4", b"2.0\n")),
            ("no end of header", with(58, b"xx", b"2.0\n")),
            ("no name", with(0, b"                ", b"2.0\n")),
        ] {
            assert!(names(&bytes).is_err(), "{what}");
        }
    }
}
