//! Commits of git repositories, through the git command.
//!
//! The command sees nothing of the user's: its environment is cleared but for [`ENVIRONMENT`], its
//! only configuration is [`CONFIG`], its home is scratch. Nothing is ever checked out: a tree is put
//! together from the raw blobs, so that no filter, no line-end conversion and no `.gitattributes`
//! changes a byte. The commit's SHA-1 finds the content; the tree digest is what is trusted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::git_tree::Commit;
use crate::recipe::Rev;
use crate::store::{Blob, Output, Scratch, Store};

/// What the git command gets of the caller's environment: how to find programs, proxies and certificates.
pub const ENVIRONMENT: [&str; 12] = [
    "PATH",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "SSH_AUTH_SOCK",
];

const CONFIG: &str = "\
[core]
	hooksPath = /dev/null
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	recurseSubmodules = false
[http]
	lowSpeedLimit = 1000
	lowSpeedTime = 30
[safe]
	directory = *
";

const FIXED: [(&str, &str); 8] = [
    ("GIT_ALLOW_PROTOCOL", "file:http:https:ssh"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=10"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
];

/// Where the wanted commit, tag or branch is put.
const WANTED: &str = "refs/forge/wanted";

/// The git command.
#[derive(Clone, Debug, Default)]
pub struct Git {
    environment: BTreeMap<String, String>,
}

impl Git {
    /// `environment` is the caller's; only [`ENVIRONMENT`] is taken.
    #[must_use]
    pub fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let passes = |(name, _): &(String, String)| ENVIRONMENT.contains(&name.as_str());
        Self { environment: environment.into_iter().filter(passes).collect() }
    }

    /// The commit that `rev` means now, and its tree, which is in the store then.
    ///
    /// # Errors
    /// When no place has it, or its tree has what a store can't hold.
    pub fn pin(&self, store: &Store, url: &str, places: &[String], rev: &Rev) -> Result<(String, Blob), Error> {
        let repository = Repository::new(self, store, url)?;
        let commit = repository.fetch(places, rev)?;
        let tree = Commit { repository: &repository, id: &commit }.import(store)?;
        Ok((commit, tree))
    }

    /// The tags and branches of the first place that answers.
    ///
    /// # Errors
    /// When none does.
    pub fn refs(&self, store: &Store, url: &str, places: &[String]) -> Result<Refs, Error> {
        let repository = Repository::new(self, store, url)?;
        let mut tries = Vec::new();
        for place in places {
            match repository.run(&["ls-remote", "--quiet", "--tags", "--heads", "--", place])? {
                Ok(text) => return Ok(Refs::parse(&String::from_utf8_lossy(&text))),
                Err(message) => tries.push((place.clone(), message)),
            }
        }
        Err(Error::Git { url: url.to_owned(), wanted: "the list of its tags".to_owned(), tries })
    }

    /// Applies `patches` to the files in `folder`, as `patch -p1` does.
    pub(super) fn apply(&self, folder: &Path, patches: &[PathBuf]) -> Result<(), Error> {
        for patch in patches {
            let mut environment = self.environment.clone();
            // The folder is no work tree, whatever lies above it.
            environment
                .insert("GIT_CEILING_DIRECTORIES".to_owned(), folder.parent().unwrap_or(folder).display().to_string());
            let command = duct::cmd!("git", "apply", "--whitespace=nowarn", patch).dir(folder).full_env(environment);
            let output = command.stdout_null().stderr_capture().unchecked().run().map_err(Error::NoGit)?;
            if !output.status.success() {
                let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(Error::Patch { patch: patch.clone(), message });
            }
        }
        Ok(())
    }

    /// The tree of a pinned commit.
    ///
    /// # Errors
    /// When no place has the commit any more, or its content is not what was pinned.
    pub fn fetch(
        &self,
        store: &Store,
        url: &str,
        places: &[String],
        commit: &str,
        tree: &Blob,
    ) -> Result<Output, Error> {
        let repository = Repository::new(self, store, url)?;
        let id = repository.fetch(places, &Rev::Commit(commit.to_owned()))?;
        let blob = Commit { repository: &repository, id: &id }.import(store)?;
        if blob != *tree {
            return Err(Error::GitTree { url: url.to_owned(), commit: id, want: tree.digest, got: blob.digest });
        }
        Ok(Output::Tree(blob))
    }
}

/// What a repository's names lead to now: commits by tag and by branch, annotated tags peeled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// Commits by tag.
    pub tags: BTreeMap<String, String>,
    /// Commits by branch.
    pub branches: BTreeMap<String, String>,
}

impl Refs {
    /// Reads lines `<id>\t<ref>`; git lists the commit of an annotated tag behind it, as `<tag>^{}`.
    fn parse(text: &str) -> Self {
        let mut refs = Self::default();
        for (id, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            let name = name.strip_suffix("^{}").unwrap_or(name);
            if let Some(tag) = name.strip_prefix("refs/tags/") {
                refs.tags.insert(tag.to_owned(), id.to_owned());
            } else if let Some(branch) = name.strip_prefix("refs/heads/") {
                refs.branches.insert(branch.to_owned(), id.to_owned());
            }
        }
        refs
    }
}

/// A repository: a bare one in scratch that holds one commit, or one that is only read.
pub(super) struct Repository<'a> {
    git: &'a Git,
    pub(super) url: &'a str,
    /// Where git runs.
    folder: PathBuf,
    scratch: Scratch,
}

