//! Whether an object and this program mean the same by the values of the maps.

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::abi::{ABI, Config, Layout, Variable, layouts, variables};
use crate::btf::Structs;

/// Compares the ABI that an object names, where its structs have their fields, and where its variables are, with what
/// this program knows.
/// Returns how many structs were compared.
pub fn check(object: &[u8]) -> Result<usize> {
    let file = object::File::parse(object).context("this is no object file")?;
    let abi = constant(&file, "abi")?;
    ensure!(abi == ABI, "the object has ABI {abi}, this program knows {ABI}: rebuild the one that is older");
    let bytes = constant(&file, "config_bytes")? as usize;
    ensure!(
        bytes == size_of::<Config>(),
        "a configuration has {bytes} bytes in the object, {} here",
        size_of::<Config>()
    );
    variables().iter().try_for_each(|variable| locate(&file, variable))?;
    let section = file.section_by_name(".BTF").context("the object has no .BTF: compile it with -g")?;
    let structs = Structs::parse(section.data()?)?;
    let layouts = layouts();
    layouts.iter().try_for_each(|layout| compare(layout, &structs))?;
    Ok(layouts.len())
}

/// A number of 32 bits among the object's constants.
fn constant(file: &object::File<'_>, name: &str) -> Result<u32> {
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
    let symbol = symbol.with_context(|| format!("the object has no constant `{name}`"))?;
    let section = file.section_by_index(symbol.section_index().context("a constant is in no section")?)?;
    let at = symbol.address() as usize;
    let bytes = section.data()?.get(at..at + 4).with_context(|| format!("`{name}` is outside of its section"))?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

/// Whether a variable is where this program has it.
fn locate(file: &object::File<'_>, (name, section, at, size): &Variable) -> Result<()> {
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
    let symbol = symbol.with_context(|| format!("the object has no variable `{name}`"))?;
    let index = symbol.section_index().with_context(|| format!("`{name}` is in no section"))?;
    let theirs = (file.section_by_index(index)?.name()?, symbol.address() as usize, symbol.size() as usize);
    ensure!(theirs == (*section, *at, *size), "`{name}` is {theirs:?} in the object, here {:?}", (section, at, size));
    Ok(())
}

fn compare((name, size, fields): &Layout, structs: &Structs) -> Result<()> {
    let theirs = structs.get(name).with_context(|| format!("the object has no `struct {name}`"))?;
    ensure!(theirs.size == *size, "`struct {name}` has {} bytes in the object, {size} here", theirs.size);
    let ours: Vec<(String, usize)> = fields.iter().map(|(name, at)| (name.to_string(), *at)).collect();
    ensure!(theirs.fields == ours, "`struct {name}` has in the object {:?}, here {ours:?}", theirs.fields);
    Ok(())
}
