//! `forge schema`.

use super::error::CliError;
use super::{Verdict, output};
use crate::recipe;

/// Print the JSON Schema of recipes, for editors.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<Verdict, CliError> {
    let schema = serde_json::to_string_pretty(&recipe::schema()).expect("BUG: a schema is plain data");
    output::data(&schema);
    Ok(Verdict::Good)
}
