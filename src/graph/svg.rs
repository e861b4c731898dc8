//! SVG: by itself, in the colours of light and dark surroundings, or as the heart of the page.

use std::fmt::Write as _;

use super::layout::{self, Item, Layout, Link, Rect};
use super::{Graph, Node, State, escape};

/// The colours by name, each for light and dark.
pub(super) const THEME: &str = include_str!("theme.css");

/// What a graph looks like, in those names.
pub(super) const STYLE: &str = include_str!("graph.css");

/// So many kinds have colours of their own.
pub(super) const TONES: usize = 8;

/// A longer name is shortened in its middle.
const NAME_CHARS: usize = 34;

/// How wide a character is: of names, which are set in one width, and of other words, at most.
const NAME_WIDTH: f64 = 7.6;
const FACT_WIDTH: f64 = 6.4;

/// From a card's left edge to its words.
const INDENT: f64 = 14.0;

/// The least width of a card.
const LEAST_WIDTH: f64 = 84.0;

/// A graph as an SVG file.
#[must_use]
pub fn write(graph: &Graph) -> String {
    let layout = layout(graph);
    let style = format!("<style>{}@media (prefers-color-scheme: dark) {{\n{}}}</style>\n", literal(0), literal(1));
    let background = "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n";
    let empty =
        if graph.nodes.is_empty() { "<text class=\"fact\" x=\"24\" y=\"30\">nothing to draw</text>\n" } else { "" };
    svg(graph, &layout, &format!("{style}{background}{empty}"))
}

/// Where the cards of a graph stand.
#[must_use]
pub fn layout(graph: &Graph) -> Layout {
    let items: Vec<Item> = graph.nodes.iter().map(item).collect();
    layout::arrange(&items, &graph.edges)
}

/// An SVG element whose looks and colours come from around it; `inside` stands before all else.
pub(super) fn svg(graph: &Graph, layout: &Layout, inside: &str) -> String {
    let (width, height) = (layout.width.max(160.0), layout.height.max(48.0));
    let size = format!("width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
    let mut text = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" {size}>\n{inside}");
    text.push_str("<g class=\"view\">\n");
    layout.frames.iter().for_each(|frame| text.push_str(&framed(frame)));
    // What is critical is drawn last, over the others.
    let critical = critical_links(graph, layout);
    for hot in [false, true] {
        let links = layout.links.iter().filter(|link| critical.contains(&(link.from, link.to)) == hot);
        links.for_each(|link| text.push_str(&edge(link, hot)));
    }
    let kinds = graph.kinds();
    for (id, (node, rect)) in graph.nodes.iter().zip(&layout.boxes).enumerate() {
        let tone = kinds.iter().position(|kind| *kind == node.kind).unwrap_or_default() % TONES;
        text.push_str(&card(id, node, rect, layout.cells[id], tone));
    }
    text.push_str("</g>\n</svg>\n");
    text
}

fn critical_links(graph: &Graph, layout: &Layout) -> Vec<(usize, usize)> {
    let critical = graph.edges.iter().filter(|edge| graph.is_critical(**edge));
    critical.map(|(from, to)| (layout.cells[*from], layout.cells[*to])).collect()
}

/// The style with each colour written out, as few programs but browsers know variables: 0 those for
/// light, 1 those for dark.
fn literal(scheme: usize) -> String {
    let ground = "svg.graph .ground { fill: var(--ground); }\n";
    let mut style = format!("{ground}{STYLE}");
    for (name, colors) in colors() {
        style = style.replace(&format!("var({name})"), colors[scheme]);
    }
    style
}

/// The names of the theme, each with its colours for light and dark.
fn colors() -> impl Iterator<Item = (&'static str, [&'static str; 2])> {
    THEME.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_suffix(");")?.split_once(": light-dark(")?;
        let (light, dark) = value.split_once(", ")?;
        Some((name, [light, dark]))
    })
}

/// What is written on a card, line by line; the name first.
fn lines(node: &Node) -> Vec<String> {
    let mut lines = vec![shortened(&node.name), node.facts()];
    if !node.note.is_empty() {
        lines.push(node.note.clone());
    }
    lines
}

fn item(node: &Node) -> Item {
    let lines = lines(node);
    let widths = lines
        .iter()
        .enumerate()
        .map(|(number, line)| line.chars().count() as f64 * if number == 0 { NAME_WIDTH } else { FACT_WIDTH });
    let width = widths.fold(LEAST_WIDTH, f64::max) + 2.0 * INDENT;
    Item { width: width.ceil(), height: 14.0 + 16.0 * lines.len() as f64, apart: node.critical.is_some() }
}

