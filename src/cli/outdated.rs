//! `forge outdated`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use super::progress::Bar;
use super::{Verdict, lock, output, session};
use crate::fetch::newer::{self, Newer, Standing};
use crate::fetch::{self, Fetcher, Indexes};
use crate::lockfile::{Locked, Lockfile, Stale, Unfree, Update};
use crate::path::Name;
use crate::plan;
use crate::recipe::{Archive, Published, Recipe, Source};
use crate::store::Store;
use crate::words;

/// List sources that have newer versions than the locked ones; exit code 1 if there are any.
///
/// Packages are compared with the set that `forge lock --update` would pin now, git tags with the
/// repository's other tags, branches with their tips, published crates with what the registry has. A source's
/// `update = "v1.2.*"` says which tags or versions count.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The units whose sources are looked at, with what they need; all units where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let project = session::recipes(&root)?;
    let lockfile = session::lockfile(&root)?;
    let problems = lockfile.problems(&project, Unfree::Left);
    if !problems.is_empty() {
        return Err(CliError::user(Stale(problems)));
    }
    session::known(&project, &args.names)?;
    let all: Vec<Name> = project.units.keys().cloned().collect();
    let units = plan::closure(&project, if args.names.is_empty() { &all } else { &args.names })?;
    let store = session::store()?;
    let fetcher = session::fetcher(&store, false)?;
    let mut survey = Survey { store: &store, fetcher: &fetcher, lockfile: &lockfile, findings: Findings::new() };
    survey.packages(&root, &units)?;
    units.iter().for_each(|unit| survey.others(unit));
    Ok(report(&survey.findings, args.json))
}

/// What was found out, by kind and source; with the units that the source belongs to.
type Findings = BTreeMap<(&'static str, String), (Finding, BTreeSet<Name>)>;

/// What was found out about one source.
enum Finding {
    /// It is known how it stands.
    Known(Standing),
    /// It could not be found out.
    Failed(fetch::Error),
}

struct Survey<'a> {
    store: &'a Store,
    fetcher: &'a Fetcher<'a>,
    lockfile: &'a Lockfile,
    findings: Findings,
}

impl Survey<'_> {
    fn add(&mut self, kind: &'static str, source: String, unit: &Name, finding: Finding) {
        let known = self.findings.entry((kind, source));
        known.or_insert_with(|| (finding, BTreeSet::new())).1.insert(unit.clone());
    }

    /// Compares the packages of each archive with what a live mirror has.
    fn packages(&mut self, root: &Path, units: &[&Recipe]) -> Result<(), CliError> {
        let sources =
            units.iter().flat_map(|unit| unit.sources.iter().map(|(name, source)| (&unit.name, name, source)));
        let mut archives = BTreeMap::<_, (&Archive, Vec<_>)>::new();
        for (unit, name, source) in sources {
            if let Some(archive) = source.archive() {
                archives.entry(&archive.name).or_insert((archive, Vec::new())).1.push((unit, name, source));
            }
        }
        for (archive, sources) in archives.into_values() {
            let trust = lock::trust(root, &[archive], self.lockfile, &Update::All)?;
            match self.fetcher.suites([archive], &trust, &Bar::new().watch()) {
                Ok(suites) => self.sets(&Indexes::new(&suites)?, &sources)?,
                Err(error) if error.is_input() => return Err(error.into()),
                Err(error) => self.add("archive", archive.name.to_string(), sources[0].0, Finding::Failed(error)),
            }
        }
        self.store.commit()?;
        Ok(())
    }

    fn sets(&mut self, indexes: &Indexes<'_>, sources: &[(&Name, &Name, &Source)]) -> Result<(), CliError> {
        for (unit, name, source) in sources {
            let now = self.fetcher.pin(source, indexes, &Bar::new().watch());
            let now = now.map_err(|error| CliError::of_source(error, unit, name))?;
            let Some(locked) = self.locked(unit, name) else { continue };
            for (package, newer) in newer::packages(locked, &now) {
                self.add("package", package, unit, Finding::Known(Standing::Outdated(newer)));
            }
        }
        Ok(())
    }

    /// Looks at the sources of a unit that are from no archive.
    fn others(&mut self, unit: &Recipe) {
        for (name, source) in &unit.sources {
            let label = format!("{}/{name}", unit.name);
            let bound = unit.updates.get(name).map(String::as_str);
            match (source, self.locked(&unit.name, name)) {
                (Source::Git { url, rev }, Some(Locked::Git { commit, .. })) => {
                    let finding = match self.fetcher.refs(url) {
                        Ok(refs) => Finding::Known(newer::revision(rev, commit, bound, &refs)),
                        Err(error) => Finding::Failed(error),
                    };
                    self.add("git", label, &unit.name, finding);
                }
                (Source::Oci { reference }, Some(Locked::Oci { index, .. })) => {
                    let finding = match self.fetcher.resolve_oci(reference) {
                        Ok(now) => Finding::Known(newer::image(reference, index, &now.index)),
                        Err(error) => Finding::Failed(error),
                    };
                    self.add("oci", label, &unit.name, finding);
                }
                (Source::Crate(Published { name, version }), _) => {
                    let finding = match self.fetcher.versions(name) {
                        Ok(versions) => Finding::Known(newer::published(version, bound, &versions)),
                        Err(error) => Finding::Failed(error),
                    };
                    self.add("crate", label, &unit.name, finding);
                }
                (Source::Url { .. }, _) => {
                    let standing = Standing::Unwatched("an address does not say what is newer");
                    self.add("url", label, &unit.name, Finding::Known(standing));
                }
                (Source::Supplied { .. }, _) => {
                    let standing = Standing::Unwatched("whoever gave it to you says what is newer");
                    self.add("supplied", label, &unit.name, Finding::Known(standing));
                }
                _ => {}
            }
        }
    }

    fn locked(&self, unit: &Name, name: &Name) -> Option<&Locked> {
        self.lockfile.entry(unit, name).map(|entry| &entry.locked)
    }
}

