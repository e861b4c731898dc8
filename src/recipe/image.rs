//! The fields of `kind = "image"`.

use std::collections::BTreeMap;

use super::container::{Attributes, Compression, Config, Image, Origin, Waivers};
use super::diagnostic::Fault;
use super::field;
use super::model::{Build, Reference};
use super::raw::{self, At};
use super::source::Source;
use super::unit::Draft;
use crate::debian::rules::Rules;
use crate::path::{Name, RelPath};
use crate::recipe::{DEBS, capability};

/// The most layers of an image that does not say: far below the 127 that overlayfs and old Dockers bear, and enough
/// for what is large to stand apart.
const LAYERS: u64 = 16;
/// Two of its own and one for packages: with less there is nothing to tell apart.
const LEAST_LAYERS: u64 = 3;
/// What waivers there are.
const WAIVERS: [&str; 2] = ["root", "shell"];

impl Draft<'_> {
    pub(super) fn image(&mut self) -> Option<(Build, BTreeMap<Name, Source>)> {
        let (deps, sources) = (self.deps(), self.image_sources());
        let debs = self.debs(false);
        let users = self.users();
        let files = self.image_files(&deps, &sources);
        let raw = self.raw;
        let (directories, attributes) =
            (self.attributes(&raw.directories, &users), self.attributes(&raw.attributes, &users));
        let waivers = self.waivers();
        let config = self.config(&users, &waivers);
        let budget = self.budget();
        let Some(Source::Debs { archive, packages, .. }) = &debs else { return None };
        let config = Config { architecture: archive.architecture.clone(), ..config? };
        let debs = debs.clone().filter(|_| !packages.is_empty()).map(|debs| (Name::constant(DEBS), debs));
        let image = Image {
            links: self.table(&raw.links),
            trim: self.trim(),
            ignore_alternatives: raw.ignore_alternatives.clone(),
            deps,
            files,
            users,
            directories,
            attributes,
            budget,
            compression: if raw.compat.unwrap_or_default() { Compression::Gzip } else { Compression::Zstd },
            config,
            waivers,
        };
        Some((Build::Image(Box::new(image)), sources.into_iter().chain(debs).collect()))
    }

    fn image_sources(&mut self) -> BTreeMap<Name, Source> {
        for (name, _) in self.raw.sources.iter().filter(|(name, _)| name.as_str() == DEBS) {
            let title = format!("the source `{}` of an image is its packages", DEBS);
            self.faults.push(Fault::new(name.span(), title).help("give this one another name"));
        }
        self.sources()
    }

    fn users(&mut self) -> BTreeMap<String, u32> {
        let mut users = BTreeMap::new();
        for (name, number) in &self.raw.users {
            let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
            if !name.bytes().all(sound) || !name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_') {
                let title = format!("`{}` is not the name of a user", name.escape_debug());
                self.faults.push(Fault::new(name.span(), title).help("use small letters, digits, `_` and `-`"));
            }
            if **number == 0 || users.values().any(|taken| *taken == **number) {
                let title = format!("`{}` can't have the number {}", name.escape_debug(), **number);
                self.faults.push(Fault::new(number.span(), title).help("0 is root's; each user has one of its own"));
            }
            users.insert(name.to_string(), **number);
        }
        users
    }

    fn image_files(
        &mut self,
        deps: &BTreeMap<Name, Reference>,
        sources: &BTreeMap<Name, Source>,
    ) -> BTreeMap<RelPath, Origin> {
        let mut files = BTreeMap::new();
        for (place, from) in &self.raw.files {
            let place = self.place(place);
            let origin = self.origin(from, deps, sources);
            files.extend(place.zip(origin));
        }
        files
    }

    /// An absolute path of the image, with the usr-merge.
    fn place(&mut self, text: &At<String>) -> Option<RelPath> {
        let Some(path) = text.strip_prefix('/') else {
            let title = format!("`{}` is no place in an image", text.escape_debug());
            self.faults.push(Fault::new(text.span(), title).help("write it absolute, as `/usr/bin/serve`"));
            return None;
        };
        let path = field::path(&At::new(text.span(), path.to_owned()), self.faults)?;
        Some(Rules::toolroot(Vec::new()).merged(path))
    }

    pub(super) fn origin(
        &mut self,
        text: &At<String>,
        deps: &BTreeMap<Name, Reference>,
        sources: &BTreeMap<Name, Source>,
    ) -> Option<Origin> {
        let expanded = self.inputs.vars.expand(text, self.faults);
        let mut parts = expanded.splitn(3, '/');
        let (folder, name, path) = (parts.next(), parts.next(), parts.next());
        let source = match folder {
            Some("deps") => false,
            Some("src") => true,
            _ => {
                let title = format!("`{}` says not where it is taken from", expanded.escape_debug());
                let help = "write `deps/<name>/<path>` for another unit's, `src/<name>/<path>` for a source's";
                self.faults.push(Fault::new(text.span(), title).help(help));
                return None;
            }
        };
        let name = field::name(&At::new(text.span(), name.unwrap_or_default().to_owned()), self.faults)?;
        let known: Vec<&str> = if source { names(sources) } else { names(deps) };
        if !known.contains(&name.as_str()) {
            let what = if source { "source" } else { "dep" };
            let fault = Fault::new(text.span(), format!("the {} has no {what} `{name}`", self.page.form.name()));
            let help = format!("add it to [{}]", if source { "sources" } else { "deps" });
            self.faults.push(fault.suggest(name.as_str(), known.iter().copied(), help));
            return None;
        }
        let path = match path {
            Some(path) => Some(field::path(&At::new(text.span(), path.to_owned()), self.faults)?),
            None => None,
        };
        Some(Origin { source, name, path })
    }

    fn attributes(
        &mut self,
        table: &BTreeMap<At<String>, At<raw::Attributes>>,
        users: &BTreeMap<String, u32>,
    ) -> BTreeMap<RelPath, Attributes> {
        let mut found = BTreeMap::new();
        for (place, written) in table {
            let place = self.place(place);
            let owner = written.owner.as_ref().map_or(Some((0, 0)), |owner| self.numbers(owner, users));
            let mode = written.mode.as_ref().map_or(Some(None), |mode| self.mode(mode).map(Some));
            let capabilities = self.capabilities(&written.capabilities);
            let (Some(place), Some((uid, gid)), Some(mode)) = (place, owner, mode) else { continue };
            found.insert(place, Attributes { uid, gid, mode, capabilities });
        }
        found
    }

    fn capabilities(&mut self, written: &[At<String>]) -> Vec<String> {
        for name in written.iter().filter(|name| capability(name).is_none()) {
            let title = format!("`{}` is not the name of a capability", name.escape_debug());
            self.faults.push(Fault::new(name.span(), title).help("write one such as `cap_net_bind_service`"));
        }
        written.iter().map(|name| name.to_string()).collect()
    }

    /// The numbers of user and group that a name, or `number:number`, stands for.
    fn numbers(&mut self, text: &At<String>, users: &BTreeMap<String, u32>) -> Option<(u32, u32)> {
        let named = |name: &str| match name {
            "root" => Some((0, 0)),
            "nobody" => Some((65534, 65534)),
            name => users.get(name).map(|number| (*number, *number)),
        };
        let written = || text.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
        let numbers = named(text).or_else(written);
        if numbers.is_none() {
            let fault = Fault::new(text.span(), format!("there is no user `{}`", text.escape_debug()));
            let known = users.keys().map(String::as_str);
            self.faults.push(fault.suggest(text, known, "add it to [users], or write `number:number`"));
        }
        numbers
    }

    fn mode(&mut self, text: &At<String>) -> Option<u32> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777 && (3..=4).contains(&text.len()));
        if mode.is_none() {
            let fault = Fault::new(text.span(), format!("`{}` is not a mode", text.escape_debug()));
            self.faults.push(fault.help("write three or four octal digits, as `0750`"));
        }
        mode
    }

    fn waivers(&mut self) -> Waivers {
        for name in self.raw.waivers.keys().filter(|name| !WAIVERS.contains(&name.as_str())) {
            let fault = Fault::new(name.span(), format!("`{}` is nothing that is waived", name.escape_debug()));
            let help = format!("it may be {}", WAIVERS.map(|word| format!("`{word}`")).join(" or "));
            self.faults.push(fault.suggest(name, WAIVERS, help));
        }
        let mut waivers = self.table(&self.raw.waivers);
        Waivers { root: waivers.remove(WAIVERS[0]), shell: waivers.remove(WAIVERS[1]) }
    }

    /// All but the architecture.
    fn config(&mut self, users: &BTreeMap<String, u32>, waivers: &Waivers) -> Option<Config> {
        let raw = self.raw;
        let user = self.required("user", raw.user.as_ref()).and_then(|user| self.user(user, users, waivers));
        if raw.entrypoint.is_empty() {
            self.missing("entrypoint");
        }
        let workdir = raw.workdir.as_ref().and_then(|text| self.place(text));
        Some(Config {
            architecture: String::new(),
            user: user?,
            entrypoint: self.texts(&raw.entrypoint),
            command: self.texts(&raw.command),
            env: self.environment(&raw.env),
            workdir: workdir.map(|path| format!("/{path}")),
            labels: self.table(&raw.labels),
            annotations: self.table(&raw.annotations),
            ports: self.ports(&raw.ports),
            stop_signal: raw.stop_signal.as_ref().map(|signal| signal.to_string()),
        })
    }

    fn user(&mut self, text: &At<String>, users: &BTreeMap<String, u32>, waivers: &Waivers) -> Option<(u32, u32)> {
        let (uid, gid) = self.numbers(text, users)?;
        let fault = |title: &str, help: &str| Fault::new(text.span(), title).help(help);
        if uid == 0 && waivers.root.is_none() {
            let help = "name a user of [users], or say in `waivers.root` why it must be root";
            self.faults.push(fault("an image does not run as root", help));
        }
        if uid != 0 && waivers.root.is_some() {
            self.faults.push(fault("it does not run as root, and `waivers.root` says why it does", "drop the waiver"));
        }
        Some((uid, gid))
    }

    fn ports(&mut self, ports: &[At<String>]) -> Vec<String> {
        for port in ports {
            let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            if number.parse::<u16>().is_err() || !["tcp", "udp"].contains(&protocol) {
                let fault = Fault::new(port.span(), format!("`{}` is not a port", port.escape_debug()));
                self.faults.push(fault.help("write `8899/tcp` or `8001/udp`"));
            }
        }
        self.texts(ports)
    }

    fn budget(&mut self) -> usize {
        let Some(written) = &self.raw.layers else { return LAYERS as usize };
        if **written < LEAST_LAYERS {
            let fault = Fault::new(written.span(), format!("an image needs {LEAST_LAYERS} layers at least"));
            self.faults.push(fault.help(format!("drop it; the default is {LAYERS}")));
        }
        usize::try_from(**written).unwrap_or(usize::MAX)
    }
}

fn names<T>(table: &BTreeMap<Name, T>) -> Vec<&str> {
    table.keys().map(Name::as_str).collect()
}
