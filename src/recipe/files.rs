//! Finds and reads the recipe files; the only part of this module that touches the disk.

use std::convert::Infallible;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::Root;
use super::book::threads;
use super::diagnostic::Diagnostic;
use crate::parallel;
use crate::path::RelPath;

/// Every `<root>/<name>.toml` and `<root>/<name>/recipe.toml` of `project`, sorted; hidden files are left alone.
pub(super) fn read(project: &Path) -> Result<Vec<(RelPath, String)>, Vec<Diagnostic>> {
    let mut candidates = Vec::new();
    let mut errors = Vec::new();
    for root in Root::ALL {
        match list(project, root.folder()) {
            Ok(found) => candidates.extend(found),
            Err(error) => errors.push(unreadable(root.folder(), &error)),
        }
    }
    candidates.sort_unstable();
    let texts = parallel::each(&candidates, threads(candidates.len()), |file| Ok::<_, Infallible>(text(project, file)));
    let mut files = Vec::with_capacity(candidates.len());
    for (file, text) in candidates.into_iter().zip(texts.unwrap_or_else(|never| match never {})) {
        match text {
            Ok(text) => files.extend(text.map(|text| (file, text))),
            Err(error) => errors.push(unreadable(file.as_str(), &error)),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

/// Where a root may have recipes.
fn list(project: &Path, folder: &str) -> io::Result<Vec<RelPath>> {
    let entries = match fs::read_dir(project.join(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let found = entries.map(|entry| Ok(candidate(folder, &entry?.file_name().to_string_lossy())));
    found.filter_map(io::Result::transpose).collect()
}

/// The text of a recipe, if there is one.
fn text(project: &Path, file: &RelPath) -> io::Result<Option<String>> {
    match fs::read_to_string(project.join(file)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the recipe of an entry of a root would stand.
fn candidate(folder: &str, name: &str) -> Option<RelPath> {
    if name.starts_with('.') {
        return None;
    }
    let rest = if name.ends_with(".toml") { "" } else { "/recipe.toml" };
    RelPath::new(format!("{folder}/{name}{rest}")).ok()
}

fn unreadable(file: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::bare(format!("{file} can't be read: {error}"))
}
