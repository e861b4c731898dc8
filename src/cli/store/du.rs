//! `forge store du`.

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::{Verdict, output, session};
use crate::store::Usage;
use crate::words;

/// Say who takes how much space.
///
/// A line for each result link, the largest first: what it needs, and in the second column what no
/// other link needs. The second column adds up to the total. Sizes are of contents, each counted
/// once however many names it has.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Link,
    Shared,
    Results,
    Downloads,
    Unneeded,
    Other,
    Total,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    kind: Kind,
    what: String,
    /// What it needs.
    bytes: u64,
    /// What it alone needs.
    own: u64,
}

pub fn run(args: &Args) -> Result<Verdict, CliError> {
    let store = session::store()?;
    let lines = lines(&store.usage()?);
    if args.json {
        lines.iter().for_each(output::json);
    } else {
        output::words(&format!("{}\n{:>9}  {:>9}", store.root().display(), "needs", "alone"));
        lines.iter().for_each(|line| output::data(&draw(line)));
    }
    Ok(Verdict::Good)
}

/// Links, then other parts that are not empty, each the largest first; then the sum.
fn lines(usage: &Usage) -> Vec<Line> {
    let line = |kind, what: &str, bytes| Line { kind, what: what.to_owned(), bytes, own: bytes };
    let link = |root: &crate::store::RootUsage| Line {
        kind: Kind::Link,
        what: root.link.display().to_string(),
        bytes: root.bytes,
        own: root.own,
    };
    let mut links: Vec<_> = usage.roots.iter().map(link).collect();
    let mut parts = vec![
        line(Kind::Shared, "shared by several links", usage.shared),
        line(Kind::Results, "results that no link needs, kept as they may be wanted again", usage.results),
        line(Kind::Downloads, "downloads that results were made of", usage.downloads),
        line(Kind::Unneeded, "nothing needs it; `forge store gc` removes it", usage.unneeded),
    ];
    parts.extend(usage.auxiliary.iter().map(|(what, bytes)| line(Kind::Other, what, *bytes)));
    parts.retain(|part| part.bytes > 0);
    [&mut links, &mut parts].into_iter().for_each(|lines| lines.sort_by_key(|line| std::cmp::Reverse(line.bytes)));
    links.into_iter().chain(parts).chain([line(Kind::Total, "in all", usage.total)]).collect()
}

fn draw(Line { kind, what, bytes, own }: &Line) -> String {
    let needs = if *kind == Kind::Link { words::size(*bytes) } else { String::new() };
    format!("{needs:>9}  {:>9}  {what}", words::size(*own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RootUsage;

    #[test]
    fn lines_are_sorted_and_add_up() {
        let root = |link: &str, bytes, own| RootUsage { link: link.into(), bytes, own };
        let usage = Usage {
            roots: vec![root("/p/result/a", 30, 10), root("/p/result/b", 1200, 1180)],
            shared: 20,
            results: 50,
            downloads: 0,
            unneeded: 7,
            auxiliary: vec![("logs of failed steps", 3), ("downloads that broke off", 60)],
            total: 1330,
        };
        let lines = lines(&usage);
        let drawn: Vec<_> = lines.iter().map(draw).collect();
        let want = [
            "   1.2 kB     1.2 kB  /p/result/b",
            "     30 B       10 B  /p/result/a",
            "                60 B  downloads that broke off",
            "                50 B  results that no link needs, kept as they may be wanted again",
            "                20 B  shared by several links",
            "                 7 B  nothing needs it; `forge store gc` removes it",
            "                 3 B  logs of failed steps",
            "              1.3 kB  in all",
        ];
        assert_eq!(drawn, want);
        let (total, parts) = lines.split_last().expect("lines");
        assert_eq!(parts.iter().map(|part| part.own).sum::<u64>(), total.own);
    }
}
