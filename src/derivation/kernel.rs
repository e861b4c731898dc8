//! The steps of a kernel that forge computes itself: what its fragments ask for, what became of that, and a look at
//! what was built.

use std::collections::BTreeMap;

use super::Value;
use super::walk::{Visit, list, table};
use crate::path::RelPath;

/// What a configuration is made of beside the kernel's sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Layers<I> {
    /// The files of the recipe's folder that are named here.
    pub files: I,
    /// The configuration to start from, if it is a file.
    pub base: Option<RelPath>,
    /// The fragments, each laid over those before it.
    pub fragments: Vec<RelPath>,
    /// The lines that the recipe's own fields come to, laid over all fragments.
    pub own: Vec<String>,
    /// The certificate that signed modules are judged by.
    pub certificate: Option<RelPath>,
    /// Symbols of which a fragment may ask what is refused, or does not come true, and why.
    pub waivers: BTreeMap<String, String>,
}

/// A configuration, judged by what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved<I> {
    /// What was asked for.
    pub layers: Layers<I>,
    /// The kernel's sources.
    pub linux: I,
    /// The configuration after each layer.
    pub configs: I,
}

/// A kernel that was built, to be read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel<I> {
    /// The image, the symbols' addresses, the configuration, the release.
    pub out: I,
    /// The modules.
    pub modules: I,
    /// What modules of others are built with.
    pub headers: I,
    /// The kernel with its debug symbols.
    pub debug: I,
    /// What became of each line that was asked for.
    pub report: I,
    /// The arguments that it is to be started with.
    pub command_line: Vec<String>,
}

impl<I> Layers<I> {
    pub(super) fn inputs(&self) -> Vec<&I> {
        vec![&self.files]
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Layers<O>, E> {
        Ok(Layers {
            files: output(&self.files)?,
            base: self.base.clone(),
            fragments: self.fragments.clone(),
            own: self.own.clone(),
            certificate: self.certificate.clone(),
            waivers: self.waivers.clone(),
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { files, base, fragments, own, certificate, waivers } = self;
        visit("files", Value::Input(files));
        visit("base", Value::Optional(base.as_ref().map(RelPath::as_str)));
        visit("fragments", Value::List(fragments.iter().map(RelPath::as_str).collect()));
        visit("own", list(own));
        visit("certificate", Value::Optional(certificate.as_ref().map(RelPath::as_str)));
        visit("waivers", table(waivers));
    }
}

impl<I> Resolved<I> {
    pub(super) fn inputs(&self) -> Vec<&I> {
        vec![&self.layers.files, &self.linux, &self.configs]
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Resolved<O>, E> {
        let layers = self.layers.resolve(output)?;
        Ok(Resolved { layers, linux: output(&self.linux)?, configs: output(&self.configs)? })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { layers, linux, configs } = self;
        layers.walk(visit);
        visit("linux", Value::Input(linux));
        visit("configs", Value::Input(configs));
    }
}

impl<I> Kernel<I> {
    pub(super) fn inputs(&self) -> Vec<&I> {
        vec![&self.out, &self.modules, &self.headers, &self.debug, &self.report]
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Kernel<O>, E> {
        Ok(Kernel {
            out: output(&self.out)?,
            modules: output(&self.modules)?,
            headers: output(&self.headers)?,
            debug: output(&self.debug)?,
            report: output(&self.report)?,
            command_line: self.command_line.clone(),
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { out, modules, headers, debug, report, command_line } = self;
        visit("out", Value::Input(out));
        visit("modules", Value::Input(modules));
        visit("headers", Value::Input(headers));
        visit("debug", Value::Input(debug));
        visit("report", Value::Input(report));
        visit("command-line", list(command_line));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assemble, Derivation};
    use super::*;
    use crate::digest::Digest;
    use crate::store::{Blob, Output};

    fn tree(text: &str) -> Output {
        Output::Tree(Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 })
    }

    fn layers() -> Layers<Output> {
        let path = |text: &'static str| RelPath::constant(text);
        Layers {
            files: tree("files"),
            base: None,
            fragments: vec![path("a.config")],
            own: vec!["CONFIG_A=y".to_owned()],
            certificate: Some(path("a.pem")),
            waivers: BTreeMap::from([("A".to_owned(), "why".to_owned())]),
        }
    }

    fn key(assemble: Assemble<Output>) -> String {
        Derivation::Assemble(assemble).key().hex()
    }

    #[test]
    fn golden_keys() {
        let resolved = Resolved { layers: layers(), linux: tree("linux"), configs: tree("configs") };
        let [out, modules, headers, debug, report] = ["out", "modules", "headers", "debug", "report"].map(tree);
        let kernel = Kernel { out, modules, headers, debug, report, command_line: vec!["quiet".to_owned()] };
        let keys = [
            key(Assemble::Layers(Box::new(layers()))),
            key(Assemble::Resolved(Box::new(resolved))),
            key(Assemble::Kernel(Box::new(kernel))),
        ];
        let golden = [
            "3264ed7197e5fe02974a667dc9beb58aaef6a974ddc74a1b1549f372b8f36d96",
            "9a97f9d8d63316970a09e4f20f856060e6aa7531b97ea5c2dcecbafd1fa9ea61",
            "16a79280026c3346e94ab14d760c9d40e967ba43ab09e6b99f8d8e168f969989",
        ];
        assert_eq!(keys, golden, "a changed key makes every store useless: was it meant?");
    }

    #[test]
    fn every_field_counts() {
        let base = key(Assemble::Layers(Box::new(layers())));
        let changes: [fn(&mut Layers<Output>); 6] = [
            |layers| layers.files = tree("other"),
            |layers| layers.base = Some(RelPath::constant("base.config")),
            |layers| layers.fragments.clear(),
            |layers| layers.own.clear(),
            |layers| layers.certificate = None,
            |layers| layers.waivers.clear(),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = layers();
            change(&mut changed);
            assert_ne!(key(Assemble::Layers(Box::new(changed))), base, "change {number}");
        }
    }
}
