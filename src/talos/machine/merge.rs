//! Strategic merge, as `talosctl machineconfig patch` does it.
//!
//! Documents of one kind and name are one document. Maps merge; a list is appended to, but for those of [`APART`];
//! anything else is replaced, unless the patch has nothing there (`""`, `0`, `null`, `[]`, `{}`). `$patch: delete`
//! takes out the document or the map in which it stands.
//! (`pkg/machinery/config/merge/merge.go`, `configpatcher/strategic_merge.go`)

use super::document::{identity, kind};
use crate::yaml::{Entry, Map, Node, Value};

/// What becomes of a list or a map in a patch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// It stands in place of the one that was there.
    Replaces,
    /// Its items merge into those that have the same values of these keys.
    Merges(&'static [&'static str]),
}

/// Lists and maps that are not merged as others are: the kind of their document, and their path in it.
/// (`merge:"replace"` and `Merge` in `pkg/machinery/config/types`)
const APART: [(&str, &str, How); 20] = [
    ("", "cluster.network.podSubnets", How::Replaces),
    ("", "cluster.network.serviceSubnets", How::Replaces),
    ("", "cluster.apiServer.auditPolicy", How::Replaces),
    ("", "cluster.apiServer.admissionControl", How::Merges(&["name"])),
    ("", "machine.network.interfaces", How::Merges(&["interface", "deviceSelector"])),
    ("", "machine.network.interfaces.vlans", How::Merges(&["vlanId"])),
    ("BGPInstanceConfig", "advertise", How::Replaces),
    ("BGPInstanceConfig", "importRoutes", How::Replaces),
    ("BGPInstanceConfig", "neighbors", How::Replaces),
    ("CRIBaseRuntimeSpecConfig", "overrides", How::Replaces),
    ("ExtensionServiceConfig", "configFiles", How::Merges(&["mountPath"])),
    ("KubeAuditPolicyConfig", "configuration", How::Replaces),
    ("KubeAuthenticationConfig", "configuration", How::Replaces),
    ("KubeCredentialProviderConfig", "configuration", How::Replaces),
    ("KubeNetworkConfig", "podSubnets", How::Replaces),
    ("KubeNetworkConfig", "serviceSubnets", How::Replaces),
    ("KubeStaticPodConfig", "pod", How::Replaces),
    ("NetworkRuleConfig", "ingress", How::Replaces),
    ("NetworkRuleConfig", "portSelector.ports", How::Replaces),
    ("ResolverConfig", "searchDomains.domains", How::Replaces),
];

/// The key of a map that is there to be taken out.
const PATCH: &str = "$patch";

/// Lays the documents of a patch over `documents`.
pub(super) fn apply(documents: &mut Vec<Node>, patch: &[Node]) {
    for over in patch {
        let place = documents.iter().position(|document| identity(document) == identity(over));
        match place {
            Some(place) if deletes(over) => _ = documents.remove(place),
            Some(place) => merge(&mut documents[place], over, kind(over), ""),
            None if deletes(over) => {}
            None => documents.push(over.clone()),
        }
    }
}

fn merge(below: &mut Node, over: &Node, kind: &str, path: &str) {
    let apart = APART.iter().find(|(of, value, _)| *of == kind && *value == path).map(|(_, _, how)| how);
    match (&mut below.value, &over.value, apart) {
        _ if is_nothing(over) => {}
        (Value::Map(below), Value::Map(over), None) => maps(below, over, kind, path),
        (Value::List(below), Value::List(over), None) => below.extend(over.iter().cloned()),
        (Value::List(below), Value::List(over), Some(How::Merges(keys))) => items(below, over, keys, kind, path),
        _ => *below = over.clone(),
    }
}

fn maps(below: &mut Map, over: &Map, kind: &str, path: &str) {
    for entry in over.iter() {
        let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        match below.get_mut(&entry.key) {
            _ if deletes(&entry.node) => below.remove(&entry.key),
            Some(node) => merge(node, &entry.node, kind, &path),
            None => below.insert(Entry::clone(entry)),
        }
    }
}

