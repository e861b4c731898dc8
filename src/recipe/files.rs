//! Finds and reads the recipe files; the only part of this module that touches the disk.

use std::io;
use std::path::Path;
use std::{fs, io::ErrorKind};

use super::Root;
use super::diagnostic::Diagnostic;
use crate::path::RelPath;

/// Every `<root>/<name>.toml` and `<root>/<name>/recipe.toml` of `project`, sorted; hidden files are left alone.
pub(super) fn read(project: &Path) -> Result<Vec<(RelPath, String)>, Vec<Diagnostic>> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for root in Root::ALL {
        if let Err(error) = read_root(project, root.folder(), &mut files, &mut errors) {
            errors.push(unreadable(root.folder(), &error));
        }
    }
    files.sort();
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

fn read_root(
    project: &Path,
    folder: &str,
    files: &mut Vec<(RelPath, String)>,
    errors: &mut Vec<Diagnostic>,
) -> io::Result<()> {
    let entries = match fs::read_dir(project.join(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let Some(file) = candidate(folder, &name.to_string_lossy()) else { continue };
        match fs::read_to_string(project.join(&file)) {
            Ok(text) => files.push((file, text)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => errors.push(unreadable(file.as_str(), &error)),
        }
    }
    Ok(())
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
