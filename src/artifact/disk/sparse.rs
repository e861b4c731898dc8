//! A device in memory of which only what was written takes room: most of a disk image is nothing.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::digest::{Digest, Hasher};

/// What is kept or left out as a whole.
const CHUNK: usize = 64 << 10;

/// A device of a fixed size, zero where nothing was written.
#[derive(Debug)]
pub struct Sparse {
    size: u64,
    at: u64,
    chunks: BTreeMap<u64, Box<[u8]>>,
}

impl Sparse {
    /// An empty device of `size` bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, at: 0, chunks: BTreeMap::new() }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Lays `other` over what is at `start`; what `other` never wrote stays.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn lay(&mut self, start: u64, other: &Self) -> io::Result<()> {
        for (index, chunk) in &other.chunks {
            let from = index * CHUNK as u64;
            let length = usize::try_from((other.size - from).min(CHUNK as u64)).expect("BUG: a chunk");
            self.seek(SeekFrom::Start(start + from))?;
            self.write_all(&chunk[..length])?;
        }
        Ok(())
    }

    /// Writes all of it to `out`.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn copy_to(&self, out: &mut impl Write) -> io::Result<()> {
        static EMPTY: [u8; CHUNK] = [0; CHUNK];
        for index in 0..self.size.div_ceil(CHUNK as u64) {
            let length = usize::try_from((self.size - index * CHUNK as u64).min(CHUNK as u64)).expect("BUG: a chunk");
            let chunk = self.chunks.get(&index).map_or(&EMPTY[..], |chunk| chunk);
            out.write_all(&chunk[..length])?;
        }
        Ok(())
    }

    /// A digest of its size and all that is not zero, with its place.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(&self.size.to_le_bytes());
        for (index, chunk) in self.chunks.iter().filter(|(_, chunk)| chunk.iter().any(|byte| *byte != 0)) {
            hasher.update(&index.to_le_bytes());
            hasher.update(chunk);
        }
        hasher.finish().0
    }

    /// The chunk that it stands in, where in it, and how much of `wanted` fits there.
    fn place(&self, wanted: usize) -> (u64, usize, usize) {
        let within = usize::try_from(self.at % CHUNK as u64).expect("BUG: a chunk");
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        (self.at / CHUNK as u64, within, wanted.min(CHUNK - within).min(left))
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (index, within, length) = self.place(buffer.len());
        match self.chunks.get(&index) {
            Some(chunk) => buffer[..length].copy_from_slice(&chunk[within..within + length]),
            None => buffer[..length].fill(0),
        }
        self.at += length as u64;
        Ok(length)
    }
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (index, within, length) = self.place(bytes.len());
        let bytes = &bytes[..length];
        if self.chunks.contains_key(&index) || bytes.iter().any(|byte| *byte != 0) {
            let chunk = self.chunks.entry(index).or_insert_with(|| vec![0; CHUNK].into());
            chunk[within..within + length].copy_from_slice(bytes);
        }
        self.at += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is written and read where, it is as on a plain device.
        #[test]
        fn a_sparse_device_is_a_device(
            size in 1..300_000_u64,
            writes in prop::collection::vec((0..300_000_u64, prop::collection::vec(0..3_u8, 0..1000)), 0..12),
        ) {
            let mut plain = Cursor::new(vec![0; usize::try_from(size).expect("small")].into_boxed_slice());
            let mut sparse = Sparse::new(size);
            for (at, bytes) in &writes {
                for device in [&mut plain as &mut dyn ReadWriteSeek, &mut sparse] {
                    device.seek(SeekFrom::Start(*at)).expect("seeks");
                    let wanted = bytes.len().min(usize::try_from(size.saturating_sub(*at)).expect("small"));
                    device.write_all(&bytes[..wanted]).expect("writes");
                }
            }
            let (mut read, mut copied) = (Vec::new(), Vec::new());
            sparse.seek(SeekFrom::Start(0)).expect("seeks");
            sparse.read_to_end(&mut read).expect("reads");
            sparse.copy_to(&mut copied).expect("copies");
            prop_assert!(read == plain.get_ref()[..] && copied == read);
        }
    }

    trait ReadWriteSeek: Read + Write + Seek {}
    impl<T: Read + Write + Seek> ReadWriteSeek for T {}

    #[test]
    fn no_device_is_written_behind_its_end() {
        let mut sparse = Sparse::new(10);
        sparse.seek(SeekFrom::Start(8)).expect("seeks");
        assert!(sparse.write_all(b"abc").is_err());
        assert!(Sparse::new(10).lay(0, &sparse).is_ok());
        assert!(Sparse::new(9).lay(0, &sparse).is_err());
        assert!(sparse.seek(SeekFrom::End(-11)).is_err());
    }
}
