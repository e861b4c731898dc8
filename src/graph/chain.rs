//! The longest chain: what a build can't be quicker than, however many processors it has.

/// The nodes of the chain with the greatest weight, in its order; none where nothing has a weight.
/// `needs` names for each node the nodes that it needs, all of which stand before it.
#[must_use]
pub fn chain(weights: &[f64], needs: &[Vec<usize>]) -> Vec<usize> {
    let mut length: Vec<f64> = Vec::with_capacity(weights.len());
    let mut before: Vec<Option<usize>> = Vec::with_capacity(weights.len());
    for (weight, needs) in weights.iter().zip(needs) {
        let longest = last_of_longest(needs.iter().copied(), &length);
        length.push(weight + longest.map_or(0.0, |node| length[node]));
        before.push(longest);
    }
    let end = last_of_longest(0..weights.len(), &length).filter(|end| length[*end] > 0.0);
    let mut chain: Vec<usize> = std::iter::successors(end, |node| before[*node]).collect();
    chain.reverse();
    chain
}

/// The node with the longest chain behind it, the first of equals.
fn last_of_longest(nodes: impl Iterator<Item = usize>, length: &[f64]) -> Option<usize> {
    nodes.fold(None, |best: Option<usize>, node| match best {
        Some(best) if length[best] >= length[node] => Some(best),
        _ => Some(node),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_the_heavy_way() {
        // 0 → 2 → 3 and 1 → 3.
        let needs = [vec![], vec![], vec![0], vec![1, 2]];
        for (weights, expect) in [
            ([1.0, 1.0, 1.0, 1.0], vec![0, 2, 3]),
            ([1.0, 9.0, 1.0, 1.0], vec![1, 3]),
            ([9.0, 1.0, 0.0, 0.0], vec![0]),
            ([0.0; 4], vec![]),
        ] {
            assert_eq!(chain(&weights, &needs), expect, "{weights:?}");
        }
        assert!(chain(&[], &[]).is_empty());
    }
}
