//! The fragments of a kernel's configuration, read and without what Kconfig passes over.
//!
//! So the key of what configures has no comment in it, and a line that is refused stops the build before it begins.

use std::collections::BTreeMap;

use super::{Error, Files};
use crate::derivation::Layers;
use crate::kernel::fragment::{self, Request};
use crate::kernel::refused;
use crate::path::RelPath;
use crate::store::{Output, Store, TreeBuilder};
use crate::words::count;

/// What the lines that forge adds are called.
pub(super) const OWN: &str = "the recipe";

/// The fragments in their order, and last the lines that forge adds, as a file each; a base that is a file is `0`.
///
/// # Errors
/// Names each line that is no line of a configuration, and each that is refused.
pub fn layers(store: &Store, layers: &Layers<Output>) -> Result<Output, Error> {
    let files = Files::of(store, &layers.files)?;
    let requests = read(&files, layers)?;
    lint(&requests, &layers.waivers)?;
    let mut tree = TreeBuilder::new();
    let mut put = |number: usize, text: &str| -> Result<(), Error> {
        let path = RelPath::new(number.to_string()).expect("BUG: a number is no name");
        Ok(tree.file(&path, store.put(text.as_bytes())?, false)?)
    };
    if let Some(base) = &layers.base {
        put(0, &files.named(base)?)?;
    }
    for (number, (_, requests)) in (1..).zip(&requests) {
        put(number, &requests.iter().map(|request| request.text() + "\n").collect::<String>())?;
    }
    Ok(Output::Tree(tree.finish(store)?))
}

/// What each layer is called, and asks for.
pub(super) fn read(files: &Files<'_>, layers: &Layers<Output>) -> Result<Vec<(String, Vec<Request>)>, Error> {
    let (mut read, mut mistakes) = (Vec::new(), Vec::new());
    for path in &layers.fragments {
        match fragment::read(&files.named(path)?) {
            Ok(requests) => read.push((path.to_string(), requests)),
            Err(found) => mistakes.extend(found.into_iter().map(|(line, mistake)| format!("{path}:{line}: {mistake}"))),
        }
    }
    if !mistakes.is_empty() {
        return Err(Error::Refused(mistakes.join("\n  ")));
    }
    let own = fragment::read(&layers.own.join("\n")).expect("BUG: forge adds what is no line of a configuration");
    read.push((OWN.to_owned(), own));
    Ok(read)
}

/// Refuses lines of fragments that do harm, or nothing.
fn lint(layers: &[(String, Vec<Request>)], waivers: &BTreeMap<String, String>) -> Result<(), Error> {
    let fragments = layers.iter().filter(|(name, _)| name != OWN);
    let lines = fragments.flat_map(|(name, requests)| requests.iter().map(move |request| (name, request)));
    let refused = lines.filter_map(|(name, request)| {
        let (why, waivable) = refused(request)?;
        let waived = waivable && waivers.contains_key(&request.symbol);
        (!waived).then(|| format!("{name}:{}: {} is refused: {why}", request.line, request.text()))
    });
    let refused: Vec<String> = refused.collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{} of the configuration can't stay:\n  {}",
        count(refused.len(), "line"),
        refused.join("\n  ")
    )))
}
