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
    let width = project.units.keys().map(|name| name.as_str().len()).max().unwrap_or(0);
    for recipe in project.units.values() {
        let line = line(recipe);
        if args.json {
            output::json(&line);
        } else {
            let mark = if line.default { '*' } else { ' ' };
            output::data(&format!("{mark} {:width$}  {:8}  {}", line.name, line.kind, line.description));
        }
    }
    if project.units.is_empty() {
        output::words(&format!("there are no recipes here: {}", session::PROJECT));
    } else if !args.json {
        output::words("* is built where no unit is named");
    }
    Ok(Verdict::Good)
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
