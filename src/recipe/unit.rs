//! From the fields of one recipe to one unit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::book::Page;
use super::boot::Boot;
use super::diagnostic::Fault;
use super::field;
use super::form::Form;
use super::input::{Archives, Inputs};
use super::model::{Bpf, Build, Cmd, OUTPUT, Recipe, Reference, Test, Toolroot};
use super::place::{Item, Places};
use super::raw::{self, At, Input, Raw, Table};
use super::source::{Archive, Source};
use super::text::Span;
use super::vars::Vars;
use crate::path::{Name, RelPath};
use crate::recipe::DEBS;

/// How long the steps of a unit may take if it does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// What a toolroot leaves out if it does not say; without them early cutoff works better.
const DEFAULT_TRIM: [&str; 6] =
    ["usr/share/doc", "usr/share/doc-base", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man"];
/// clang's BPF instruction set if a unit does not say.
const DEFAULT_CPU: &str = "v3";
/// The source that a bpf unit's programs stand in.
const PROGRAMS: &str = "src";

/// A unit as far as it could be read, and what it refers to.
pub(super) struct Unit {
    pub(super) root: super::Root,
    /// The place that stands for the unit as a whole.
    pub(super) at: Span,
    /// Nothing if it has faults.
    pub(super) recipe: Option<Recipe>,
    pub(super) uses: Vec<Use>,
    /// What its tests refer to: they come after it, so these may need it in turn.
    pub(super) test_uses: Vec<Use>,
    /// Where what it names is written.
    pub(super) spans: BTreeMap<Item, Span>,
}

/// One reference to another unit.
#[derive(Clone)]
pub(super) struct Use {
    pub(super) reference: Reference,
    /// The kind that the unit must be of, if not any.
    pub(super) kind: Option<&'static str>,
    pub(super) at: Span,
}

/// A unit being read.
pub(super) struct Draft<'a> {
    pub(super) page: &'a Page<'a>,
    pub(super) raw: &'a Raw,
    pub(super) inputs: Inputs<'a>,
    uses: Vec<Use>,
    test_uses: Vec<Use>,
    spans: BTreeMap<Item, Span>,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        page: &'a Page<'a>,
        vars: &'a Vars<'a>,
        archives: &'a Archives,
        faults: &'a mut Vec<Fault>,
    ) -> Self {
        let inputs = Inputs { directory: &page.directory, vars, archives };
        Self { page, raw: &page.raw, inputs, uses: Vec::new(), test_uses: Vec::new(), spans: BTreeMap::new(), faults }
    }

    /// The unit `name`, which is named at `at`.
    pub(super) fn unit(mut self, name: Name, at: Span) -> Unit {
        let before = self.faults.len();
        let updates = self.updates();
        let made = match self.page.form {
            Form::Archive => None,
            Form::Toolroot => self.toolroot(),
            Form::Cmd => self.cmd(),
            Form::Bpf => self.bpf(),
            Form::Cargo => self.cargo(),
            Form::Arguments => self.arguments(),
            Form::Machine => self.machine(),
            Form::Image => self.image(),
            Form::Kernel => self.kernel(),
            Form::Extension => self.extension(&name),
            Form::Installer => self.installer(),
        };
        let tests = self.tests(&name);
        let sound = self.faults.len() == before;
        let recipe = made.filter(|_| sound).map(|(build, sources)| Recipe {
            name,
            root: self.page.root,
            file: self.page.file.clone(),
            description: self.raw.description.clone().unwrap_or_default(),
            default: self.raw.default.unwrap_or_default(),
            unfree: self.raw.unfree.unwrap_or_default(),
            on_demand: self.raw.on_demand.unwrap_or_default(),
            bases: self.page.bases.iter().copied().cloned().collect(),
            places: Places::new(),
            sources,
            updates,
            build,
            tests,
        });
        let Self { uses, test_uses, spans, .. } = self;
        Unit { root: self.page.root, at, recipe, uses, test_uses, spans }
    }

    fn toolroot(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        self.filled("packages", &self.raw.packages);
        let source = self.debs(true);
        let (links, trim) = (self.table(&self.raw.links), self.trim());
        let ignore_alternatives = self.raw.ignore_alternatives.clone();
        let sources = BTreeMap::from([(Name::constant(DEBS), source?)]);
        Some((Build::Toolroot(Toolroot { links, trim, ignore_alternatives }), sources))
    }

    /// The set of packages; whether the essential ones belong to it if the recipe does not say.
    pub(super) fn debs(&mut self, essential: bool) -> Option<Source> {
        let archive = self.required("archive", self.raw.archive.as_ref());
        let archive = archive.and_then(|name| self.inputs.archive(name, self.faults));
        let packages = distinct(self.packages());
        Some(Source::Debs { archive: archive?, packages, essential: self.raw.essential.unwrap_or(essential) })
    }

    pub(super) fn trim(&mut self) -> Vec<RelPath> {
        match &self.raw.trim {
            Some(paths) => paths.iter().filter_map(|path| field::path(path, self.faults)).collect(),
            None => DEFAULT_TRIM.map(RelPath::constant).to_vec(),
        }
    }

    fn packages(&mut self) -> Vec<String> {
        let mut packages = Vec::new();
        let first = self.raw.packages.first().map(At::span);
        self.spans.extend(first.map(|span| (Item::Source(Name::constant(DEBS)), span)));
        for text in &self.raw.packages {
            let package = self.inputs.package(text, self.faults);
            self.spans.insert(Item::Package(package.clone()), text.span());
            packages.push(package);
        }
        packages
    }

    fn cmd(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let toolroot = self.tools();
        let deps = self.deps();
        let sources = self.sources();
        self.filled("steps", &self.raw.steps);
        let steps = self.texts(&self.raw.steps);
        let env = self.environment(&self.raw.env);
        let outputs = self.outputs();
        let timeout = self.timeout(self.raw.timeout_seconds.as_ref());
        Some((Build::Cmd(Cmd { toolroot: toolroot?, deps, env, steps, outputs, timeout }), sources))
    }

    fn bpf(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let toolroot = self.tools();
        let deps = self.deps();
        let sources = self.sources();
        if !sources.contains_key(PROGRAMS) && !self.raw.sources.contains_key(PROGRAMS) {
            self.missing("sources.src");
        }
        self.filled("programs", &self.raw.programs);
        let programs = self.programs();
        let cflags = self.texts(&self.raw.cflags);
        let cpu = self.raw.cpu.as_ref().map_or(DEFAULT_CPU.to_owned(), |cpu| cpu.to_string());
        let license = self.required("license", self.raw.license.as_ref());
        let sections = self.raw.sections.iter().map(|section| section.to_string()).collect();
        let license = license?.to_string();
        Some((Build::Bpf(Bpf { toolroot: toolroot?, deps, programs, cflags, cpu, license, sections }), sources))
    }

    fn tests(&mut self, unit: &Name) -> BTreeMap<Name, Test> {
        let raw = self.raw;
        let mut tests = BTreeMap::new();
        for (text, test) in &raw.tests {
            if test.steps.is_empty() && self.page.whole {
                let fault = Fault::new(text.span(), format!("the test `{}` has no `steps`", text.escape_debug()));
                self.faults.push(fault.help("add `steps = …`"));
            }
            let in_none = [Form::Arguments, Form::Image, Form::Extension, Form::Machine];
            let built_in_none = in_none.contains(&self.page.form);
            if test.toolroot.is_none() && built_in_none && self.page.whole {
                let fault = Fault::new(text.span(), format!("the test `{}` has no `toolroot`", text.escape_debug()));
                self.faults.push(fault.help("add `toolroot = …`: the unit is built in none"));
            }
            let of_image = [&test.entrypoint, &test.arguments].into_iter().flatten();
            for words in of_image.filter(|_| self.page.form != Form::Image) {
                let fault = Fault::new(words.span(), "only an image has a program that is started beside the steps");
                self.faults.push(fault.help("start it in `steps`, and drop this"));
            }
            if let (Boot::TEST, Some(_)) = (text.as_str(), &self.raw.boot) {
                let fault = Fault::new(text.span(), format!("the test `{}` is what [boot] describes", Boot::TEST));
                self.faults.push(fault.help("give this one another name"));
            }
            let name = field::name(text, self.faults);
            tests.extend(name.zip(self.test(unit, test)));
        }
        tests
    }

    fn test(&mut self, unit: &Name, raw: &raw::Test) -> Option<Test> {
        let toolroot = match (&raw.toolroot, &self.raw.toolroot) {
            (Some(own), _) => self.test_unit(own, Some(Toolroot::KIND)),
            (None, Some(built_in)) => built_in.parse().ok(),
            (None, None) => Some(unit.clone()),
        };
        let deps = self.test_deps(unit, &raw.deps);
        let env = self.environment(&raw.env);
        let [entrypoint, arguments] =
            [&raw.entrypoint, &raw.arguments].map(|words| words.as_ref().map(|words| self.texts(words)));
        let steps = self.texts(&raw.steps);
        let timeout = self.timeout(raw.timeout_seconds.as_ref());
        Some(Test { toolroot: toolroot?, deps, env, entrypoint, arguments, steps, timeout })
    }

    /// A unit that a test needs.
    pub(super) fn test_unit(&mut self, text: &At<String>, kind: Option<&'static str>) -> Option<Name> {
        let unit = field::name(text, self.faults)?;
        let reference = Reference { unit: unit.clone(), output: None };
        self.test_uses.push(Use { reference, kind, at: text.span() });
        Some(unit)
    }

    fn test_deps(&mut self, unit: &Name, table: &Table) -> BTreeMap<Name, Reference> {
        let outputs: Vec<&str> =
            self.raw.outputs.iter().flat_map(|names| names.iter()).map(|name| name.as_str()).collect();
        let made = |name: &str| name == unit.as_str() || name == OUTPUT || outputs.contains(&name);
        let mut deps = BTreeMap::new();
        for (name, text) in table {
            if made(name) {
                let title = format!("in its tests /deps/{} is the unit's own", name.escape_debug());
                self.faults.push(Fault::new(name.span(), title).help("give this one another name"));
            }
            let name = field::name(name, self.faults);
            let Some(reference) = field::reference(text, self.faults) else { continue };
            self.test_uses.push(Use { reference: reference.clone(), kind: None, at: text.span() });
            deps.extend(name.map(|name| (name, reference)));
        }
        deps
    }

    pub(super) fn tools(&mut self) -> Option<Name> {
        let text = self.required("toolroot", self.raw.toolroot.as_ref())?;
        let unit = field::name(text, self.faults)?;
        let reference = Reference { unit: unit.clone(), output: None };
        self.uses.push(Use { reference, kind: Some(Toolroot::KIND), at: text.span() });
        self.spans.insert(Item::Toolroot, text.span());
        Some(unit)
    }

    /// Says that the unit names another one, which need not be built for it.
    pub(super) fn mentions(&mut self, unit: &Name, at: Span) {
        self.uses(Reference { unit: unit.clone(), output: None }, None, at);
    }

    /// Says that the unit reads an output of another, which must be of a kind, if not of any.
    pub(super) fn uses(&mut self, reference: Reference, kind: Option<&'static str>, at: Span) {
        self.uses.push(Use { reference, kind, at });
    }

    pub(super) fn deps(&mut self) -> BTreeMap<Name, Reference> {
        let mut deps = BTreeMap::new();
        for (name, text) in &self.raw.deps {
            let name = field::name(name, self.faults);
            let Some(reference) = field::reference(text, self.faults) else { continue };
            self.uses.push(Use { reference: reference.clone(), kind: None, at: text.span() });
            self.spans.extend(name.clone().map(|name| (Item::Dep(name), text.span())));
            deps.extend(name.map(|name| (name, reference)));
        }
        deps
    }

    pub(super) fn sources(&mut self) -> BTreeMap<Name, Source> {
        let mut sources = BTreeMap::new();
        for (text, input) in &self.raw.sources {
            let name = field::name(text, self.faults);
            self.spans.extend(name.clone().map(|name| (Item::Source(name), text.span())));
            let source = self.inputs.source(input, self.faults);
            sources.extend(name.zip(source));
        }
        sources
    }

    fn updates(&mut self) -> BTreeMap<Name, String> {
        let bound = |(name, input): (&At<String>, &At<Input>)| {
            // A name that is none is refused where the sources are read.
            Some((Name::new(name.as_str()).ok()?, self.inputs.update(input, self.faults)?))
        };
        self.raw.sources.iter().filter_map(bound).collect()
    }

    fn programs(&mut self) -> Vec<RelPath> {
        for program in self.raw.programs.iter().filter(|program| !program.ends_with(".c")) {
            let fault = Fault::new(program.span(), format!("`{}` is not a C file", program.escape_debug()));
            self.faults.push(fault.help("write the path of a `.c` file in the source `src`"));
        }
        self.raw.programs.iter().filter_map(|program| field::path(program, self.faults)).collect()
    }

    pub(super) fn environment(&mut self, table: &Table) -> BTreeMap<String, String> {
        for name in table.keys() {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !name.bytes().all(allowed) || name.bytes().next().is_none_or(|byte| byte.is_ascii_digit()) {
                let fault = Fault::new(name.span(), format!("`{}` is not the name of a variable", name.escape_debug()));
                self.faults.push(fault.help("use letters, digits and `_`, not starting with a digit"));
            }
        }
        self.table(table)
    }

    fn outputs(&mut self) -> Vec<Name> {
        let Some(written) = &self.raw.outputs else { return vec![Name::constant(OUTPUT)] };
        if written.is_empty() {
            let fault = Fault::new(written.span(), "a unit without an output makes nothing");
            self.faults
                .push(fault.help(format!("name what stands in /out, or drop the line: the default is `{OUTPUT}`")));
        }
        let mut outputs = Vec::new();
        for text in written.iter() {
            let Some(name) = field::name(text, self.faults) else { continue };
            if outputs.contains(&name) {
                let fault = Fault::new(text.span(), format!("the output `{name}` is named twice"));
                self.faults.push(fault.help("drop one of them"));
            }
            outputs.push(name);
        }
        outputs
    }

    pub(super) fn timeout(&mut self, seconds: Option<&At<u64>>) -> Duration {
        match seconds {
            Some(seconds) if **seconds == 0 => {
                let fault = Fault::new(seconds.span(), "nothing ends within 0 seconds");
                self.faults.push(fault.help(format!("drop it; the default is {} seconds", DEFAULT_TIMEOUT.as_secs())));
                DEFAULT_TIMEOUT
            }
            Some(seconds) => Duration::from_secs(**seconds),
            None => DEFAULT_TIMEOUT,
        }
    }

    pub(super) fn texts(&mut self, texts: &[At<String>]) -> Vec<String> {
        texts.iter().map(|text| self.inputs.vars.expand(text, self.faults)).collect()
    }

    pub(super) fn table(&mut self, table: &Table) -> BTreeMap<String, String> {
        table.iter().map(|(key, text)| (key.to_string(), self.inputs.vars.expand(text, self.faults))).collect()
    }

    pub(super) fn required<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.missing(field);
        }
        value
    }

    fn filled(&mut self, field: &str, values: &[At<String>]) {
        if values.is_empty() {
            self.missing(field);
        }
    }

    /// Says so, unless the recipe had fields that did not fit: one of them may have been this one.
    pub(super) fn missing(&mut self, field: &str) {
        if self.page.whole {
            self.faults.push(missing(self.page, field));
        }
    }
}

