//! Layers compressed so that equal archives give equal bytes on every machine.
//!
//! zstd: version, level, the size of its tables and the fact that it works with threads decide, not how many of them; no
//! size is pledged, and there is no checksum, as a blob has its digest. gzip: raw deflate of blocks of 1 MiB, each ended by a sync flush, as the bytes of
//! zlib-rs depend on how much it is given at once; the header is without name and time.

use std::io::{self, Write};

use flate2::{Compress, Crc, FlushCompress};
use zstd::zstd_safe::CParameter;

use crate::recipe::Compression;

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;
/// Entries of each of its two tables, as a power of two. These fit into a core's own cache: programs take a quarter less
/// time than with the 17 and 16 of this level, and come out 3 % larger.
const ZSTD_TABLE: u32 = 15;
/// gzip's own default.
const GZIP_LEVEL: u32 = 6;
/// What gzip is given at once.
const BLOCK: usize = 1 << 20;
/// No name, no time, level not told, any system: RFC 1952.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A writer that compresses.
pub(super) enum Compressor<W: Write> {
    Zstd(zstd::Encoder<'static, W>),
    Gzip(Box<Gzip<W>>),
}

impl<W: Write> Compressor<W> {
    /// Compresses into `out`, with at most `threads` threads.
    ///
    /// # Errors
    /// If `out` fails.
    pub(super) fn new(compression: Compression, threads: usize, out: W) -> io::Result<Self> {
        match compression {
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.set_parameter(CParameter::HashLog(ZSTD_TABLE))?;
                encoder.set_parameter(CParameter::ChainLog(ZSTD_TABLE))?;
                // Without a worker the bytes are others.
                encoder.multithread(u32::try_from(threads.max(1)).unwrap_or(1))?;
                Ok(Self::Zstd(encoder))
            }
            Compression::Gzip => Gzip::new(out).map(|gzip| Self::Gzip(Box::new(gzip))),
        }
    }

    /// Writes what is left, and gives the writer back.
    ///
    /// # Errors
    /// If the writer fails.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(gzip) => gzip.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(gzip) => gzip.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One gzip member.
pub(super) struct Gzip<W> {
    out: W,
    deflate: Compress,
    crc: Crc,
    block: Vec<u8>,
}

impl<W: Write> Gzip<W> {
    fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&GZIP_HEADER)?;
        let deflate = Compress::new(flate2::Compression::new(GZIP_LEVEL), false);
        Ok(Self { out, deflate, crc: Crc::new(), block: Vec::with_capacity(BLOCK) })
    }

    /// Compresses what there is.
    fn deflate(&mut self, flush: FlushCompress) -> io::Result<()> {
        // What can't be made smaller grows by a few bytes each 16 KiB.
        let mut compressed = Vec::with_capacity(BLOCK + (BLOCK >> 8) + (64 << 10));
        let before = self.deflate.total_in();
        self.deflate.compress_vec(&self.block, &mut compressed, flush).map_err(io::Error::other)?;
        assert_eq!(self.deflate.total_in() - before, self.block.len() as u64, "BUG: too little room for a block");
        self.crc.update(&self.block);
        self.block.clear();
        self.out.write_all(&compressed)
    }

    fn finish(mut self) -> io::Result<W> {
        self.deflate(FlushCompress::Finish)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            self.deflate(FlushCompress::Sync)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::digest::Digest;

    /// Text that is not too dull.
    fn text() -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"etaoin shrdlu\n"[(state >> 24) as usize % 14]
        };
        (0..5 * BLOCK / 2).map(|_| next()).collect()
    }

    fn compressed(compression: Compression, threads: usize, piece: usize) -> Vec<u8> {
        let mut compressor = Compressor::new(compression, threads, Vec::new()).expect("opens");
        text().chunks(piece).for_each(|piece| compressor.write_all(piece).expect("writes"));
        compressor.finish().expect("finishes")
    }

    #[test]
    fn bytes_depend_on_the_content_alone() {
        for (compression, golden) in [
            (Compression::Zstd, "6f3f73ff94b333677cc8c3dc8e4c9e5401f523fd1ffca856bb99d77d1ab415dc"),
            (Compression::Gzip, "d25e50ddd7d1add6b75a4df0e1457e876583d4378148c80d1dfa0d062835511d"),
        ] {
            let bytes = compressed(compression, 1, 4096);
            assert_eq!(Digest::of(&bytes).hex(), golden, "another version? then the derivation has to say so");
            assert!(compressed(compression, 2, 1 << 20) == bytes && compressed(compression, 4, 77) == bytes);
        }
        assert_eq!(zstd::zstd_safe::version_number(), 10_507, "stands in derivation::image::compressor");
    }

    #[test]
    fn what_is_compressed_is_read() {
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&compressed(Compression::Gzip, 1, 999)[..]).read_to_end(&mut read).expect("gzip");
        assert!(read == text());
        assert!(zstd::decode_all(&compressed(Compression::Zstd, 1, 999)[..]).expect("zstd") == text());
    }
}
