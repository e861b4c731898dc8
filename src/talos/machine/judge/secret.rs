//! What a built file may not have in it: secrets, and variables that nobody puts in.

use super::walk;
use crate::talos::machine::document::kind;
use crate::talos::machine::inventory::Role;
use crate::talos::machine::line::Line;
use crate::talos::machine::mistake::Mistake;
use crate::yaml::Node;

/// Fields that hold a secret, or what `talosctl gen secrets` makes with one.
const FIELDS: [&str; 11] = [
    "machine.token",
    "machine.ca",
    "cluster.id",
    "cluster.secret",
    "cluster.token",
    "cluster.ca",
    "cluster.aggregatorCA",
    "cluster.serviceAccount",
    "cluster.etcd.ca",
    "cluster.aescbcEncryptionSecret",
    "cluster.secretboxEncryptionSecret",
];

/// Kinds of documents that do.
const KINDS: [&str; 7] = [
    "DiscoveryIdentityConfig",
    "KubeAPIServerCAConfig",
    "KubeAggregatorCAConfig",
    "KubeEtcdEncryptionConfig",
    "KubeServiceAccountConfig",
    "RegistryAuthConfig",
    "WireguardConfig",
];

const HELP: &str = "drop it: the patch with the secrets brings it when a node gets its configuration";

pub(super) fn secrets(_: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for document in documents {
        let kind = kind(document);
        if KINDS.contains(&kind) {
            let title = format!("`{kind}` holds a secret, and what is built can be read by all");
            mistakes.push(Mistake::new(document.find("kind").map_or(document.at, |kind| kind.at), title, HELP));
        }
        walk(document, "", &mut |path, entry| {
            if kind.is_empty() && FIELDS.contains(&path) {
                let title = format!("`{path}` is a secret, and what is built can be read by all");
                mistakes.push(Mistake::new(entry.at, title, HELP));
            }
        });
    }
    mistakes
}

/// Texts such as `${NODE_IP}`.
pub(super) fn variables(_: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut look = |path: &str, node: &Node| {
        let text = node.as_text().filter(|text| text.contains("${") && text.contains('}'));
        mistakes.extend(text.map(|text| {
            let title = format!("`{path}` is `{}`, and Talos puts nothing in for variables", text.escape_debug());
            Mistake::new(node.at, title, "write the value, in the inventory if it is a node's")
        }));
    };
    for document in documents {
        walk(document, "", &mut |path, entry| {
            look(path, &entry.node);
            entry.node.items().iter().for_each(|item| look(path, item));
        });
    }
    mistakes
}
