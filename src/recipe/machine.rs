//! The fields of `kind = "machine"`: the version of Talos, and the sources that configurations are made from.

use std::collections::BTreeMap;

use super::diagnostic::Fault;
use super::model::{Build, Machine};
use super::source::Source;
use super::unit::Draft;
use crate::path::Name;
use crate::talos::machine::{LINES, Line};

impl Draft<'_> {
    pub(super) fn machine(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let line = self.talos();
        let sources = self.sources();
        for (name, input) in &self.raw.sources {
            if ![Machine::CONFIG, Machine::SCHEMA].contains(&name.as_str()) {
                let title = format!("a machine's configuration is not made from a source `{}`", name.escape_debug());
                let help = format!("there are `{}` and `{}`", Machine::CONFIG, Machine::SCHEMA);
                self.faults.push(Fault::new(name.span(), title).help(help));
            } else if name.as_str() == Machine::CONFIG && input.path.is_none() {
                let title = format!("`{}` are files of this repository", Machine::CONFIG);
                self.faults.push(Fault::new(input.span(), title).help("write `path = [\"…\"]`"));
            }
        }
        for name in [Machine::CONFIG, Machine::SCHEMA] {
            if !self.raw.sources.contains_key(name) {
                self.missing(&format!("sources.{name}"));
            }
        }
        let Some(Source::Path { directory, .. }) = sources.get(Machine::CONFIG) else { return None };
        let folder = directory.clone();
        Some((Build::Machine(Machine { line: line?, folder }), sources))
    }

    /// The line of the version, which must be one that is known.
    fn talos(&mut self) -> Option<Line> {
        let text = self.required("version", self.raw.version.as_ref())?;
        let before = self.faults.len();
        let version = self.inputs.version(text, self.faults);
        let version = semver::Version::parse(&version).ok().filter(|_| self.faults.len() == before)?;
        let line = Line::of(&version);
        if line.is_none() {
            let known: Vec<String> = LINES.iter().map(Line::to_string).collect();
            let fault = Fault::new(text.span(), format!("how Talos {version} is configured is not known"));
            self.faults.push(fault.help(format!("the versions known here: {}", known.join(", "))));
        }
        line
    }
}
