//! `forge graph`: what it says of a project, and that Graphviz and a browser read what it writes.

mod browser;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use forge::graph::{Graph, Node, dot};
use serde_json::Value;

use crate::support::{Forge, boxed};

/// A project with the units `a`, `b` that reads it, and `bad` that fails.
fn project() -> Forge {
    let forge = boxed::forge();
    let unit = |steps: &str| format!("toolroot = \"box\"\nsteps = [{steps}]\n");
    forge.write("recipes/a.toml", &unit("\"sleep 0.3\", \"mkdir -p /out/out/x\", \"echo one > /out/out/x/one\""));
    let reads = unit("\"cat /deps/a/x/one /deps/a/x/one > /out/out\"");
    forge.write("recipes/b.toml", &format!("default = true\n{reads}[deps]\na = \"a\"\n"));
    forge.write("recipes/bad.toml", &unit("\"exit 3\""));
    forge
}

/// The data that pictures of `units` are made of.
fn data(forge: &Forge, args: &[&str]) -> Value {
    let run = forge.run(&[&["graph", "--format", "json"], args].concat()).success();
    serde_json::from_str(&run.stdout).unwrap()
}

fn node<'a>(data: &'a Value, name: &str) -> &'a Value {
    data["graph"]["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap()
}

#[test]
fn an_empty_store_has_no_times_and_no_sizes() {
    let forge = project();
    let bare = forge.folder().join("bare");
    let forge = forge.env("FORGE_STORE", bare);
    let data = data(&forge, &[]);
    assert_eq!(
        (&data["timeline"], &data["charts"], &data["chain_seconds"]),
        (&Value::Null, &Value::Array(vec![]), &0.0.into())
    );
    for name in ["a", "b", "box"] {
        let node = node(&data, name);
        assert_eq!(
            (&node["state"], &node["seconds"], &node["size"], &node["critical"]),
            (&"open".into(), &Value::Null, &Value::Null, &Value::Null)
        );
    }
    assert!(forge.run(&["graph"]).success().stdout.contains("to build"));
    assert!(forge.run(&["graph", "-f", "svg"]).success().stdout.starts_with("<svg "));
}

#[test]
fn a_build_leaves_times_sizes_and_its_course() {
    let forge = project();
    forge.run(&["build"]).success();
    let data = data(&forge, &[]);
    let names: Vec<&Value> = data["graph"]["nodes"].as_array().unwrap().iter().map(|node| &node["name"]).collect();
    assert_eq!(names, ["a", "b", "box"]);
    assert_eq!(data["graph"]["edges"], serde_json::json!([[0, 1], [2, 0], [2, 1]]));
    let (a, b, root) = (node(&data, "a"), node(&data, "b"), node(&data, "box"));
    assert_eq!(
        (&a["state"], &a["kind"], &a["size"]),
        (&"cached".into(), &"cmd".into(), &serde_json::json!({"bytes": 4, "files": 1}))
    );
    assert!(a["seconds"].as_f64().unwrap() >= 0.3);
    assert_eq!(b["size"], serde_json::json!({"bytes": 8, "files": 1}));
    assert!(b["outputs"][0][1].as_str().unwrap().starts_with("sha256:") && b["key"].is_string());
    assert!(fs::read_to_string(a["log"].as_str().unwrap()).unwrap().contains("sleep 0.3"));
    assert!(root["note"].as_str().unwrap().contains(" packages, "));
    // The toolroot was built elsewhere and its time came along with the store.
    assert_eq!([&root["critical"], &a["critical"], &b["critical"]], [&Value::from(0), &1.into(), &2.into()]);
    let spans = data["timeline"]["spans"].as_array().unwrap();
    let ran: Vec<&Value> = spans.iter().filter(|span| span["status"] == "built").map(|span| &span["label"]).collect();
    assert_eq!(ran, ["a", "b"]);
    let chart = data["charts"].as_array().unwrap().iter().find(|chart| chart["unit"] == "a").unwrap();
    assert_eq!(chart["root"]["inside"][0]["inside"][0], serde_json::json!({"name": "one", "bytes": 4, "files": 1}));
}

#[test]
fn a_failure_is_shown_with_its_log() {
    let forge = project();
    forge.run(&["build", "bad"]).code(1);
    let data = data(&forge, &["bad"]);
    let bad = node(&data, "bad");
    assert_eq!(bad["state"], "failed");
    assert!(fs::read_to_string(bad["log"].as_str().unwrap()).unwrap().contains("exit code 3"));
}

#[test]
fn steps_show_the_downloads_of_a_toolroot_as_one() {
    let forge = project();
    let data = data(&forge, &["--steps", "b"]);
    let nodes = data["graph"]["nodes"].as_array().unwrap();
    let package: Vec<&Value> = nodes.iter().filter(|node| node["kind"] == "package").collect();
    assert_eq!((nodes.len(), package.len()), (4, 1));
    assert!(
        package[0]["name"].as_str().unwrap().ends_with(" packages")
            && package[0]["size"]["bytes"].as_u64() > Some(1_000_000)
    );
}

#[test]
fn what_is_asked_for_wrongly_is_told() {
    let forge = project();
    forge.run(&["graph", "bd"]).code(2).says("there is no unit `bd`").says("did you mean");
    forge
        .run(&["graph", "--format", "htm"])
        .code(2)
        .says("possible values: dot, svg, html, json")
        .says("hint: did you mean `html`?");
    forge
        .run(&["graph", "-o", "no/such/folder/a.svg"])
        .code(3)
        .says("no/such/folder/a.svg")
        .says("hint: -o takes a file");
    let file = forge.folder().join("g.xyz");
    let run = forge.run(&["graph", "-o", file.to_str().unwrap()]).code(2);
    run.says("g.xyz does not say in which format").says("hint: let it end in .dot, .svg, .html or .json, or say");
    assert!(!file.exists());
}

#[test]
fn the_file_gets_what_stdout_would() {
    let forge = project();
    let file = forge.folder().join("graph.svg");
    let run = forge.run(&["graph", "-o", file.to_str().unwrap()]).success();
    assert_eq!(run.stdout, "");
    assert_eq!(fs::read_to_string(file).unwrap(), forge.run(&["graph", "--format", "svg"]).success().stdout);
}

/// What Graphviz makes of `text`.
fn graphviz(text: &str, format: &str) -> String {
    let mut dot = Command::new("dot");
    let child = dot.arg(format).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("this test needs `dot`: apt-get install graphviz");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn graphviz_draws_it() {
    let forge = project();
    let svg = graphviz(&forge.run(&["graph"]).success().stdout, "-Tsvg");
    assert_eq!(svg.matches("class=\"node\"").count(), 3);
    assert_eq!(svg.matches("class=\"edge\"").count(), 3);
    graphviz(&forge.run(&["graph", "--steps"]).success().stdout, "-Tsvg");
}

#[test]
fn graphviz_reads_every_name_as_it_is() {
    let names = ["plain", "a\"]; b [label=\"c", "\\N \\G \\l", "&lt;b&gt; <i>", "grün → ☃", "back\\"];
    let nodes = names.map(|name| Node { name: name.to_owned(), kind: "k".to_owned(), ..Node::default() });
    let svg = graphviz(&dot::write(&Graph { nodes: nodes.into(), edges: vec![(0, 1)] }), "-Tsvg");
    for name in names {
        let written = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        // Graphviz writes a space that stands by another as an entity, and some versions every `-`.
        let plain = svg.replace("&#160;", " ").replace("&#45;", "-");
        assert!(plain.contains(&format!(">{written}</text>")), "{name}\n{svg}");
    }
}
