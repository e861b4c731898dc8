//! A graph of things that need each other, and the paths through it, shortest first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// How many unfinished paths are looked at before a search gives up; packages need each other in
/// so many ways that all of them can't be told.
pub const MAX_LOOKS: usize = 200_000;

/// Things `N`, and why one needs another, `E`.
#[derive(Clone, Debug)]
pub struct Graph<N, E> {
    nodes: Vec<N>,
    ids: BTreeMap<N, usize>,
    edges: Vec<Vec<(usize, E)>>,
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
pub struct Hop<'g, N, E> {
    /// What needs.
    pub from: &'g N,
    /// What is needed.
    pub to: &'g N,
    /// Why.
    pub why: &'g E,
}

/// What a search found.
#[derive(Debug, PartialEq, Eq)]
pub struct Paths<'g, N, E> {
    /// The paths, shortest first.
    pub found: Vec<Vec<Hop<'g, N, E>>>,
    /// There are, or may be, more than were asked for.
    pub more: bool,
}

/// A path that is being followed: its node and edge numbers, and where it has got to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Trail {
    steps: Vec<(usize, usize)>,
    end: usize,
}

impl<N: Clone + Ord, E> Default for Graph<N, E> {
    fn default() -> Self {
        Self { nodes: Vec::new(), ids: BTreeMap::new(), edges: Vec::new() }
    }
}

impl<N: Clone + Ord, E> Graph<N, E> {
    /// Says that `from` needs `to`; the first reason given for the same two is tried first.
    pub fn need(&mut self, from: &N, to: &N, why: E) {
        let (from, to) = (self.id(from), self.id(to));
        self.edges[from].push((to, why));
    }

    fn id(&mut self, node: &N) -> usize {
        if let Some(id) = self.ids.get(node) {
            return *id;
        }
        let id = self.nodes.len();
        self.nodes.push(node.clone());
        self.edges.push(Vec::new());
        self.ids.insert(node.clone(), id);
        id
    }

    /// At most `limit` paths from `from` to any thing that is a `target`, none through one thing
    /// twice or beyond a target.
    pub fn paths(&self, from: &N, target: impl Fn(&N) -> bool, limit: usize) -> Paths<'_, N, E> {
        let mut paths = Paths { found: Vec::new(), more: false };
        let Some(start) = self.ids.get(from) else { return paths };
        let ends: Vec<usize> = (0..self.nodes.len()).filter(|id| id != start && target(&self.nodes[*id])).collect();
        let left = self.distances(&ends);
        let mut open = BinaryHeap::new();
        open.extend(left[*start].map(|left| Reverse((left, Trail { steps: Vec::new(), end: *start }))));
        let mut looks = 0;
        while let Some(Reverse((_, trail))) = open.pop() {
            looks += 1;
            if paths.found.len() == limit || looks > MAX_LOOKS {
                paths.more = true;
                break;
            }
            if left[trail.end] == Some(0) {
                paths.found.push(self.hops(&trail));
            } else {
                let further = self.further(&trail).filter_map(|next| Some((next.steps.len() + left[next.end]?, next)));
                open.extend(further.map(Reverse));
            }
        }
        paths
    }

    /// The trails that go one step on from `trail`, back to none of its own nodes.
    fn further<'a>(&'a self, trail: &'a Trail) -> impl Iterator<Item = Trail> + 'a {
        let fresh = |to: usize| to != trail.end && trail.steps.iter().all(|(node, _)| *node != to);
        let edges = self.edges[trail.end].iter().enumerate().filter(move |(_, (to, _))| fresh(*to));
        edges.map(|(edge, (to, _))| {
            let mut steps = trail.steps.clone();
            steps.push((trail.end, edge));
            Trail { steps, end: *to }
        })
    }

    fn hops(&self, trail: &Trail) -> Vec<Hop<'_, N, E>> {
        let hop = |(node, edge): &(usize, usize)| {
            let (to, why) = &self.edges[*node][*edge];
            Hop { from: &self.nodes[*node], to: &self.nodes[*to], why }
        };
        trail.steps.iter().map(hop).collect()
    }

    /// How many steps each node is away from the nearest of `ends`.
    fn distances(&self, ends: &[usize]) -> Vec<Option<usize>> {
        let mut users = vec![Vec::new(); self.nodes.len()];
        for (from, edges) in self.edges.iter().enumerate() {
            edges.iter().for_each(|(to, _)| users[*to].push(from));
        }
        let mut distances = vec![None; self.nodes.len()];
        ends.iter().for_each(|end| distances[*end] = Some(0));
        let mut queue: VecDeque<(usize, usize)> = ends.iter().map(|end| (*end, 0)).collect();
        while let Some((node, distance)) = queue.pop_front() {
            for user in &users[node] {
                if distances[*user].is_none() {
                    distances[*user] = Some(distance + 1);
                    queue.push_back((*user, distance + 1));
                }
            }
        }
        distances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges such as `ab`, and the paths from `a` to `z`, as words.
    fn paths(edges: &str, limit: usize) -> (String, bool) {
        let mut graph = Graph::default();
        for edge in edges.split(' ') {
            let (from, to) = edge.split_at(1);
            graph.need(&from.to_owned(), &to[..1].to_owned(), to[1..].to_owned());
        }
        let Paths { found, more } = graph.paths(&"a".to_owned(), |node| node == "z", limit);
        let word = |hops: &Vec<Hop<'_, String, String>>| {
            hops.iter().map(|hop| format!("{}{}", hop.why, hop.to)).fold("a".to_owned(), |word, hop| word + &hop)
        };
        (found.iter().map(word).collect::<Vec<_>>().join(" "), more)
    }

    #[test]
    fn shortest_first_and_each_once() {
        for (edges, limit, want, more) in [
            ("az", 9, "az", false),
            ("ab bz ac cd dz", 9, "abz acdz", false),
            ("ab bz ac cd dz", 1, "abz", true),
            ("ab bz", 1, "abz", false),
            ("ab ba bz", 9, "abz", false),
            ("ab bc ca cz zq qz", 9, "abcz", false),
            ("az1 az2", 9, "a1z a2z", false),
            ("ab bc", 9, "", false),
            ("bz", 9, "", false),
            ("ab ac bz cz bc cb", 9, "abz acz abcz acbz", false),
        ] {
            assert_eq!(paths(edges, limit), (want.to_owned(), more), "{edges}");
        }
    }

    #[test]
    fn a_search_that_has_no_end_gives_up() {
        let letters = "abcdefghijklmnopqrstuvwxy";
        let edges: Vec<_> = letters
            .chars()
            .flat_map(|from| letters.chars().filter(move |to| *to != from).map(move |to| format!("{from}{to}")))
            .collect();
        let (found, more) = paths(&format!("{} yz", edges.join(" ")), 100);
        assert!(more && found.starts_with("ayz abyz"), "{found}");
    }
}
