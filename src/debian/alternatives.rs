//! What maintainer scripts would have linked: a lint, as forge runs no script.
//!
//! It reads calls of `update-alternatives --install` and `dpkg-divert --add` out of `preinst` and
//! `postinst`, as text: continued lines are joined, comments dropped, quotes taken off. A word with
//! a variable stays as written. Each link so found must be answered by the recipe's table of links,
//! lie in a trimmed directory, or be ignored by name.
//!
//! Diversions to `….usr-is-merged` guard the usr-merge against old packages; forge needs none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::rules::Rules;
use crate::path::RelPath;

/// A link or diversion that a package's script would make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alternative {
    /// Its name: what `update-alternatives` calls it, or the diverted path.
    pub name: String,
    /// The absolute path that would be made.
    pub link: String,
    /// What it would lead to.
    pub target: String,
}

/// An [`Alternative`] that the recipe says nothing about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unanswered {
    /// The package whose script would make it.
    pub package: String,
    /// What it would make.
    pub alternative: Alternative,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Alternative { name, link, target } = &self.alternative;
        write!(f, "{}: {link} -> {target} (`{name}`)", self.package)
    }
}

/// The links that a maintainer script would make, in its order.
#[must_use]
pub fn find(script: &str) -> Vec<Alternative> {
    commands(script).iter().flat_map(|words| installed(words).into_iter().chain(diverted(words))).collect()
}

/// Those of `found` that neither `links` nor `ignore` nor the rules' trimmed directories answer.
#[must_use]
pub fn unanswered(
    package: &str,
    found: Vec<Alternative>,
    links: &BTreeMap<RelPath, String>,
    ignore: &BTreeSet<String>,
    rules: &Rules,
) -> Vec<Unanswered> {
    let answered = |alternative: &Alternative| {
        let place = RelPath::new(alternative.link.trim_start_matches('/')).map(|path| rules.merged(path));
        ignore.contains(&alternative.name) || place.is_ok_and(|place| links.contains_key(&place) || rules.trims(&place))
    };
    let open = found.into_iter().filter(|alternative| !answered(alternative));
    open.map(|alternative| Unanswered { package: package.to_owned(), alternative }).collect()
}

/// The words of each command line, comments and quotes gone.
fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    joined.lines().flat_map(|line| line.split([';', '|', '&'])).map(words).collect()
}

fn words(command: &str) -> Vec<String> {
    let words = command.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
    words.map(|word| word.replace(['"', '\''], "")).collect()
}

/// The words behind the program `name`, if the command calls it.
fn arguments<'a>(words: &'a [String], name: &str) -> Option<&'a [String]> {
    let called = |word: &String| word.rsplit('/').next() == Some(name);
    words.iter().position(called).map(|at| &words[at + 1..])
}

/// `--install link name target priority`, and each `--slave link name target`.
fn installed(words: &[String]) -> Vec<Alternative> {
    let Some(arguments) = arguments(words, "update-alternatives") else { return Vec::new() };
    let makes = |word: &str| matches!(word, "--install" | "--slave" | "--follower");
    let made = arguments.windows(4).filter(|window| makes(&window[0]));
    made.map(|window| Alternative { link: window[1].clone(), name: window[2].clone(), target: window[3].clone() })
        .collect()
}

/// `--add … --divert to path`; adding is what dpkg-divert does if not told otherwise.
fn diverted(words: &[String]) -> Option<Alternative> {
    const OTHERWISE: [&str; 4] = ["--remove", "--list", "--listpackage", "--truename"];
    let arguments = arguments(words, "dpkg-divert")?;
    if arguments.iter().any(|word| OTHERWISE.contains(&word.as_str())) {
        return None;
    }
    let path = arguments.iter().rfind(|word| word.starts_with(['/', '$']))?.clone();
    let at = arguments.iter().position(|word| word == "--divert");
    let target = at.and_then(|at| arguments.get(at + 1)).cloned().unwrap_or_else(|| format!("{path}.distrib"));
    let guards_merge = target.ends_with(".usr-is-merged");
    (!guards_merge).then(|| Alternative { name: path.clone(), link: path, target })
}

