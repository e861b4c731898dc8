//! What Talos would ignore, take for something else, or refuse at boot, found before it is sent.

mod gone;
mod kubernetes;
mod links;
mod network;
mod secret;
mod volumes;

pub(super) use links::between;

use super::inventory::Role;
use super::line::Line;
use super::mistake::Mistake;
use crate::yaml::{Entry, Node, Value};

/// A rule on the documents of one node.
type Rule = fn(Line, Role, &[Node]) -> Vec<Mistake>;

const RULES: [Rule; 11] = [
    gone::deprecated,
    secret::secrets,
    secret::variables,
    network::plugin,
    network::names,
    links::sizes,
    kubernetes::images,
    kubernetes::kubelet,
    kubernetes::authorizers,
    volumes::volumes,
    modules,
];

/// Modules that are built into the kernel of every version (`CONFIG_TCP_CONG_BBR`, `CONFIG_NET_SCH_FQ` and
/// `CONFIG_NF_CONNTRACK`, all `=y` in `siderolabs/pkgs`), and what to do in place of loading them.
const BUILT_IN: [(&str, &str); 3] = [
    ("tcp_bbr", "leave it out: the sysctl `net.ipv4.tcp_congestion_control: bbr` is all that it needs"),
    ("sch_fq", "leave it out: the sysctl `net.core.default_qdisc: fq` is all that it needs"),
    ("nf_conntrack", "leave it out, and put `nf_conntrack.hashsize=…` on the command line of the image"),
];

/// Every mistake in the documents of a node, by the rules of that line.
pub(super) fn judge(line: Line, role: Role, documents: &[Node]) -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = RULES.iter().flat_map(|rule| rule(line, role, documents)).collect();
    mistakes.extend(documents.iter().filter_map(|document| machine_type(role, document)));
    mistakes
}

/// What is loaded that is there already; its parameters would be lost.
fn modules(_: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let single = documents.iter().filter_map(|document| document.find("machine.kernel.modules"));
    let own = super::document::of_kind(documents, "KernelModuleConfig");
    let names = single.flat_map(Node::items).chain(own).filter_map(|module| module.find("name"));
    let built_in = |name: &Node| {
        let (module, help) = BUILT_IN.iter().find(|(module, _)| name.as_text() == Some(module))?;
        let title = format!("`{module}` is built into the kernel: nothing is loaded, and parameters are lost");
        Some(Mistake::new(name.at, title, *help))
    };
    names.filter_map(built_in).collect()
}

/// A patch can't make another machine of a node than the inventory says.
fn machine_type(role: Role, document: &Node) -> Option<Mistake> {
    let said = document.find("machine.type").filter(|said| said.as_text() != Some(role.machine_type()))?;
    let title = format!("a node of the role `{}` is a `{}`", role.name(), role.machine_type());
    Some(Mistake::new(said.at, title, "drop it: the inventory says what a node is"))
}

/// Shows `visit` every entry of a document with its path; items of lists have the path of their list.
fn walk<'n>(node: &'n Node, path: &str, visit: &mut impl FnMut(&str, &'n Entry)) {
    match &node.value {
        Value::Map(map) => {
            for entry in map.iter() {
                let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                visit(&path, entry);
                walk(&entry.node, &path, visit);
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, path, visit)),
        _ => {}
    }
}
