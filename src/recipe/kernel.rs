//! The fields of `kind = "kernel"`, and the two sources that follow from them.

use std::collections::BTreeMap;

use super::diagnostic::Fault;
use super::field;
use super::linux::{Base, Compiler, Kernel};
use super::model::Build;
use super::raw::At;
use super::signing::Signing;
use super::source::Source;
use super::unit::Draft;
use crate::kernel::command_line::{Mistake, mistakes};
use crate::path::{Name, RelPath};

/// Sources that a unit of this kind has of itself.
const OWN: [&str; 2] = [Kernel::CONFIG, Kernel::PATCHES];

/// Targets of Linux' make that write a whole configuration and ask nothing; `…_defconfig` are others.
const TARGETS: [&str; 6] = ["allmodconfig", "allnoconfig", "allyesconfig", "alldefconfig", "defconfig", "tinyconfig"];

/// How the name of a configuration ends that Linux brings along.
const BROUGHT: &str = "_defconfig";

/// A release has at most 64 bytes (`__NEW_UTS_LEN`), of which the version needs some.
const LONGEST_LOCALVERSION: usize = 40;

impl Draft<'_> {
    pub(super) fn kernel(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let raw = self.raw;
        let (toolroot, base) = (self.tools(), self.base());
        if raw.fragments.is_empty() {
            self.missing("fragments");
        }
        let [fragments, patches] = [&raw.fragments, &raw.patches].map(|paths| self.beside_recipe(paths));
        let certificate = raw.certificate.as_ref().and_then(|path| field::path(path, self.faults));
        let sources = self.kernel_sources(base.as_ref(), &fragments, certificate.as_ref(), &patches);
        let configure_only = raw.configure_only.unwrap_or_default();
        // What is only configured may extend a kernel that is more.
        let (signing, boot) = if configure_only { (None, None) } else { (self.signing(), self.boot()) };
        let signed = signing.as_ref().zip(certificate.as_ref());
        let signed = signed.map(|(signing, certificate)| self.signing_sources(signing, certificate));
        let sources = sources.map(|sources| sources.into_iter().chain(signed.into_iter().flatten()).collect());
        let (localversion, compiler) = (self.localversion(), self.compiler());
        let command_line = self.command_line();
        let kernel = Kernel {
            toolroot: toolroot?,
            base: base?,
            fragments,
            patches,
            localversion,
            certificate,
            compiler: compiler?,
            command_line,
            configure_only,
            waivers: self.table(&raw.waivers),
            signing,
            boot,
            timeout: self.timeout(raw.timeout_seconds.as_ref()),
        };
        Some((Build::Kernel(Box::new(kernel)), sources?))
    }

    /// A name with a dot or a slash is a file, any other a target.
    fn base(&mut self) -> Option<Base> {
        let text = self.required("base", self.raw.base.as_ref())?;
        if text.contains(['.', '/']) {
            return field::path(text, self.faults).map(Base::File);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let brought = text.strip_suffix(BROUGHT).is_some_and(|name| !name.is_empty() && name.bytes().all(plain));
        if brought || TARGETS.contains(&text.as_str()) {
            return Some(Base::Target(text.to_string()));
        }
        let title = format!("no configuration starts from `{}`", text.escape_debug());
        let help = format!("write {}, `x86_64{BROUGHT}`, or a file such as `base.config`", TARGETS.join(", "));
        self.faults.push(Fault::new(text.span(), title).help(help));
        None
    }

    /// Those that are written, the files of the configuration, and the patches if there are any.
    fn kernel_sources(
        &mut self,
        base: Option<&Base>,
        fragments: &[RelPath],
        certificate: Option<&RelPath>,
        patches: &[RelPath],
    ) -> Option<BTreeMap<Name, Source>> {
        for (name, _) in self
            .raw
            .sources
            .iter()
            .filter(|(name, _)| OWN.iter().chain(&Signing::SOURCES).any(|own| own == &name.as_str()))
        {
            let title = format!("a unit of kind `kernel` has a source `{}` of itself", name.as_str());
            self.faults.push(Fault::new(name.span(), title).help("give this one another name"));
        }
        let mut sources = self.sources();
        if !sources.contains_key(Kernel::SOURCE) {
            if !self.raw.sources.contains_key(Kernel::SOURCE) {
                self.missing("sources.linux");
            }
            return None;
        }
        let base = match base {
            Some(Base::File(path)) => Some(path),
            Some(Base::Target(_)) | None => None,
        };
        let config = self.files(fragments.iter().chain(base).chain(certificate));
        sources.extend(config.map(|files| (Name::constant(Kernel::CONFIG), files)));
        sources.extend(self.files(patches.iter()).map(|files| (Name::constant(Kernel::PATCHES), files)));
        Some(sources)
    }

    fn command_line(&mut self) -> Vec<String> {
        let arguments = self.texts(&self.raw.command_line);
        for Mistake { at, title, help } in mistakes(&arguments) {
            let place = at.or(Some(0)).and_then(|at| self.raw.command_line.get(at));
            let place = place.map_or(self.page.at.clone(), At::span);
            self.faults.push(Fault::new(place, title).help(help));
        }
        arguments
    }

    fn localversion(&mut self) -> String {
        let Some(text) = &self.raw.localversion else { return String::new() };
        let expanded = self.inputs.vars.expand(text, self.faults);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._+~".contains(&byte);
        if !expanded.bytes().all(plain) || expanded.len() > LONGEST_LOCALVERSION {
            let title = format!("`{}` is not the end of a kernel's release", expanded.escape_debug());
            let help = format!("write letters, digits and `-._+~`, at most {LONGEST_LOCALVERSION} of them");
            self.faults.push(Fault::new(text.span(), title).help(help));
        }
        expanded
    }

    fn compiler(&mut self) -> Option<Compiler> {
        let Some(text) = &self.raw.compiler else { return Some(Compiler::Gcc) };
        let known = Compiler::ALL.into_iter().find(|compiler| compiler.name() == text.as_str());
        if known.is_none() {
            let title = format!("no kernel is compiled with `{}`", text.escape_debug());
            let names = Compiler::ALL.map(Compiler::name);
            let help = format!("write one of {}", names.join(", "));
            self.faults.push(Fault::new(text.span(), title).suggest(text, names, help));
        }
        known
    }
}
