//! How far to the right everything stands: as near to the middle of its neighbours as the order of
//! its layer allows.

use super::layer::Layers;
use super::{GAP, MARGIN};

/// How often all layers are moved, once down and once up.
const ROUNDS: usize = 8;

/// How much straighter a trunk should be than other edges.
const STRAIGHT: f64 = 6.0;

/// How far right of its neighbour in the layer a node of another row stands, at least.
const STEP: f64 = 10.0;

/// The middle of each node, from the left. Each layer is spread over as many rows as `rows` says: its
/// nodes go to them by turns.
pub(super) fn columns(layers: &Layers, widths: &[f64], rows: &[usize]) -> Vec<f64> {
    let mut x = vec![0.0; layers.nodes()];
    let offsets: Vec<Vec<f64>> =
        layers.rows.iter().zip(rows).map(|(layer, rows)| offsets(layer, widths, *rows)).collect();
    layers.rows.iter().zip(&offsets).for_each(|(layer, offsets)| settle(layer, offsets, &mut x, |_| (0.0, 1.0)));
    for round in 0..ROUNDS {
        let last = round + 1 == ROUNDS;
        for (layer, offsets) in layers.rows.iter().zip(&offsets).skip(1) {
            pull(layers, layer, offsets, &mut x, &[&layers.above]);
        }
        for (layer, offsets) in layers.rows.iter().zip(&offsets).rev().skip(1) {
            let both = [&layers.below, &layers.above];
            pull(layers, layer, offsets, &mut x, if last { &both } else { &both[..1] });
        }
    }
    let left = (0..x.len()).map(|node| x[node] - widths[node] / 2.0).fold(f64::INFINITY, f64::min);
    x.iter().map(|middle| ((middle - left + MARGIN) * 2.0).round() / 2.0).collect()
}

/// Moves a layer towards its neighbours on the given sides.
fn pull(layers: &Layers, layer: &[usize], offsets: &[f64], x: &mut [f64], sides: &[&Vec<Vec<usize>>]) {
    let old = x.to_vec();
    settle(layer, offsets, x, |node| {
        let weight = |other: usize| if layers.is_stop(node) && layers.is_stop(other) { STRAIGHT } else { 1.0 };
        let others = sides.iter().flat_map(|side| &side[node]);
        let (sum, total) =
            others.fold((0.0, 0.0), |(sum, total), other| (sum + weight(*other) * old[*other], total + weight(*other)));
        // Who has no neighbours there gives way to who has.
        if total > 0.0 { (sum / total, total) } else { (old[node], 0.1) }
    });
}

/// A run of nodes that touch each other and move as one.
struct Run {
    sum: f64,
    weight: f64,
    nodes: usize,
}

impl Run {
    fn place(&self) -> f64 {
        self.sum / self.weight
    }
}

/// Gives the nodes of a layer the places nearest to those wished (by the sum of squares, weighted) at
/// which none overlap: the distances taken off, places must only not fall from left to right, and
/// pooling neighbours that do solves that exactly.
fn settle(layer: &[usize], offsets: &[f64], x: &mut [f64], wish: impl Fn(usize) -> (f64, f64)) {
    let mut runs: Vec<Run> = Vec::new();
    for (node, offset) in layer.iter().zip(offsets) {
        let (place, weight) = wish(*node);
        let mut run = Run { sum: (place - offset) * weight, weight, nodes: 1 };
        while let Some(left) = runs.pop_if(|left| left.place() >= run.place()) {
            run = Run { sum: left.sum + run.sum, weight: left.weight + run.weight, nodes: left.nodes + run.nodes };
        }
        runs.push(run);
    }
    let places = runs.iter().flat_map(|run| std::iter::repeat_n(run.place(), run.nodes));
    for ((node, offset), place) in layer.iter().zip(offsets).zip(places) {
        x[*node] = place + offset;
    }
}

/// How far each node's middle is from that of the first, at least.
fn offsets(layer: &[usize], widths: &[f64], rows: usize) -> Vec<f64> {
    let mut offsets = vec![0.0; layer.len()];
    for place in 1..layer.len() {
        let beside = |other: usize| offsets[other] + (widths[layer[other]] + widths[layer[place]]) / 2.0 + GAP;
        let in_row = place.checked_sub(rows).map_or(0.0, beside);
        offsets[place] = in_row.max(offsets[place - 1] + STEP);
    }
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_met_where_there_is_room() {
        let widths = [20.0; 3];
        for (wishes, expect) in [
            ([0.0, 100.0, 200.0], [0.0, 100.0, 200.0]),
            ([50.0, 50.0, 50.0], [50.0 - 42.0, 50.0, 50.0 + 42.0]),
            ([0.0, 0.0, 500.0], [-21.0, 21.0, 500.0]),
        ] {
            let mut x = [0.0; 3];
            settle(&[0, 1, 2], &offsets(&[0, 1, 2], &widths, 1), &mut x, |node| (wishes[node], 1.0));
            assert_eq!(x, expect);
        }
    }

    #[test]
    fn only_nodes_of_one_row_keep_each_other_off() {
        let widths = [100.0, 20.0, 60.0, 20.0];
        assert_eq!(offsets(&[0, 1, 2, 3], &widths, 1), [0.0, 82.0, 144.0, 206.0]);
        assert_eq!(offsets(&[0, 1, 2, 3], &widths, 2), [0.0, 10.0, 102.0, 112.0]);
    }
}
