//! From the tables of `[sources]` to [`Source`]s.

use std::collections::BTreeMap;

use globset::Glob;

use super::Root;
use super::diagnostic::Fault;
use super::field;
use super::raw::{At, Input};
use super::source::{Archive, Published, Rev, Source, Unpack};
use super::vars::Vars;
use crate::path::{Name, RelPath};
use crate::registry::{self, Reference};

/// The archives of a project; nothing for those with faults of their own.
pub(super) type Archives = BTreeMap<Name, Option<Archive>>;

/// The field that makes a source what it is, and those that may stand beside it.
const KINDS: [(&str, &[&str]); 7] = [
    ("path", &["exclude", "folder"]),
    ("url", &["unpack", "strip"]),
    ("supplied", &["unpack", "strip"]),
    ("git", &["commit", "tag", "branch", "update"]),
    ("oci", &[]),
    ("crate", &["version", "update"]),
    ("package", &["archive", "member", "unpack", "strip"]),
];

/// What the sources of one recipe are read against.
pub(super) struct Inputs<'a> {
    pub(super) directory: &'a RelPath,
    pub(super) vars: &'a Vars<'a>,
    pub(super) archives: &'a Archives,
}

impl Inputs<'_> {
    pub(super) fn source(&self, input: &At<Input>, faults: &mut Vec<Fault>) -> Option<Source> {
        match kind(input, faults)? {
            "path" => self.files(input, faults),
            "url" => self.url(input, faults),
            "supplied" => supplied(input, faults),
            "git" => self.git(input, faults),
            "oci" => self.image(input, faults),
            "crate" => self.published(input, faults),
            _ => self.member(input, faults),
        }
    }

    fn files(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
        let mut globs = |list: &Option<_>| list.as_ref().map(|list: &At<Vec<_>>| field::globs(list, faults));
        let include = globs(&input.path)?;
        let exclude = globs(&input.exclude).unwrap_or_default();
        let directory = match &input.folder {
            Some(folder) => known_folder(folder, faults)?,
            None => self.directory.clone(),
        };
        Some(Source::Path { directory, include, exclude })
    }

    fn url(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
        let text = input.url.as_ref()?;
        let url = field::url(text, self.vars.expand(text, faults), faults);
        Some(Source::Url { url, unpack: unpack(input, faults) })
    }

    fn git(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
        let text = input.git.as_ref()?;
        let url = field::url(text, self.vars.expand(text, faults), faults);
        let rev = match (&input.commit, &input.tag, &input.branch) {
            (Some(commit), None, None) => Rev::Commit(field::hex(commit, "commit", faults).to_ascii_lowercase()),
            (None, Some(tag), None) => Rev::Tag(revision(tag, self.vars.expand(tag, faults), faults)),
            (None, None, Some(branch)) => Rev::Branch(revision(branch, self.vars.expand(branch, faults), faults)),
            _ => {
                let fault = Fault::new(text.span(), "a git source needs exactly one of `commit`, `tag` and `branch`");
                faults.push(fault.help("add `tag = \"…\"`; `forge lock` pins the commit"));
                return None;
            }
        };
        Some(Source::Git { url, rev })
    }

    /// The glob of the tags or versions that a source may move to.
    pub(super) fn update(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<String> {
        let text = input.update.as_ref()?;
        if input.tag.is_none() && input.git.is_some() {
            let fault = Fault::new(text.span(), "`update` needs a `tag`, from which to move on");
            faults.push(fault.help("drop it, or name the present tag"));
        }
        if let Err(error) = Glob::new(text) {
            faults.push(Fault::new(text.span(), error.to_string()).help("write a glob such as `v1.2.*`"));
        }
        Some(text.to_string())
    }

    fn image(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
        let text = input.oci.as_ref()?;
        let read = self.vars.expand(text, faults).parse().map_err(|error: registry::Error| error.to_string());
        let named = read.and_then(|reference: Reference| match reference.version {
            Some(_) => Ok(reference),
            None => Err(format!("`{reference}` names no tag and no digest")),
        });
        let fault = |why: String| {
            Fault::new(text.span(), why).help("write `host/repository:tag`; `forge lock` pins the digest")
        };
        named.map_err(|why| faults.push(fault(why))).ok().map(|reference| Source::Oci { reference })
    }

    fn published(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
        let text = input.published.as_ref()?;
        let name = self.crate_name(text, faults);
        let Some(version) = &input.version else {
            let fault = Fault::new(text.span(), "a crate needs the version that is wanted");
            faults.push(fault.help("add `version = \"1.2.3\"`"));
            return None;
        };
        let version = self.version(version, faults);
        Some(Source::Crate(Published { name, version }))
    }

    fn member(&self, input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
        let text = input.package.as_ref()?;
        let package = self.package(text, faults);
        let member = input.member.as_ref().map(|member| field::path(member, faults));
        let unpack = unpack(input, faults);
        let Some(archive) = &input.archive else {
            let fault = Fault::new(text.span(), "a package needs the archive that it comes from");
            faults.push(fault.help("add `archive = \"…\"`, a recipe of kind `archive`"));
            return None;
        };
        let archive = self.archive(archive, faults)?;
        Some(Source::DebMember { archive, package, member: member.map_or(Some(None), |path| path.map(Some))?, unpack })
    }

    /// The name of a crate.
    pub(super) fn crate_name(&self, text: &At<String>, faults: &mut Vec<Fault>) -> String {
        field::crate_name(text, self.vars.expand(text, faults), faults)
    }

    /// A version of a crate.
    pub(super) fn version(&self, text: &At<String>, faults: &mut Vec<Fault>) -> String {
        field::version(text, self.vars.expand(text, faults), faults)
    }

    /// The name of a Debian package.
    pub(super) fn package(&self, text: &At<String>, faults: &mut Vec<Fault>) -> String {
        field::package(text, self.vars.expand(text, faults), faults)
    }

    /// The archive of that name.
    pub(super) fn archive(&self, name: &At<String>, faults: &mut Vec<Fault>) -> Option<Archive> {
        let Some(archive) = self.archives.get(name.as_str()) else {
            let known = self.archives.keys().map(Name::as_str);
            let fault = Fault::new(name.span(), format!("there is no archive `{}`", name.as_str()));
            faults.push(fault.suggest(name, known, "add a recipe of kind `archive` with that name"));
            return None;
        };
        archive.clone()
    }
}

