//! Many downloads for the same purpose become one node.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Node};
use crate::words;

/// So many alike are drawn one by one.
const FEW: usize = 3;

/// Folds nodes that need nothing, have the same kind and are needed by the same nodes into one that
/// says how many they are, if their kind is among `kinds` and they are more than a few.
#[must_use]
pub fn fold(graph: Graph, kinds: &[&str]) -> Graph {
    let (needs, users) = (graph.needs(), graph.users());
    let mut alike = BTreeMap::<(&str, &[usize]), Vec<usize>>::new();
    for (id, node) in graph.nodes.iter().enumerate() {
        if needs[id].is_empty() && kinds.contains(&node.kind.as_str()) {
            alike.entry((&node.kind, &users[id])).or_default().push(id);
        }
    }
    let groups: Vec<Vec<usize>> = alike.into_values().filter(|group| group.len() > FEW).collect();
    replace(&graph, &groups)
}

/// The graph with each group in the place of its first member.
fn replace(graph: &Graph, groups: &[Vec<usize>]) -> Graph {
    let mut leader: Vec<usize> = (0..graph.nodes.len()).collect();
    let mut merged = BTreeMap::new();
    for group in groups {
        group.iter().for_each(|member| leader[*member] = group[0]);
        merged.insert(group[0], merge(&group.iter().map(|member| &graph.nodes[*member]).collect::<Vec<_>>()));
    }
    let (mut nodes, mut place) = (Vec::new(), vec![0; graph.nodes.len()]);
    for (id, node) in graph.nodes.iter().enumerate().filter(|(id, _)| leader[*id] == *id) {
        place[id] = nodes.len();
        nodes.push(merged.remove(&id).unwrap_or_else(|| node.clone()));
    }
    let new = |id: usize| place[leader[id]];
    let edges: BTreeSet<_> = graph.edges.iter().map(|(from, to)| (new(*from), new(*to))).collect();
    Graph { nodes, edges: edges.into_iter().collect() }
}

/// One node for all of `members`: as big as all, as slow as the slowest.
fn merge(members: &[&Node]) -> Node {
    let kind = members[0].kind.clone();
    Node {
        name: words::count(members.len(), &kind),
        kind,
        state: members.iter().map(|node| node.state).max().unwrap_or_default(),
        seconds: members.iter().filter_map(|node| node.seconds).reduce(f64::max),
        size: Some(members.iter().filter_map(|node| node.size).sum()),
        critical: members.iter().find_map(|node| node.critical),
        ..Node::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{graph, node};
    use super::super::{Size, State};
    use super::*;

    #[test]
    fn downloads_for_one_purpose_are_one_node() {
        // 0–4 are needed by 7, 5 and 6 by 8 as well, which needs 7.
        let mut edges: Vec<_> = (0..7).map(|id| (id, 7)).collect();
        edges.extend([(5, 8), (6, 8), (7, 8)]);
        edges.sort_unstable();
        let mut whole = graph(9, &edges);
        for id in 0..7 {
            whole.nodes[id] = Node {
                state: if id == 2 { State::Open } else { State::Cached },
                seconds: (id > 0).then_some(id as f64),
                size: Some(Size { bytes: 1000, files: 1 }),
                critical: (id == 3).then_some(0),
                ..node("fetch x", "package")
            };
        }
        let folded = fold(whole, &["package"]);
        assert_eq!(folded.nodes.len(), 5);
        let group = &folded.nodes[0];
        assert_eq!((group.name.as_str(), group.facts().as_str()), ("5 packages", "4.0 s · 5.0 kB"));
        assert_eq!((group.state, group.critical), (State::Open, Some(0)));
        assert_eq!(folded.edges, [(0, 3), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]);
    }

    #[test]
    fn a_few_and_other_kinds_stay() {
        let few = graph(4, &[(0, 3), (1, 3), (2, 3)]);
        assert_eq!(fold(few.clone(), &["cmd"]), few);
        let other = graph(6, &[(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)]);
        assert_eq!(fold(other.clone(), &["package"]), other);
    }
}
