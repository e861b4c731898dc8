//! Two contents byte by byte: the first place that differs, how many do, and a look at both sides.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::difference::Both;
use super::look::{look, printable};

/// Equal pieces of this size are passed over at once.
const PIECE: usize = 4096;

/// Bytes of an excerpt.
const SHOWN: usize = 16;

/// Bytes of an excerpt that stand before the place.
const BEFORE: usize = 4;

/// How two contents differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// The first byte that differs.
    pub offset: u64,
    /// Both sizes in bytes.
    pub sizes: [u64; 2],
    /// How many bytes differ, if the sizes are equal.
    pub count: Option<u64>,
    /// Hexadecimal and ASCII around the place, on both sides.
    pub excerpts: [String; 2],
    /// What the bytes look like, as `a time: …`.
    pub meaning: Option<String>,
    /// The ELF symbol that the place belongs to.
    pub symbol: Option<String>,
}

/// Bytes around a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The offset of the first of them, a multiple of eight.
    pub start: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Sample {
    /// Bytes before the place that are part of it, at least.
    const LEAD: u64 = 256;
    /// The most bytes that it has.
    pub const LENGTH: usize = 1024;

    /// The offsets that a sample around `place` covers, where there are so many bytes.
    #[must_use]
    pub fn range(place: u64) -> Range<u64> {
        let start = place.saturating_sub(Self::LEAD) & !7;
        start..start + Self::LENGTH as u64
    }

    fn of(content: &[u8], place: usize) -> Self {
        let Range { start, end } = Self::range(place as u64);
        let range = start as usize..content.len().min(end as usize);
        Self { start, bytes: content.get(range).unwrap_or_default().to_vec() }
    }
}

impl Bytes {
    /// How two contents that are not equal differ.
    #[must_use]
    pub fn of(one: &[u8], two: &[u8]) -> Self {
        let (first, count) = scan(one, two);
        let sizes = [one, two].map(|side| side.len() as u64);
        Self::new(first as u64, sizes, count, [&Sample::of(one, first), &Sample::of(two, first)])
    }

    /// The same from what a scan found: the first place, and how many bytes differ before one side ends.
    #[must_use]
    pub fn new(offset: u64, sizes: [u64; 2], count: u64, samples: [&Sample; 2]) -> Self {
        let at = usize::try_from(offset - samples[0].start).unwrap_or_default();
        Self {
            offset,
            sizes,
            count: (sizes[0] == sizes[1]).then_some(count),
            excerpts: samples.map(|sample| excerpt(&sample.bytes, at, sample.start)),
            meaning: look(&samples[0].bytes, &samples[1].bytes, at).or_else(|| text(samples, at)),
            symbol: None,
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [want, got] = self.sizes;
        write!(f, "differs at byte {:#x}", self.offset)?;
        self.symbol.iter().try_for_each(|symbol| write!(f, " in `{symbol}`"))?;
        match self.count {
            Some(1) => write!(f, " of {want:#x} (one byte differs)")?,
            Some(count) => write!(f, " of {want:#x} ({count} bytes differ)")?,
            None => write!(f, "; want has {want} bytes, got {got}")?,
        }
        write!(f, "{}", Both(&self.excerpts[0], &self.excerpts[1]))
    }
}

/// The texts at the place, where an excerpt would cut them.
fn text(samples: [&Sample; 2], at: usize) -> Option<String> {
    let [one, two] = samples.map(|sample| printable(&sample.bytes, at));
    let (one, two) = one.zip(two).filter(|(one, two)| one != two)?;
    Some(format!("a text: {one:?} and {two:?}"))
}

/// The first place that differs (or where the shorter one ends), and how many bytes differ up to there.
fn scan(one: &[u8], two: &[u8]) -> (usize, u64) {
    let length = one.len().min(two.len());
    let (mut first, mut count) = (None, 0);
    for start in (0..length).step_by(PIECE) {
        let piece = start..length.min(start + PIECE);
        if one[piece.clone()] != two[piece.clone()] {
            for at in piece.filter(|at| one[*at] != two[*at]) {
                first.get_or_insert(at);
                count += 1;
            }
        }
    }
    (first.unwrap_or(length), count)
}

/// `… 4743 433a 2028 …  GCC: (`, the place being the fifth byte where so many stand before it.
fn excerpt(bytes: &[u8], at: usize, start: u64) -> String {
    let from = at.saturating_sub(BEFORE);
    let to = bytes.len().min(from + SHOWN);
    let shown = bytes.get(from..to).unwrap_or_default();
    let mut text = String::from(if start + from as u64 > 0 { "… " } else { "" });
    for (index, byte) in shown.iter().enumerate() {
        let gap = if index > 0 && index % 2 == 0 { " " } else { "" };
        text += &format!("{gap}{byte:02x}");
    }
    text += if to < bytes.len() { " …  " } else { "  " };
    text.extend(shown.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' }));
    text
}
