//! The network: two or more ports in a bond with the public address, and a VLAN on it with the private one.

use super::texts;
use crate::talos::machine::document::{document, single};
use crate::talos::machine::inventory::{Inventory, Machine, Network};
use crate::talos::machine::line::{Form, Line};
use crate::yaml::Node;

/// What the bond is called.
const BOND: &str = "bond0";
/// LACP: what switches of providers speak on two ports.
const MODE: &str = "802.3ad";
/// How often the ports' state is looked at, in milliseconds; without it a dead port stays in the bond.
const MIIMON: i64 = 100;
/// How long a port's new state must last before it counts, in milliseconds.
const DELAY: i64 = 200;
/// Spreads flows over the ports by addresses and ports.
const POLICY: &str = "layer3+4";

pub(super) fn documents(line: Line, inventory: &Inventory, node: &Machine) -> Vec<Node> {
    match line.network() {
        Form::Single => vec![whole(&inventory.network, node)],
        Form::Many => many(&inventory.network, node),
    }
}

/// All of it in one document.
fn whole(network: &Network, node: &Machine) -> Node {
    let at = node.name.at;
    let nameservers = network.nameservers.iter().map(|server| Node::text(server.at, &server.value)).collect();
    let entries = [
        ("hostname", Node::text(at, &node.name.value)),
        ("nameservers", Node::list(at, nameservers)),
        ("interfaces", Node::list(at, vec![interface(network, node)])),
    ];
    single(at, [("machine", Node::map(at, [("network", Node::map(at, entries))]))])
}

fn interface(network: &Network, node: &Machine) -> Node {
    let (public, private) = (node.public.at, node.private.at);
    let selector = |port| Node::map(node.name.at, [("permanentAddr", port)]);
    let selectors = node.ports.iter().map(|port| selector(Node::text(port.at, &port.value))).collect();
    let bond = [
        ("mode", Node::text(public, MODE)),
        ("miimon", Node::int(public, MIIMON)),
        ("updelay", Node::int(public, DELAY)),
        ("downdelay", Node::int(public, DELAY)),
        ("xmitHashPolicy", Node::text(public, POLICY)),
        ("deviceSelectors", Node::list(public, selectors)),
    ];
    let vlan = [
        ("vlanId", Node::int(network.vlan.at, network.vlan.value)),
        ("mtu", Node::int(network.private_mtu.at, network.private_mtu.value)),
        ("dhcp", Node::bool(private, false)),
        ("addresses", texts(private, [node.private.value])),
    ];
    let entries = [
        ("interface", Node::text(public, BOND)),
        ("bond", Node::map(public, bond)),
        ("mtu", Node::int(network.bond_mtu.at, network.bond_mtu.value)),
        ("dhcp", Node::bool(public, false)),
        ("addresses", texts(public, [node.public.value])),
        ("routes", Node::list(public, vec![way_out(network, node, Some("0.0.0.0/0"))])),
        ("vlans", Node::list(private, vec![Node::map(private, vlan)])),
    ];
    Node::map(public, entries)
}

/// A document for each link.
fn many(network: &Network, node: &Machine) -> Vec<Node> {
    let at = node.name.at;
    let servers = network.nameservers.iter();
    let servers = servers.map(|server| Node::map(server.at, [("address", Node::text(server.at, &server.value))]));
    let mut documents = vec![
        document(at, "HostnameConfig", [("hostname", Node::text(at, &node.name.value))]),
        document(at, "ResolverConfig", [("nameservers", Node::list(at, servers.collect()))]),
        bond(network, node),
        vlan(network, node),
    ];
    documents.extend(node.ports.iter().enumerate().map(|(number, port)| {
        let matching = format!("mac(link.permanent_addr) == {:?}", port.value);
        let selector = Node::map(port.at, [("match", Node::text(port.at, matching))]);
        let entries = [("name", Node::text(port.at, alias(number))), ("selector", selector)];
        document(port.at, "LinkAliasConfig", entries)
    }));
    documents
}

fn bond(network: &Network, node: &Machine) -> Node {
    let at = node.public.at;
    let entries = [
        ("name", Node::text(at, BOND)),
        ("links", texts(at, (0..node.ports.len()).map(alias))),
        ("bondMode", Node::text(at, MODE)),
        ("miimon", Node::int(at, MIIMON)),
        ("updelay", Node::int(at, DELAY)),
        ("downdelay", Node::int(at, DELAY)),
        ("xmitHashPolicy", Node::text(at, POLICY)),
        ("mtu", Node::int(network.bond_mtu.at, network.bond_mtu.value)),
        (
            "addresses",
            Node::list(at, vec![Node::map(at, [("address", Node::text(at, node.public.value.to_string()))])]),
        ),
        ("routes", Node::list(at, vec![way_out(network, node, None)])),
    ];
    document(at, "BondConfig", entries)
}

fn vlan(network: &Network, node: &Machine) -> Node {
    let (at, tag) = (node.private.at, &network.vlan);
    let entries = [
        ("name", Node::text(at, format!("{BOND}.{}", tag.value))),
        ("parent", Node::text(at, BOND)),
        ("vlanID", Node::int(tag.at, tag.value)),
        ("mtu", Node::int(network.private_mtu.at, network.private_mtu.value)),
        (
            "addresses",
            Node::list(at, vec![Node::map(at, [("address", Node::text(at, node.private.value.to_string()))])]),
        ),
    ];
    document(at, "VLANConfig", entries)
}

/// The route to everywhere, with the size of frames that goes there; `to` where "everywhere" has to be said.
fn way_out(network: &Network, node: &Machine, to: Option<&str>) -> Node {
    let at = node.gateway.at;
    let route = [
        ("gateway", Node::text(at, &node.gateway.value)),
        ("mtu", Node::int(network.public_mtu.at, network.public_mtu.value)),
    ];
    Node::map(at, to.map(|to| ("network", Node::text(at, to))).into_iter().chain(route))
}

/// What a port is called that has no name of its own until it is there.
fn alias(number: usize) -> String {
    format!("port{number}")
}
