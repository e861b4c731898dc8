//! Which layer everything stands in, and the trunks that edges run along through layers between.

/// Layers of nodes: cells first, then the stops of trunks. All edges join neighbouring layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    /// The nodes of each layer from left to right.
    pub rows: Vec<Vec<usize>>,
    /// The layer of each node.
    pub layer: Vec<usize>,
    /// The nodes in the layer above that a node is joined to.
    pub above: Vec<Vec<usize>>,
    /// The nodes in the layer below.
    pub below: Vec<Vec<usize>>,
    cells: usize,
    /// The first stop of each cell's trunk.
    trunks: Vec<Option<usize>>,
}

impl Layers {
    pub(super) fn new(cells: usize, links: &[(usize, usize)]) -> Self {
        let layer = layers(cells, links);
        let trunks = vec![None; cells];
        let (above, below) = (vec![Vec::new(); cells], vec![Vec::new(); cells]);
        let mut layers = Self { rows: Vec::new(), layer, above, below, cells, trunks };
        for (from, to) in links {
            layers.link(*from, *to);
        }
        let depth = layers.layer.iter().max().map_or(0, |last| last + 1);
        layers.rows = vec![Vec::new(); depth];
        (0..layers.layer.len()).for_each(|node| layers.rows[layers.layer[node]].push(node));
        layers
    }

    pub(super) fn nodes(&self) -> usize {
        self.layer.len()
    }

    /// Whether a node is a stop of a trunk.
    pub(super) fn is_stop(&self, node: usize) -> bool {
        node >= self.cells
    }

    /// The stops of a cell's trunk from top to bottom.
    pub(super) fn trunk(&self, cell: usize) -> impl Iterator<Item = usize> + '_ {
        let next = |stop: &usize| self.below[*stop].iter().copied().find(|node| self.is_stop(*node));
        std::iter::successors(self.trunks[cell], next)
    }

    /// Joins two cells, by the trunk of the upper one if there are layers between.
    fn link(&mut self, from: usize, to: usize) {
        let mut end = from;
        for layer in self.layer[from] + 1..self.layer[to] {
            let next = if end == from { self.trunks[from] } else { self.next_stop(end) };
            end = next.unwrap_or_else(|| self.stop(from, end, layer));
        }
        self.join(end, to);
    }

    fn next_stop(&self, stop: usize) -> Option<usize> {
        self.below[stop].iter().copied().find(|node| self.is_stop(*node))
    }

    fn stop(&mut self, from: usize, end: usize, layer: usize) -> usize {
        let stop = self.layer.len();
        self.layer.push(layer);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        if end == from {
            self.trunks[from] = Some(stop);
        }
        self.join(end, stop);
        stop
    }

    fn join(&mut self, upper: usize, lower: usize) {
        self.below[upper].push(lower);
        self.above[lower].push(upper);
    }
}

/// The longest way to each cell from one that needs nothing; those that need nothing stand right
/// above the first that needs them.
fn layers(cells: usize, links: &[(usize, usize)]) -> Vec<usize> {
    let mut layer = vec![0; cells];
    let mut open = vec![0; cells];
    let mut users = vec![Vec::new(); cells];
    for (from, to) in links {
        open[*to] += 1;
        users[*from].push(*to);
    }
    let sources: Vec<usize> = (0..cells).filter(|cell| open[*cell] == 0).collect();
    let mut queue = sources.clone();
    while let Some(cell) = queue.pop() {
        for user in &users[cell] {
            layer[*user] = layer[*user].max(layer[cell] + 1);
            open[*user] -= 1;
            if open[*user] == 0 {
                queue.push(*user);
            }
        }
    }
    for cell in sources {
        layer[cell] = users[cell].iter().map(|user| layer[*user] - 1).min().unwrap_or(0);
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_way_counts_and_sources_stay_near() {
        // 0 → 1 → 2 → 3, 0 → 3, 4 → 3, and 5 by itself.
        let links = [(0, 1), (0, 3), (1, 2), (2, 3), (4, 3)];
        assert_eq!(layers(6, &links), [0, 1, 2, 3, 2, 0]);
    }

    #[test]
    fn edges_of_one_cell_share_a_trunk() {
        // A chain of five cells, each of which needs the first too.
        let links = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4)];
        let layers = Layers::new(5, &links);
        assert_eq!(layers.nodes(), 8);
        let trunk: Vec<_> = layers.trunk(0).collect();
        assert_eq!(trunk, [5, 6, 7]);
        assert!(layers.below[6].contains(&7) && layers.below[6].contains(&3));
        for (node, below) in layers.below.iter().enumerate() {
            assert!(below.iter().all(|to| layers.layer[*to] == layers.layer[node] + 1));
        }
    }
}
