//! Which cluster a node belongs to, as what, and by which addresses.

use super::{names, texts};
use crate::talos::machine::document::{document, single};
use crate::talos::machine::inventory::{Inventory, Machine, Role};
use crate::talos::machine::line::{Form, Line};
use crate::yaml::Node;

pub(super) fn documents(line: Line, inventory: &Inventory, node: &Machine) -> Vec<Node> {
    match line.rest() {
        Form::Single => vec![whole(inventory, node)],
        Form::Many => many(inventory, node),
    }
}

/// All of it in one document.
fn whole(inventory: &Inventory, node: &Machine) -> Node {
    let Inventory { cluster: name, endpoint, .. } = inventory;
    let private = subnet(node);
    let kubelet = Node::map(private.at, [("nodeIP", Node::map(private.at, [("validSubnets", private)]))]);
    let plane = Node::map(endpoint.at, [("endpoint", Node::text(endpoint.at, &endpoint.value))]);
    let mut cluster = vec![("clusterName", Node::text(name.at, &name.value)), ("controlPlane", plane)];
    if node.role.value == Role::ControlPlane {
        cluster.extend([("apiServer", Node::map(endpoint.at, [("certSANs", names(inventory))])), ("etcd", etcd(node))]);
    }
    let mut machine = machine(inventory, node);
    machine.push(("kubelet", kubelet));
    single(node.name.at, [("machine", Node::map(node.role.at, machine)), ("cluster", Node::map(name.at, cluster))])
}

/// A document for each thing.
fn many(inventory: &Inventory, node: &Machine) -> Vec<Node> {
    let Inventory { cluster: name, endpoint, .. } = inventory;
    let machine = ("machine", Node::map(node.role.at, machine(inventory, node)));
    let private = subnet(node);
    let names_of_cluster =
        [("clusterName", Node::text(name.at, &name.value)), ("endpoint", Node::text(endpoint.at, &endpoint.value))];
    let addresses = [("nodeIP", Node::map(private.at, [("validSubnets", private.clone())]))];
    let mut documents = vec![
        document(name.at, "KubeClusterConfig", names_of_cluster),
        document(private.at, "KubeNodeConfig", addresses),
    ];
    if node.role.value == Role::ControlPlane {
        let cluster = ("cluster", Node::map(name.at, [("etcd", etcd(node))]));
        documents.push(single(node.name.at, [machine, cluster]));
        documents.push(document(endpoint.at, "KubeAPIServerConfig", [("certExtraSANs", names(inventory))]));
    } else {
        documents.push(single(node.name.at, [machine]));
    }
    documents
}

fn machine(inventory: &Inventory, node: &Machine) -> Vec<(&'static str, Node)> {
    vec![("type", Node::text(node.role.at, node.role.value.machine_type())), ("certSANs", names(inventory))]
}

/// Members of etcd talk over the private network.
fn etcd(node: &Machine) -> Node {
    Node::map(node.private.at, [("advertisedSubnets", subnet(node))])
}

/// The private network, as the only item of a list.
fn subnet(node: &Machine) -> Node {
    texts(node.private.at, [node.private.value.network()])
}
