//! `forge list`.

use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use super::{Verdict, output, session};
use crate::recipe::Recipe;

/// List the units that recipes make.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    kind: &'static str,
    default: bool,
    unfree: bool,
    description: &'a str,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let project = session::recipes(&session::root(directory)?)?;
    let lines: Vec<Line<'_>> = project.units.values().map(line).collect();
    if args.json {
        lines.iter().for_each(output::json);
    } else {
        output::table(&lines.iter().map(row).collect::<Vec<_>>());
    }
    if project.units.is_empty() {
        output::words(&format!("there are no recipes here: {}", session::PROJECT));
    } else if !args.json {
        output::words("* is built where no unit is named");
    }
    Ok(Verdict::Good)
}

fn row(line: &Line<'_>) -> [String; 3] {
    let mark = if line.default { '*' } else { ' ' };
    let description = match (line.unfree, line.description) {
        (false, description) => description.to_owned(),
        (true, "") => "not free".to_owned(),
        (true, description) => format!("not free: {description}"),
    };
    [format!("{mark} {}", line.name), line.kind.to_owned(), description]
}

fn line(recipe: &Recipe) -> Line<'_> {
    Line {
        name: recipe.name.as_str(),
        kind: recipe.build.kind(),
        default: recipe.default,
        unfree: recipe.unfree,
        description: &recipe.description,
    }
}
