//! Hashes many readers, two of them at a time on one thread.
//!
//! Faster than one after the other, as two streams keep the processor's SHA unit busy (see
//! [`super::pair`]). Streams end at different times: the next reader takes the free place.

use std::io::{self, ErrorKind, Read};

use sha2::block_api::compress256;

use super::Digest;
use super::pair::{self, Block, State};

/// Bytes read at a time; two of these fit the processor's second cache. A whole number of blocks.
const CHUNK: usize = 64 << 10;

/// The state before the first block: the first 32 bits of the fractional parts of the square roots
/// of the first 8 primes.
const START: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Digest and size, in bytes, of what each of `readers` holds; `R` comes back with them. The order is
/// that in which they end.
pub fn each<R: Read>(readers: impl Iterator<Item = R>) -> impl Iterator<Item = (R, io::Result<(Digest, u64)>)> {
    let places = [Place::new(), Place::new()];
    Each { readers, places }
}

struct Each<I: Iterator> {
    readers: I,
    places: [Place<I::Item>; 2],
}

/// Where a stream is hashed; its buffer serves one after the other.
struct Place<R> {
    stream: Option<Stream<R>>,
    chunk: Box<[u8]>,
}

struct Stream<R> {
    reader: R,
    state: State,
    size: u64,
    /// The part of the chunk that is not hashed yet.
    left: std::ops::Range<usize>,
    /// Nothing more is to be read.
    drained: bool,
}

impl<R: Read, I: Iterator<Item = R>> Iterator for Each<I> {
    type Item = (R, io::Result<(Digest, u64)>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            for place in &mut self.places {
                if place.stream.is_none() {
                    place.stream = self.readers.next().map(Stream::new);
                }
                if let Some(ended) = place.fill() {
                    return Some(ended);
                }
            }
            if !advance(&mut self.places) {
                return None;
            }
        }
    }
}

/// Hashes what both places hold alike, or all that one holds; false if neither has a stream.
fn advance<R>(places: &mut [Place<R>; 2]) -> bool {
    let [one, two] = places;
    let whole = |place: &Place<R>| place.stream.as_ref().map(|stream| stream.left.len() / size_of::<Block>());
    match (whole(one), whole(two)) {
        (None, None) => return false,
        (Some(blocks), None) => one.take(blocks, compress256),
        (None, Some(blocks)) => two.take(blocks, compress256),
        (Some(first), Some(second)) => {
            let blocks = first.min(second);
            one.take(blocks, |left, first| {
                two.take(blocks, |right, second| pair::compress([left, right], [first, second]))
            });
        }
    }
    true
}

impl<R> Place<R> {
    fn new() -> Self {
        Self { stream: None, chunk: vec![0; CHUNK].into() }
    }

    /// Gives `work` the stream's state and its next blocks, which count as hashed then.
    fn take(&mut self, blocks: usize, work: impl FnOnce(&mut State, &[Block])) {
        let Some(stream) = &mut self.stream else { return };
        let (whole, _) = self.chunk[stream.left.clone()].as_chunks();
        work(&mut stream.state, &whole[..blocks]);
        stream.left.start += blocks * size_of::<Block>();
    }
}

impl<R: Read> Place<R> {
    /// Reads on where less than a block is left; gives the stream back when it has ended.
    fn fill(&mut self) -> Option<(R, io::Result<(Digest, u64)>)> {
        let stream = self.stream.as_mut()?;
        if stream.left.len() >= size_of::<Block>() {
            return None;
        }
        let read = stream.read(&mut self.chunk);
        if read.is_ok() && stream.left.len() >= size_of::<Block>() {
            return None;
        }
        let stream = self.stream.take()?;
        let digest = read.map(|()| (stream.finish(&self.chunk), stream.size));
        Some((stream.reader, digest))
    }
}

impl<R> Stream<R> {
    fn new(reader: R) -> Self {
        Self { reader, state: START, size: 0, left: 0..0, drained: false }
    }

    /// The digest, when less than a block is left: that, a one bit, zeros and the length in bits.
    fn finish(&self, chunk: &[u8]) -> Digest {
        let (mut state, tail) = (self.state, &chunk[self.left.clone()]);
        let mut last = [0; 2 * size_of::<Block>()];
        last[..tail.len()].copy_from_slice(tail);
        last[tail.len()] = 0x80;
        let length = size_of::<u64>();
        let end = if tail.len() + 1 + length <= size_of::<Block>() { size_of::<Block>() } else { last.len() };
        last[end - length..end].copy_from_slice(&(self.size * 8).to_be_bytes());
        compress256(&mut state, last[..end].as_chunks().0);
        let mut bytes = [0; 32];
        bytes.as_chunks_mut().0.iter_mut().zip(state).for_each(|(four, word)| *four = word.to_be_bytes());
        Digest(bytes)
    }
}

impl<R: Read> Stream<R> {
    /// Moves what is left to the front and reads until the chunk is full or nothing more comes.
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<()> {
        chunk.copy_within(self.left.clone(), 0);
        self.left = 0..self.left.len();
        while !self.drained && self.left.end < chunk.len() {
            match self.reader.read(&mut chunk[self.left.end..]) {
                Ok(0) => self.drained = true,
                Ok(count) => {
                    self.left.end += count;
                    self.size += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in pieces of a given size, then an error if there is one.
    struct Pieces {
        number: usize,
        bytes: Vec<u8>,
        at: usize,
        piece: usize,
        fails: bool,
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = &self.bytes[self.at..];
            if left.is_empty() && self.fails {
                return Err(io::Error::other("broken"));
            }
            let count = left.len().min(self.piece).min(buffer.len());
            buffer[..count].copy_from_slice(&left[..count]);
            self.at += count;
            Ok(count)
        }
    }

    fn pieces(number: usize, size: usize, piece: usize) -> Pieces {
        let bytes = (0..size).map(|at| (at * 31 + number * 7 + at / 251) as u8).collect();
        Pieces { number, bytes, at: 0, piece, fails: false }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]
        #[test]
        fn agrees_with_one_at_a_time(sizes in prop::collection::vec((0usize..200_000, 1usize..70_000), 0..6)) {
            let readers = sizes.iter().enumerate().map(|(number, (size, piece))| pieces(number, *size, *piece));
            let mut seen = 0;
            for (reader, got) in each(readers) {
                let want = (Digest::of(&reader.bytes), reader.bytes.len() as u64);
                prop_assert_eq!(got.expect("no failure"), want);
                seen += 1;
            }
            prop_assert_eq!(seen, sizes.len());
        }
    }

    #[test]
    fn every_length_of_the_last_block() {
        let sizes = (0..200).chain([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]);
        for (reader, got) in each(sizes.enumerate().map(|(number, size)| pieces(number, size, CHUNK))) {
            assert_eq!(got.expect("no failure").0, Digest::of(&reader.bytes), "{} bytes", reader.bytes.len());
        }
    }

    #[test]
    fn a_reader_that_fails_harms_no_other() {
        let readers = (0..3).map(|number| Pieces { fails: number == 1, ..pieces(number, 100_000, 1000) });
        for (reader, got) in each(readers) {
            assert_eq!(got.ok().map(|(digest, _)| digest), (reader.number != 1).then(|| Digest::of(&reader.bytes)));
        }
    }
}
