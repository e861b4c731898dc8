//! `forge store gc`.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::watch::Upkeep;
use crate::cli::error::CliError;
use crate::cli::{Verdict, output, quantity, session};
use crate::store::{self, Age, Policy, Removal, Sweep, Why};
use crate::words;

/// What goes where no flag says it.
const OLDER_THAN: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many links that are gone are named.
const LINKS_SHOWN: usize = 3;

/// Remove what no result link needs and nobody used lately.
///
/// What the links in ./result of your projects lead to stays, and so does what a result was
/// downloaded for, as long as the result itself and where there is room. Of the rest, --older-than
/// and --quota each say what goes; with neither, what was not used for 30 days. A build uses all
/// results that it looks up.
///
/// Downloads that broke off go after 7 days, logs of failed steps after 30, damaged objects that
/// were set aside at once. It is refused while another forge works in the store.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remove what was not used for so long, as 30d, 12h or 2w; with 0 only what links need stays.
    #[arg(long, value_name = "AGE", value_parser = quantity::age)]
    older_than: Option<Duration>,
    /// Remove the least recently used, downloads first, until the store takes at most so much, as 20GB.
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    quota: Option<u64>,
    /// Only say what would be removed, and why.
    #[arg(long)]
    dry_run: bool,
    /// List every file and tree, not only what they belong to.
    #[arg(long)]
    all: bool,
    /// Print one JSON object a line for every file and tree.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Verdict, CliError> {
    let older_than = if args.quota.is_none() { args.older_than.or(Some(OLDER_THAN)) } else { args.older_than };
    let policy = Policy { now: SystemTime::now(), older_than, quota: args.quota };
    let mut store = session::store()?;
    let upkeep = Upkeep::new()?;
    let swept = if args.dry_run { store.gc_plan(&policy, &upkeep.watch()) } else { store.gc(&policy, &upkeep.watch()) };
    drop(upkeep);
    match swept {
        Err(store::Error::Stopped) => {
            output::words("interrupted; what was removed by then is gone, and the store is sound");
            Ok(Verdict::Interrupted)
        }
        swept => Ok(show(&swept?, args)),
    }
}

fn show(sweep: &Sweep, args: &Args) -> Verdict {
    if args.json {
        sweep.removals.iter().for_each(|removal| output::json(&Line::from(removal)));
    } else if args.all {
        sweep.removals.iter().for_each(|removal| output::data(&long(removal)));
    } else {
        groups(&sweep.removals).iter().for_each(|group| output::data(&group.to_string()));
    }
    output::words(&conclusion(sweep, args.dry_run));
    if args.quota.is_some_and(|quota| sweep.kept > quota) {
        output::words("hint: that is more than the quota, and links need it: `forge store du` says which");
    }
    Verdict::Good
}

fn conclusion(sweep: &Sweep, dry_run: bool) -> String {
    let verb = if dry_run { "would free" } else { "freed" };
    let (links, rooted) = (words::count(sweep.roots, "result link"), words::size(sweep.rooted));
    let stays = format!("{} stay, of which {links} need {rooted}", words::size(sweep.kept));
    if sweep.removals.is_empty() {
        return format!("nothing to remove; {stays}");
    }
    format!("{verb} {}; {stays}", words::size(sweep.freed()))
}

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    bytes: u64,
    part: &'a str,
    why: String,
}

impl<'a> From<&'a Removal> for Line<'a> {
    fn from(removal: &'a Removal) -> Self {
        let Removal { path, bytes, part, why } = removal;
        Self { path, bytes: *bytes, part, why: why.to_string() }
    }
}

fn long(Removal { path, bytes, part, why }: &Removal) -> String {
    format!("{:>9}  {path}  {part}: {why}", words::size(*bytes))
}

/// Removals that belong together and go for the same reason.
struct Group<'a> {
    part: &'a str,
    bytes: u64,
    members: Vec<&'a Removal>,
}

/// The groups, the largest first.
fn groups(removals: &[Removal]) -> Vec<Group<'_>> {
    let mut groups = HashMap::<(&str, Discriminant<Why>), Group<'_>>::new();
    for removal in removals {
        let new = || Group { part: &removal.part, bytes: 0, members: Vec::new() };
        let group = groups.entry((&removal.part, discriminant(&removal.why))).or_insert_with(new);
        group.bytes += removal.bytes;
        group.members.push(removal);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.part.cmp(b.part)));
    groups
}

impl std::fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>9}  {}: {}, {}", words::size(self.bytes), self.part, self.count(), self.why())
    }
}

impl Group<'_> {
    fn count(&self) -> String {
        let of = |folder: &str| self.members.iter().filter(|removal| removal.path.starts_with(folder)).count();
        match (of("result/"), of("roots/")) {
            (0, 0) => words::count(self.members.len(), "file"),
            (0, roots) => words::count(roots, "link"),
            (results, _) => words::count(results, "result"),
        }
    }

    fn why(&self) -> String {
        let ages = self.members.iter().filter_map(|removal| match removal.why {
            Why::Old(age) => Some(age),
            _ => None,
        });
        match &self.members[0].why {
            Why::Old(_) => {
                let (least, most) = (ages.clone().min().unwrap_or_default(), ages.max().unwrap_or_default());
                let [least, most] = [least, most].map(|age| Age(age).to_string());
                if least == most { format!("not used for {least}") } else { format!("not used for {least} to {most}") }
            }
            Why::RootGone(_) => self.links(),
            why => why.to_string(),
        }
    }

    fn links(&self) -> String {
        let links = self.members.iter().filter_map(|removal| match &removal.why {
            Why::RootGone(link) => Some(link.as_path().display()),
            _ => None,
        });
        let shown: Vec<_> = links.take(LINKS_SHOWN).map(|link| link.to_string()).collect();
        let more = self.members.len() - shown.len();
        if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn removal(path: &str, bytes: u64, part: &str, why: Why) -> Removal {
        Removal { path: path.to_owned(), bytes, part: part.into(), why }
    }

    #[test]
    fn groups_say_what_and_why() {
        let days = |days: u64| Why::Old(Duration::from_secs(days * 24 * 3600));
        let gone = |link: &str| Why::RootGone(Path::new(link).to_owned());
        let removals = [
            removal("result/aa/1", 0, "hello", days(31)),
            removal("result/aa/2", 0, "hello", days(60)),
            removal("result/aa/3", 0, "bye", Why::Quota),
            removal("roots/a", 0, "result links that are gone", gone("/p/result/x")),
            removal("partial/a", 700, "downloads that broke off", days(9)),
            removal("file/aa/1", 1000, "hello", days(31)),
            removal("dir/aa/2", 500, "hello", days(60)),
            removal("file/aa/4", 10, "bye", Why::Quota),
        ];
        let lines: Vec<_> = groups(&removals).iter().map(ToString::to_string).collect();
        let want = [
            "   1.5 kB  hello: 2 results, not used for 31 days to 60 days",
            "    700 B  downloads that broke off: 1 file, not used for 9 days",
            "     10 B  bye: 1 result, over the quota, and used less lately than what stays",
            "      0 B  result links that are gone: 1 link, /p/result/x",
        ];
        assert_eq!(lines, want);
    }
}
