//! Prints the digest that a directory (or file) would have in a store, which is only read.
//!
//!     cargo run --release --example hash_tree -- DIR
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use forge::store;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: hash_tree DIR")?;
    println!("{}", store::survey(Path::new(&path))?.digest());
    Ok(())
}
