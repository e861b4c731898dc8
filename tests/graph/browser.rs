//! The page in a real browser: it is put into a frame 390 pixels wide, used, and looked at.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::project;
use crate::support::Forge;

/// What a user does, and what there is to see then.
const VISIT: &str = include_str!("visit.js");

/// Runs `VISIT` on a page and a picture; nothing may be complained of on the console.
fn visit(forge: &Forge, page: &str, picture: &str) -> Value {
    let text = |text: &str| serde_json::to_string(text).unwrap().replace('<', "\\u003c");
    let script = format!("const page = {}, picture = {};\n{VISIT}", text(page), text(picture));
    let frame = "<!doctype html><meta charset=utf-8><iframe width=390 height=800></iframe><pre id=seen></pre>";
    let file = forge.folder().join("visit.html");
    fs::write(&file, format!("{frame}<script>{script}</script>")).unwrap();
    let mut chromium = Command::new("chromium");
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
    ]);
    chromium.arg(format!("--user-data-dir={}", forge.folder().join("browser").display()));
    chromium.args(["--virtual-time-budget=5000", "--dump-dom"]).arg(format!("file://{}", file.display()));
    let output = chromium.output().expect("this test needs `chromium`: apt-get install chromium");
    let [document, words] = [output.stdout, output.stderr].map(|stream| String::from_utf8_lossy(&stream).into_owned());
    let complaints: Vec<&str> = words.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let seen = document.split_once("<pre id=\"seen\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let seen = seen
        .unwrap_or_else(|| panic!("the browser gave up\n{words}"))
        .0
        .replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&amp;", "&");
    serde_json::from_str(&seen).unwrap_or_else(|error| panic!("{error}: {seen}\n{words}"))
}

fn visited(forge: &Forge) -> Value {
    let [page, picture] = ["html", "svg"].map(|format| forge.run(&["graph", "--format", format]).success().stdout);
    visit(forge, &page, &picture)
}

#[test]
fn the_page_works_in_a_narrow_window() {
    let forge = project();
    forge.run(&["build"]).success();
    let seen = visited(&forge);
    assert_eq!((&seen["cards"], &seen["picture"]), (&3.into(), &3.into()), "{seen:#}");
    assert_eq!((&seen["found"], &seen["hits"]), (&"1 of 1".into(), &serde_json::json!(["a"])), "{seen:#}");
    let facts = seen["facts"].as_str().unwrap();
    for words in ["cached", "4 B in 1 file", "sha256:", "Needs 1", "Needed by 1"] {
        assert!(facts.contains(words), "no `{words}` in {facts}");
    }
    assert_eq!(seen["moved"], "b", "the arrow goes from a card to what needs it: {seen:#}");
    assert_eq!((&seen["bars"], &seen["tiles"].as_u64().map(|tiles| tiles > 0)), (&2.into(), &Some(true)), "{seen:#}");
    for (view, wider) in seen["overflow"].as_object().unwrap() {
        assert_eq!(wider, 0, "{view} is wider than its window");
    }
    let [light, dark] = ["light", "dark"].map(|theme| seen["grounds"][theme].as_str().unwrap());
    assert_ne!(light, dark, "both themes are there");
}

#[test]
fn what_is_not_there_is_said_in_words() {
    let forge = project();
    let bare = forge.folder().join("bare");
    let seen = visited(&forge.env("FORGE_STORE", bare));
    assert!(seen["words"]["timeline"].as_str().unwrap().contains("No build is recorded yet"), "{seen:#}");
    assert!(seen["words"]["sizes"].as_str().unwrap().contains("No output is in the store yet"), "{seen:#}");
}
