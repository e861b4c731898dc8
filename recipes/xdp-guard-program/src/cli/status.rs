use crate::failure::{During, Failure};
use crate::guard::site::Folders;
use crate::guard::status::Status;

/// Tell what is attached and what it counted
#[derive(clap::Args)]
pub struct Options {
    /// The interface; none: all that are guarded
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Tell it in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folders: Folders,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let interfaces = match &options.interface {
        Some(interface) => vec![interface.clone()],
        None => options.folders.interfaces()?,
    };
    let mut all = Vec::new();
    for interface in &interfaces {
        all.extend(Status::of(&options.folders, interface)?);
    }
    if options.json {
        super::print(&serde_json::to_string_pretty(&all).during(|| "writing JSON".into())?)?;
    } else if !all.is_empty() {
        super::print(&all.iter().map(Status::text).collect::<Vec<_>>().join("\n\n"))?;
    }
    match (all.is_empty(), &options.interface) {
        (false, _) => Ok(()),
        (true, Some(interface)) => Err(Failure::Negative(format!("nothing is attached to {interface}"))),
        (true, None) => Err(Failure::Negative("nothing is attached".into())),
    }
}
