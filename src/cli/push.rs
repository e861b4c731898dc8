//! `forge push`.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::built::{self, Built};
use super::error::CliError;
use super::meter::Meter;
use super::unfree::Permission;
use super::{Verdict, output, registry, session};
use crate::path::Name;
use crate::plan;
use crate::registry::push::{Fate, Push, Report, Tag};
use crate::registry::pushed::Pushed;
use crate::registry::{Error, Image, Reference, Repository, Version};
use crate::store::{Blob, Store};
use crate::words;

/// The folder of the store with notes on what registries have.
const PUSHED: &str = "pushed";

/// Build an image if need be, and push it to a registry.
///
/// Only blobs that the registry lacks are sent; the manifest goes last, then the tag.
///
/// So no tag ever names half an image, and a push that failed can be run again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit; its kind is `image`, `extension` or `installer`.
    #[arg(value_name = "NAME", value_parser = super::name)]
    name: Name,
    /// Where it goes: host[:port]/repository:tag. TLS is spoken with all hosts but this machine.
    #[arg(value_name = "REF")]
    reference: String,
    /// A repository of the same registry that may have blobs of the image; it is asked for them.
    #[arg(long, value_name = "REPO")]
    mount_from: Option<String>,
    /// Push to a private registry although a unit in it is not free. Public registries are refused all the same.
    #[arg(long)]
    allow_unfree: bool,
    /// Print one JSON object: what was pushed, and which blobs were uploaded, mounted and skipped.
    #[arg(long)]
    json: bool,
    /// Use no network to build; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    /// Only say what would be uploaded.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let (repository, tag) = target(&args.reference)?;
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = built::planned(&root, &store, &args.name)?;
    let needed = plan::closure(&planned.project, std::slice::from_ref(&args.name))?;
    registry::permit(needed, &repository.host, args.allow_unfree)?;
    Permission { allow_unfree: args.allow_unfree }.check(&planned)?;
    let built = if args.dry_run {
        built::known(&store, &planned, &args.name)
    } else {
        built::build(&root, &store, &planned, &args.name, args.offline)?
    };
    match built {
        Built::Layout(layout) => push(&store, &layout, &repository, &tag, args),
        Built::Failed(verdict) => Ok(verdict),
        Built::Not => {
            output::words(&format!("{} would be built first; only then is known what it has", args.name));
            Ok(Verdict::Good)
        }
    }
}

/// Where the image goes, and by which name.
fn target(text: &str) -> Result<(Repository, String), CliError> {
    let Reference { repository, version } = text.parse()?;
    match version {
        Some(Version::Tag(tag)) => Ok((repository, tag)),
        Some(Version::Digest(_)) => {
            Err(CliError::user(format!("`{text}`: an image is pushed to a tag; its digest follows"))
                .hint(format!("write {repository}:TAG")))
        }
        None => Err(CliError::user(format!("`{text}` has no tag")).hint(format!("write {repository}:TAG"))),
    }
}

fn push(store: &Store, layout: &Blob, repository: &Repository, tag: &str, args: &Args) -> Result<Verdict, CliError> {
    let image = built::image(store, layout)?;
    let pushed = Pushed::read(&store.root().join(PUSHED), &repository.host);
    let given = args.mount_from.as_ref().map(|name| Repository { name: name.clone(), host: repository.host.clone() });
    let elsewhere = |blob: &Blob| given.clone().or_else(|| pushed.of(blob));
    let source = |blob: &Blob| store.read(blob);
    let push = Push { image: &image, source: &source, repository, tag, elsewhere: &elsewhere, dry_run: args.dry_run };
    let cancel = session::interrupts()?;
    let meter = Arc::new(Meter::new("uploading", image.blobs().len()));
    let client = registry::client(&cancel, &meter);
    let report = client.push(&push, &|| meter.over());
    drop((client, meter));
    let report = match report {
        Err(Error::Cancelled) => {
            output::words("interrupted; what was uploaded stays, and the tag is as it was");
            return Ok(Verdict::Interrupted);
        }
        report => report?,
    };
    if !args.dry_run && report.blobs.iter().any(|(_, fate)| *fate != Fate::There) {
        // Notes that can't be written only cost a mount.
        let _ = pushed.add(repository, image.blobs());
    }
    tell(&image, &report, repository, tag, args);
    Ok(Verdict::Good)
}

/// Blobs that had one fate.
#[derive(Serialize)]
struct Part {
    blobs: Vec<String>,
    bytes: u64,
}

impl Part {
    fn of(report: &Report, fate: Fate) -> Self {
        let blobs = || report.blobs.iter().filter(move |(_, other)| *other == fate).map(|(blob, _)| blob);
        Self {
            blobs: blobs().map(|blob| blob.digest.to_string()).collect(),
            bytes: blobs().map(|blob| blob.size).sum(),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    reference: String,
    digest: String,
    tag: &'static str,
    uploaded: Part,
    mounted: Part,
    skipped: Part,
}

fn tell(image: &Image, report: &Report, repository: &Repository, tag: &str, args: &Args) {
    let [uploaded, mounted, skipped] = [Fate::Uploaded, Fate::Mounted, Fate::There].map(|fate| Part::of(report, fate));
    let (moved, digest) = (moved(&report.tag), image.digest().to_string());
    let reference = format!("{repository}:{tag}");
    let summary = summary(&uploaded, &mounted, &skipped, args.dry_run);
    if args.json {
        output::json(&Line { name: args.name.as_str(), reference, digest, tag: moved, uploaded, mounted, skipped });
    } else {
        output::data(&format!("{reference}@{digest}"));
    }
    output::words(&summary);
    match &report.tag {
        Tag::Moved(before) if args.dry_run => output::words(&format!("the tag would move; it names {before}")),
        Tag::Moved(before) => output::words(&format!("the tag moved; it named {before}")),
        Tag::New | Tag::Same => {}
    }
}

fn moved(tag: &Tag) -> &'static str {
    match tag {
        Tag::New => "new",
        Tag::Same => "same",
        Tag::Moved(_) => "moved",
    }
}

/// `2 blobs uploaded, 1.2 MB; 3 there`
fn summary(uploaded: &Part, mounted: &Part, skipped: &Part, dry_run: bool) -> String {
    let to = if dry_run { ["to upload", "to mount"] } else { ["uploaded", "mounted"] };
    let count = words::count(uploaded.blobs.len(), "blob");
    let mut text = format!("{count} {}, {}", to[0], words::size(uploaded.bytes));
    if !mounted.blobs.is_empty() {
        text += &format!("; {} {}", mounted.blobs.len(), to[1]);
    }
    text + &format!("; {} there", skipped.blobs.len())
}
