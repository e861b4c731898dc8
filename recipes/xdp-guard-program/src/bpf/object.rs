//! An object file: which program it has, and whether this agent knows its maps.

use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::kernel::Hook;
use crate::abi::{ABI, CONFIG_BYTES};
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
        if file.section_by_name(".bss").is_none_or(|bss| bss.size() != 4) {
            return Err(wrong("its .bss holds more than `active`: give the object built with this agent".into()));
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
