//! The fields of `kind = "arguments"`, judged by the table of the program and version that they are for.

use std::collections::BTreeMap;

use super::diagnostic::Fault;
use super::given::Given;
use super::model::{Arguments, Build};
use super::raw::At;
use super::source::Source;
use super::text::Span;
use super::unit::Draft;
use crate::agave::{self, Help, LINES, Line, Mistake, Program, Value, Wanted};
use crate::path::Name;

impl<'a> Draft<'a> {
    pub(super) fn arguments(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let line = self.line();
        let program = self.program(line);
        if self.raw.arguments.is_empty() {
            self.missing("arguments");
        }
        let before = self.faults.len();
        let wanted = self.wanted();
        let (program, line) = (program?, line?);
        if self.faults.len() > before {
            return None;
        }
        match agave::lines(program, line, &wanted) {
            Ok(lines) => Some((Build::Arguments(Arguments { lines }), BTreeMap::new())),
            Err(mistakes) => {
                let faults: Vec<Fault> =
                    mistakes.into_iter().filter_map(|mistake| self.fault(program.name(line), mistake)).collect();
                self.faults.extend(faults);
                None
            }
        }
    }

    fn line(&mut self) -> Option<Line> {
        let text = self.required("version", self.raw.version.as_ref())?;
        let before = self.faults.len();
        let version = self.inputs.version(text, self.faults);
        let version = semver::Version::parse(&version).ok().filter(|_| self.faults.len() == before)?;
        let line = Line::of(&version);
        if line.is_none() {
            let known: Vec<String> = LINES.iter().map(Line::to_string).collect();
            let fault = Fault::new(text.span(), format!("what {version} takes is not known"));
            self.faults.push(fault.help(format!("the versions known here: {}", known.join(", "))));
        }
        line
    }

    /// The program, which must be called as that line calls it.
    fn program(&mut self, line: Option<Line>) -> Option<Program> {
        let text = self.required("program", self.raw.program.as_ref())?;
        let written = self.inputs.vars.expand(text, self.faults);
        let program = Program::named(&written);
        let fault = |title: String| Fault::new(text.span(), title);
        match program.map(|program| line.map_or(written.as_str(), |line| program.name(line))) {
            None => {
                let title = format!("the arguments of `{}` are not known", written.escape_debug());
                let known = format!("the programs known here: {}", Program::NAMES.join(", "));
                self.faults.push(fault(title).suggest(&written, Program::NAMES, known));
            }
            Some(name) if name != written => {
                let called = line.map(|line| line.to_string()).unwrap_or_default();
                let title = format!("in {called} there is no `{written}`");
                self.faults.push(fault(title).help(format!("there it is called `{name}`")));
            }
            Some(_) => return program,
        }
        None
    }

    /// The arguments with the values of variables put in.
    fn wanted(&mut self) -> Vec<Wanted<'a>> {
        let written: &'a BTreeMap<At<String>, At<Given>> = &self.raw.arguments;
        written.iter().map(|(name, given)| Wanted { name: name.as_str(), value: self.value(given) }).collect()
    }

    fn value(&mut self, given: &At<Given>) -> Value {
        let texts: Vec<At<String>> = match &**given {
            Given::Switch(true) => return Value::On,
            Given::Switch(false) => return Value::Off,
            Given::One(text) => vec![At::new(given.span(), text.clone())],
            Given::Many(items) => items.iter().map(|item| At::new(item.span(), item.0.clone())).collect(),
        };
        if texts.is_empty() { Value::Off } else { Value::Texts(self.texts(&texts)) }
    }

    fn fault(&self, program: &str, mistake: Mistake) -> Option<Fault> {
        let Mistake { at, title, also, help } = mistake;
        let place = match at {
            // What is missing may be what could not be read.
            agave::At::List if !self.page.whole => return None,
            agave::At::List => self.page.at.clone(),
            agave::At::Name(place) => self.entry(place).0.span(),
            agave::At::Value(place, nth) => value_span(self.entry(place).1, nth),
        };
        let fault = Fault::new(place, title);
        let fault = also.iter().fold(fault, |fault, place| fault.also(self.entry(*place).0.span(), "the other one"));
        Some(match help {
            Help::Do(help) => fault.help(help),
            Help::Name(names) => {
                let word = match at {
                    agave::At::Name(place) => self.entry(place).0.as_str(),
                    agave::At::List | agave::At::Value(..) => "",
                };
                fault.suggest(word, names, format!("`{program} --help` lists what it takes"))
            }
        })
    }

    fn entry(&self, place: usize) -> (&At<String>, &At<Given>) {
        self.raw.arguments.iter().nth(place).expect("BUG: an argument that was not written")
    }
}

/// Where the value of that number stands.
fn value_span(given: &At<Given>, nth: usize) -> Span {
    match &**given {
        Given::Many(items) => items.get(nth).map_or_else(|| given.span(), At::span),
        Given::Switch(_) | Given::One(_) => given.span(),
    }
}
