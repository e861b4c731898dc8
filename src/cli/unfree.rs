//! What is not free: who gets or makes it says that they may.

use super::error::CliError;
use super::session::Planned;
use crate::lockfile::Unfree;
use crate::path::Name;
use crate::plan;
use crate::recipe::{Project, Unlocked};

/// The flag by which the user says so.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Permission {
    /// Go on although a unit is not free; its licence must let you.
    #[arg(long)]
    pub allow_unfree: bool,
}

impl Permission {
    /// What locking does with units that are not free.
    pub fn locking(self) -> Unfree {
        if self.allow_unfree { Unfree::Locked } else { Unfree::Left }
    }

    /// Refuses what was planned where it is, or needs, what is not free.
    pub fn check(self, planned: &Planned) -> Result<(), CliError> {
        self.of(&planned.project, &planned.units)
    }

    /// The same of some units.
    pub fn of<S>(self, project: &Project<S>, units: &[Name]) -> Result<(), CliError> {
        for name in units.iter().filter(|_| !self.allow_unfree) {
            let needed = plan::closure(project, std::slice::from_ref(name))?;
            if let Some(unfree) = needed.into_iter().find(|recipe| recipe.unfree) {
                let text = if unfree.name == *name {
                    format!("`{name}` is not free")
                } else {
                    format!("`{name}` needs `{}`, which is not free", unfree.name)
                };
                let error = CliError::user(text);
                return Err(error.hint("if its licence lets you, say so with --allow-unfree"));
            }
        }
        Ok(())
    }
}

/// What is said of a unit that can't be planned.
pub fn unlocked(name: &Name, Unlocked { unit, on_demand, supplied }: &Unlocked) -> CliError {
    if *on_demand {
        let of = if unit == name { String::new() } else { format!("needs `{unit}`, which ") };
        let error = CliError::user(format!("`{name}` {of}is locked on demand, and is not locked"));
        return error.hint(format!("`forge lock --update {unit}` locks it, where its sources can be had"));
    }
    let text = if unit == name {
        format!("`{name}` is not locked: it is not free, and who wants it has to lock it")
    } else {
        format!("`{name}` needs `{unit}`, which is not free and not locked")
    };
    let files: Vec<_> = supplied.iter().map(|file| format!("`{file}`")).collect();
    let lock = "`forge lock --allow-unfree`";
    CliError::user(text).hint(if files.is_empty() {
        format!("if its licence lets you: {lock}")
    } else {
        let files = files.join(", ");
        format!("supply {files}: write where it is under [supplied] in the file that FORGE_MIRRORS names; then {lock}")
    })
}
