//! Source archives as trees; packages as trees, or one file of them.

use std::fmt::Display;
use std::io::{self, BufReader, Read};

use super::Error;
use crate::debian::deb::Deb;
use crate::debian::decode::Decoder;
use crate::debian::limits::Limits;
use crate::debian::rules::Rules;
use crate::debian::sink::StoreSink;
use crate::debian::tarball::Member;
use crate::debian::unpack;
use crate::path::RelPath;
use crate::store::{Output, Store};

/// How much of an archive is read at once.
const BUFFER: usize = 128 << 10;

pub(super) type Content = BufReader<Box<dyn Read + Send>>;

/// The permission bit by which a file counts as executable.
const OWNER_EXECUTES: u32 = 0o100;

/// Unpacks a tar archive, compressed or not, less `strip` leading components of each name.
///
/// # Errors
/// For an archive that is damaged, or holds what a tree can't.
pub fn unpack(store: &Store, archive: &Output, strip: u32) -> Result<Output, Error> {
    let mut decoder = Decoder::detect(open(store, archive)?, Limits::ARCHIVE).map_err(refused)?;
    let rules = Rules { strip, ..Rules::default() };
    let (tree, _) = unpack::into_store(&mut decoder, &rules, store).map_err(refused)?;
    Ok(Output::Tree(tree))
}

/// Unpacks one package; with `member`, takes one file out of it.
///
/// # Errors
/// For a damaged package, and one without the member.
pub fn deb(store: &Store, deb: &Output, member: Option<&RelPath>) -> Result<Output, Error> {
    let deb = Deb::open(open(store, deb)?).map_err(refused)?;
    match member {
        Some(member) => take(store, deb, member),
        None => {
            let mut sink = StoreSink::new(store);
            deb.unpack(&Rules::default(), &mut sink).map_err(refused)?;
            Ok(Output::Tree(sink.finish().map_err(refused)?))
        }
    }
}

fn take(store: &Store, deb: Deb<Content>, member: &RelPath) -> Result<Output, Error> {
    let mut writer = store.writer()?;
    let copy =
        |file: &Member, content: &mut dyn Read| io::copy(content, &mut writer).map(|_| file.mode & OWNER_EXECUTES != 0);
    match deb.member(member, copy).map_err(refused)? {
        Some(executable) => Ok(Output::File { blob: writer.finish_as(executable)?, executable }),
        None => Err(Error::Refused(format!("the package has no file `{member}`; `dpkg-deb -c` lists what it has"))),
    }
}

/// The file's bytes, verified while they are read.
///
/// # Errors
/// If it is a folder, or the store fails.
pub(super) fn open(store: &Store, output: &Output) -> Result<Content, Error> {
    match output {
        Output::File { blob, .. } => Ok(BufReader::with_capacity(BUFFER, store.read(blob)?)),
        Output::Tree(_) => Err(Error::Refused("a file was wanted, and a folder given".to_owned())),
    }
}

fn refused(error: impl Display) -> Error {
    Error::Refused(error.to_string())
}