impl<'a> Repository<'a> {
    fn new(git: &'a Git, store: &Store, url: &'a str) -> Result<Self, Error> {
        let scratch = store.scratch()?;
        let repository = Self { git, url, folder: scratch.path().to_owned(), scratch };
        repository.configure()?;
        repository.ask(&["init", "--quiet", "--bare", "--template=", "."])?;
        Ok(repository)
    }

    /// The one that `folder` lies in; `url` is what errors call it.
    pub(super) fn at(git: &'a Git, store: &Store, folder: &Path, url: &'a str) -> Result<Self, Error> {
        let repository = Self { git, url, folder: folder.to_owned(), scratch: store.scratch()? };
        repository.configure().map(|()| repository)
    }

    fn configure(&self) -> Result<(), Error> {
        let config = self.config();
        std::fs::write(&config, CONFIG).map_err(|source| Error::Io { path: config, source })
    }

    fn config(&self) -> PathBuf {
        self.scratch.path().join("forge-gitconfig")
    }

    /// A git command in this repository, not yet run.
    pub(super) fn command(&self, arguments: &[&str]) -> duct::Expression {
        let mut environment = self.git.environment.clone();
        environment.extend(FIXED.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        environment.insert("GIT_CONFIG_GLOBAL".to_owned(), path(self.config()));
        environment.insert("HOME".to_owned(), path(self.scratch.path().to_owned()));
        duct::cmd("git", arguments).dir(&self.folder).full_env(environment)
    }

    /// Standard output, or what git said against it.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Result<Vec<u8>, String>, Error> {
        let command = self.command(arguments).stdin_null().stdout_capture().stderr_capture().unchecked();
        let output = command.run().map_err(Error::NoGit)?;
        let message = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(if output.status.success() { Ok(output.stdout) } else { Err(message()) })
    }

    /// As `run`, where failing is an error.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, Error> {
        self.run(arguments)?.map_err(|message| self.failed(arguments[0], message))
    }

    pub(super) fn failed(&self, command: &str, message: String) -> Error {
        Error::GitCommand { url: self.url.to_owned(), command: command.to_owned(), message }
    }

    pub(super) fn broken(&self, error: &io::Error) -> Error {
        self.failed("cat-file", error.to_string())
    }

    /// Fetches from the first place that has it; the commit's id.
    fn fetch(&self, places: &[String], rev: &Rev) -> Result<String, Error> {
        let mut tries = Vec::new();
        for place in places {
            match self.fetch_from(place, rev)? {
                Ok(commit) => return Ok(commit),
                Err(message) => tries.push((place.clone(), message)),
            }
        }
        let wanted = match rev {
            Rev::Commit(commit) => format!("commit {commit}"),
            Rev::Tag(tag) => format!("tag {tag}"),
            Rev::Branch(branch) => format!("branch {branch}"),
        };
        Err(Error::Git { url: self.url.to_owned(), wanted, tries })
    }

    fn fetch_from(&self, place: &str, rev: &Rev) -> Result<Result<String, String>, Error> {
        let got = match rev {
            Rev::Tag(tag) => self.download(place, true, &[&format!("+refs/tags/{tag}:{WANTED}")])?,
            Rev::Branch(branch) => self.download(place, true, &[&format!("+refs/heads/{branch}:{WANTED}")])?,
            Rev::Commit(commit) => return self.fetch_commit(place, commit),
        };
        match got {
            Ok(()) => self.commit(WANTED),
            Err(message) => Ok(Err(message)),
        }
    }

    /// Not every server hands out a commit by its id; then everything is fetched and looked through.
    fn fetch_commit(&self, place: &str, commit: &str) -> Result<Result<String, String>, Error> {
        if commit.len() != 40 || !commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Error::NotACommit { url: self.url.to_owned(), commit: commit.to_owned() });
        }
        if self.download(place, true, &[&format!("+{commit}:{WANTED}")])?.is_err() {
            let everything = ["+refs/heads/*:refs/forge/heads/*", "+refs/tags/*:refs/forge/tags/*"];
            if let Err(message) = self.download(place, false, &everything)? {
                return Ok(Err(message));
            }
        }
        Ok(match self.commit(commit)? {
            Ok(found) if found == commit => Ok(found),
            Ok(found) => Err(format!("{commit} is a tag of commit {found}")),
            Err(_) => Err("no branch or tag leads to this commit any more".to_owned()),
        })
    }

    fn download(&self, place: &str, shallow: bool, refs: &[&str]) -> Result<Result<(), String>, Error> {
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
        arguments.extend(shallow.then_some("--depth=1"));
        arguments.extend(["--", place]);
        arguments.extend(refs);
        Ok(self.run(&arguments)?.map(drop))
    }

    /// The commit that a name leads to, annotated tags peeled.
    pub(super) fn commit(&self, name: &str) -> Result<Result<String, String>, Error> {
        let found =
            self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])?;
        Ok(match found {
            Ok(id) => Ok(String::from_utf8_lossy(&id).trim().to_owned()),
            Err(_) => Err("does not lead to a commit".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_peeled() {
        let refs = Refs::parse("aa\trefs/heads/main\nbb\trefs/tags/v1\ncc\trefs/tags/v1^{}\ndd\trefs/tags/v2\nodd\n");
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect()
        };
        assert_eq!(refs, Refs { tags: map(&[("v1", "cc"), ("v2", "dd")]), branches: map(&[("main", "aa")]) });
    }
}
