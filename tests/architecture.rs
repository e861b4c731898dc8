//! The rules of ARCHITECTURE.md that a look at the sources can check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules in the order of `lib.rs`.
fn order() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    lib.lines().filter_map(name).collect()
}

/// Every source file with its module and the text before its tests; files that are tests are left out.
fn sources() -> Vec<(PathBuf, String, String)> {
    let all = files();
    let tests: BTreeSet<PathBuf> = all.iter().flat_map(|(file, _, text)| test_files(file, text)).collect();
    let kept = all.into_iter().filter(|(file, ..)| !tests.iter().any(|test| file.starts_with(test)));
    let tests = ["mod tests {", "pub(super) mod tests {", "pub(crate) mod tests {"];
    let code = |text: String| {
        let starts = tests.iter().filter_map(|start| text.find(&format!("#[cfg(test)]\n{start}")));
        text[..starts.min().unwrap_or(text.len())].to_owned()
    };
    kept.map(|(file, module, text)| (file, module, code(text))).collect()
}

/// The files of the modules that `file` declares for tests alone.
fn test_files(file: &Path, text: &str) -> Vec<PathBuf> {
    let folder = if file.ends_with("mod.rs") { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    let declared = text.split("#[cfg(test)]\nmod ").skip(1).filter_map(|rest| rest.split_once(';'));
    let names = declared.map(|(name, _)| name).filter(|name| !name.contains(char::is_whitespace));
    names.flat_map(|name| [folder.join(format!("{name}.rs")), folder.join(name)]).collect()
}

/// Every source file with its module and its text.
fn files() -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(root().join("src")).unwrap();
                let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
                found.push((inside.to_owned(), module.to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// The modules that a line of code names through `crate::`.
fn used(line: &str) -> BTreeSet<String> {
    let code = line.split("//").next().unwrap_or_default();
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    let mut names: BTreeSet<_> = code.split("crate::").skip(1).map(word).collect();
    if let Some(list) = code.split("crate::{").nth(1) {
        names.extend(list.trim_end_matches("};").split(',').map(|item| word(item.trim())));
    }
    names.remove("");
    names
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let order = order();
    let place = |name: &str| order.iter().position(|module| module == name);
    for (file, module, code) in sources() {
        let Some(own) = place(&module) else { continue };
        for (number, line) in code.lines().enumerate() {
            for name in used(line) {
                if let Some(other) = place(&name) {
                    assert!(other <= own, "{}:{}: `{module}` uses `{name}`", file.display(), number + 1);
                }
            }
        }
    }
}

#[test]
fn the_order_test_bites() {
    assert_eq!(used("use crate::store::{Store, Blob};"), BTreeSet::from(["store".to_owned()]));
    assert_eq!(used("use crate::{fetch, plan};"), BTreeSet::from(["fetch".to_owned(), "plan".to_owned()]));
    assert_eq!(used("// crate::cli"), BTreeSet::new());
}

/// `(words that are forbidden, the only files or folders that may have them, why)`.
const RULES: [(&[&str], &[&str], &str); 4] = [
    (&["println!", "eprintln!", "print!("], &["cli"], "only cli prints"),
    (&["env::var", "current_dir("], &["cli"], "only cli reads the environment and the current folder"),
    (&["SystemTime::now"], &["cli", "store", "fetch"], "no clock where results are made"),
    (&["unsafe {", "unsafe fn"], &["sandbox/sys", "digest/pair.rs"], "unsafe code lives in few places"),
];

#[test]
fn forbidden_words_stay_where_they_may_be() {
    for (file, _, code) in sources() {
        for (words, places, why) in RULES {
            if places.iter().any(|place| file.starts_with(place)) {
                continue;
            }
            for (number, line) in code.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let found = words.iter().find(|word| code.contains(*word));
                assert!(found.is_none(), "{}:{}: {why}", file.display(), number + 1);
            }
        }
    }
}

#[test]
fn pure_modules_open_nothing() {
    let pure = [
        "digest",
        "path.rs",
        "words.rs",
        "canon.rs",
        "agave",
        "kernel",
        "yaml",
        "talos",
        "plan",
        "derivation",
        "artifact",
        "graph",
    ];
    for (file, _, code) in sources() {
        if pure.iter().any(|place| file.starts_with(place)) {
            for words in ["std::fs", "File::open", "std::net", "TcpStream", "Command::new"] {
                assert!(!code.contains(words), "{} uses {words}", file.display());
            }
        }
    }
}

#[test]
fn nothing_is_left_open() {
    for (file, _, code) in sources() {
        for words in ["todo!", "unimplemented!", "dbg!(", "#[ignore", concat!("TO", "DO"), concat!("FIX", "ME")] {
            assert!(!code.contains(words), "{} has {words}", file.display());
        }
    }
}

#[test]
fn every_test_file_is_run() {
    let main = fs::read_to_string(root().join("tests/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_module = path.extension().is_some_and(|extension| extension == "rs") && stem != "main";
        assert!(!is_module || main.contains(&format!("mod {stem};")), "tests/main.rs does not name {stem}");
    }
}
