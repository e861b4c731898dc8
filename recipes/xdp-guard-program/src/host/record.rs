//! What the maps do not say about themselves: the names of their classes, and how long a jiffy is. It is kept beside
//! the lock, and gone when the machine starts anew, as the pins are.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::keep;
use crate::failure::{During, Failure};

/// About what is attached to an interface.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// Of the program.
    pub program: u32,
    /// Jiffies in a second.
    pub hertz: u64,
    /// Whether the program was loaded to tell of what it drops.
    pub samples: bool,
    /// By number.
    pub classes: Vec<String>,
    /// Numbers of classes that drop.
    pub enforced: Vec<usize>,
}

impl Record {
    /// What was kept about a program of an interface; none where nothing, or only about another program.
    pub fn read(folder: &Path, interface: &str, program: u32) -> Option<Self> {
        let text = std::fs::read(path(folder, interface)).ok()?;
        let record: Self = serde_json::from_slice(&text).ok()?;
        (record.program == program).then_some(record)
    }

    /// Keeps it.
    pub fn write(&self, folder: &Path, interface: &str) -> Result<(), Failure> {
        let path = path(folder, interface);
        let text = serde_json::to_vec_pretty(self).during(|| "writing JSON".into())?;
        keep(&path, &text).during(|| format!("writing {}", path.display()))
    }

    /// Whether what was loaded for one does for the other.
    pub fn has_same_maps(&self, other: &Self) -> bool {
        self.classes == other.classes && self.samples == other.samples
    }

    /// The name of a class.
    pub fn class(&self, number: usize) -> String {
        self.classes.get(number).cloned().unwrap_or_else(|| number.to_string())
    }
}

fn path(folder: &Path, interface: &str) -> PathBuf {
    folder.join(format!("{interface}.json"))
}
