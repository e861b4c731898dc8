//! What a kernel unpacks as its first root file system: cpio archives, each compressed by itself with zstd, one after the
//! other. A later one adds to those before.
//!
//! Its bytes depend on the version of zstd, the level and the fact that it works with threads, not on how many.

use std::io;

use zstd::Encoder;

use super::{Error, cpio};
use crate::store::{Output, Store};

/// zstd's own default: what is large in there, squashfs, is compressed already.
const LEVEL: i32 = 3;

/// Packs each of the trees `segments`, on `threads` threads. A file is a segment that others packed, and stays as it is.
///
/// # Errors
/// Where the store fails.
pub fn assemble(store: &Store, segments: &[(String, Output)], threads: usize) -> Result<Output, Error> {
    let mut out = store.writer()?;
    for (name, segment) in segments {
        let failed = |error: io::Error| Error::Refused(format!("{name}: {error}"));
        match segment {
            Output::Tree(top) => {
                let mut encoder = Encoder::new(&mut out, LEVEL).map_err(failed)?;
                // Without a worker the bytes are others.
                encoder.multithread(u32::try_from(threads.max(1)).unwrap_or(1)).map_err(failed)?;
                cpio::write(store, &top.digest, encoder)?.finish().map_err(failed)?;
            }
            Output::File { blob, .. } => {
                io::copy(&mut store.read(blob)?, &mut out).map_err(failed)?;
            }
        }
    }
    Ok(Output::File { blob: out.finish()?, executable: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::path::RelPath;
    use crate::store::TreeBuilder;

    #[test]
    fn segments_stand_one_after_the_other() {
        let directory = tempfile::tempdir().expect("tempdir");
        let store = Store::open(&directory.path().join("store")).expect("store");
        let segment = |name: &str, text: &str| {
            let mut tree = TreeBuilder::new();
            let path = RelPath::new(name).expect("clean");
            tree.file(&path, store.put(text.as_bytes()).expect("puts"), false).expect("fits");
            (name.to_owned(), Output::Tree(tree.finish(&store).expect("stores")))
        };
        let (one, two) = (segment("one", "1"), segment("two", "2"));
        let made = |segments: &[(String, Output)], threads| {
            let output = assemble(&store, segments, threads).expect("packs");
            let mut bytes = Vec::new();
            std::io::copy(&mut store.read(&output.blob()).expect("there"), &mut bytes).expect("reads");
            bytes
        };
        let both = made(&[one.clone(), two.clone()], 2);
        assert_eq!(both, [made(std::slice::from_ref(&one), 1), made(&[two], 3)].concat());
        let unpacked = zstd::decode_all(&both[..]).expect("zstd");
        assert_eq!(unpacked.len(), 1024);
        assert!(unpacked.windows(4).any(|bytes| bytes == b"two\0"));
        let golden = "be4e85fbd0004e2f44619f08cb63773cdeb94d12114d1fbb22ad65a80ae6d82d";
        assert_eq!(Digest::of(&both).hex(), golden, "another initramfs for everybody: was it meant?");
        let blob = store.put(b"packed by others").expect("puts");
        let file = ("base".to_owned(), Output::File { blob, executable: false });
        assert_eq!(made(&[file, one.clone()], 1), [b"packed by others", &made(&[one], 1)[..]].concat());
    }
}