/// Merges each item into the one that is the same, or puts it behind the others.
fn items(below: &mut Vec<Node>, over: &[Node], keys: &[&str], kind: &str, path: &str) {
    for item in over {
        match below.iter_mut().find(|old| same(old, item, keys)) {
            Some(old) => merge_item(old, item, kind, path),
            None => below.push(item.clone()),
        }
    }
}

/// An item has the path of its list, and is no list that is merged apart.
fn merge_item(below: &mut Node, over: &Node, kind: &str, path: &str) {
    match (&mut below.value, &over.value) {
        (Value::Map(below), Value::Map(over)) => maps(below, over, kind, path),
        _ => *below = over.clone(),
    }
}

/// Whether one of the keys has the same value in both.
fn same(one: &Node, other: &Node, keys: &[&str]) -> bool {
    let value = |node: &Node, key: &str| node.find(key).map(Node::json);
    keys.iter().any(|key| value(one, key).is_some_and(|found| value(other, key) == Some(found)))
}

fn deletes(node: &Node) -> bool {
    node.as_map().and_then(|map| map.get(PATCH)).and_then(Node::as_text) == Some("delete")
}

fn is_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Int(number) => *number == 0,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.iter().next().is_none(),
        Value::Bool(_) | Value::Float(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{read, write};

    fn merged(base: &str, patch: &str) -> String {
        let mut documents = read(base, 0).expect("sound");
        apply(&mut documents, &read(patch, 1).expect("sound"));
        write(&documents)
    }

    #[test]
    fn as_talos_does() {
        for (base, patch, expected) in [
            ("a: {b: 1, c: 1}", "a: {c: 2, d: 3}", "a:\n  b: 1\n  c: 2\n  d: 3\n"),
            ("a: {x: [1]}", "a: {x: [2]}", "a:\n  x:\n    - 1\n    - 2\n"),
            ("a: {b: t, c: 1}", "a: {b: \"\", c: 0}", "a:\n  b: t\n  c: 1\n"),
            ("a: {x: true}", "a: {x: false}", "a:\n  x: false\n"),
            ("a: {x: {b: 1}, z: 1}", "a: {x: {$patch: delete}}", "a:\n  z: 1\n"),
            ("kind: A\n---\nkind: B", "kind: A\n$patch: delete", "kind: B\n"),
            ("kind: A\nname: x", "kind: A\nname: z", "kind: A\nname: x\n---\nkind: A\nname: z\n"),
            ("kind: A\nname: x", "kind: A\nname: x\nz: 1", "kind: A\nname: x\nz: 1\n"),
            ("a: 1", "kind: A\n$patch: delete", "a: 1\n"),
            (
                "cluster: {network: {podSubnets: [10.0.0.0/8]}}",
                "cluster: {network: {podSubnets: [172.16.0.0/12]}}",
                "cluster:\n  network:\n    podSubnets:\n      - 172.16.0.0/12\n",
            ),
            (
                "kind: KubeAuditPolicyConfig\nconfiguration: {rules: [1], b: 1}",
                "kind: KubeAuditPolicyConfig\nconfiguration: {rules: [2]}",
                "kind: KubeAuditPolicyConfig\nconfiguration:\n  rules:\n    - 2\n",
            ),
            (
                "machine: {network: {interfaces: [{interface: a, vlans: [{vlanId: 1, mtu: 1}]}]}}",
                "machine: {network: {interfaces: [{interface: a, vlans: [{vlanId: 1, mtu: 2}]}, {interface: b}]}}",
                "machine:\n  network:\n    interfaces:\n      - interface: a\n        vlans:\n          - mtu: 2\n            \
                 vlanId: 1\n      - interface: b\n",
            ),
        ] {
            assert_eq!(merged(base, patch), expected, "{patch}");
        }
    }
}
