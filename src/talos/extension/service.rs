//! What must hold of a service, as Talos has it.
//!
//! Source: machinery/extensions/services/services.go@v1.10.3:86-186, restartkind_enumer.go, machinery/nethelpers/status.go.

use super::archive::{Archive, Kind};
use super::refusal::{Refusal, Rule};
use super::spec::{Dependency, Spec, is_spec};
use super::yaml;

/// When a service is started again.
const RESTARTS: [&str; 3] = ["always", "never", "untilSuccess"];
/// What of the network a service may wait for.
const STATUSES: [&str; 4] = ["addresses", "connectivity", "hostname", "etcfiles"];

/// What is wrong with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: At,
    /// How.
    pub title: String,
    /// What to do.
    pub help: String,
}

/// A place in a [`Spec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Its name.
    Name,
    /// When it is started again.
    Restart,
    /// Its program.
    Entrypoint,
    /// One of what it waits for, by its place.
    Dependency(usize),
}

impl Spec {
    /// What Talos finds wrong with it.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut wrong = |at, title: String, help: String| mistakes.push(Mistake { at, title, help });
        let in_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if self.name.is_empty() || !self.name.bytes().all(in_name) {
            let title = format!("`{}` is not the name of a service", self.name.escape_debug());
            wrong(At::Name, title, "use small letters, digits, `-` and `_`".to_owned());
        }
        if !is_one_of(&self.restart, &RESTARTS) {
            let title = format!("`{}` is no way to restart", self.restart.escape_debug());
            wrong(At::Restart, title, format!("write {}", either(&RESTARTS)));
        }
        if self.container.entrypoint.is_empty() {
            wrong(At::Entrypoint, "it has no program".to_owned(), "say `entrypoint`".to_owned());
        }
        for (place, dependency) in self.depends.iter().enumerate() {
            let found = dependency.mistakes().into_iter();
            mistakes.extend(found.map(|(title, help)| Mistake { at: At::Dependency(place), title, help }));
        }
        mistakes
    }
}

impl Dependency {
    fn mistakes(&self) -> Vec<(String, String)> {
        let Self { service, path, network, time, configuration } = self;
        let mut mistakes = Vec::new();
        if !path.is_empty() && !path.starts_with('/') {
            mistakes.push((format!("`{}` is not absolute", path.escape_debug()), "write it from `/` on".to_owned()));
        }
        for status in network.iter().filter(|status| !is_one_of(status, &STATUSES)) {
            let title = format!("`{}` is nothing of the network", status.escape_debug());
            mistakes.push((title, format!("write {}", either(&STATUSES))));
        }
        let help = "each waits for one of `service`, `path`, `network`, `time` and `configuration`".to_owned();
        match [!service.is_empty(), !path.is_empty(), !network.is_empty(), *time, *configuration]
            .iter()
            .filter(|is| **is)
            .count()
        {
            0 => mistakes.push(("it waits for nothing".to_owned(), help)),
            1 => {}
            _ => mistakes.push(("it waits for several things at once".to_owned(), help)),
        }
        mistakes
    }
}

/// The services that an archive describes, with the path of each; those that can't be read are left out.
#[must_use]
pub fn specs(archive: &Archive) -> Vec<(&str, Spec)> {
    let texts = archive.texts.iter().filter(|(path, _)| is_spec(path));
    texts.filter_map(|(path, text)| Some((path.as_str(), yaml::read(text).ok()??))).collect()
}

/// What is wrong with the services of an extension.
pub(super) fn wrong(archive: &Archive) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for entry in archive.entries.iter().filter(|entry| is_spec(entry.path())) {
        let mut refuse = |why: String, help: &str| refusals.push(Refusal::new(Rule::Service, entry.path(), why, help));
        if entry.kind != Kind::File {
            refuse("it is no file".to_owned(), "describe a service in a file of its own, or name it otherwise");
            continue;
        }
        match yaml::read::<Spec>(archive.texts.get(entry.path()).map_or(&[], Vec::as_slice)) {
            Err(error) => refuse(error, "write it as services.go of Talos has it, or as [services] in the recipe"),
            Ok(spec) => {
                for Mistake { title, help, .. } in spec.unwrap_or_default().mistakes() {
                    refuse(title, &help);
                }
            }
        }
    }
    refusals
}

fn is_one_of(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.to_lowercase() == word.to_lowercase())
}

fn either(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
}
