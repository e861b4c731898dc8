//! Fills a store with results, each a folder with one file, every tenth of which has a link.
//!
//!     FORGE_STORE=DIR cargo run --release --example fill_store -- COUNT LINKS

use std::error::Error;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use forge::digest::Digest;
use forge::path::Name;
use forge::store::{ActionResult, Directory, Node, Output, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().ok_or("usage: fill_store COUNT LINKS");
    let count: u32 = next()?.to_string_lossy().parse()?;
    let links = PathBuf::from(next()?);
    std::fs::create_dir_all(&links)?;
    let store = Store::open(Path::new(&std::env::var_os("FORGE_STORE").ok_or("FORGE_STORE is not set")?))?;
    for number in 0..count {
        let output = put(&store, number)?;
        if number % 10 == 0 {
            let link = links.join(number.to_string());
            symlink(store.realise(&output)?, &link)?;
            store.add_root(&link, &[output])?;
        }
    }
    Ok(store.commit()?)
}

/// A result whose output is a folder with one file.
fn put(store: &Store, number: u32) -> Result<Output, Box<dyn Error>> {
    let text = format!("output {number}\n");
    let file = Node::File { blob: store.put(text.as_bytes())?, executable: false };
    let output = Output::Tree(store.put_directory(&Directory { entries: [("text".to_owned(), file)].into() })?);
    let outputs = [(Name::new("out")?, output)].into();
    let result = ActionResult { label: format!("unit{number}"), outputs, ..ActionResult::default() };
    store.record(&Digest::of(text.as_bytes()), &result)?;
    Ok(output)
}
