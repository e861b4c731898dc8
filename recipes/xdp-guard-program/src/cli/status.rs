use std::path::{Path, PathBuf};

use crate::bpf::object::Object;
use crate::bpf::program::Program;
use crate::failure::{During, Failure};
use crate::guard::site::Folders;
use crate::guard::status::{Status, hex};

/// Tell what is attached and what it counted
#[derive(clap::Args)]
pub struct Options {
    /// The interface; none: all that are guarded
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Tell it in JSON
    #[arg(long)]
    json: bool,
    /// Ask whether the program of this object is attached; needs --interface
    #[arg(long, value_name = "FILE", requires = "interface")]
    object: Option<PathBuf>,
    #[command(flatten)]
    folders: Folders,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    if let (Some(object), Some(interface)) = (&options.object, &options.interface) {
        return compare(options, interface, object);
    }
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

/// Whether what is attached has the tag that the kernel gives to the program of an object.
fn compare(options: &Options, interface: &str, object: &Path) -> Result<(), Failure> {
    let nothing = || Failure::Negative(format!("nothing is attached to {interface}"));
    let attached = options.folders.pins(interface).attached()?.ok_or_else(nothing)?;
    let hook = attached.info.hook.ok_or_else(|| Failure::Environment("the link is of another kind".into()))?;
    let want = hex(&Program::load(&Object::open(object, hook)?, false)?.info()?.tag);
    let status = Status::of(&options.folders, interface)?.ok_or_else(nothing)?;
    if status.tag != want {
        let path = object.display();
        let words = format!("{interface} has not the program of {path}\n  want tag {want}\n  got  tag {}", status.tag);
        return Err(Failure::Negative(words));
    }
    super::print(&format!(
        "{interface}: {}, program {}, tag {want}: as in {}",
        hook.name(),
        status.program,
        object.display()
    ))
}
