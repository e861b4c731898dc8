//! `forge doctor`: what it looks at, how fast, and what it says of a bad place.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::Forge;

#[test]
fn a_sound_host_is_ok_within_a_second() {
    let forge = Forge::new();
    let start = Instant::now();
    let lines = forge.run(&["doctor", "--json"]).success().json();
    let took = start.elapsed();
    let find = |word: &str| {
        let line = lines.iter().find(|line| line["name"].as_str().unwrap().contains(word));
        line.unwrap_or_else(|| panic!("nothing of {word} in {lines:?}"))
    };
    for word in [
        "Linux ",
        "open files",
        "clock",
        "file system of the store",
        "hard links",
        "user namespaces",
        "fresh /proc",
        "git",
    ] {
        assert_ne!(find(word)["status"], "fail", "{word}");
    }
    for line in &lines {
        assert_eq!(line["status"] == "ok", line["fix"] == "", "each that is not ok says what to do: {line}");
    }
    // Ten times what it takes on a quiet machine; tests run beside each other.
    assert!(took < Duration::from_secs(10), "{took:?}");
    let words = forge.run(&["doctor"]).success();
    assert_eq!(words.stdout.lines().filter(|line| !line.starts_with("      ")).count(), lines.len());
}

#[test]
fn a_place_that_is_no_store_fails_with_its_fix() {
    let forge = Forge::new();
    fs::create_dir(forge.store()).unwrap();
    fs::write(forge.store().join("letter"), "dear").unwrap();
    let run = forge.run(&["doctor"]).code(1).says("1 thing to mend");
    assert!(run.stdout.contains("FAIL  the store can be opened"), "{}", run.stdout);
    assert!(run.stdout.contains("this is not a store"), "{}", run.stdout);
}