#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    kind: &'static str,
    units: Vec<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

fn line<'a>((kind, source): &'a (&'static str, String), finding: &'a Finding, units: &'a BTreeSet<Name>) -> Line<'a> {
    let (status, newer, why) = match finding {
        Finding::Known(Standing::Current) => ("current", None, None),
        Finding::Known(Standing::Outdated(newer)) => ("outdated", Some(newer), None),
        Finding::Known(Standing::Unwatched(why)) => ("unwatched", None, Some((*why).to_owned())),
        Finding::Failed(error) => ("failed", None, Some(error.to_string())),
    };
    let (locked, candidate) = newer.map(|Newer { locked, candidate }| (&**locked, &**candidate)).unzip();
    Line { source, kind, units: units.iter().map(Name::as_str).collect(), status, locked, candidate, why }
}

fn report(findings: &Findings, json: bool) -> Verdict {
    let lines: Vec<Line<'_>> = findings.iter().map(|(key, (finding, units))| line(key, finding, units)).collect();
    let of = |status: &'static str| lines.iter().filter(move |line| line.status == status);
    if json {
        lines.iter().for_each(output::json);
    } else {
        table(&of("outdated").collect::<Vec<_>>());
    }
    for line in of("unwatched") {
        output::words(&format!("not watched: {} ({})", line.source, line.why.as_deref().unwrap_or_default()));
    }
    for line in of("failed") {
        output::words(&format!("error: {}", line.why.as_deref().unwrap_or_default()));
    }
    let outdated = of("outdated").count();
    if of("failed").next().is_some() {
        return Verdict::Environment;
    }
    if outdated == 0 {
        output::words("nothing newer");
        return Verdict::Good;
    }
    output::words(&format!("{} outdated", words::count(outdated, "source")));
    output::words(
        "`forge lock --update` moves packages and branches; a newer tag or crate has to be written into its recipe",
    );
    Verdict::Negative
}

/// The lines in columns.
fn table(lines: &[&Line<'_>]) {
    if lines.is_empty() {
        return;
    }
    let rows = lines.iter().map(|line| {
        [
            line.source.to_owned(),
            line.locked.unwrap_or_default().to_owned(),
            line.candidate.unwrap_or_default().to_owned(),
            line.units.join(" "),
        ]
    });
    let head = ["source", "locked", "newer", "used by"].map(str::to_owned);
    output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
}
