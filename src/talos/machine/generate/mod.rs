//! What the inventory says of a node, in documents of its version of Talos.

mod cluster;
mod links;
mod volumes;

use std::collections::BTreeSet;

use super::inventory::{Inventory, Machine, Role};
use super::line::Line;
use crate::yaml::{Node, Place};

/// The documents of `node`, which patches are laid over.
pub(super) fn documents(line: Line, inventory: &Inventory, node: &Machine) -> Vec<Node> {
    let parts = [
        cluster::documents(line, inventory, node),
        links::documents(line, inventory, node),
        volumes::documents(line, node),
    ];
    let mut documents = Vec::new();
    for part in parts {
        super::merge::apply(&mut documents, &part);
    }
    documents
}

/// A list of texts, each for what stands at `at`.
fn texts<T: ToString>(at: Place, texts: impl IntoIterator<Item = T>) -> Node {
    Node::list(at, texts.into_iter().map(|text| Node::text(at, text.to_string())).collect())
}

/// The addresses at which certificates are asked for: the endpoint's, and those of all control planes.
fn names(inventory: &Inventory) -> Node {
    let members = inventory.nodes.iter().filter(|node| node.role.value == Role::ControlPlane);
    let addresses: BTreeSet<_> = members.map(|node| node.public.value.address).collect();
    let addresses = addresses.into_iter().map(|address| address.to_string());
    texts(inventory.endpoint.at, std::iter::once(inventory.host().to_owned()).chain(addresses))
}
