//! The bases of the host's apt sources: where packages come fastest from.
//!
//! Both forms are read, as sources.list(5) has them: one-line (`sources.list`, `*.list`) and deb822
//! (`*.sources`). Suites and keys do not matter here, as every file is compared with its pin, so a
//! line that is not understood is passed over: it is apt's to complain about.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::location::Base;

/// Every base below `directory` (`/etc/apt`), in the order apt reads them, none twice. A host without apt has none.
///
/// # Errors
/// When a file is there but can't be read.
pub fn bases(directory: &Path) -> Result<Vec<Base>, Error> {
    let mut found = Vec::new();
    for file in files(directory)? {
        let text = match fs::read(&file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Io { path: file, source }),
        };
        let deb822 = file.extension().is_some_and(|extension| extension == "sources");
        for uri in if deb822 { stanzas(&text) } else { lines(&text) } {
            if let Ok(base) = uri.parse()
                && !found.contains(&base)
            {
                found.push(base);
            }
        }
    }
    Ok(found)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let parts = directory.join("sources.list.d");
    let failed = |source| Error::Io { path: parts.clone(), source };
    let mut files = match fs::read_dir(&parts) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>().map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "list" || extension == "sources"));
    files.sort();
    files.insert(0, directory.join("sources.list"));
    Ok(files)
}

/// `deb [options] uri suite …`
fn lines(text: &str) -> Vec<String> {
    let uri = |line: &str| {
        let rest = line.trim_start().strip_prefix("deb")?;
        let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
        let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
        rest.split_whitespace().next().map(str::to_owned)
    };
    text.lines().filter_map(uri).collect()
}

/// Stanzas with `Types: deb`, `URIs: …`, unless `Enabled: no`.
fn stanzas(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut stanza = Stanza::default();
    for line in text.lines().filter(|line| !line.starts_with('#')).chain([""]) {
        if line.trim().is_empty() {
            found.extend(std::mem::take(&mut stanza).uris());
        } else {
            stanza.line(line);
        }
    }
    found
}

#[derive(Default)]
struct Stanza {
    fields: Vec<(String, String)>,
}

impl Stanza {
    fn line(&mut self, line: &str) {
        match (line.starts_with([' ', '\t']), self.fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => value.push_str(line),
            (false, _, Some((name, value))) => self.fields.push((name.to_ascii_lowercase(), value.to_owned())),
            _ => {}
        }
    }

    fn words(&self, name: &str) -> Vec<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map_or_else(Vec::new, |(_, value)| value.split_whitespace().collect())
    }

    fn uris(self) -> Vec<String> {
        let off = self.words("enabled").first().is_some_and(|word| ["no", "false", "off", "0"].contains(word));
        if off || !self.words("types").contains(&"deb") {
            return Vec::new();
        }
        self.words("uris").into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let apt = tempfile::tempdir().expect("test");
        let parts = apt.path().join("sources.list.d");
        fs::create_dir(&parts).expect("test");
        let one_line = "# deb http://off.example/ x main\ndeb-src http://src.example/ x main\n\
            deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian x main\ndeb cdrom:[x]/ x main\n";
        fs::write(apt.path().join("sources.list"), one_line).expect("test");
        let deb822 = "Types: deb deb-src\n# note\nURIs: http://b.example/debian\n https://c.example/debian/\nSuites: x\n\n\
            Types: deb\nEnabled: no\nURIs: http://off.example/\n\n\
            types: deb\nuris: file:/srv/debian http://a.example/debian\n";
        fs::write(parts.join("b.sources"), deb822).expect("test");
        fs::write(parts.join("c.list"), "deb\thttp://d.example/debian x main").expect("test");
        fs::write(parts.join("d.list.off"), "deb http://off.example/ x main").expect("test");
        let found: Vec<String> = bases(apt.path()).expect("test").iter().map(Base::to_string).collect();
        let expected = [
            "http://a.example/debian",
            "http://b.example/debian",
            "https://c.example/debian",
            "/srv/debian",
            "http://d.example/debian",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_host_without_apt() {
        let empty = tempfile::tempdir().expect("test");
        assert_eq!(bases(empty.path()).expect("test"), []);
    }
}
