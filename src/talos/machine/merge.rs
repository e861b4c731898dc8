//! Strategic merge, as `talosctl machineconfig patch` does it.
//!
//! Documents of one kind and name are one document. Maps merge; a list is appended to, but for those of [`LISTS`];
//! anything else is replaced, unless the patch has nothing there (`""`, `0`, `null`, `[]`, `{}`). `$patch: delete`
//! takes out the document or the map in which it stands.
//! (`pkg/machinery/config/merge/merge.go`, `configpatcher/strategic_merge.go`)

use super::document::{identity, kind};
use crate::yaml::{Entry, Map, Node, Value};

/// What becomes of a list in a patch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// It stands in place of the one that was there.
    Replaces,
    /// Its items merge into those that have the same values of these keys.
    Merges(&'static [&'static str]),
}

/// Lists that are not appended to: the kind of their document, and their path in it.
/// (`merge:"replace"` and `Merge` in `pkg/machinery/config/types`)
const LISTS: [(&str, &str, How); 11] = [
    ("", "cluster.network.podSubnets", How::Replaces),
    ("", "cluster.network.serviceSubnets", How::Replaces),
    ("", "cluster.apiServer.admissionControl", How::Merges(&["name"])),
    ("", "machine.network.interfaces", How::Merges(&["interface", "deviceSelector"])),
    ("", "machine.network.interfaces.vlans", How::Merges(&["vlanId"])),
    ("ExtensionServiceConfig", "configFiles", How::Merges(&["mountPath"])),
    ("KubeNetworkConfig", "podSubnets", How::Replaces),
    ("KubeNetworkConfig", "serviceSubnets", How::Replaces),
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
    match (&mut below.value, &over.value) {
        (Value::Map(below), Value::Map(over)) => maps(below, over, kind, path),
        (Value::List(below), Value::List(over)) => lists(below, over, kind, path),
        _ if is_nothing(over) => {}
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

fn lists(below: &mut Vec<Node>, over: &[Node], kind: &str, path: &str) {
    let how = LISTS.iter().find(|(of, list, _)| *of == kind && *list == path).map(|(_, _, how)| how);
    match how {
        Some(How::Replaces) if over.is_empty() => {}
        Some(How::Replaces) => *below = over.to_vec(),
        Some(How::Merges(keys)) => {
            over.iter().for_each(|item| match below.iter_mut().find(|old| same(old, item, keys)) {
                Some(old) => merge(old, item, kind, path),
                None => below.push(item.clone()),
            })
        }
        None => below.extend(over.iter().cloned()),
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
