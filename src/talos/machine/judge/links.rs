//! That frames fit into what carries them.

use std::collections::BTreeMap;

use crate::talos::machine::document::kind;
use crate::talos::machine::inventory::Role;
use crate::talos::machine::line::Line;
use crate::talos::machine::mistake::Mistake;
use crate::yaml::{Node, Place};

/// What a link carries if nothing is said.
const DEFAULT: i64 = 1500;
/// Kinds of documents of links that others stand on.
const PARENTS: [&str; 4] = ["LinkConfig", "BondConfig", "BridgeConfig", "DummyLinkConfig"];

/// A VLAN of a node.
struct Vlan {
    id: i64,
    parent: String,
    mtu: i64,
    at: Place,
}

/// A VLAN has frames no larger than those of the link below it.
pub(super) fn sizes(_: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let links = links(documents);
    let over = vlans(documents).into_iter().filter_map(|vlan| {
        let (below, at) = links.get(&vlan.parent).copied()?;
        (vlan.mtu > below).then(|| {
            let title =
                format!("VLAN {} has frames of {} bytes on `{}`, which has {below}", vlan.id, vlan.mtu, vlan.parent);
            Mistake::new(vlan.at, title, "raise the `mtu` of the link below, or lower this one")
                .also(at, "the link below")
        })
    });
    over.collect()
}

/// One VLAN has frames of one size on all nodes, or large ones get lost.
pub(in crate::talos::machine) fn between<'d>(nodes: impl IntoIterator<Item = &'d [Node]>) -> Vec<Mistake> {
    let mut first = BTreeMap::<i64, Vlan>::new();
    let mut mistakes = Vec::new();
    for vlan in nodes.into_iter().flat_map(vlans) {
        match first.get(&vlan.id) {
            Some(other) if other.mtu != vlan.mtu => {
                let title = format!(
                    "VLAN {} has frames of {} bytes on one node and {} on another",
                    vlan.id, other.mtu, vlan.mtu
                );
                let mistake = Mistake::new(vlan.at, title, "give it one `mtu` everywhere: large frames would be lost");
                mistakes.push(mistake.also(other.at, "the other one"));
            }
            Some(_) => {}
            None => _ = first.insert(vlan.id, vlan),
        }
    }
    mistakes
}

/// The size of frames of each link, by its name.
fn links(documents: &[Node]) -> BTreeMap<String, (i64, Place)> {
    let own = documents.iter().filter(|document| PARENTS.contains(&kind(document))).map(|link| (link, "name"));
    let single = interfaces(documents).map(|link| (link, "interface"));
    let named = own.chain(single).filter_map(|(link, name)| Some((link.find(name)?.as_text()?.to_owned(), mtu(link))));
    named.collect()
}

fn vlans(documents: &[Node]) -> Vec<Vlan> {
    let own = documents.iter().filter(|document| kind(document) == "VLANConfig");
    let own = own.filter_map(|vlan| vlan_of(vlan, "vlanID", vlan.find("parent")?.as_text()?));
    let single = interfaces(documents).flat_map(|link| {
        let parent = link.find("interface").and_then(Node::as_text).unwrap_or_default();
        let vlans = link.find("vlans").map_or(&[][..], Node::items);
        vlans.iter().filter_map(move |vlan| vlan_of(vlan, "vlanId", parent))
    });
    own.chain(single).collect()
}

fn vlan_of(vlan: &Node, id: &str, parent: &str) -> Option<Vlan> {
    let (mtu, at) = mtu(vlan);
    Some(Vlan { id: vlan.find(id)?.as_int()?, parent: parent.to_owned(), mtu, at })
}

fn interfaces(documents: &[Node]) -> impl Iterator<Item = &Node> {
    documents.iter().filter_map(|document| document.find("machine.network.interfaces")).flat_map(Node::items)
}

fn mtu(link: &Node) -> (i64, Place) {
    let said = link.find("mtu");
    (said.and_then(Node::as_int).unwrap_or(DEFAULT), said.map_or(link.at, |mtu| mtu.at))
}
