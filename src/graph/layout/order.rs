//! The order within layers: each node moves to the mean place of its neighbours, up and down by
//! turns, and the order with the fewest crossings wins.

use super::layer::Layers;

/// How often all layers are sorted, once down and once up.
const ROUNDS: usize = 10;

/// Sorts the rows of `layers`.
pub(super) fn sort(layers: &mut Layers) {
    let mut best = (crossings(layers), layers.rows.clone());
    for _ in 0..ROUNDS {
        if best.0 == 0 {
            break;
        }
        let depth = layers.rows.len();
        (1..depth).for_each(|row| towards(layers, row, |layers| &layers.above));
        (0..depth.saturating_sub(1)).rev().for_each(|row| towards(layers, row, |layers| &layers.below));
        let found = crossings(layers);
        if found < best.0 {
            best = (found, layers.rows.clone());
        }
    }
    layers.rows = best.1;
}

/// The place of each node in its row.
fn places(layers: &Layers) -> Vec<usize> {
    let mut places = vec![0; layers.nodes()];
    for row in &layers.rows {
        row.iter().enumerate().for_each(|(place, node)| places[*node] = place);
    }
    places
}

/// Sorts one row by the mean place of each node's neighbours; who has none keeps its place.
fn towards(layers: &mut Layers, row: usize, neighbours: fn(&Layers) -> &Vec<Vec<usize>>) {
    let places = places(layers);
    let scale = |node: usize| layers.rows[layers.layer[node]].len() as f64;
    let mean = |node: usize| {
        let others = &neighbours(layers)[node];
        if others.is_empty() {
            return (places[node] as f64 + 0.5) / scale(node);
        }
        let sum: f64 = others.iter().map(|other| (places[*other] as f64 + 0.5) / scale(*other)).sum();
        sum / others.len() as f64
    };
    let mut sorted: Vec<(f64, usize)> = layers.rows[row].iter().map(|node| (mean(*node), *node)).collect();
    sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    layers.rows[row] = sorted.into_iter().map(|(_, node)| node).collect();
}

/// How many pairs of edges cross.
fn crossings(layers: &Layers) -> usize {
    let places = places(layers);
    layers.rows.iter().map(|row| crossings_below(layers, row, &places)).sum()
}

/// The crossings between a row and the next: pairs of edges whose ends are the other way round,
/// counted in a Fenwick tree over the lower row.
fn crossings_below(layers: &Layers, row: &[usize], places: &[usize]) -> usize {
    let width = row.iter().flat_map(|node| &layers.below[*node]).map(|node| places[*node] + 1).max().unwrap_or(0);
    let mut tree = vec![0; width + 1];
    let (mut seen, mut crossings) = (0, 0);
    for node in row {
        let mut ends: Vec<usize> = layers.below[*node].iter().map(|to| places[*to]).collect();
        ends.sort_unstable();
        // Edges from one node do not cross each other: all look before any is counted.
        crossings += ends.iter().map(|end| seen - up_to(&tree, *end)).sum::<usize>();
        ends.iter().for_each(|end| add(&mut tree, *end));
        seen += ends.len();
    }
    crossings
}

/// How many ends stand at `place` or left of it.
fn up_to(tree: &[usize], place: usize) -> usize {
    let (mut index, mut sum) = (place + 1, 0);
    while index > 0 {
        sum += tree[index];
        index &= index - 1;
    }
    sum
}

fn add(tree: &mut [usize], place: usize) {
    let mut index = place + 1;
    while index < tree.len() {
        tree[index] += 1;
        index += index & index.wrapping_neg();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_counted() {
        for (links, expect) in [
            (vec![(0, 3), (1, 4), (2, 5)], 0),
            (vec![(0, 4), (1, 3), (2, 5)], 1),
            (vec![(0, 5), (1, 4), (2, 3)], 3),
            (vec![(0, 3), (0, 4), (0, 5), (1, 3), (2, 3)], 4),
        ] {
            assert_eq!(crossings(&Layers::new(6, &links)), expect, "{links:?}");
        }
    }

    #[test]
    fn what_can_be_untangled_is() {
        let mut layers = Layers::new(6, &[(0, 5), (1, 4), (2, 3)]);
        sort(&mut layers);
        assert_eq!(crossings(&layers), 0);
    }
}
