//! Items that need the same and are needed by the same stand in one grid.

use std::collections::{BTreeMap, BTreeSet};

use super::Item;

/// So many alike still stand side by side.
const FEW: usize = 6;

/// Between the items of a grid.
const GAP: f64 = 12.0;

/// Between a grid and its frame.
const PADDING: f64 = 14.0;

/// How much wider than high a grid is, about.
const ASPECT: f64 = 1.7;

/// What has one place in a layer: an item, or a grid of items.
pub(super) struct Cell {
    pub width: f64,
    pub height: f64,
    pub members: Vec<Member>,
}

/// An item in its cell; the place is that of its upper left corner in the cell.
pub(super) struct Member {
    pub item: usize,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The cells of all items, in the order of their first items.
pub(super) fn cells(items: &[Item], edges: &[(usize, usize)]) -> Vec<Cell> {
    let (mut needs, mut users) = (vec![Vec::new(); items.len()], vec![Vec::new(); items.len()]);
    for (from, to) in edges {
        users[*from].push(*to);
        needs[*to].push(*from);
    }
    let mut alike = BTreeMap::<(&[usize], &[usize]), Vec<usize>>::new();
    for id in (0..items.len()).filter(|id| !items[*id].apart) {
        alike.entry((&needs[id], &users[id])).or_default().push(id);
    }
    let grids: Vec<Vec<usize>> = alike.into_values().filter(|group| group.len() > FEW).collect();
    let gridded: BTreeSet<usize> = grids.iter().flatten().copied().collect();
    let single = (0..items.len()).filter(|id| !gridded.contains(id)).map(|id| vec![id]);
    let mut groups: Vec<Vec<usize>> = single.chain(grids).collect();
    groups.sort_unstable();
    groups.iter().map(|group| cell(items, group)).collect()
}

/// The edges between cells, each once.
pub(super) fn links(cells: &[Cell], items: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut cell = vec![0; items];
    for (number, found) in cells.iter().enumerate() {
        found.members.iter().for_each(|member| cell[member.item] = number);
    }
    let links: BTreeSet<_> = edges.iter().map(|(from, to)| (cell[*from], cell[*to])).collect();
    links.into_iter().collect()
}

fn cell(items: &[Item], group: &[usize]) -> Cell {
    if let [only] = group {
        let Item { width, height, .. } = items[*only];
        return Cell { width, height, members: vec![Member { item: *only, x: 0.0, y: 0.0, width, height }] };
    }
    let size = |of: fn(&Item) -> f64| group.iter().map(|id| of(&items[*id])).fold(0.0, f64::max);
    let (width, height) = (size(|item| item.width), size(|item| item.height));
    let columns = columns(group.len(), width + GAP, height + GAP);
    let place = |number: usize, step: f64| PADDING + number as f64 * (step + GAP);
    let members = group.iter().enumerate().map(|(number, item)| Member {
        item: *item,
        x: place(number % columns, width),
        y: place(number / columns, height),
        width,
        height,
    });
    Cell {
        width: place(columns, width) - GAP + PADDING,
        height: place(group.len().div_ceil(columns), height) - GAP + PADDING,
        members: members.collect(),
    }
}

/// How many columns give a grid its shape.
fn columns(number: usize, width: f64, height: f64) -> usize {
    let columns = (number as f64 * ASPECT * height / width).sqrt().ceil() as usize;
    columns.clamp(1, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: Item = Item { width: 100.0, height: 40.0, apart: false };

    #[test]
    fn many_alike_share_a_grid() {
        let edges: Vec<_> = (1..10).map(|id| (0, id)).collect();
        let mut items = [ITEM; 10];
        items[4].apart = true;
        let cells = cells(&items, &edges);
        assert_eq!(cells.iter().map(|cell| cell.members.len()).collect::<Vec<_>>(), [1, 8, 1]);
        assert_eq!(links(&cells, 10, &edges), [(0, 1), (0, 2)]);
        let grid = &cells[1];
        assert_eq!((grid.width, grid.height), (2.0 * 14.0 + 3.0 * 112.0 - 12.0, 2.0 * 14.0 + 3.0 * 52.0 - 12.0));
        assert_eq!((grid.members[0].x, grid.members[4].y), (14.0, 66.0));
    }

    #[test]
    fn a_few_alike_stand_for_themselves() {
        assert_eq!(cells(&[ITEM; 6], &[]).len(), 6);
        assert_eq!(cells(&[ITEM; 7], &[]).len(), 1);
    }
}
