//! Decompression of .deb members and source archives, bounded.
//!
//! A [`Decoder`] never yields more than its [`Limits`] allow, so that whoever reads to the end
//! needs no check of their own. Formats: plain tar, gzip, xz and zstd; others are refused by name.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use super::limits::{Excess, Limits};

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Not at all.
    Plain,
    /// RFC 1952, one or more members.
    Gzip,
    /// The .xz container, one or more streams.
    Xz,
    /// RFC 8878 frames.
    Zstd,
}

/// A compression that forge does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} archives are not supported: use .tar, .tar.gz, .tar.xz or .tar.zst")]
pub struct Unsupported(pub &'static str);

impl Format {
    /// The format that a member's name ends in: `""`, `.gz`, `.xz` or `.zst`.
    #[must_use]
    pub fn of_suffix(suffix: &str) -> Option<Self> {
        match suffix {
            "" => Some(Self::Plain),
            ".gz" => Some(Self::Gzip),
            ".xz" => Some(Self::Xz),
            ".zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The format that the first bytes of a tar archive show; a name says less, as URLs may end in anything.
    ///
    /// # Errors
    /// Names a format that is known but not read.
    pub fn of_magic(start: &[u8]) -> Result<Self, Unsupported> {
        const READ: [(&[u8], Format); 3] =
            [(b"\x1f\x8b", Format::Gzip), (b"\xfd7zXZ\0", Format::Xz), (b"\x28\xb5\x2f\xfd", Format::Zstd)];
        const REFUSED: [(&[u8], &str); 6] = [
            (b"BZh", "bzip2"),
            (b"PK\x03\x04", "zip"),
            (b"LZIP", "lzip"),
            (b"\x1f\x9d", "compress"),
            (b"7z\xbc\xaf", "7z"),
            (b"\x5d\0\0", "lzma"),
        ];
        match REFUSED.iter().find(|(magic, _)| start.starts_with(magic)) {
            Some((_, name)) => Err(Unsupported(name)),
            None => {
                Ok(READ.iter().find(|(magic, _)| start.starts_with(magic)).map_or(Self::Plain, |(_, format)| *format))
            }
        }
    }
}

/// A bounded stream of decompressed bytes.
pub struct Decoder<'a> {
    inner: Box<dyn Read + 'a>,
    compressed: Rc<Cell<u64>>,
    decoded: u64,
    limits: Limits,
    excess: Option<Excess>,
}

impl<'a> Decoder<'a> {
    /// Input is read in pieces of this size.
    const BUFFER: usize = 128 << 10;

    /// Decodes `reader`, which is compressed in `format`.
    ///
    /// # Errors
    /// If no decoder can be made, which takes a lack of memory.
    pub fn new(reader: impl Read + 'a, format: Format, limits: Limits) -> io::Result<Self> {
        Self::buffered(BufReader::with_capacity(Self::BUFFER, reader), format, limits)
    }

    /// Decodes `reader` by what its first bytes show.
    ///
    /// # Errors
    /// [`Unsupported`] inside an [`io::Error`], or what reading fails with.
    pub fn detect(reader: impl Read + 'a, limits: Limits) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(Self::BUFFER, reader);
        let format = Format::of_magic(reader.fill_buf()?).map_err(io::Error::other)?;
        Self::buffered(reader, format, limits)
    }

    fn buffered(reader: impl BufRead + 'a, format: Format, limits: Limits) -> io::Result<Self> {
        let compressed = Rc::new(Cell::new(0));
        let reader = Counted { inner: reader, count: Rc::clone(&compressed) };
        let inner: Box<dyn Read + 'a> = match format {
            Format::Plain => Box::new(reader),
            Format::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            Format::Xz => Box::new(liblzma::bufread::XzDecoder::new_stream(reader, xz_stream()?)),
            Format::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
                decoder.window_log_max(Limits::ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        Ok(Self { inner, compressed, decoded: 0, limits, excess: None })
    }

    /// The limit that stopped the stream, if one did.
    #[must_use]
    pub fn excess(&self) -> Option<Excess> {
        self.excess
    }

    /// The limits it was made with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    fn judge(&self) -> Option<Excess> {
        let Limits { bytes, expansion, .. } = self.limits;
        let allowed = self.compressed.get().saturating_mul(expansion).max(Limits::EXPANSION_FLOOR);
        (self.decoded > bytes)
            .then_some(Excess::Bytes(bytes))
            .or((self.decoded > allowed).then_some(Excess::Expansion(expansion)))
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.decoded += count as u64;
        self.excess = self.judge();
        match self.excess {
            Some(excess) => Err(io::Error::other(excess)),
            None => Ok(count),
        }
    }
}

/// Several streams in a row are one, as xz says; anything else behind them is an error.
fn xz_stream() -> io::Result<liblzma::stream::Stream> {
    Ok(liblzma::stream::Stream::new_stream_decoder(Limits::MEMORY, liblzma::stream::CONCATENATED)?)
}

/// Counts what is taken from a buffered reader.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count.set(self.count.get() + amount as u64);
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn compressed(format: Format, bytes: &[u8]) -> Vec<u8> {
        match format {
            Format::Plain => bytes.to_vec(),
            Format::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
            }
            Format::Xz => liblzma::encode_all(bytes, 6).expect("in memory"),
            Format::Zstd => zstd::encode_all(bytes, 3).expect("in memory"),
        }
    }

    fn decoded(bytes: &[u8], limits: Limits) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Decoder::detect(bytes, limits)?.read_to_end(&mut out).map(|_| out)
    }

    const ALL: [Format; 4] = [Format::Plain, Format::Gzip, Format::Xz, Format::Zstd];

    #[test]
    fn reads_each_format_and_several_streams_in_a_row() {
        for format in ALL {
            let one = compressed(format, b"some text");
            assert_eq!(decoded(&one, Limits::ARCHIVE).expect("one"), b"some text");
            let two = [one.clone(), one].concat();
            assert_eq!(decoded(&two, Limits::ARCHIVE).expect("two"), b"some textsome text", "{format:?}");
        }
    }

    #[test]
    fn cut_or_damaged_streams_are_errors() {
        for format in &ALL[1..] {
            let mut bytes = compressed(*format, &[7; 1000]);
            assert!(decoded(&bytes[..bytes.len() - 3], Limits::ARCHIVE).is_err(), "{format:?} cut");
            bytes.extend(b"garbage behind it");
            assert!(decoded(&bytes, Limits::ARCHIVE).is_err(), "{format:?} followed by garbage");
        }
    }

    #[test]
    fn other_formats_are_refused_by_name() {
        for (start, name) in [(&b"BZh91AY"[..], "bzip2"), (b"PK\x03\x04", "zip"), (b"LZIP\x01", "lzip")] {
            let error = decoded(start, Limits::ARCHIVE).expect_err(name);
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }

    #[test]
    fn bombs_stop_at_their_limit() {
        let zeros = compressed(Format::Zstd, &vec![0; (Limits::EXPANSION_FLOOR + 1) as usize]);
        let mut decoder = Decoder::detect(&zeros[..], Limits::ARCHIVE).expect("decoder");
        io::copy(&mut decoder, &mut io::sink()).expect_err("expansion");
        assert_eq!(decoder.excess(), Some(Excess::Expansion(1000)));

        let mut decoder = Decoder::detect(&[1; 101][..], Limits { bytes: 100, ..Limits::ARCHIVE }).expect("decoder");
        io::copy(&mut decoder, &mut io::sink()).expect_err("bytes");
        assert_eq!(decoder.excess(), Some(Excess::Bytes(100)));
    }
}
