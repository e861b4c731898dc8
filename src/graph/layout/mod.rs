//! Where everything stands: layers from top to bottom, what is needed above what needs it.
//!
//! The steps are those of Sugiyama, Tagawa and Toda: [`layer`] gives each box a layer by its longest
//! path, [`order`] sorts layers so that few edges cross, [`place`] moves boxes towards their
//! neighbours. Three things keep large graphs readable. Boxes that need the same and are needed by the
//! same ([`block`]) share one framed grid, with one edge for all. An edge over several layers runs
//! along one trunk with the others from the same box. And a layer much wider than the whole should
//! be is staggered over several rows.
//!
//! All is deterministic: no hash map, no chance, and ties go by the order of the input.

mod block;
mod layer;
mod order;
mod place;

use layer::Layers;

/// Between boxes side by side.
const GAP: f64 = 22.0;

/// Between layers, at least.
const RISE: f64 = 46.0;

/// Between the rows of one layer.
const STAGGER: f64 = 18.0;

/// How much wider than high a large graph should be, about.
const ASPECT: f64 = 2.0;

/// A layer is not staggered before it is this wide.
const WIDE: f64 = 1600.0;

/// Around everything.
const MARGIN: f64 = 24.0;

/// A box to be placed. Units are CSS pixels, here and below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// Whether it is drawn by itself even where others are alike.
    pub apart: bool,
}

/// A rectangle; `x` and `y` are those of its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

/// An edge as it is drawn: from cell to cell, through points from top to bottom. Between the points
/// 2n and 2n+1 it goes from one layer to the next, between 2n+1 and 2n+2 straight down through one.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The cell that is needed.
    pub from: usize,
    /// The cell that needs it.
    pub to: usize,
    /// The way.
    pub points: Vec<(f64, f64)>,
}

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// How wide all is.
    pub width: f64,
    /// How high all is.
    pub height: f64,
    /// Where each item stands.
    pub boxes: Vec<Rect>,
    /// The cell of each item; several items share one if they are alike.
    pub cells: Vec<usize>,
    /// The frames around the cells of several items.
    pub frames: Vec<Rect>,
    /// The edges between cells, sorted by their ends.
    pub links: Vec<Link>,
}

/// Places `items`. An edge goes from an item to one that needs it; there must be no cycles.
#[must_use]
pub fn arrange(items: &[Item], edges: &[(usize, usize)]) -> Layout {
    let cells = block::cells(items, edges);
    let links = block::links(&cells, items.len(), edges);
    let mut layers = Layers::new(cells.len(), &links);
    order::sort(&mut layers);
    let widths: Vec<f64> = (0..layers.nodes()).map(|node| cells.get(node).map_or(0.0, |cell| cell.width)).collect();
    let rows = stagger(&layers, &cells);
    let x = place::columns(&layers, &widths, &rows);
    let y = heights(&layers, &cells, &rows, &x);
    draw(items.len(), &cells, &links, &layers, &Places { x, y })
}

/// The middle of each node from the left, and the top and bottom of its row.
struct Places {
    x: Vec<f64>,
    y: Vec<(f64, f64)>,
}

/// Over how many rows each layer is spread, so that the whole has about its shape.
fn stagger(layers: &Layers, cells: &[block::Cell]) -> Vec<usize> {
    let area: f64 = cells.iter().map(|cell| (cell.width + GAP) * (cell.height + RISE)).sum();
    let wide = WIDE.max((area * ASPECT).sqrt());
    let width = |row: &Vec<usize>| -> f64 { row.iter().filter_map(|node| Some(cells.get(*node)?.width + GAP)).sum() };
    layers.rows.iter().map(|row| (width(row) / wide).ceil().max(1.0) as usize).collect()
}

/// The top and bottom of each node's row; a stop of a trunk reaches through its whole layer. Layers
/// are further apart where edges go far to the side.
fn heights(layers: &Layers, cells: &[block::Cell], rows: &[usize], x: &[f64]) -> Vec<(f64, f64)> {
    let mut heights = vec![(0.0, 0.0); layers.nodes()];
    let mut top = MARGIN;
    for (layer, rows) in layers.rows.iter().zip(rows) {
        let (start, mut end) = (top, top);
        for row in 0..*rows {
            let members = || layer.iter().skip(row).step_by(*rows);
            let height = members().filter_map(|node| cells.get(*node)).map(|cell| cell.height).fold(0.0, f64::max);
            members().for_each(|node| heights[*node] = (top, top + height));
            end = top + height;
            top = end + STAGGER;
        }
        layer.iter().filter(|node| layers.is_stop(**node)).for_each(|node| heights[*node] = (start, end));
        let reach = |node: &usize| layers.below[*node].iter().map(|to| (x[*to] - x[*node]).abs()).fold(0.0, f64::max);
        top = end + RISE + (layer.iter().map(reach).fold(0.0, f64::max) / 14.0).min(150.0);
    }
    heights
}

