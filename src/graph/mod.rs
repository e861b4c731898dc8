//! Pictures of a plan: Graphviz, SVG, and one page for a browser. Pure: facts in, text out.
//!
//! ```text
//! Graph ─arrange→ Layout ─svg::draw→ SVG ┐
//!   └─dot::write→ Graphviz               ├─page::write→ HTML
//! Timeline, Charts ─────────────JSON─────┘
//! ```
//!
//! An edge runs from what is needed to what needs it, and downward in every picture. The same facts
//! give the same bytes. Names are the user's: each format escapes them where it writes them.

mod chain;
mod chart;
pub mod dot;
mod fold;
pub mod layout;
pub mod page;
pub mod svg;

use serde::Serialize;

pub use chain::chain;
pub use chart::{Chart, Folder};
pub use fold::fold;

use crate::words;

/// A directed graph without cycles.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    /// What is drawn.
    pub nodes: Vec<Node>,
    /// From the place of a node to that of one which needs it; sorted, each once.
    pub edges: Vec<(usize, usize)>,
}

/// A unit or a step, with what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Node {
    /// What people call it.
    pub name: String,
    /// Its kind's word, such as `cmd` or `fetch`.
    pub kind: String,
    /// More words on it, such as `97 packages, 71.2 MB`; empty where there are none.
    pub note: String,
    /// Whether it has to be built.
    pub state: State,
    /// How long it took last time, where that is recorded.
    pub seconds: Option<f64>,
    /// How big what it made is, where that is in the store.
    pub size: Option<Size>,
    /// Its place on the longest chain, where it stands on that.
    pub critical: Option<usize>,
    /// Its key, where the content of its inputs is known.
    pub key: Option<String>,
    /// Name and digest of each output.
    pub outputs: Vec<(String, String)>,
    /// Where what its commands said lies as a file.
    pub log: Option<String>,
}

/// Whether a node has to be built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its result is in the store.
    Cached,
    /// It is not there, and nothing that has to be built needs it.
    Idle,
    /// It has to be built.
    #[default]
    Open,
    /// It was built with the present recipes, and failed.
    Failed,
}

impl State {
    /// The words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Idle => "not needed",
            Self::Open => "to build",
            Self::Failed => "failed",
        }
    }
}

/// What an output holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Of all files.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), |sum, size| Self { bytes: sum.bytes + size.bytes, files: sum.files + size.files })
    }
}

impl Node {
    /// What stands below the name: time and size, or what is to be done where neither is known.
    #[must_use]
    pub fn facts(&self) -> String {
        let seconds = self.seconds.map(words::duration);
        let facts: Vec<String> = seconds.into_iter().chain(self.size.map(|size| words::size(size.bytes))).collect();
        if facts.is_empty() { self.state.words().to_owned() } else { facts.join(" · ") }
    }
}

impl Graph {
    /// The nodes that each node needs.
    #[must_use]
    pub fn needs(&self) -> Vec<Vec<usize>> {
        let mut needs = vec![Vec::new(); self.nodes.len()];
        self.edges.iter().for_each(|(from, to)| needs[*to].push(*from));
        needs
    }

    /// The nodes that need each node.
    #[must_use]
    pub fn users(&self) -> Vec<Vec<usize>> {
        let mut users = vec![Vec::new(); self.nodes.len()];
        self.edges.iter().for_each(|(from, to)| users[*from].push(*to));
        users
    }

    /// Whether an edge joins neighbours on the longest chain.
    #[must_use]
    pub fn is_critical(&self, (from, to): (usize, usize)) -> bool {
        let place = |id: usize| self.nodes[id].critical;
        place(from).is_some_and(|before| place(to) == Some(before + 1))
    }

    /// The kinds that there are, sorted; a kind's place gives its colour.
    #[must_use]
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = self.nodes.iter().map(|node| node.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// `text` in XML and HTML, in elements and in quoted attributes. What XML can't hold becomes `�`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' => escaped.push(character),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A node of which little is known.
    pub(crate) fn node(name: &str, kind: &str) -> Node {
        Node { name: name.to_owned(), kind: kind.to_owned(), ..Node::default() }
    }

    /// Nodes `n0`, `n1` … of one kind.
    pub(crate) fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        Graph { nodes: (0..nodes).map(|id| node(&format!("n{id}"), "cmd")).collect(), edges: edges.to_vec() }
    }

    #[test]
    fn what_xml_needs_escaped_is() {
        for (text, escaped) in [
            ("plain-1.2", "plain-1.2"),
            ("<a href='x'>&\"", "&lt;a href=&#39;x&#39;&gt;&amp;&quot;"),
            ("</script>", "&lt;/script&gt;"),
            ("a\u{0}b\u{1b}c\nd", "a\u{fffd}b\u{fffd}c\nd"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }

    #[test]
    fn what_is_known_stands_below_the_name() {
        let size = Some(Size { bytes: 1_200_000, files: 3 });
        for (seconds, size, facts) in
            [(None, None, "to build"), (Some(2.0), None, "2.0 s"), (Some(2.0), size, "2.0 s · 1.2 MB")]
        {
            assert_eq!(Node { seconds, size, ..Node::default() }.facts(), facts);
        }
    }
}