/// The archive that a recipe of that kind describes.
pub(super) fn archive(page: &Page<'_>, faults: &mut Vec<Fault>) -> Option<Archive> {
    let Raw { suite, components, architecture, fingerprints, .. } = &page.raw;
    let before = faults.len();
    let there = [
        ("suite", suite.is_some()),
        ("components", !components.is_empty()),
        ("architecture", architecture.is_some()),
        ("fingerprints", !fingerprints.is_empty()),
    ];
    let gone = there.iter().filter(|(_, there)| !there && page.whole);
    faults.extend(gone.map(|(field, _)| missing(page, field)));
    for text in suite.iter().chain(components).chain(architecture) {
        field::path(text, faults);
    }
    let archive = Archive {
        name: page.name.clone(),
        suite: suite.as_ref()?.to_string(),
        components: components.iter().map(|component| component.to_string()).collect(),
        architecture: architecture.as_ref()?.to_string(),
        fingerprints: fingerprints.iter().map(|key| field::hex(key, "fingerprint", faults).to_uppercase()).collect(),
    };
    (faults.len() == before).then_some(archive)
}

fn missing(page: &Page<'_>, field: &str) -> Fault {
    let title = format!("`{}`, a recipe of kind `{}`, has no `{field}`", page.name, page.form.name());
    Fault::new(page.at.clone(), title).help(format!("add `{field} = …`"))
}

/// The items in their order, each once.
fn distinct(items: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    items.into_iter().filter(|item| seen.insert(item.clone())).collect()
}
