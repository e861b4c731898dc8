//! Compressed contents: unpacked only if the compressed bytes differ.

use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, ZlibDecoder};

use super::super::Walk;
use super::super::difference::Place;
use super::super::parts::{Content, Member, Parts};
use crate::debian::decode::{Decoder, Format};
use crate::debian::limits::Limits;

/// How a content is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Codec {
    /// Bare, as in a zip.
    Deflate,
    Gzip,
    Xz,
    /// In sections of ELF files.
    Zlib,
    Zstd,
}

/// A compressed content.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Packed<'a> {
    pub(super) codec: Codec,
    /// What the codec reads.
    pub(super) stream: &'a [u8],
    /// How many bytes of the stream are a header whose facts are compared by themselves.
    pub(super) header: usize,
}

impl<'a> Packed<'a> {
    /// The codec's name.
    pub(in super::super) fn name(&self) -> &'static str {
        match self.codec {
            Codec::Deflate => "deflate",
            Codec::Gzip => "gzip",
            Codec::Xz => "xz",
            Codec::Zlib => "zlib",
            Codec::Zstd => "zstd",
        }
    }

    fn body(&self) -> &'a [u8] {
        self.stream.get(self.header..).unwrap_or_default()
    }

    /// As the only member of a container.
    pub(super) fn alone(self, name: &str, fields: super::super::parts::Fields) -> Parts<'a> {
        let content = Content::Packed(self);
        let member = Member { name: name.to_owned(), fields: Vec::new(), content, marks: Vec::new() };
        Parts { fields, members: vec![member] }
    }

    /// At most `limit` bytes of content.
    fn unpack(&self, limit: u64) -> io::Result<Vec<u8>> {
        let format = match self.codec {
            Codec::Deflate => return at_most(limit, DeflateDecoder::new(self.stream)),
            Codec::Gzip => Format::Gzip,
            Codec::Zlib => return at_most(limit, ZlibDecoder::new(self.stream)),
            Codec::Xz => Format::Xz,
            Codec::Zstd => Format::Zstd,
        };
        at_most(limit, Decoder::new(self.stream, format, Limits { bytes: limit, ..Limits::ARCHIVE })?)
    }
}

fn at_most(limit: u64, reader: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::Error::other("no more may be decompressed"));
    }
    Ok(content)
}

impl Walk<'_> {
    /// Compares two compressed contents in a container that lies `depth` deep.
    pub(in super::super) fn packed(&mut self, place: &Place, sides: [Packed<'_>; 2], depth: usize) {
        let bodies = sides.map(|side| side.body());
        self.field(place, "the compression", sides[0].name(), sides[1].name());
        if bodies[0] == bodies[1] {
            return;
        }
        let unpacked = self.unpack(&sides[0]).and_then(|one| Ok((one, self.unpack(&sides[1])?)));
        match unpacked {
            Err(why) => self.bytes(place, bodies, &[], Some(format!("compared without unpacking: {why}"))),
            Ok((one, two)) if one == two => {
                let note = "what is compressed is alike: the compressor, its version or its settings differ";
                self.bytes(place, bodies, &[], Some(note.to_owned()));
            }
            Ok((one, two)) => self.content(place, [&one, &two], depth + 1, &[]),
        }
    }

    fn unpack(&mut self, packed: &Packed<'_>) -> io::Result<Vec<u8>> {
        let content = packed.unpack(self.limits.unpacked.saturating_sub(self.unpacked))?;
        self.unpacked += content.len() as u64;
        Ok(content)
    }
}
