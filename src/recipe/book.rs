//! All recipe files by name: `extends` followed, tables of the target laid on, fields read.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::diagnostic::Fault;
use super::form::Form;
use super::raw::Raw;
use super::text::{Span, Texts};
use super::{Root, Target, table};
use crate::parallel;
use crate::path::{Name, RelPath};

/// Below this many files a thread costs more than it saves.
const MANY: usize = 32;

/// How many files are read at once.
const THREADS: usize = 4;

/// How many threads so many files are worth.
pub(super) fn threads(files: usize) -> usize {
    if files < MANY { 1 } else { THREADS }
}

/// Fields that a recipe does not get from the one it extends.
const OWN: [&str; 4] = ["abstract", "extends", "matrix", "target"];

/// A field's name where it is written.
type Key<'a> = Spanned<DeString<'a>>;

/// One file, read but not joined with the ones it extends.
struct Sheet<'a> {
    root: Root,
    file: &'a RelPath,
    start: usize,
    table: DeTable<'a>,
    raw: Option<Raw>,
    whole: bool,
}

/// What stands in one file.
struct Written<'a> {
    table: DeTable<'a>,
    raw: Option<Raw>,
    faults: Vec<Fault>,
}

impl<'a> Written<'a> {
    fn new(text: &'a str, start: usize) -> Self {
        let (mut table, mut faults) = table::read(text, start);
        let (raw, misfits) = table::value::<Raw>(&mut table);
        faults.extend(misfits);
        faults.extend(raw.iter().flat_map(fixed));
        Self { table, raw, faults }
    }
}

/// One recipe with all its fields.
pub(super) struct Page<'a> {
    pub(super) name: Name,
    pub(super) root: Root,
    pub(super) file: &'a RelPath,
    /// The files of the recipes that it extends.
    pub(super) bases: Vec<&'a RelPath>,
    /// The folder that globs are relative to.
    pub(super) directory: RelPath,
    pub(super) form: Form,
    pub(super) raw: Raw,
    /// The place that stands for the recipe as a whole.
    pub(super) at: Span,
    /// Whether every field that was written is there.
    pub(super) whole: bool,
}

/// All files by name.
pub(super) struct Book<'a> {
    sheets: BTreeMap<Name, Sheet<'a>>,
    target: Target,
}

impl<'a> Book<'a> {
    pub(super) fn read(texts: &'a Texts, target: Target, faults: &mut Vec<Fault>) -> Self {
        let mut sheets = BTreeMap::<Name, Sheet<'a>>::new();
        let files: Vec<_> = texts.files().collect();
        let written = parallel::each(&files, threads(files.len()), |(start, file)| {
            Ok::<_, Infallible>(Written::new(&file.text, *start))
        });
        let written = written.unwrap_or_else(|never| match never {});
        for ((start, file), written) in files.into_iter().zip(written) {
            let Some((root, name)) = Root::of(&file.path) else {
                faults.push(misplaced(&file.path, start));
                continue;
            };
            if let Some(first) = sheets.get(&name) {
                let fault = Fault::new(start..start, format!("a second recipe has the name `{name}`"));
                let fault = fault.label("this one").also(first.start..first.start, "the other one");
                faults.push(fault.help("rename one of them; names are unique over all recipe folders"));
                continue;
            }
            let Written { table, raw, faults: own } = written;
            let whole = own.is_empty();
            faults.extend(own);
            sheets.insert(name, Sheet { root, file: &file.path, start, table, raw, whole });
        }
        Self { sheets, target }
    }

    /// The names of all files, and whether each makes units.
    pub(super) fn names(&self) -> impl Iterator<Item = (&Name, bool)> {
        self.sheets.iter().map(|(name, sheet)| (name, !sheet.is_abstract()))
    }

    /// The file of a recipe.
    pub(super) fn file(&self, name: &Name) -> Option<&'a RelPath> {
        self.sheets.get(name).map(|sheet| sheet.file)
    }

    /// Every recipe that is not abstract; one that can't be read, or extends such a one, is left out.
    pub(super) fn pages(&mut self, faults: &mut Vec<Fault>) -> Vec<Page<'a>> {
        let names: Vec<Name> = self.names().filter(|(_, concrete)| *concrete).map(|(name, _)| name.clone()).collect();
        names.into_iter().filter_map(|name| self.page(name, faults)).collect()
    }

    fn page(&mut self, name: Name, faults: &mut Vec<Fault>) -> Option<Page<'a>> {
        let chain = self.chain(&name, faults)?;
        let mut whole = chain.iter().all(|name| self.sheets[name].whole);
        let (raw, keys) = self.fields(&chain, &mut whole, faults)?;
        let Sheet { root, file, start, .. } = self.sheets[&name];
        let at = raw.kind.as_ref().map_or(start..start, |kind| kind.span());
        let form = form(&raw, root, at.clone(), faults)?;
        foreign(form, &keys, faults);
        let directory = file.parent().expect("BUG: a recipe file outside its folder");
        let bases = chain[1..].iter().map(|name| self.sheets[name].file).collect();
        Some(Page { name, root, file, bases, directory, form, raw, at, whole })
    }

    /// The fields of the first in `chain`, with those it gets from the others.
    fn fields(&mut self, chain: &[Name], whole: &mut bool, faults: &mut Vec<Fault>) -> Option<(Raw, Vec<Key<'a>>)> {
        let (name, _) = chain.split_first()?;
        if chain.len() == 1 && !self.sheets[name].table.contains_key("target") {
            let sheet = self.sheets.get_mut(name)?;
            return Some((sheet.raw.take()?, sheet.table.keys().cloned().collect()));
        }
        let mut merged = DeTable::new();
        for below in chain.iter().rev() {
            let mut layer = self.sheets[below].flat(self.target);
            if below != name {
                OWN.iter().for_each(|field| drop(layer.remove(*field)));
            }
            table::merge(&mut merged, layer);
        }
        let (raw, misfits) = table::value::<Raw>(&mut merged);
        *whole &= misfits.is_empty();
        faults.extend(misfits);
        Some((raw?, merged.keys().cloned().collect()))
    }

    /// `name`, the recipe it extends, the one that extends, and so on.
    fn chain(&self, name: &Name, faults: &mut Vec<Fault>) -> Option<Vec<Name>> {
        let mut chain = vec![name.clone()];
        let mut seen = BTreeSet::from([name.clone()]);
        let mut edges = Vec::new();
        while let Some(extends) = self.sheets[chain.last()?].table.get("extends") {
            let next = extends.get_ref().as_str()?;
            edges.push(extends.span());
            let Some((next, _)) = self.sheets.get_key_value(next) else {
                let known = self.sheets.keys().map(Name::as_str);
                let fault = Fault::new(extends.span(), format!("there is no recipe `{}`", next.escape_debug()));
                faults.push(fault.suggest(next, known, "`extends` names the file of another recipe"));
                return None;
            };
            if !seen.insert(next.clone()) {
                faults.extend((next == name).then(|| endless(&chain, &edges)));
                return None;
            }
            chain.push(next.clone());
        }
        Some(chain)
    }
}

