//! `forge graph`: pictures of what units need, how long they take, and how big they are.

mod collect;
mod measure;

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::error::CliError;
use super::{Verdict, output, session};
use crate::build::timeline::{Purpose, Timeline};
use crate::graph::page::{self, Page};
use crate::graph::{dot, svg};
use crate::path::Name;
use crate::words;
use collect::Facts;
use measure::Scale;

/// Draw units and what they need, with times, sizes, what is cached, and the longest chain.
///
/// The page (--format html) also shows the course of the last build and what outputs are made of;
/// it is one file that needs no network. Times are those of the last builds in this store.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The units; all with `default = true` where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// What to write [default: what FILE's ending says, else dot].
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write to FILE, not to stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw every step; many downloads for one purpose are drawn as one.
    #[arg(long)]
    steps: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Graphviz.
    #[value(alias = "gv")]
    Dot,
    /// A picture, in the colours of light and dark surroundings.
    Svg,
    /// A page to look around in: graph, last build, sizes.
    Html,
    /// The data of that page.
    Json,
}

impl Args {
    fn format(&self) -> Result<Format, CliError> {
        match (self.format, &self.output) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::Dot),
            (None, Some(file)) => by_ending(file).ok_or_else(|| {
                CliError::user(format!("the name {} does not say in which format", file.display()))
                    .hint("let it end in .dot, .svg, .html or .json, or say --format")
            }),
        }
    }
}

/// The format that the end of a file's name stands for.
fn by_ending(file: &Path) -> Option<Format> {
    Format::from_str(file.extension()?.to_str()?, true).ok()
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let format = args.format()?;
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = session::planned(&root, &store, &args.names)?;
    let scale = Scale::new(&store);
    let facts = Facts::new(&planned, &store, &scale);
    let graph = if args.steps { facts.steps() } else { facts.units() };
    let text = match format {
        Format::Dot => dot::write(&graph),
        Format::Svg => svg::write(&graph),
        format => {
            let page = Page {
                title: title(&root, &args.names),
                steps: args.steps,
                graph,
                chain_seconds: facts.chain_seconds(),
                timeline: Timeline::read(store.root(), Purpose::Build).map(Into::into),
                charts: facts.charts(),
            };
            if format == Format::Html { page::write(&page) } else { page::json(&page) + "\n" }
        }
    };
    deliver(&text, args.output.as_deref())?;
    Ok(Verdict::Good)
}

/// The project's folder, and the units where some were named.
fn title(root: &Path, names: &[Name]) -> String {
    let project = root.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
    match names {
        [] => project,
        [names @ .., last] if names.len() < 3 => {
            let all: Vec<&str> = names.iter().chain([last]).map(Name::as_str).collect();
            format!("{project}: {}", all.join(", "))
        }
        [first, rest @ ..] => format!("{project}: {first} and {} more", rest.len()),
    }
}

fn deliver(text: &str, file: Option<&Path>) -> Result<(), CliError> {
    let Some(file) = file else {
        output::raw(text.as_bytes());
        return Ok(());
    };
    fs::write(file, text).map_err(|error| {
        CliError::environment(format!("{}: {error}", file.display())).hint("-o takes a file in a folder that is there")
    })?;
    output::words(&format!("wrote {}, {}", file.display(), words::size(text.len() as u64)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_the_file_says_the_format() {
        for (format, file, expect) in [
            (None, None, Some(Format::Dot)),
            (None, Some("a.html"), Some(Format::Html)),
            (None, Some("a.SVG"), Some(Format::Svg)),
            (None, Some("a.gv"), Some(Format::Dot)),
            (None, Some("a.xyz"), None),
            (None, Some("a"), None),
            (Some(Format::Json), Some("a.html"), Some(Format::Json)),
            (Some(Format::Svg), Some("a"), Some(Format::Svg)),
        ] {
            let args = Args { names: Vec::new(), format, output: file.map(PathBuf::from), steps: false };
            assert_eq!(args.format().ok(), expect, "{file:?}");
        }
    }

    #[test]
    fn titles() {
        let names = |names: &[&str]| names.iter().map(|name| Name::new(*name).expect("a name")).collect::<Vec<_>>();
        for (units, expect) in [
            (&[][..], "shop"),
            (&["a"], "shop: a"),
            (&["a", "b", "c"], "shop: a, b, c"),
            (&["a", "b", "c", "d"], "shop: a and 3 more"),
        ] {
            assert_eq!(title(Path::new("/home/shop"), &names(units)), expect);
        }
    }
}