/// The place of a key of the recipe's table: a plain name stands in `/usr/bin`, others count from the root.
///
/// # Errors
/// If the key is no clean path.
pub fn place(key: &str) -> Result<RelPath, crate::path::PathError> {
    let path = if key.contains('/') { key.trim_start_matches('/').to_owned() } else { format!("usr/bin/{key}") };
    let path = RelPath::new(path)?;
    Ok(Rules::toolroot(Vec::new()).merged(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the words of the postinst of gcc, cpp and debianutils.
    const SCRIPT: &str = r#"
update-alternatives --quiet \
    --install /usr/bin/cc cc /usr/bin/gcc 20 \
    #--slave /usr/share/man/man1/cc.1.gz cc.1.gz /usr/share/man/man1/gcc.1.gz
if true; then
    /usr/bin/update-alternatives --quiet --install /lib/cpp cpp /usr/bin/cpp 10 || true
    update-alternatives --install "/usr/bin/$tool" $tool /usr/bin/x 0 \
        --slave /usr/share/man/man1/which.1.gz which.1.gz /usr/share/man/man1/which.debianutils.1.gz
    update-alternatives --remove cc /usr/bin/old
fi
# update-alternatives --install /usr/bin/no no /usr/bin/no 1
"#;

    fn alternative(link: &str, name: &str, target: &str) -> Alternative {
        Alternative { name: name.to_owned(), link: link.to_owned(), target: target.to_owned() }
    }

    #[test]
    fn finds_alternatives() {
        let man = "/usr/share/man/man1/which";
        assert_eq!(
            find(SCRIPT),
            [
                alternative("/usr/bin/cc", "cc", "/usr/bin/gcc"),
                alternative("/lib/cpp", "cpp", "/usr/bin/cpp"),
                alternative("/usr/bin/$tool", "$tool", "/usr/bin/x"),
                alternative(&format!("{man}.1.gz"), "which.1.gz", &format!("{man}.debianutils.1.gz")),
            ]
        );
    }

    #[test]
    fn finds_diversions_that_are_added() {
        for (line, want) in [
            ("dpkg-divert --package x --add --rename --divert /bin/sh.old /bin/sh", Some(("/bin/sh", "/bin/sh.old"))),
            ("dpkg-divert --rename '/bin/sh'", Some(("/bin/sh", "/bin/sh.distrib"))),
            ("t=$(dpkg-divert --truename /bin/sh)", None),
            ("dpkg-divert --package dash --no-rename --remove $dfile", None),
            (r#"dpkg-divert --add --no-rename --divert "/.lib64.usr-is-merged" "/lib64""#, None),
        ] {
            let found = find(line).pop();
            let found = found.as_ref().map(|found| (found.link.as_str(), found.target.as_str()));
            assert_eq!(found, want, "{line}");
        }
    }

    #[test]
    fn the_table_answers_by_place() {
        let keys = ["cc", "/lib/cpp"];
        let links = keys.iter().map(|key| (place(key).expect(key), "x".to_owned())).collect();
        let rules = Rules::toolroot(vec![RelPath::new("usr/share/man").expect("clean")]);
        let open = unanswered("gcc", find(SCRIPT), &links, &BTreeSet::new(), &rules);
        let names: Vec<_> = open.iter().map(|open| open.alternative.name.as_str()).collect();
        assert_eq!(names, ["$tool"]);
        assert_eq!(open[0].to_string(), "gcc: /usr/bin/$tool -> /usr/bin/x (`$tool`)");
        let ignore = BTreeSet::from(["$tool".to_owned()]);
        assert_eq!(unanswered("gcc", find(SCRIPT), &links, &ignore, &rules), []);
    }
}
