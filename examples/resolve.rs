//! Resolves packages in a Packages file as apt would, and prints how many seconds that took, from
//! the parsed index to the set.
//!
//!     cargo run --release --example resolve -- PACKAGES_FILE NAME…
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::time::Instant;

use forge::debian::index::Index;
use forge::debian::resolve::resolve;
use forge::debian::root::Root;

/// Whose packages the file holds.
const ARCHITECTURE: &str = "amd64";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: resolve PACKAGES_FILE NAME…")?;
    let roots: Vec<Root> = arguments.map(|name| name.parse()).collect::<Result<_, _>>()?;
    let text = fs::read_to_string(file)?;
    let index = Index::parse(&text, ARCHITECTURE)?;
    let start = Instant::now();
    let packages = resolve(&index, &roots, false)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{seconds:.6} for {} packages", packages.len());
    Ok(())
}
