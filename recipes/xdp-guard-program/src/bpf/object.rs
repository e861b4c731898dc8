//! An object file: which program it has, and whether this agent knows its maps.

use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::kernel::Hook;
use crate::abi::{ABI, BSS_BYTES, CONFIG_BYTES, CONFIGS_AT, DUES_BYTES, PEERS_BYTES, SLOTS_BYTES};
use crate::failure::{Failure, read};

/// An object whose maps this agent knows.
pub struct Object {
    /// The file.
    pub path: PathBuf,
    /// All of it.
    pub bytes: Vec<u8>,
    /// For which its program is.
    pub hook: Hook,
}

/// Variables that the agent writes or reads: section, place in it, and bytes of the section.
const VARIABLES: [(&str, &str, usize, usize); 5] = [
    ("active", ".bss", 0, BSS_BYTES),
    ("configs", ".bss", CONFIGS_AT, BSS_BYTES),
    ("slots", ".bss.slots", 0, SLOTS_BYTES),
    ("peers", ".bss.peers", 0, PEERS_BYTES),
    ("dues", ".bss.dues", 0, DUES_BYTES),
];

impl Hook {
    /// The name of the program in an object.
    pub fn program(self) -> &'static str {
        match self {
            Self::Xdp => "solana_xdp",
            Self::Tcx => "solana_tcx",
        }
    }

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::Tcx => "tcx",
        }
    }
}

impl Object {
    /// The object of a file, if its program is for the hook and it has the layout of [`crate::abi`].
    pub fn open(path: &Path, hook: Hook) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let wrong = |what: String| Failure::Input(format!("{}: {what}", path.display()));
        let file = object::File::parse(&*bytes).map_err(|error| wrong(format!("no object of BPF: {error}")))?;
        if file.symbol_by_name(hook.program()).is_none() {
            let other = [Hook::Xdp, Hook::Tcx].into_iter().find(|hook| file.symbol_by_name(hook.program()).is_some());
            let hint = other
                .map_or("give an object of bpf/solana-xdp".into(), |hook| format!("it is for --hook {}", hook.name()));
            return Err(wrong(format!("no program {}: {hint}", hook.program())));
        }
        for (name, want) in [("abi", ABI), ("config_bytes", CONFIG_BYTES as u32)] {
            let got = constant(&file, name);
            if got != Some(want) {
                let got = got.map_or("none".into(), |got| got.to_string());
                return Err(wrong(format!(
                    "its maps are not those of this agent: give the object built with it\n  \
                                          want {name} {want}\n  got  {name} {got}"
                )));
            }
        }
        for (name, section, at, bytes) in VARIABLES {
            if !is_at(&file, name, section, at, bytes) {
                return Err(wrong(format!("{section} is not as this agent knows it: give the object built with it")));
            }
        }
        Ok(Self { path: path.into(), hook, bytes })
    }
}

/// A constant of `.rodata`.
fn constant(file: &object::File<'_>, name: &str) -> Option<u32> {
    let symbol = file.symbol_by_name(name)?;
    let section = file.section_by_index(symbol.section_index()?).ok()?;
    let bytes = section.data_range(symbol.address(), 4).ok()??;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Whether a variable is where it should be.
fn is_at(file: &object::File<'_>, name: &str, section: &str, at: usize, bytes: usize) -> bool {
    let (Some(symbol), Some(section)) = (file.symbol_by_name(name), file.section_by_name(section)) else {
        return false;
    };
    let is_there = symbol.section_index() == Some(section.index()) && symbol.address() == at as u64;
    is_there && section.size() == bytes as u64
}
