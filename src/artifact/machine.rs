//! The configuration of machines: one file for each node of an inventory, judged.
//!
//! The source `config` has `inventory.yaml` at its top, and patches in any folders: `<whose>.yaml`, for `all`, a role,
//! or a node; those for the same are laid one over the other in the order of their paths.

use super::Error;
use super::files::{Files, text};
use crate::path::RelPath;
use crate::recipe::text::Texts;
use crate::recipe::{Fault, locate};
use crate::store::{Output, Store, TreeBuilder};
use crate::talos::machine::{Help, Inventory, Line, Mistake, Patch, Schema, render};
use crate::yaml::{self, Place};

/// The file with the nodes.
const INVENTORY: &str = "inventory.yaml";
/// How all files end.
const YAML: &str = ".yaml";

/// What configurations are made from.
pub struct Sources<'a> {
    /// The version of Talos.
    pub line: Line,
    /// Where `config` stands in the project, for people.
    pub folder: &'a RelPath,
    /// The tree with the inventory and the patches.
    pub config: &'a Output,
    /// The JSON Schema of that version.
    pub schema: &'a Output,
}

/// The tree with a file for each node.
///
/// # Errors
/// Every mistake, with its place, and where the store fails.
pub fn assemble(store: &Store, sources: &Sources<'_>) -> Result<Output, Error> {
    let Output::File { blob, .. } = sources.schema else {
        return Err(Error::Refused("the source `schema` is a folder; a schema is a file".to_owned()));
    };
    let schema = Schema::read(text(store, blob)?.as_bytes(), sources.line);
    let schema = schema.map_err(|why| Error::Refused(format!("the source `schema` is no schema of Talos: {why}")))?;
    let (paths, texts) = files(store, sources)?;
    let rendered = configurations(sources.line, &schema, &paths, &texts).map_err(|mistakes| told(mistakes, &texts))?;
    let mut tree = TreeBuilder::new();
    for (node, documents) in rendered {
        let blob = store.put(yaml::write(&documents).as_bytes())?;
        tree.file(&super::files::path(&format!("{node}{YAML}"))?, blob, false)?;
    }
    Ok(Output::Tree(tree.finish(store)?))
}

/// The files of `config`: their paths in it, and their texts; the inventory first.
fn files(store: &Store, sources: &Sources<'_>) -> Result<(Vec<RelPath>, Texts), Error> {
    let Output::Tree(top) = sources.config else {
        return Err(Error::Refused("the source `config` is no folder".to_owned()));
    };
    let Files { mut files, links } = Files::of(store, &top.digest)?;
    if let Some((path, _)) = links.first() {
        return Err(Error::Refused(format!("{}/{path} is a symlink; name the file itself", sources.folder)));
    }
    if let Some((path, _)) = files.iter().find(|(path, _)| !path.as_str().ends_with(YAML)) {
        return Err(Error::Refused(format!("{}/{path} does not end with `{YAML}`; leave it out", sources.folder)));
    }
    files.sort_by(|(a, _), (b, _)| (a.as_str() != INVENTORY, a).cmp(&(b.as_str() != INVENTORY, b)));
    if files.first().is_none_or(|(path, _)| path.as_str() != INVENTORY) {
        return Err(Error::Refused(format!("the source `config` has no `{INVENTORY}` at its top")));
    }
    let read = |(path, blob)| Ok((sources.folder.join(&path), text(store, &blob)?, path));
    let read: Vec<(RelPath, String, RelPath)> = files.into_iter().map(read).collect::<Result<_, Error>>()?;
    let paths = read.iter().map(|(_, _, path)| path.clone()).collect();
    Ok((paths, Texts::new(read.into_iter().map(|(place, text, _)| (place, text)))))
}

/// The documents of each node.
fn configurations(
    line: Line,
    schema: &Schema,
    paths: &[RelPath],
    texts: &Texts,
) -> Result<std::collections::BTreeMap<String, Vec<yaml::Node>>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut documents = Vec::new();
    for (file, (_, text)) in texts.files().enumerate() {
        match yaml::read(&text.text, file) {
            Ok(read) => documents.push(read),
            Err(error) => mistakes.push(error.into()),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let patches = documents.split_off(1);
    let inventory = match &documents[0][..] {
        [one] => Inventory::read(one)?,
        _ => return Err(vec![Mistake::inventory()]),
    };
    let patches = patches.into_iter().zip(&paths[1..]).enumerate().map(|(number, (documents, path))| {
        let name = path.file_name().strip_suffix(YAML).unwrap_or_default().to_owned();
        Patch { name, documents, at: Place { file: number + 1, start: 0, end: 0 } }
    });
    render(line, schema, &inventory, &patches.collect::<Vec<_>>())
}

/// The mistakes as errors in recipes are told.
fn told(mistakes: Vec<Mistake>, texts: &Texts) -> Error {
    let starts: Vec<usize> = texts.files().map(|(start, _)| start).collect();
    let span = |at: Place| starts[at.file] + at.start..starts[at.file] + at.end;
    let fault = |Mistake { at, title, also, help }: Mistake| {
        let fault = Fault::new(span(at), title);
        let fault = also.iter().fold(fault, |fault, (at, what)| fault.also(span(*at), *what));
        match help {
            Help::Do(help) => fault.help(help),
            Help::Name(word, known) => {
                let otherwise = format!("there are {}", known.join(", "));
                fault.suggest(&word, known.iter().map(String::as_str), otherwise)
            }
        }
    };
    let told = locate(mistakes.into_iter().map(fault).collect(), texts);
    let drawn: Vec<String> = told.iter().map(ToString::to_string).collect();
    Error::Refused(format!("mistakes in the configuration: {}\n\n{}", drawn.len(), drawn.join("\n\n")))
}
