//! The tables `[services.<name>]`.

use std::collections::BTreeMap;

use super::super::diagnostic::Fault;
use super::super::raw::{self, At};
use super::super::source::Source;
use super::super::text::Span;
use super::super::unit::Draft;
use super::super::{Origin, Reference};
use crate::path::{Name, RelPath};
use crate::talos::extension::{self, Container, Dependency, Mistake, Mount, ROOTS, Security, Spec};

/// When a service is started again that does not say.
const RESTART: &str = "always";
/// The kind of a mount that does not say, and the options by which it is one.
const BIND: &str = "bind";
const BINDS: [&str; 2] = [BIND, "rbind"];

impl Draft<'_> {
    /// The services; their file systems become files.
    pub(super) fn services(
        &mut self,
        deps: &BTreeMap<Name, Reference>,
        sources: &BTreeMap<Name, Source>,
        files: &mut BTreeMap<RelPath, Origin>,
    ) -> Vec<Spec> {
        let mut services = Vec::new();
        for (name, service) in &self.raw.services {
            let spec = self.spec(name, service);
            let origin = service.root.as_ref().and_then(|root| self.origin(root, deps, sources));
            let place = RelPath::new(format!("{ROOTS}/{}", spec.name)).ok();
            if let Some((place, origin)) = place.zip(origin)
                && files.insert(place, origin).is_some()
            {
                let title = format!("[files] has the file system of `{}` too", name.escape_debug());
                self.faults.push(Fault::new(name.span(), title).help("drop `root`, or that line"));
            }
            services.push(spec);
        }
        services
    }

    fn spec(&mut self, name: &At<String>, raw: &raw::Service) -> Spec {
        let mut text = |text: &Option<At<String>>| {
            text.as_ref().map(|text| self.inputs.vars.expand(text, self.faults)).unwrap_or_default()
        };
        let (entrypoint, environment_file) = (text(&raw.entrypoint), text(&raw.env_file));
        let restart = raw.restart.as_ref().map_or(RESTART, |restart| restart.as_str()).to_owned();
        let environment =
            self.environment(&raw.env).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mounts = raw.mounts.iter().map(|mount| self.mount(mount)).collect();
        let args = self.texts(&raw.args);
        let container =
            Container { entrypoint, environment, environment_file, args, mounts, security: self.security(raw) };
        let depends = raw.depends.iter().map(|dependency| self.dependency(dependency)).collect();
        let spec = Spec { name: name.to_string(), container, depends, restart, log_to_console: raw.log_to_console };
        for Mistake { at, title, help } in spec.mistakes() {
            self.faults.push(Fault::new(span(name, raw, at), title).help(help));
        }
        spec
    }

    fn security(&mut self, raw: &raw::Service) -> Security {
        Security {
            writeable_sysfs: raw.writeable_sysfs,
            writeable_rootfs: raw.writeable_rootfs,
            masked_paths: raw.masked_paths.as_ref().map(|paths| self.texts(paths)),
            readonly_paths: raw.readonly_paths.as_ref().map(|paths| self.texts(paths)),
            ..Security::default()
        }
    }

    fn dependency(&mut self, raw: &raw::Dependency) -> Dependency {
        let text = |text: &Option<At<String>>| text.as_ref().map(|text| text.to_string()).unwrap_or_default();
        Dependency {
            service: text(&raw.service),
            path: text(&raw.path),
            network: self.texts(&raw.network),
            time: raw.time,
            configuration: raw.configuration,
        }
    }

    fn mount(&mut self, raw: &At<raw::Mount>) -> Mount {
        let kind = raw.r#type.as_ref().map_or(BIND, |kind| kind.as_str()).to_owned();
        let options = self.texts(&raw.options);
        let [source, destination] =
            [("source", &raw.source), ("destination", &raw.destination)].map(|(field, text)| {
                let text = text.as_ref().map(|text| self.inputs.vars.expand(text, self.faults)).unwrap_or_default();
                if !text.starts_with('/') {
                    let title =
                        format!("the `{field}` of a mount is an absolute place, and not `{}`", text.escape_debug());
                    self.faults.push(Fault::new(raw.span(), title).help("write it from `/` on"));
                }
                text
            });
        if kind == BIND && !options.iter().any(|option| BINDS.contains(&option.as_str())) {
            let fault = Fault::new(raw.span(), "a mount of the kind `bind` has to say so among its `options`");
            self.faults.push(fault.help("write `options = [\"rbind\", \"ro\"]`, or `rw` in place of `ro`"));
        }
        Mount { source, destination, r#type: kind, options }
    }
}

/// Where a mistake is written.
fn span(name: &At<String>, raw: &raw::Service, at: extension::At) -> Span {
    let written = match at {
        extension::At::Name => None,
        extension::At::Restart => raw.restart.as_ref().map(At::span),
        extension::At::Entrypoint => raw.entrypoint.as_ref().map(At::span),
        extension::At::Dependency(place) => raw.depends.get(place).map(At::span),
    };
    written.unwrap_or_else(|| name.span())
}
