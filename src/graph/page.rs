//! One self-contained page: the graph, the course of the last build, and what outputs are made of.
//!
//! It asks nothing of a network, and its own policy forbids it to: only the one script and the one
//! style run whose digests stand in its head, so that no name, whatever it holds, can run anything.
//! `page.html` is the frame; `{{word}}` in it is a hole that is filled here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::{Chart, Graph, escape, svg};
use crate::build::timeline::Timeline;
use crate::digest::Digest;

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPTS: [&str; 5] = [
    include_str!("page.js"),
    include_str!("canvas.js"),
    include_str!("timeline.js"),
    include_str!("sizes.js"),
    "start();\n",
];

/// What a page shows; serialised, it is the data that its script reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// Whether the graph is one of steps, not of units.
    pub steps: bool,
    /// The graph.
    pub graph: Graph,
    /// How long its longest chain takes.
    pub chain_seconds: f64,
    /// The last build, if one is recorded.
    pub timeline: Option<Course>,
    /// The outputs that are in the store.
    pub charts: Vec<Chart>,
}

/// A build as the page reads it. Times are milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Course {
    begun: u64,
    length: u64,
    spans: Vec<Span>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Span {
    start: u64,
    end: u64,
    lane: Option<String>,
    status: &'static str,
    label: String,
}

impl From<Timeline> for Course {
    fn from(Timeline { begun, length, spans }: Timeline) -> Self {
        let span = |span: crate::build::timeline::Span| Span {
            start: span.start,
            end: span.end,
            lane: span.lane,
            status: span.status.word(),
            label: span.label,
        };
        Self { begun, length, spans: spans.into_iter().map(span).collect() }
    }
}

/// The page as HTML.
#[must_use]
pub fn write(page: &Page) -> String {
    let style = [svg::THEME, svg::STYLE, STYLE].concat();
    let script = SCRIPTS.concat();
    let picture = svg::svg(&page.graph, &svg::layout(&page.graph), "");
    fill(FRAME, |hole| match hole {
        "title" => escape(&page.title),
        "style-hash" => hash(&style),
        "script-hash" => hash(&script),
        "style" => style.clone(),
        "graph" => picture.clone(),
        "data" => in_script(&json(page)),
        "script" => script.clone(),
        other => unreachable!("BUG: the frame has a hole `{other}`"),
    })
}

/// The page's data alone.
#[must_use]
pub fn json(page: &Page) -> String {
    serde_json::to_string(page).expect("BUG: plain data")
}

/// Fills the holes of a frame. What is filled in is not looked at again.
fn fill(frame: &str, filling: impl Fn(&str) -> String) -> String {
    let mut parts = frame.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hole, rest) = part.split_once("}}").expect("BUG: a hole ends");
        text.push_str(&filling(hole));
        text.push_str(rest);
    }
    text
}

/// How a content policy names an inline script or style.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Digest::of(text.as_bytes()).bytes()))
}

/// JSON inside a script element, which only `<` could end; in JSON that stands in strings alone.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::super::tests::node;
    use super::super::{Folder, Graph};
    use super::*;
    use crate::build::Status;
    use crate::build::timeline;

    fn page(name: &str) -> Page {
        let graph = Graph { nodes: vec![node(name, "cmd")], edges: Vec::new() };
        let root = Folder::holding("", vec![Folder::file(name, 3)]);
        let chart = Chart { unit: name.to_owned(), output: "out".to_owned(), root };
        Page { title: name.to_owned(), graph, charts: vec![chart], ..Page::default() }
    }

    #[test]
    fn names_can_not_leave_their_place() {
        for name in ["</script><script>alert(1)</script>", "<!--<script>", "{{script}}", "\u{2028}'\"&"] {
            let page = page(name);
            let html = write(&page);
            assert_eq!(html.matches("<script").count(), 2, "{name}");
            assert_eq!(html.matches("</script>").count(), 2, "{name}");
            assert!(!html.contains("<!--"), "{name}");
            let (_, rest) = html.split_once("id=\"data\">").expect("data");
            let data: serde_json::Value =
                serde_json::from_str(rest.split_once("</script>").expect("an end").0).expect("JSON");
            assert_eq!(data["graph"]["nodes"][0]["name"], name);
            assert_eq!(data["charts"][0]["root"]["inside"][0]["name"], name);
        }
    }

    #[test]
    fn the_policy_allows_what_is_there_and_nothing_else() {
        let html = write(&page("a"));
        for (start, end, directive) in [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")] {
            let inside = html.split_once(start).expect(start).1.split_once(end).expect(end).0;
            assert!(html.contains(&format!("{directive} '{}'", hash(inside))), "{directive}");
        }
        assert!(!html.contains("style=\"") && !html.contains("onclick=\""), "what the policy would forbid");
        for word in ["http:", "https:", "src=", "@import", "url("] {
            let found = html.replace("http://www.w3.org/2000/svg", "").contains(word);
            assert!(!found, "the page asks for `{word}`");
        }
    }

    #[test]
    fn golden_data() {
        let span = timeline::Span {
            start: 1,
            end: 20,
            lane: Some("work 1".to_owned()),
            status: Status::Built,
            key: None,
            label: "a".to_owned(),
        };
        let course = Course::from(Timeline { begun: 5, length: 21, spans: vec![span] });
        let expect = concat!(
            r#"{"title":"a","steps":false,"graph":{"nodes":[{"name":"a","kind":"cmd","note":"","state":"open","#,
            r#""seconds":null,"size":null,"critical":null,"key":null,"outputs":[],"log":null}],"edges":[]},"#,
            r#""chain_seconds":0.0,"timeline":{"begun":5,"length":21,"spans":[{"start":1,"end":20,"lane":"work 1","#,
            r#""status":"built","label":"a"}]},"charts":[{"unit":"a","output":"out","root":{"name":"","bytes":3,"#,
            r#""files":1,"inside":[{"name":"a","bytes":3,"files":1}]}}]}"#,
        );
        assert_eq!(json(&Page { timeline: Some(course), ..page("a") }), expect);
    }
}
