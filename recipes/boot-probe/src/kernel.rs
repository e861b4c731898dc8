//! Makes the checks.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::check::Check;
use super::{config, layers, module, wait};

/// How much of a file is read: a disk has no end to speak of.
const MUCH: u64 = 64 << 10;

/// Makes one check.
///
/// # Errors
/// Says what is not as it must be.
pub fn check(check: &Check<'_>) -> Result<(), String> {
    match check {
        Check::Config => config::check(),
        Check::Argument(word) => argument(&read("/proc/cmdline")?, word),
        Check::Sysctl { name, value } => sysctl(name, value),
        Check::Layers(images) => layers::lay(images),
        Check::Absent(path) => {
            if Path::new(path).exists() {
                Err("it is there".to_owned())
            } else {
                Ok(())
            }
        }
        Check::Appears(path) => wait::until(|| Path::new(path).exists()),
        Check::File { path, text } => holds(&read(path)?, text),
        Check::Reject { flaw, module } => module::reject(*flaw, module),
        Check::Load(module) => module::load(module),
    }
}

fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MUCH).read_to_end(&mut bytes));
    read.map_err(|error| format!("{path}: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn argument(line: &str, word: &str) -> Result<(), String> {
    if line.split_whitespace().any(|known| known == word) { Ok(()) } else { Err(format!("it is {}", line.trim())) }
}

/// Writes a value, and reads what became of it.
fn sysctl(name: &str, value: &str) -> Result<(), String> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::write(&path, value).map_err(|error| format!("writing {path}: {error}"))?;
    let found = plain(&read(&path)?);
    if found == plain(value) { Ok(()) } else { Err(format!("it is {found}")) }
}

fn holds(content: &str, text: &str) -> Result<(), String> {
    let content = plain(content);
    if content.contains(&plain(text)) {
        return Ok(());
    }
    let start: String = content.chars().take(80).collect();
    Err(format!("it has {}", start.escape_debug()))
}

/// With one blank where there are some.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_whole_words() {
        assert_eq!(argument("a pti=on b\n", "pti=on"), Ok(()));
        assert_eq!(argument("xpti=on\n", "pti=on"), Err("it is xpti=on".to_owned()));
    }

    #[test]
    fn blanks_are_one() {
        assert_eq!(holds("HugePages_Total:      32\nHugePages_Free: 32\n", "HugePages_Total: 32"), Ok(()));
        assert_eq!(holds("always [madvise] never\n", "[always]"), Err("it has always [madvise] never".to_owned()));
        assert_eq!(plain("4096\t131072\t6291456\n"), "4096 131072 6291456");
    }
}
