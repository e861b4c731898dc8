//! Graphviz. `dot -Tsvg` draws it; so does every tool that reads the language.

use std::fmt::Write as _;

use super::{Graph, Node, State};

/// Fill colours by the place of a kind, light enough for black text.
const TONES: [&str; 8] = ["#cfe0fb", "#d3ecd4", "#fbe3c0", "#e9d9f7", "#fbd5d5", "#cdebea", "#f6d6e8", "#e6e4d9"];

/// The graph in the DOT language.
#[must_use]
pub fn write(graph: &Graph) -> String {
    let kinds = graph.kinds();
    let mut text = String::from("digraph forge {\n  rankdir=TB;\n");
    text.push_str("  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11];\n");
    text.push_str("  edge [color=\"#8a8f98\", arrowsize=0.6];\n");
    for (id, node) in graph.nodes.iter().enumerate() {
        let tone = kinds.iter().position(|kind| *kind == node.kind).unwrap_or_default() % TONES.len();
        let _ = writeln!(text, "  n{id} [{}];", attributes(node, TONES[tone]));
    }
    for edge in &graph.edges {
        let style = if graph.is_critical(*edge) { " [color=\"#c2410c\", penwidth=2]" } else { "" };
        let _ = writeln!(text, "  n{} -> n{}{style};", edge.0, edge.1);
    }
    text.push_str("}\n");
    text
}

fn attributes(node: &Node, tone: &str) -> String {
    let lines = [&node.name, &node.facts(), &node.note].map(|line| quoted(line));
    let label: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    let tooltip = quoted(&format!("{}: {}, {}", node.name, node.kind, node.state.words()));
    let mut text = format!("label=\"{}\", tooltip=\"{tooltip}\", fillcolor=\"{tone}\"", label.join("\\n"));
    match node.state {
        State::Open => text.push_str(", style=\"rounded,filled,dashed\""),
        State::Failed => text.push_str(", color=\"#b91c1c\", fontcolor=\"#b91c1c\""),
        State::Cached | State::Idle => {}
    }
    if node.critical.is_some() {
        text.push_str(", penwidth=2, color=\"#c2410c\"");
    }
    text
}

/// `text` inside a quoted string, where a backslash starts an escape of labels. Graphviz reads HTML's
/// entities in labels too.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '&' => quoted.push_str("&amp;"),
            '\n' => quoted.push_str("\\n"),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::Size;
    use super::super::tests::node;
    use super::*;

    #[test]
    fn golden() {
        let root = Node {
            note: "2 packages, 3.0 kB".to_owned(),
            state: State::Cached,
            seconds: Some(7.25),
            size: Some(Size { bytes: 5000, files: 2 }),
            critical: Some(0),
            ..node("box", "toolroot")
        };
        let unit = Node { critical: Some(1), ..node("hello", "cmd") };
        let graph = Graph { nodes: vec![root, unit], edges: vec![(0, 1)] };
        let expect = r##"digraph forge {
  rankdir=TB;
  node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11];
  edge [color="#8a8f98", arrowsize=0.6];
  n0 [label="box\n7.2 s · 5.0 kB\n2 packages, 3.0 kB", tooltip="box: toolroot, cached", fillcolor="#d3ecd4", penwidth=2, color="#c2410c"];
  n1 [label="hello\nto build", tooltip="hello: cmd, to build", fillcolor="#cfe0fb", style="rounded,filled,dashed", penwidth=2, color="#c2410c"];
  n0 -> n1 [color="#c2410c", penwidth=2];
}
"##;
        assert_eq!(write(&graph), expect);
    }

    #[test]
    fn names_stay_inside_their_quotes() {
        for (text, escaped) in [
            ("a\"]; x", "a\\\"]; x"),
            ("\\N\\", "\\\\N\\\\"),
            ("a\nb", "a\\nb"),
            ("\u{7}", " "),
            ("&amp;", "&amp;amp;"),
        ] {
            assert_eq!(quoted(text), escaped);
        }
    }
}