/// The one kind field that `input` has.
fn kind(input: &At<Input>, faults: &mut Vec<Fault>) -> Option<&'static str> {
    let is_kind = |name: &str| KINDS.iter().find(|(kind, _)| *kind == name);
    let mut found = input.present().filter_map(|(name, _)| is_kind(name));
    let (Some((kind, fields)), None) = (found.next(), found.next()) else {
        let kinds = KINDS.map(|(kind, _)| format!("`{kind}`")).join(", ");
        let fault = Fault::new(input.span(), "a source is of exactly one kind");
        faults.push(fault.help(format!("give it one of {kinds}")));
        return None;
    };
    for (name, span) in input.present().filter(|(name, _)| name != kind && !fields.contains(name)) {
        let known = fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
        let fault = Fault::new(span, format!("`{name}` has no meaning for a `{kind}` source"));
        faults.push(fault.help(format!("beside `{kind}` may stand {known}")));
    }
    Some(kind)
}

/// A folder that is looked at: one outside could change unseen.
fn known_folder(text: &At<String>, faults: &mut Vec<Fault>) -> Option<RelPath> {
    let folder = field::path(text, faults)?;
    let top = folder.components().next().unwrap_or_default();
    if Root::folders().any(|known| known == top) {
        return Some(folder);
    }
    let known = Root::folders().map(|known| format!("{known}/")).collect::<Vec<_>>().join(", ");
    let fault = Fault::new(text.span(), format!("no source stands in `{}`", top.escape_debug()));
    faults.push(fault.suggest(top, Root::folders(), format!("name a folder of {known}")));
    None
}

fn supplied(input: &Input, faults: &mut Vec<Fault>) -> Option<Source> {
    let name = field::name(input.supplied.as_ref()?, faults);
    let unpack = unpack(input, faults);
    name.map(|name| Source::Supplied { name: name.to_string(), unpack })
}

fn unpack(input: &Input, faults: &mut Vec<Fault>) -> Option<Unpack> {
    let wanted = input.unpack.as_ref().is_some_and(|unpack| **unpack);
    if let (false, Some(strip)) = (wanted, &input.strip) {
        faults.push(Fault::new(strip.span(), "`strip` needs `unpack = true`").help("add it, or drop `strip`"));
    }
    wanted.then(|| Unpack { strip: input.strip.as_ref().map_or(0, |strip| **strip) })
}

/// `expanded`, a tag or branch that git can't take for an option or a range.
fn revision(text: &At<String>, expanded: String, faults: &mut Vec<Fault>) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/+@".contains(&byte);
    if expanded.is_empty() || expanded.starts_with('-') || expanded.contains("..") || !expanded.bytes().all(plain) {
        let title = format!("`{}` is not the name of a tag or branch", expanded.escape_debug());
        faults.push(Fault::new(text.span(), title).help("write a name such as `v1.2`"));
    }
    expanded
}
