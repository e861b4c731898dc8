//! Source archives as trees; packages as trees, or one file of them.

use std::fmt::Display;
use std::fs::File;
use std::io;

use super::Error;
use crate::debian::deb::Deb;
use crate::debian::decode::Decoder;
use crate::debian::limits::Limits;
use crate::debian::rules::Rules;
use crate::debian::sink::StoreSink;
use crate::debian::unpack;
use crate::path::RelPath;
use crate::store::{self, Output, Store};

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

fn take(store: &Store, deb: Deb<File>, member: &RelPath) -> Result<Output, Error> {
    let mut writer = store.writer()?;
    let found = deb.member(member, |content| io::copy(content, &mut writer)).map_err(refused)?;
    match found {
        Some(_) => Ok(Output::File { blob: writer.finish()?, executable: false }),
        None => Err(Error::Refused(format!("the package has no file `{member}`; `dpkg-deb -c` lists what it has"))),
    }
}

fn open(store: &Store, output: &Output) -> Result<File, Error> {
    let path = store.realise(output)?;
    File::open(&path).map_err(|source| store::Error::Io { path, source }.into())
}

fn refused(error: impl Display) -> Error {
    Error::Refused(error.to_string())
}