/// `text`, without its middle if it is long.
fn shortened(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= NAME_CHARS {
        return text.to_owned();
    }
    let (head, tail) = (&characters[..NAME_CHARS / 2], &characters[characters.len() - NAME_CHARS / 2 + 1..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn framed(rect: &Rect) -> String {
    let Rect { x, y, width, height } = rect;
    format!("<rect class=\"frame\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"12\"/>\n")
}

fn edge(link: &Link, critical: bool) -> String {
    let class = if critical { " critical" } else { "" };
    let (from, to) = (link.from, link.to);
    let (x, y) = link.points[link.points.len() - 1];
    let mut text =
        format!("<g data-from=\"{from}\" data-to=\"{to}\"><path class=\"edge{class}\" d=\"{}\"/>", way(&link.points));
    let _ = writeln!(text, "<path class=\"tip{class}\" d=\"M{x} {y}l-4 -7h8z\"/></g>");
    text
}

/// Curves between layers, and straight down through them.
fn way(points: &[(f64, f64)]) -> String {
    let mut way = format!("M{} {}", points[0].0, points[0].1);
    let last = points.len() - 1;
    for (number, pair) in points.windows(2).enumerate() {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        // The tip is drawn over the end of the last.
        let y1 = if number + 1 == last { y1 - 6.0 } else { y1 };
        if number % 2 == 1 {
            let _ = write!(way, "V{y1}");
        } else {
            let middle = f64::midpoint(y0, y1);
            let _ = write!(way, "C{x0} {middle} {x1} {middle} {x1} {y1}");
        }
    }
    way
}

fn card(id: usize, node: &Node, rect: &Rect, cell: usize, tone: usize) -> String {
    let Rect { x, y, width, height } = rect;
    let critical = if node.critical.is_some() { " critical" } else { "" };
    let class = format!("node k{tone} {}{critical}", state(node.state));
    let title = escape(&format!("{}\n{}, {}", node.name, node.kind, node.state.words()));
    let mut text =
        format!("<g class=\"{class}\" data-id=\"{id}\" data-cell=\"{cell}\" transform=\"translate({x} {y})\">");
    let _ = write!(text, "<title>{title}</title><rect class=\"card\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>");
    let _ = write!(text, "<rect class=\"tone\" x=\"5\" y=\"7\" width=\"3\" height=\"{}\" rx=\"1.5\"/>", height - 14.0);
    for (number, line) in lines(node).iter().enumerate() {
        let class = if number == 0 { "name" } else { "fact" };
        let y = 19 + 16 * number;
        let _ = write!(text, "<text class=\"{class}\" x=\"{INDENT}\" y=\"{y}\">{}</text>", escape(line));
    }
    text.push_str("</g>\n");
    text
}

fn state(state: State) -> &'static str {
    match state {
        State::Cached => "cached",
        State::Idle => "idle",
        State::Open => "open",
        State::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{graph, node};
    use super::*;

    /// What of an SVG is not its style.
    fn body(svg: &str) -> &str {
        svg.split_once("</style>\n").expect("a style").1
    }

    #[test]
    fn golden() {
        let root = Node { state: State::Cached, seconds: Some(7.0), critical: Some(0), ..node("box", "toolroot") };
        let unit = Node { critical: Some(1), ..node("hello", "cmd") };
        let svg = write(&Graph { nodes: vec![root, unit], edges: vec![(0, 1)] });
        let expect = r#"<rect class="ground" width="100%" height="100%"/>
<g class="view">
<g data-from="0" data-to="1"><path class="edge critical" d="M80 70C80 90 80 90 80 110"/><path class="tip critical" d="M80 116l-4 -7h8z"/></g>
<g class="node k1 cached critical" data-id="0" data-cell="0" transform="translate(24 24)"><title>box
toolroot, cached</title><rect class="card" width="112" height="46" rx="7"/><rect class="tone" x="5" y="7" width="3" height="32" rx="1.5"/><text class="name" x="14" y="19">box</text><text class="fact" x="14" y="35">7.0 s</text></g>
<g class="node k0 open critical" data-id="1" data-cell="1" transform="translate(24 116)"><title>hello
cmd, to build</title><rect class="card" width="112" height="46" rx="7"/><rect class="tone" x="5" y="7" width="3" height="32" rx="1.5"/><text class="name" x="14" y="19">hello</text><text class="fact" x="14" y="35">to build</text></g>
</g>
</svg>
"#;
        assert_eq!(body(&svg), expect);
    }

    #[test]
    fn colours_are_written_out_for_both_themes() {
        let svg = write(&graph(1, &[]));
        assert!(!svg.contains("var(") && !svg.contains("light-dark"), "{svg}");
        assert!(svg.contains("@media (prefers-color-scheme: dark)"));
        assert_eq!(colors().count(), THEME.lines().count() - 2);
    }

    #[test]
    fn names_can_not_leave_their_element() {
        let svg = write(&Graph { nodes: vec![node("</text><script>\"&'", "<b>")], edges: vec![] });
        assert!(svg.contains("&lt;/text&gt;&lt;script&gt;&quot;&amp;&#39;") && !svg.contains("<script"), "{svg}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
    }

    #[test]
    fn long_names_lose_their_middle() {
        for (text, shown) in [
            ("a".repeat(34), "a".repeat(34)),
            (format!("{}b{}", "a".repeat(20), "c".repeat(20)), format!("{}…{}", "a".repeat(17), "c".repeat(16))),
        ] {
            assert_eq!(shortened(&text), shown);
        }
    }

    #[test]
    fn an_empty_graph_says_so() {
        assert!(write(&Graph::default()).contains("nothing to draw"));
    }
}