impl<'a> Sheet<'a> {
    fn is_abstract(&self) -> bool {
        self.table.get("abstract").is_some_and(|value| value.get_ref().as_bool() == Some(true))
    }

    /// Its table with the fields of `target` laid on.
    fn flat(&self, target: Target) -> DeTable<'a> {
        let mut table = self.table.clone();
        let targets = table.remove("target").map(|targets| targets.into_inner());
        if let Some(DeValue::Table(mut targets)) = targets
            && let Some(DeValue::Table(over)) = targets.remove(target.name()).map(|over| over.into_inner())
        {
            table::merge(&mut table, over);
        }
        table
    }
}

/// What `raw` makes, by its `kind` or its folder.
fn form(raw: &Raw, root: Root, at: Span, faults: &mut Vec<Fault>) -> Option<Form> {
    let kinds = || Form::ALL.map(Form::name);
    let fault = match &raw.kind {
        None => match Form::of(root) {
            Some(form) => return Some(form),
            None => Fault::new(at, format!("a recipe in {root} must say its kind"))
                .help(format!("add `kind = \"…\"`, one of {}", kinds().join(", "))),
        },
        Some(kind) => match Form::named(kind) {
            Some(form) => return Some(form),
            None => Fault::new(at, format!("there is no kind `{}`", kind.escape_debug())).suggest(
                kind,
                kinds(),
                format!("the kinds are {}", kinds().join(", ")),
            ),
        },
    };
    faults.push(fault);
    None
}

/// Finds fields that have no meaning in a recipe of kind `form`.
fn foreign(form: Form, keys: &[Key<'_>], faults: &mut Vec<Fault>) {
    for (name, at) in keys.iter().map(|key| (&**key.get_ref(), key.span())).filter(|(name, _)| !form.has(name)) {
        let owners = Form::ALL.iter().filter(|form| form.has(name));
        let owners = owners.map(|form| format!("`{}`", form.name())).collect::<Vec<_>>().join(", ");
        let fault = Fault::new(at, format!("`{name}` has no meaning in a recipe of kind `{}`", form.name()));
        faults.push(fault.help(format!("it belongs to {owners}")));
    }
}

/// Finds fields in `[target.…]` that can't depend on the target.
fn fixed(raw: &Raw) -> Vec<Fault> {
    let there = |over: &Raw| {
        let Raw { r#abstract, extends, kind, matrix, target, .. } = over;
        [
            r#abstract.as_ref().map(|value| ("abstract", value.span())),
            extends.as_ref().map(|value| ("extends", value.span())),
            kind.as_ref().map(|value| ("kind", value.span())),
            matrix.first().map(|value| ("matrix", value.span())),
            target.as_ref().map(|value| ("target", value.span())),
        ]
    };
    let fault = |(name, span)| {
        let title = format!("`{name}` can't depend on the target");
        Fault::new(span, title).help("write it at the top of the recipe")
    };
    raw.target.iter().flat_map(|target| target.values()).flat_map(there).flatten().map(fault).collect()
}

fn misplaced(file: &RelPath, start: usize) -> Fault {
    Fault::new(start..start, format!("`{file}` is no place for a recipe"))
        .help("name it <folder>/<name>.toml or <folder>/<name>/recipe.toml; <name> has only a-z, 0-9, `.` and `-`")
}

fn endless(chain: &[Name], edges: &[Span]) -> Fault {
    let names = chain.iter().chain(chain.first()).map(Name::as_str).collect::<Vec<_>>().join(" → ");
    let fault = Fault::new(edges[0].clone(), format!("recipes extend each other: {names}"));
    let fault = edges[1..].iter().fold(fault, |fault, edge| fault.also(edge.clone(), "and back"));
    fault.help("take the fields they share into a third recipe")
}