fn draw(items: usize, cells: &[block::Cell], links: &[(usize, usize)], layers: &Layers, places: &Places) -> Layout {
    let mut layout = Layout { boxes: vec![Rect::default(); items], cells: vec![0; items], ..Layout::default() };
    let Places { x, y } = places;
    for (number, cell) in cells.iter().enumerate() {
        let corner = (x[number] - cell.width / 2.0, f64::midpoint(y[number].0, y[number].1) - cell.height / 2.0);
        let rect = |x, y, width, height| Rect { x: corner.0 + x, y: corner.1 + y, width, height };
        for member in &cell.members {
            layout.boxes[member.item] = rect(member.x, member.y, member.width, member.height);
            layout.cells[member.item] = number;
        }
        if cell.members.len() > 1 {
            layout.frames.push(rect(0.0, 0.0, cell.width, cell.height));
        }
        layout.width = layout.width.max(corner.0 + cell.width + MARGIN);
        layout.height = layout.height.max(corner.1 + cell.height + MARGIN);
    }
    // The upper (-1) or lower (1) end of a node.
    let end = |node: usize, side: f64| {
        let (top, bottom) = y[node];
        let half = cells.get(node).map_or((bottom - top) / 2.0, |cell| cell.height / 2.0);
        (x[node], f64::midpoint(top, bottom) + side * half)
    };
    let link = |(from, to): &(usize, usize)| Link { from: *from, to: *to, points: way(layers, *from, *to, end) };
    layout.links = links.iter().map(link).collect();
    layout
}

/// The points of an edge: down the trunk of `from`, then to `to`.
fn way(layers: &Layers, from: usize, to: usize, end: impl Fn(usize, f64) -> (f64, f64)) -> Vec<(f64, f64)> {
    let mut points = vec![end(from, 1.0)];
    for stop in layers.trunk(from).take(layers.layer[to] - layers.layer[from] - 1) {
        points.extend([end(stop, -1.0), end(stop, 1.0)]);
    }
    points.push(end(to, -1.0));
    points
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Graphs without cycles: edges go from smaller to greater numbers.
    fn graphs() -> impl Strategy<Value = (Vec<Item>, Vec<(usize, usize)>)> {
        let items = prop::collection::vec((40.0..260.0, 30.0..70.0, any::<bool>()), 1..60);
        items.prop_flat_map(|sizes| {
            let number = sizes.len();
            let items: Vec<_> = sizes.into_iter().map(|(width, height, apart)| Item { width, height, apart }).collect();
            let edges = prop::collection::btree_set((0..number, 0..number), 0..(2 * number)).prop_map(|pairs| {
                let mut edges: Vec<_> = pairs.into_iter().filter(|(a, b)| a < b).collect();
                edges.sort_unstable();
                edges
            });
            (Just(items), edges)
        })
    }

    fn overlap(a: &Rect, b: &Rect) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    proptest! {
        #[test]
        fn nothing_overlaps_and_all_edges_go_down((items, edges) in graphs()) {
            let layout = arrange(&items, &edges);
            for (number, a) in layout.boxes.iter().enumerate() {
                prop_assert!(a.x >= 0.0 && a.y >= 0.0 && a.x + a.width <= layout.width && a.y + a.height <= layout.height);
                prop_assert!(layout.boxes[..number].iter().all(|b| !overlap(a, b)));
            }
            for (from, to) in edges {
                prop_assert!(layout.boxes[from].y + layout.boxes[from].height < layout.boxes[to].y);
                let ends = (layout.cells[from], layout.cells[to]);
                let link = layout.links.iter().find(|link| (link.from, link.to) == ends).expect("every edge is drawn");
                prop_assert!(link.points.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            }
        }

        #[test]
        fn the_same_graph_has_the_same_layout((items, edges) in graphs()) {
            prop_assert_eq!(arrange(&items, &edges), arrange(&items, &edges));
        }
    }

    #[test]
    fn nothing_is_placed_nowhere() {
        let layout = arrange(&[], &[]);
        assert_eq!((layout.boxes.len(), layout.links.len()), (0, 0));
    }

    #[test]
    fn a_chain_stands_in_one_column() {
        let layout = arrange(&[Item { width: 80.0, height: 40.0, apart: false }; 3], &[(0, 1), (1, 2)]);
        assert!(layout.boxes.iter().all(|rect| rect.x == MARGIN));
        assert_eq!(layout.boxes.iter().map(|rect| rect.y).collect::<Vec<_>>(), [24.0, 110.0, 196.0]);
    }

    #[test]
    fn a_wide_layer_is_staggered() {
        // No two of 60 are alike: each is needed by one more.
        let edges: Vec<_> = (1..=60).flat_map(|id| [(0, id), (id, id + 60)]).collect();
        let layout = arrange(&[Item { width: 200.0, height: 40.0, apart: false }; 121], &edges);
        assert!(layout.width < 61.0 * 222.0 / 2.0, "{}", layout.width);
    }

    #[test]
    fn a_thousand_units_take_no_time() {
        let items = [Item { width: 100.0, height: 40.0, apart: false }; 1000];
        // Each needs up to three earlier ones, far and near.
        let needs = |id: usize| {
            [id / 2, id * 7 / 11, id - 1].into_iter().filter(move |need| *need < id && !id.is_multiple_of(5))
        };
        let mut edges: Vec<_> = (1..1000).flat_map(|id| needs(id).map(move |need| (need, id))).collect();
        edges.sort_unstable();
        edges.dedup();
        let start = std::time::Instant::now();
        let layout = arrange(&items, &edges);
        assert!(
            layout.height > 0.0 && start.elapsed().as_secs_f64() < 10.0,
            "{:?} without optimisation",
            start.elapsed()
        );
    }
}
