//! Kernel modules: loaded with what they need, and refused where they are not as they were signed.

use std::ffi::CStr;
use std::fs::{self, File};

use rustix::io::Errno;
use rustix::system::{finit_module, init_module, uname};

use super::check::Flaw;
use super::kernel_log;
use super::layers::ROOT;

/// The line at the end of a signed module, and the bytes before it that end with the length of the signature.
const MAGIC: &[u8] = b"~Module signature appended~\n";
const DESCRIPTION: usize = 12;

/// No parameters.
const NONE: &CStr = c"";

/// Loads a module and what it needs, the latter first.
///
/// # Errors
/// Names what the kernel did not take.
pub fn load(name: &str) -> Result<(), String> {
    let folder = folder();
    for path in chain(&dependencies()?, name)? {
        let file = File::open(format!("{folder}/{path}")).map_err(|error| format!("{path}: {error}"))?;
        match finit_module(&file, NONE, 0) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(format!("{path}: {error}; {}", kernel_log::last())),
        }
    }
    Ok(())
}

/// Sees a module refused for its signature.
///
/// # Errors
/// If it is taken, or refused for another reason.
pub fn reject(flaw: Flaw, name: &str) -> Result<(), String> {
    let dependencies = dependencies()?;
    let chain = chain(&dependencies, name)?;
    let path = format!("{}/{}", folder(), chain.last().expect("the module itself"));
    let module = fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    match init_module(&spoilt(module, flaw)?, NONE) {
        Err(Errno::KEYREJECTED) => Ok(()),
        Err(error) => Err(format!("it was refused as: {error}; {}", kernel_log::last())),
        Ok(()) => Err("it was loaded".to_owned()),
    }
}

fn folder() -> String {
    format!("{ROOT}/usr/lib/modules/{}", uname().release().to_string_lossy())
}

fn dependencies() -> Result<String, String> {
    let path = format!("{}/modules.dep", folder());
    fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
}

/// A module after those that it needs, by what `modules.dep` says of it: `path: need need …`, of which each may need those
/// after it.
fn chain<'d>(dependencies: &'d str, name: &str) -> Result<Vec<&'d str>, String> {
    let found =
        dependencies.lines().filter_map(|line| line.split_once(':')).find(|(path, _)| stem(path) == plain(name));
    let (path, needs) = found.ok_or_else(|| "there is no such module; is it built in?".to_owned())?;
    Ok(needs.split_whitespace().rev().chain([path]).collect())
}

/// A module's name, from its path.
fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    plain(file.split('.').next().unwrap_or(file))
}

/// In names of modules `-` and `_` are one.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

/// A module with a flaw.
fn spoilt(mut module: Vec<u8>, flaw: Flaw) -> Result<Vec<u8>, String> {
    let length = unsigned(&module).ok_or_else(|| "it is not signed".to_owned())?;
    match flaw {
        Flaw::Damaged => module[length / 2] ^= 1,
        Flaw::Unsigned => module.truncate(length),
        Flaw::Whole => {}
    }
    Ok(module)
}

/// How long a signed module is without its signature.
fn unsigned(module: &[u8]) -> Option<usize> {
    let rest = module.strip_suffix(MAGIC)?;
    let (rest, description) = rest.split_last_chunk::<DESCRIPTION>()?;
    let length = u32::from_be_bytes(*description.last_chunk()?);
    rest.len().checked_sub(usize::try_from(length).ok()?).filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "kernel/a/one-a.ko: kernel/b/two.ko kernel/b/three.ko\nkernel/b/two.ko: kernel/b/three.ko\nkernel/b/three.ko:\n";

    #[test]
    fn needs_come_first() {
        let want = Ok(vec!["kernel/b/three.ko", "kernel/b/two.ko", "kernel/a/one-a.ko"]);
        assert_eq!(chain(DEPENDENCIES, "one_a"), want);
        assert_eq!(chain(DEPENDENCIES, "one-a"), want);
        assert_eq!(chain(DEPENDENCIES, "three"), Ok(vec!["kernel/b/three.ko"]));
        assert!(chain(DEPENDENCIES, "wo").is_err());
    }

    #[test]
    fn flaws() {
        let signed = [b"module", &b"sig"[..], &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3], MAGIC].concat();
        assert_eq!(spoilt(signed.clone(), Flaw::Unsigned), Ok(b"module".to_vec()));
        assert_eq!(spoilt(signed.clone(), Flaw::Whole), Ok(signed.clone()));
        let damaged = spoilt(signed.clone(), Flaw::Damaged).expect("signed");
        assert_eq!(damaged.iter().zip(&signed).filter(|(one, other)| one != other).count(), 1);
        assert!(damaged.ends_with(MAGIC));
        for module in [&b"module"[..], MAGIC, &[&[255; 12], MAGIC].concat()] {
            assert!(spoilt(module.to_vec(), Flaw::Whole).is_err());
        }
    }
}
